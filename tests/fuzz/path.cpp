// Paths and queries: decoding and routes, compared with a plain version of the contract's rules.
#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "cli/target.h"
#include "fuzz/expect.h"
#include "http/route.h"

namespace {

using fuzz::expect;

std::optional<std::string> decoded(std::string_view text) {
  const auto digit = [](char c) { return std::string_view("0123456789abcdefABCDEF").find(c); };
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      plain += text[i];
      continue;
    }
    if (text.size() - i < 3) return std::nullopt;
    const auto high = digit(text[i + 1]), low = digit(text[i + 2]);
    if (high == text.npos || low == text.npos) return std::nullopt;
    plain += static_cast<char>((high > 15 ? high - 6 : high) * 16 + (low > 15 ? low - 6 : low));
    i += 2;
  }
  return plain;
}

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts{""};
  for (const char c : text) {
    if (c == separator) {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return parts;
}

const http::RouteTable& table() {
  static const http::RouteTable routes = [] {
    const auto none = [](const http::Request&) { return http::Response{}; };
    return http::RouteTable({{"POST", "/v2/room_server", none},
                             {"PUT", "/v2/rooms/{room}/sessions/{session}", none},
                             {"DELETE", "/v2/rooms/{room}/sessions/{session}", none},
                             {"PUT", "/v2/sessions", none},
                             {"GET", "/v2/rooms", none},
                             {"GET", "/v2/rooms/{room}", none},
                             {"PUT", "/v2/gateways/{name}/drain", none},
                             {"GET", "/healthz", none, 0, true},
                             {"GET", "/", none, 0, true}});
  }();
  return routes;
}

// The pattern that the path is of, or "".
std::string pattern_of(std::string_view path) {
  if (path == "/") return "/";
  const std::vector<std::string> given = split(path.substr(1), '/');
  for (const char* pattern : {"/v2/room_server", "/v2/rooms/{room}/sessions/{session}", "/v2/sessions", "/v2/rooms",
                              "/v2/rooms/{room}", "/v2/gateways/{name}/drain", "/healthz"}) {
    const auto wanted = split(std::string_view(pattern).substr(1), '/');
    const auto fits = [](const std::string& a, const std::string& b) { return a[0] == '{' ? !b.empty() : a == b; };
    if (std::equal(wanted.begin(), wanted.end(), given.begin(), given.end(), fits)) return pattern;
  }
  return "";
}

void check_path(std::string_view path) {
  for (const char* method : {"GET", "POST", "PUT", "DELETE", "OPTIONS"}) {
    const auto match = table().find(method, path);
    const std::string pattern = pattern_of(path);
    expect(!match.route || (match.route->pattern == pattern && match.route->method == method),
           "the route that the path names");
    expect(match.route || match.allow.empty() == pattern.empty(), "405 where another method would do");
    expect(!match.open || pattern == "/healthz" || (pattern == "/" && match.route), "a token asked for");
  }
}

void check_ids(const std::string& room, const std::string& session) {
  const std::string path = "/v2/rooms/" + cli::percent_encoded(room) + "/sessions/" + cli::percent_encoded(session);
  const auto match = table().find("PUT", path);
  expect((match.route != nullptr) == (!room.empty() && !session.empty()), "a route for two ids");
  if (match.route) expect(match.args == std::vector{room, session}, "the ids as they were encoded");
}

void check_query(std::string_view text) {
  const auto query = http::Query::parse(text);
  std::map<std::string, std::string> values;
  bool good = true;
  for (const std::string& pair : split(text, '&')) {
    if (pair.empty()) continue;
    const auto equals = std::min(pair.find('='), pair.size());
    const auto name = decoded(pair.substr(0, equals));
    const auto value = decoded(pair.substr(std::min(equals + 1, pair.size())));
    good = good && name && value;
    if (good) values[*name] = *value;
  }
  expect(query.has_value() == good, "a query without a bad percent sign");
  for (const auto& [name, value] : values) expect(!query || query->value(name) == value, "the values of the query");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(fuzz::as_text(data, size));
  expect(http::percent_decoded(text) == decoded(text), "what the digits say");
  expect(http::percent_decoded(cli::percent_encoded(text)) == text, "what was encoded");
  if (!text.empty() && text[0] == '/' && decoded(text)) check_path(text);
  const auto middle = std::min(text.find('/'), text.size());
  check_ids(text.substr(0, middle), text.substr(middle));
  check_query(text);
  const auto query = http::Query::parse("a=1&" + cli::percent_encoded(text) + "=" + cli::percent_encoded(text));
  expect(query && query->value(text) == (text == "a" ? "a" : text), "a value that was encoded");
  return 0;
}
