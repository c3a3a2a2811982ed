// Reading JSON (RFC 8259, strictly) as a stream of events, without building anything. Nothing recurses. Any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace json {

// What stands in a text, in order. Views are valid during the call only.
class Events {
 public:
  virtual ~Events() = default;
  virtual void null() = 0;
  virtual void boolean(bool value) = 0;
  // Written as 0 to 2^64-1 without sign, point or exponent …
  virtual void unsigned_number(std::uint64_t value) = 0;
  // … or as -2^63 to -0 without point or exponent.
  virtual void signed_number(std::int64_t value) = 0;
  virtual void string(std::string_view value) = 0;  // valid UTF-8
  // JSON that is no text and no such number, as written: "\ud83d" (a lone surrogate), 1.0, 1e400, 2^64.
  virtual void verbatim(std::string_view token) = 0;
  virtual void begin_object() = 0;
  virtual void key(std::string_view value) = 0;  // valid UTF-8; a lone surrogate in it is U+FFFD
  virtual void end_object() = 0;
  virtual void begin_array() = 0;
  virtual void end_array() = 0;
};

// Takes exactly one JSON value. Returns what is wrong with the text, in words for its sender;
// the events up to there have happened.
std::optional<std::string> read(std::string_view text, Events& events);

}  // namespace json
