// Promised seconds on this machine, which may be busy with other work. Any thread.
#pragma once

#include <time.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>

namespace tests {

// Processor time of the calling thread.
inline std::chrono::nanoseconds processor_time() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return std::chrono::seconds{now.tv_sec} + std::chrono::nanoseconds{now.tv_nsec};
}

// Measures, from its construction on, how much longer work takes than the processor time it needs.
class Slowdown {
 public:
  Slowdown() : thread_([this] { measure(); }) {}
  ~Slowdown() { stop(); }

  // The factor: 1 on an idle machine.
  double stop() {
    is_over_ = true;
    if (thread_.joinable()) thread_.join();
    return std::max(1.0, wall_ / processor_);
  }

 private:
  void measure() {
    using namespace std::chrono_literals;
    using Seconds = std::chrono::duration<double>;
    do {
      const auto wall = std::chrono::steady_clock::now();
      const auto processor = processor_time();
      while (processor_time() - processor < 3ms) continue;
      wall_ += Seconds(std::chrono::steady_clock::now() - wall).count();
      processor_ += Seconds(processor_time() - processor).count();
      for (int i = 0; i < 20 && !is_over_; ++i) std::this_thread::sleep_for(1ms);
    } while (!is_over_);
  }

  std::atomic<bool> is_over_{false};
  double wall_ = 0, processor_ = 0;  // seconds; the thread's own until it has ended
  std::thread thread_;
};

// Has `work` taken less than `limit`, or as many times that as this machine was slowed down meanwhile?
template <typename Work>
bool takes_less_than(std::chrono::duration<double> limit, Work work) {
  Slowdown slowdown;
  const auto begin = std::chrono::steady_clock::now();
  work();
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  return took < limit * slowdown.stop();
}

}  // namespace tests
