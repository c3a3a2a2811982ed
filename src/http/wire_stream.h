// One accepted connection as a stream of requests and answers: every wait ends by a deadline, every
// read is bounded by a byte budget, and an answer is one system call.
// One thread at a time. Whatever goes wrong while reading comes back as the refusal to answer with;
// after it the place in the stream is lost and the connection must be closed.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/connection_slots.h"
#include "http/large_body_slots.h"
#include "http/minimum_rate.h"
#include "http/refusal.h"
#include "http/timeouts.h"

namespace http {

constexpr std::size_t max_head = 16 * 1024;  // 16 KiB: request line and fields
constexpr std::size_t max_request_line = 8 * 1024;
constexpr std::size_t max_fields = 64;

class WireStream {
 public:
  // The connection outlives it; its socket is a blocking one with SO_RCVTIMEO set to `timeouts.first_byte`.
  WireStream(ConnectionSlot& connection, const Timeouts& timeouts);

  // Waits for the first byte of a request. False: the client has gone, or was idle for too long.
  bool wait();
  // From here on the client may be idle for `timeouts.idle`.
  void allow_idling();

  // The head without its final empty line. At most one empty line before it is skipped.
  std::optional<Refusal> read_head(std::string& head);
  // Does what is not yet read begin so? After a refused head that is the head itself.
  bool begins_with(std::string_view text) const { return buffered().substr(0, text.size()) == text; }

  // From here on reading is reckoned against the body's deadline.
  void begin_body();
  // Does a client that expects 100-continue need that answer, for `length` bytes?
  bool lacks(std::uint64_t length) const { return end_ - begin_ < length; }
  // `body` is valid until the next call. When more than LargeBodySlots::large of it has arrived it needs `place`, which is
  // waited for, and from then on a minimum rate; it is to be forgotten before the place is given back.
  std::optional<Refusal> read_body(std::size_t length, LargeBodySlots::Slot& slot, std::string_view& body);
  std::optional<Refusal> read_chunks(std::size_t limit, LargeBodySlots::Slot& slot, std::string_view& body);
  void forget_body() { std::string{}.swap(body_); }

  // Head and body of an answer at once. False: the client does not take it, or with `at_minimum_rate` not fast enough.
  bool send(std::string_view head, std::string_view body, bool at_minimum_rate = false);

  // Lets the client read its answer although it is still sending: closing with bytes unread would
  // reset the connection, which can overtake the answer.
  void linger();

 private:
  using Clock = std::chrono::steady_clock;

  std::string_view buffered() const { return {buffer_.data() + begin_, end_ - begin_}; }
  std::optional<Refusal> fill();
  std::optional<Refusal> receive(char* to, std::size_t room, std::size_t& got);
  std::optional<Refusal> read_line(std::string_view& line);
  // `expected`: how long the whole body may become.
  std::optional<Refusal> append_body(std::uint64_t length, std::size_t expected, LargeBodySlots::Slot& slot);
  std::optional<Refusal> take_place(std::size_t expected, LargeBodySlots::Slot& slot);
  bool wait_for(short event, Clock::time_point until) const;

  ConnectionSlot& connection_;
  const int fd_;
  const Timeouts& timeouts_;
  std::vector<char> buffer_;
  std::size_t begin_ = 0;  // what is received and not yet read: [begin_, end_)
  std::size_t end_ = 0;
  std::string body_;
  std::size_t framing_budget_ = 0;  // bytes that chunk sizes and trailers may still take
  Clock::time_point deadline_{};
  std::optional<MinimumRate> rate_;  // of the body that is being read
};

}  // namespace http
