// How many large bodies, and the answers to them, may be in memory at a time, over all connections of a
// door: without a limit a few hundred half-sent snapshots would be gigabytes. Any thread; a refused place is
// a value.
#pragma once

#include <atomic>
#include <cstddef>
#include <mutex>

namespace http {

class BodyPlaces {
 public:
  static constexpr std::size_t most = 4;
  static constexpr std::size_t large = 64 * 1024;  // a body up to here needs no place

  // One of the places, given back at its end.
  class Place {
   public:
    explicit Place(BodyPlaces& places) : places_(places) {}
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;
    ~Place() {
      if (taken_) --places_.taken_;
    }

    // False: none is free. Once taken it stays so.
    bool take() {
      if (taken_) return true;
      taken_ = ++places_.taken_ <= most;
      if (!taken_) --places_.taken_;
      return taken_;
    }
    bool is_taken() const { return taken_; }

    // What is to be held while a large body is worked on: a hostile one of 8 MiB takes a processor for half
    // a second and 100 MB. Free for a small one.
    std::unique_lock<std::mutex> work() {
      return taken_ ? std::unique_lock(places_.work_) : std::unique_lock<std::mutex>();
    }

   private:
    BodyPlaces& places_;
    bool taken_ = false;
  };

 private:
  std::atomic<std::size_t> taken_{0};
  std::mutex work_;  // guards no data, but memory and processors
};

}  // namespace http
