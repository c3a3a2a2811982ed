// What the server and the routes hand each other: a request as it was read, and its answer.
// Plain values: any thread, one at a time.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace http {

using Fields = std::vector<std::pair<std::string, std::string>>;

// What our own command line sends, so that it is answered although all slots are taken.
inline constexpr std::string_view client_field = "Room-Sidecar-Client";
inline constexpr std::string_view command_client = "command";

// The part of a target behind `?`, decoded: name and value pairs in the order sent; `+` is a plus.
class Query {
 public:
  // Nothing if a `%` is not followed by two hexadecimal digits.
  static std::optional<Query> parse(std::string_view text);

  // Where a name stands more than once, the last value counts.
  std::optional<std::string_view> value(std::string_view name) const;
  const Fields& pairs() const { return pairs_; }

 private:
  Fields pairs_;
};

// Views are valid while the route answers, not longer.
struct Request {
  std::vector<std::string> args;  // the {…} segments of the pattern, decoded
  Query query;
  std::string_view body;        // as sent, whatever its Content-Type
  std::string_view request_id;  // X-Request-Id, or empty
};

struct Response {
  int status = 200;
  std::string body;
  std::string content_type = "application/json";
  Fields headers;  // Content-Length, ConnectionSlot, Date, and a 503's Retry-After: by the server
};

struct Route {
  std::string_view method;                         // routes of GET answer HEAD as well
  std::string_view pattern;                        // a literal: "/v2/rooms/{room}/sessions/{session}"
  std::function<Response(const Request&)> answer;  // from any thread, many at once; may throw
  std::size_t max_body = 64 * 1024;
  bool open = false;               // needs no token; with GET of "/" that goes for no other method
  bool is_probe = false;           // is answered although all slots are taken
  bool is_session_report = false;  // the sidecar is not well while such a one is refused for want of slots
};

}  // namespace http
