// Reading JSON as a stream of events, without building anything. The one door to nlohmann.
// Any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace http {

// What stands in a text, in order. Views are valid during the call only.
class JsonEvents {
 public:
  virtual ~JsonEvents() = default;
  virtual void null() = 0;
  virtual void boolean(bool value) = 0;
  // Written as 0 to 2^64-1 without sign, point or exponent …
  virtual void unsigned_number(std::uint64_t value) = 0;
  // … with a sign (-0, too) …
  virtual void signed_number(std::int64_t value) = 0;
  // … or any other way: 1.0, 1e2, 2^64.
  virtual void real_number(double value) = 0;
  virtual void string(std::string_view value) = 0;  // valid UTF-8
  virtual void begin_object() = 0;
  virtual void key(std::string_view value) = 0;
  virtual void end_object() = 0;
  virtual void begin_array() = 0;
  virtual void end_array() = 0;
};

// Takes exactly one JSON value. Returns what is wrong with the text, in words for whoever sent it;
// the events up to there have happened.
std::optional<std::string> read_json(std::string_view text, JsonEvents& events);

}  // namespace http
