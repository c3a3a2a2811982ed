// Connections above the limit: each gets a quick 503 and is closed once the client has had the chance
// to read it, without a thread. For the accepting thread alone.
#pragma once

#include <chrono>
#include <cstddef>
#include <deque>

namespace http {

class TurnedAway {
 public:
  static constexpr std::size_t most_leaving = 128;  // beyond them descriptors matter more than manners

  TurnedAway() = default;
  TurnedAway(const TurnedAway&) = delete;
  TurnedAway& operator=(const TurnedAway&) = delete;
  ~TurnedAway() { close_all(); }

  void turn_away(int fd);     // owns it from here
  void close_the_finished();  // to be called every few milliseconds while any()
  void close_all();

  bool any() const { return !leaving_.empty(); }

 private:
  struct Leaving {
    int fd;
    std::chrono::steady_clock::time_point until;
  };

  std::deque<Leaving> leaving_;
};

}  // namespace http
