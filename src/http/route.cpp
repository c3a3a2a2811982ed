#include "http/route.h"

#include <algorithm>
#include <cassert>

namespace http {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::vector<std::string_view> split(std::string_view path) {
  std::vector<std::string_view> segments;
  while (!path.empty()) {
    path.remove_prefix(1);  // the slash
    const auto end = std::min(path.find('/'), path.size());
    segments.push_back(path.substr(0, end));
    path.remove_prefix(end);
  }
  return segments;
}

bool is_placeholder(std::string_view segment) { return !segment.empty() && segment.front() == '{'; }

bool matches(const std::vector<std::string_view>& pattern, const std::vector<std::string_view>& segments) {
  return std::equal(pattern.begin(), pattern.end(), segments.begin(), segments.end(),
                    [](std::string_view wanted, std::string_view given) {
                      return is_placeholder(wanted) ? !given.empty() : wanted == given;
                    });
}

}  // namespace

std::optional<std::string> percent_decoded(std::string_view text) {
  std::string plain;
  plain.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      plain += text[i];
      continue;
    }
    if (i + 2 >= text.size()) return std::nullopt;
    const int high = hex_digit(text[i + 1]);
    const int low = hex_digit(text[i + 2]);
    if (high < 0 || low < 0) return std::nullopt;
    plain += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return plain;
}

std::optional<Query> Query::parse(std::string_view text) {
  Query query;
  while (!text.empty()) {
    const auto end = std::min(text.find('&'), text.size());
    const auto pair = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (pair.empty()) continue;
    const auto equals = std::min(pair.find('='), pair.size());
    auto name = percent_decoded(pair.substr(0, equals));
    auto value = percent_decoded(pair.substr(std::min(equals + 1, pair.size())));
    if (!name || !value) return std::nullopt;
    query.pairs_.emplace_back(std::move(*name), std::move(*value));
  }
  return query;
}

std::optional<std::string_view> Query::value(std::string_view name) const {
  const auto last = std::find_if(pairs_.rbegin(), pairs_.rend(), [&](const auto& pair) { return pair.first == name; });
  if (last == pairs_.rend()) return std::nullopt;
  return last->second;
}

RouteTable::RouteTable(std::vector<Route> routes) {
  for (auto& route : routes) {
    assert(!route.pattern.empty() && route.pattern.front() == '/' && route.answer);
    auto segments = split(route.pattern);
    entries_.push_back(Entry{std::move(route), std::move(segments)});
  }
}

RouteTable::Match RouteTable::find(std::string_view method, std::string_view path) const {
  Match match;
  match.number = entries_.size();
  const auto segments = split(path);
  for (const auto& entry : entries_) {
    if (!matches(entry.segments, segments)) continue;
    const Route& route = entry.route;
    // CONTRACT: /healthz and /readyz as such, but of the page only `GET /`.
    match.open = match.open || (route.open && (route.method == method || path != "/"));
    if (route.method == method) {
      match.number = static_cast<std::size_t>(&entry - entries_.data());
      match.route = &route;
      for (std::size_t i = 0; i < segments.size(); ++i) {
        if (!is_placeholder(entry.segments[i])) continue;
        match.args.push_back(percent_decoded(segments[i]).value_or(std::string{}));
      }
      return match;
    }
    if (!match.allow.empty()) match.allow += ", ";
    match.allow += route.method;
    if (route.method == "GET") match.allow += ", HEAD";
  }
  return match;
}

}  // namespace http
