// ConnectionSlots above the limit: each gets a quick 503 and is closed once the client has had the chance
// to read it, without a thread. For the accepting thread alone.
#pragma once

#include <chrono>
#include <cstddef>
#include <deque>

namespace http {

class ShedConnections {
 public:
  static constexpr std::size_t most_closing = 128;  // beyond them descriptors matter more than manners

  ShedConnections() = default;
  ShedConnections(const ShedConnections&) = delete;
  ShedConnections& operator=(const ShedConnections&) = delete;
  ~ShedConnections() { close_all(); }

  void shed(int fd);          // owns it from here
  void close_the_finished();  // to be called every few milliseconds while any()
  void close_all();

  bool any() const { return !closing_.empty(); }

 private:
  struct Closing {
    int fd;
    std::chrono::steady_clock::time_point until;
  };

  std::deque<Closing> closing_;
};

}  // namespace http
