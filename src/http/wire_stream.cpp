#include "http/wire_stream.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>

#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>

#include "http/head.h"

namespace http {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t small_buffer = 4 * 1024;  // holds nearly every request whole
constexpr std::size_t body_step = 64 * 1024;    // touched as it arrives, not as it is announced

constexpr Refusal cut_off{400, "invalid_request", "The request ended too early; send all of it."};
constexpr Refusal not_http{400, "invalid_request", "This is not HTTP/1.1; end each line of the head with CR and LF."};
constexpr Refusal bad_chunk{400, "invalid_request", "The chunked body is malformed."};
constexpr Refusal too_slow{408, "request_timeout", "The request took too long to arrive; send it at once."};
constexpr Refusal long_line{414, "uri_too_long", "Keep the request line under 8 KiB."};
constexpr Refusal long_head{431, "headers_too_large", "Keep the head under 16 KiB and 64 fields."};
constexpr Refusal too_many_bodies{503, "too_many_connections", "Send fewer large bodies at a time, or try again."};
constexpr Refusal long_body{413, "too_large", "The body is too large for this request."};

// While it lives, only the client is waited for.
class WaitForClient {
 public:
  WaitForClient(ConnectionSlot& connection, ConnectionSlot::Wait wait) : connection_(connection) {
    connection_.wait = wait;
  }
  WaitForClient(const WaitForClient&) = delete;
  WaitForClient& operator=(const WaitForClient&) = delete;
  ~WaitForClient() { connection_.wait = ConnectionSlot::Wait::none; }

 private:
  ConnectionSlot& connection_;
};

}  // namespace

WireStream::WireStream(ConnectionSlot& connection, const Timeouts& timeouts)
    : connection_(connection), fd_(connection.fd), timeouts_(timeouts), buffer_(small_buffer) {}

bool WireStream::wait() {
  if (body_.capacity() > body_step) forget_body();
  if (begin_ < end_) return true;
  begin_ = end_ = 0;
  if (buffer_.size() > small_buffer) std::vector<char>(small_buffer).swap(buffer_);
  ssize_t got;
  {
    const WaitForClient waiting(connection_, ConnectionSlot::Wait::to_receive);
    do {
      got = ::recv(fd_, buffer_.data(), buffer_.size(), 0);
    } while (got < 0 && errno == EINTR);
  }
  if (got <= 0) return false;
  end_ = static_cast<std::size_t>(got);
  return true;
}

void WireStream::allow_idling() {
  timeval limit{};
  limit.tv_sec = static_cast<time_t>(timeouts_.idle.count() / 1000);
  limit.tv_usec = static_cast<suseconds_t>(timeouts_.idle.count() % 1000 * 1000);
  ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
}

std::optional<Refusal> WireStream::read_head(std::string& head) {
  deadline_ = Clock::now() + timeouts_.head;
  rate_.reset();
  std::size_t looked_at = 0, line_start = 0, lines = 0;
  bool may_skip = true;
  for (;;) {
    auto text = buffered();
    if (may_skip && text.substr(0, 2) == "\r\n") {
      begin_ += 2;
      may_skip = false;
      continue;
    }
    // Settled at the first byte, so that a client that speaks TLS learns it at once.
    if (!text.empty() && !is_token_char(text[0]) && !(may_skip && text == "\r")) return not_http;
    for (auto end = text.find('\n', looked_at); end != text.npos; end = text.find('\n', looked_at)) {
      if (end == 0 || text[end - 1] != '\r') return not_http;
      if (lines == 0 && end > max_request_line) return long_line;
      if (end >= max_head) return long_head;
      looked_at = end + 1;
      if (end - 1 == line_start) {
        head.assign(text.substr(0, line_start));
        begin_ += looked_at;
        return std::nullopt;
      }
      if (++lines > max_fields + 1) return long_head;
      line_start = looked_at;
    }
    looked_at = text.size();
    if (lines == 0 && looked_at > max_request_line) return long_line;
    if (looked_at >= max_head) return long_head;
    if (auto refused = fill()) return refused;
  }
}

void WireStream::begin_body() { deadline_ = Clock::now() + timeouts_.body; }

std::optional<Refusal> WireStream::read_body(std::size_t length, LargeBodySlots::Slot& slot, std::string_view& body) {
  body_.clear();
  if (!lacks(length)) {  // arrived with the head, as nearly always: no copy
    body = buffered().substr(0, length);
    begin_ += length;
    return std::nullopt;
  }
  body_.reserve(std::min(length, LargeBodySlots::large));
  if (auto refused = append_body(length, length, slot)) return refused;
  body = body_;
  return std::nullopt;
}

std::optional<Refusal> WireStream::read_chunks(std::size_t limit, LargeBodySlots::Slot& slot, std::string_view& body) {
  body_.clear();
  framing_budget_ = limit + 4096;
  for (;;) {
    std::string_view line;
    if (auto refused = read_line(line)) return refused;
    std::uint32_t length = 0;
    const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), length, 16);
    if (error == std::errc::result_out_of_range) return long_body;
    const bool ends_well = end == line.data() + line.size() || *end == ';';
    if (error != std::errc{} || !ends_well) return bad_chunk;
    if (length == 0) break;
    if (length > limit - body_.size()) return long_body;
    if (auto refused = append_body(length, limit, slot)) return refused;
    if (auto refused = read_line(line)) return refused;
    if (!line.empty()) return bad_chunk;
  }
  std::string_view trailer;  // its fields are of no use here
  do {
    if (auto refused = read_line(trailer)) return refused;
  } while (!trailer.empty());
  body = body_;
  return std::nullopt;
}

std::optional<Refusal> WireStream::append_body(std::uint64_t length, std::size_t expected, LargeBodySlots::Slot& slot) {
  for (auto missing = length; missing > 0;) {
    if (body_.size() >= LargeBodySlots::large && !slot.is_taken()) {
      if (auto refused = take_place(expected, slot)) return refused;
    }
    auto room = std::min<std::uint64_t>(missing, body_step);
    if (!slot.is_taken()) room = std::min<std::uint64_t>(room, LargeBodySlots::large - body_.size());
    if (const auto ready = buffered().substr(0, room); !ready.empty()) {
      body_.append(ready);
      begin_ += ready.size();
      missing -= ready.size();
      continue;
    }
    const auto filled = body_.size();
    body_.resize(filled + room);
    std::size_t got = 0;
    const auto refused = receive(body_.data() + filled, room, got);
    body_.resize(filled + got);
    if (refused) return refused;
    missing -= got;
  }
  return std::nullopt;
}

// A client does not pay for the time in which it waited for others.
std::optional<Refusal> WireStream::take_place(std::size_t expected, LargeBodySlots::Slot& slot) {
  const auto began = Clock::now();
  switch (slot.take(fd_, deadline_)) {
    case LargeBodySlots::Taking::too_late:
      return too_many_bodies;
    case LargeBodySlots::Taking::gone:
      return cut_off;
    case LargeBodySlots::Taking::taken:
      break;
  }
  const auto now = Clock::now();
  deadline_ += now - began;
  rate_.emplace(timeouts_.piece, now);
  // Growing by doubling would hold it nearly twice. Address space only: pages that nothing is written to take no memory.
  body_.reserve(expected);
  return std::nullopt;
}

// A line of a chunked body, without its CRLF; valid until the next read.
std::optional<Refusal> WireStream::read_line(std::string_view& line) {
  for (std::size_t looked_at = 0;;) {
    const auto text = buffered();
    const auto end = text.find('\n', looked_at);
    if (std::min(end, text.size()) >= std::min(framing_budget_, max_request_line)) return long_body;
    if (end != text.npos) {
      if (end == 0 || text[end - 1] != '\r') return bad_chunk;
      line = text.substr(0, end - 1);
      if (line.find('\r') != line.npos) return bad_chunk;
      begin_ += end + 1;
      framing_budget_ -= end + 1;
      return std::nullopt;
    }
    looked_at = text.size();
    if (auto refused = fill()) return refused;
  }
}

std::optional<Refusal> WireStream::fill() {
  if (begin_ == end_) begin_ = end_ = 0;
  if (end_ == buffer_.size() && begin_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  if (end_ == buffer_.size()) buffer_.resize(buffer_.size() * 2);  // to 16 KiB: read_head's limit
  std::size_t got = 0;
  const auto refused = receive(buffer_.data() + end_, buffer_.size() - end_, got);
  end_ += got;
  return refused;
}

std::optional<Refusal> WireStream::receive(char* to, std::size_t room, std::size_t& got) {
  for (;;) {
    const ssize_t n = ::recv(fd_, to, room, MSG_DONTWAIT);
    if (n > 0) {
      // A client that always has a byte ready just in time must not get around the deadline.
      const auto now = Clock::now();
      if (now >= deadline_) return too_slow;
      got = static_cast<std::size_t>(n);
      if (rate_) rate_->add(got, now);
      return std::nullopt;
    }
    if (n < 0 && errno == EINTR) continue;
    if (n == 0 || (errno != EAGAIN && errno != EWOULDBLOCK)) return cut_off;
    if (!wait_for(POLLIN, rate_ ? std::min(deadline_, rate_->until()) : deadline_)) return too_slow;
  }
}

bool WireStream::send(std::string_view head, std::string_view body, bool at_minimum_rate) {
  const auto began = Clock::now();
  const auto until = began + timeouts_.write;
  std::optional<MinimumRate> rate;
  if (at_minimum_rate) rate.emplace(timeouts_.piece, began);
  iovec parts[2] = {{const_cast<char*>(head.data()), head.size()}, {const_cast<char*>(body.data()), body.size()}};
  msghdr message{};
  message.msg_iov = parts;
  message.msg_iovlen = body.empty() ? 1 : 2;
  for (std::size_t left = head.size() + body.size(); left > 0;) {
    const ssize_t n = ::sendmsg(fd_, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0) {
      if (errno == EINTR) continue;
      const bool must_wait = errno == EAGAIN || errno == EWOULDBLOCK;
      if (!must_wait || !wait_for(POLLOUT, rate ? std::min(until, rate->until()) : until)) return false;
      continue;
    }
    left -= static_cast<std::size_t>(n);
    if (rate) rate->add(static_cast<std::size_t>(n), Clock::now());
    for (auto sent = static_cast<std::size_t>(n); auto& part : parts) {
      const auto of_this = std::min(sent, part.iov_len);
      part.iov_base = static_cast<char*>(part.iov_base) + of_this;
      part.iov_len -= of_this;
      sent -= of_this;
    }
  }
  return true;
}

void WireStream::linger() {
  ::shutdown(fd_, SHUT_WR);
  const auto until = Clock::now() + 200ms;
  char waste[8192];
  for (std::size_t total = 0; total < 1024 * 1024;) {
    const ssize_t n = ::recv(fd_, waste, sizeof waste, MSG_DONTWAIT);
    if (n > 0) {
      total += static_cast<std::size_t>(n);
      if (Clock::now() >= until) return;
    } else if (n == 0 || (errno != EAGAIN && errno != EINTR) || !wait_for(POLLIN, until)) {
      return;
    }
  }
}

bool WireStream::wait_for(short event, Clock::time_point until) const {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now()).count();
  if (left <= 0) return false;
  const bool ends = connection_.phase == ConnectionSlot::Phase::closing;
  const WaitForClient waits(
      connection_, event == POLLIN && !ends ? ConnectionSlot::Wait::to_receive : ConnectionSlot::Wait::to_send);
  pollfd waiting{fd_, event, 0};
  const int ready = ::poll(&waiting, 1, static_cast<int>(left));
  return ready > 0 || (ready < 0 && errno == EINTR);
}

}  // namespace http
