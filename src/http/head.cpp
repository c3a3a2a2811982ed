#include "http/head.h"

#include <algorithm>
#include <charconv>
#include <cstring>

#include <strings.h>

#include "http/route.h"

namespace http {
namespace {

constexpr Refusal malformed(std::string_view message) { return {400, "invalid_request", message}; }

constexpr Refusal bad_line = malformed(
    "The request line is malformed; send a method, a target and HTTP/1.1, with one blank between.");
constexpr Refusal bad_target =
    malformed("The target is malformed; send a path that begins with a slash, without a fragment.");
constexpr Refusal bad_field =
    malformed("A header field is malformed; send each as 'Name: value' on a line of its own.");
constexpr Refusal bad_host = malformed("Send exactly one Host field.");
constexpr Refusal bad_length =
    malformed("Send either one Content-Length in plain digits, or Transfer-Encoding: chunked.");
constexpr Refusal bad_path{400, "invalid_path",
                           "A percent sign in the path is not followed by two hexadecimal digits."};
constexpr Refusal encoded{415, "unsupported_encoding",
                          "Send the body as it is, without Content-Encoding."};

bool same_word(std::string_view a, std::string_view b) {
  return a.size() == b.size() && strncasecmp(a.data(), b.data(), a.size()) == 0;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

bool is_control(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte == 0x7f;
}

// Is `word` in a comma-separated list, in any case?
bool lists(std::string_view list, std::string_view word) {
  while (!list.empty()) {
    const auto comma = std::min(list.find(','), list.size());
    if (same_word(trimmed(list.substr(0, comma)), word)) return true;
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return false;
}

// What the fields say about framing and connection, judged when all have been seen.
struct Framing {
  int hosts = 0;
  int lengths = 0;
  int encodings = 0;
  bool odd = false;
  bool content_encoded = false;
  bool close = false;
  bool keep = false;
};

void read_length(std::string_view value, Head& head, Framing& framing) {
  ++framing.lengths;
  const auto [end, error] =
      std::from_chars(value.data(), value.data() + value.size(), head.length);
  // from_chars takes no sign, blank or prefix for an unsigned number.
  if (error != std::errc{} || end != value.data() + value.size()) framing.odd = true;
}

void read_field(std::string_view name, std::string_view value, Head& head, Framing& framing) {
  switch (name.size()) {  // most fields are none of ours; their length says so already
    case 4:
      if (same_word(name, "Host")) {
        ++framing.hosts;
        head.host = value;
      }
      break;
    case 6:
      if (same_word(name, "Origin")) {
        ++head.origins;
        head.origin = value;
      } else if (same_word(name, "Expect")) {
        head.expects_continue = same_word(value, "100-continue");
      }
      break;
    case 10:
      if (same_word(name, "Connection")) {
        framing.close = framing.close || lists(value, "close");
        framing.keep = framing.keep || lists(value, "keep-alive");
      }
      break;
    case 12:
      if (same_word(name, "X-Request-Id") && head.request_id.empty()) head.request_id = value;
      break;
    case 13:
      if (same_word(name, "Authorization")) {
        ++head.authorizations;
        head.authorization = value;
      }
      break;
    case 14:
      if (same_word(name, "Content-Length")) read_length(value, head, framing);
      break;
    case 16:
      if (same_word(name, "Content-Encoding")) framing.content_encoded = true;
      break;
    case 17:
      if (same_word(name, "Transfer-Encoding")) {
        ++framing.encodings;
        head.chunked = same_word(value, "chunked");
        if (!head.chunked) framing.odd = true;
      }
      break;
    default:
      break;
  }
}

// A target in absolute form, as proxies send it, names its authority twice: they must agree.
bool strip_authority(std::string_view& target, std::string_view& authority) {
  constexpr std::string_view scheme = "http://";
  if (!same_word(target.substr(0, scheme.size()), scheme)) return false;
  target.remove_prefix(scheme.size());
  const auto end = std::min(target.find_first_of("/?"), target.size());
  authority = target.substr(0, end);
  target.remove_prefix(end);
  return true;
}

std::optional<Refusal> read_line(std::string_view line, Head& head, std::string_view& target) {
  const auto first = line.find(' ');
  const auto last = line.rfind(' ');
  if (first == line.npos || first == last) return bad_line;
  head.method = line.substr(0, first);
  target = line.substr(first + 1, last - first - 1);
  const auto version = line.substr(last + 1);
  if (version != "HTTP/1.1" && version != "HTTP/1.0") return bad_line;
  head.is_1_0 = version == "HTTP/1.0";
  if (head.method.empty() || !std::all_of(head.method.begin(), head.method.end(), is_token_char)) {
    return bad_line;
  }
  const auto is_foul = [](char c) { return is_control(c) || c == ' ' || c == '#'; };
  if (target.empty() || std::any_of(target.begin(), target.end(), is_foul)) return bad_target;
  return std::nullopt;
}

std::optional<Refusal> read_target(std::string_view target, bool host_matters, Head& head) {
  std::string_view authority;
  if (strip_authority(target, authority)) {
    if (host_matters && head.host && !same_word(*head.host, authority)) return bad_host;
    if (target.empty()) target = "/";
  }
  const auto mark = std::min(target.find('?'), target.size());
  head.path = target.substr(0, mark);
  head.query = target.substr(std::min(mark + 1, target.size()));
  if (head.path.empty()) head.path = "/";  // http://host?query
  if (head.path == "*" && head.method == "OPTIONS") head.path = "/";  // the server as such
  if (head.path.front() != '/') return bad_target;
  if (head.path.find('%') != head.path.npos && !percent_decoded(head.path)) return bad_path;
  return std::nullopt;
}

std::optional<Refusal> read_fields(std::string_view text, Head& head, Framing& framing) {
  while (!text.empty()) {
    const auto end = text.find("\r\n");
    if (end == text.npos) return bad_field;
    const auto line = text.substr(0, end);
    text.remove_prefix(end + 2);
    const auto colon = line.find(':');
    if (colon == line.npos || colon == 0) return bad_field;
    const auto name = line.substr(0, colon);
    // No blank before the colon, no folded line: both have been read as another field elsewhere.
    if (!std::all_of(name.begin(), name.end(), is_token_char)) return bad_field;
    const auto value = trimmed(line.substr(colon + 1));
    const auto is_foul = [](char c) { return is_control(c) && c != '\t'; };
    if (std::any_of(value.begin(), value.end(), is_foul)) return bad_field;
    read_field(name, value, head, framing);
  }
  return std::nullopt;
}

}  // namespace

bool is_token_char(char c) {
  if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')) return true;
  return c != '\0' && std::strchr("!#$%&'*+-.^_`|~", c) != nullptr;
}

std::optional<Refusal> parse_head(std::string_view text, bool host_matters, Head& head) {
  head = Head{};
  const auto end = text.find("\r\n");
  if (end == text.npos) return bad_line;
  std::string_view target;
  if (auto refused = read_line(text.substr(0, end), head, target)) return refused;
  Framing framing;
  if (auto refused = read_fields(text.substr(end + 2), head, framing)) return refused;

  if (host_matters && (framing.hosts > 1 || (framing.hosts == 0 && !head.is_1_0))) return bad_host;
  if (framing.odd || framing.lengths + framing.encodings > 1) return bad_length;
  if (head.chunked && head.is_1_0) return bad_length;  // HTTP/1.0 does not know it
  if (auto refused = read_target(target, host_matters, head)) return refused;
  if (framing.content_encoded) return encoded;

  head.keep_alive = !framing.close && (!head.is_1_0 || framing.keep);
  return std::nullopt;
}

}  // namespace http
