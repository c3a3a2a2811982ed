// How many requests each route has answered, how, and how fast. Any thread, without a lock.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "counts/counter.h"
#include "counts/distribution.h"

namespace http {

// The counts of one route; for requests that led to none both names are empty.
struct RouteReading {
  std::string_view method;
  std::string_view pattern;
  std::vector<std::pair<int, std::uint64_t>> by_status;  // 200, and those that were
  counts::Reading duration;  // from the whole request to its answer; none of those refused at the server
};

class RequestCounts {
 public:
  using Clock = std::chrono::steady_clock;

  explicit RequestCounts(std::size_t routes) : routes_(routes + 1) {}

  // `route`: its number, or that of no route: `size()`.
  void add(std::size_t route, int status) { routes_[route].by_status[place_of(status)].add(); }
  void took(std::size_t route, Clock::time_point since) { routes_[route].duration.observe_since(since); }

  std::size_t size() const { return routes_.size() - 1; }
  RouteReading read(std::size_t route) const {
    RouteReading reading;
    for (std::size_t i = 0; i < statuses.size(); ++i) {
      const std::uint64_t count = routes_[route].by_status[i].value();
      // So that the first one is seen as one more.
      const bool expected = statuses[i] == 200 && route != size();
      if (count > 0 || expected) reading.by_status.emplace_back(statuses[i], count);
    }
    reading.duration = routes_[route].duration.read();
    return reading;
  }

 private:
  // Those of the contract; 0 stands for any other.
  static constexpr std::array statuses{200, 400, 401, 403, 404, 405, 408, 409, 413, 414, 415, 431, 500, 503, 0};
  static std::size_t place_of(int status) {
    std::size_t place = 0;
    while (statuses[place] != status && statuses[place] != 0) ++place;
    return place;
  }

  struct Route {
    std::array<counts::Counter, statuses.size()> by_status{};
    counts::Durations duration;
  };
  std::vector<Route> routes_;
};

}  // namespace http
