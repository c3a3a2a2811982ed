// Waits until the condition is true; false if `within` has passed first. Any thread.
#pragma once

#include <chrono>
#include <functional>
#include <thread>

inline bool comes_true(const std::function<bool()>& is_true,
                       std::chrono::milliseconds within = std::chrono::seconds{30}) {
  const auto until = std::chrono::steady_clock::now() + within;
  while (std::chrono::steady_clock::now() < until) {
    if (is_true()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds{1});
  }
  return is_true();
}
