// Open-loop load: requests leave at Poisson-distributed instants whether or not earlier answers are
// there, and each latency counts from its planned instant, so a server that stalls cannot hide it.
// One thread; prints one line of JSON, times in milliseconds. What is asked for:
//   known  500 known rooms in turn
//   new    a room with each request that was never asked for, PREFIX and a number
//   lives  500 rooms at a time that come, are entered by two users, left again, and go
#include <poll.h>
#include <sys/prctl.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "connection.h"
#include "quantiles.h"

namespace {

using bench::Clock;
using bench::Connection;

struct Plan {
  std::vector<std::uint16_t> ports;  // the connections are spread over them
  double rate = 0;                   // requests a second
  double seconds = 0;
  std::size_t connections = 0;
  std::string kind;
  std::string prefix;  // of the rooms' names
};

std::string request(const std::string& line, const std::string& body) {
  return line + " HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

std::string question(const std::string& room) {
  return request("POST /v2/room_server", R"({"room":")" + room + R"(","geo":{"country_code":"IL"}})");
}

// The steps of one room's life are 500 requests apart, so that none overtakes the one before.
std::string step_of_a_life(const std::string& prefix, std::size_t number) {
  constexpr std::size_t rooms = 500, steps = 10;
  const std::size_t step = number / rooms % steps;
  const std::string room = prefix + std::to_string(number % rooms) + "-" + std::to_string(number / rooms / steps);
  if (step == 0 || step == 2) return question(room);
  const std::string session = "/v2/rooms/" + room + "/sessions/" + room + (step % 2 ? "-a" : "-b");
  return step < steps - 2 ? request("PUT " + session, "{}") : request("DELETE " + session, "");
}

std::string request_number(const Plan& plan, std::size_t number) {
  if (plan.kind == "lives") return step_of_a_life(plan.prefix, number);
  return question(plan.kind == "new" ? plan.prefix + std::to_string(number) : std::to_string(2000 + number % 500));
}

class Load {
 public:
  explicit Load(const Plan& plan) : plan_(plan), gap_(plan.rate) {
    for (std::size_t i = 0; i < plan.connections; ++i) {
      connections_.emplace_back(plan.ports[i % plan.ports.size()]);
      polled_.push_back({connections_.back().descriptor(), POLLIN, 0});
      idle_.push_back(i);
    }
  }

  void run() {
    next_ = Clock::now() + std::chrono::milliseconds(50);
    end_ = next_ + seconds(plan_.seconds);
    const auto give_up = end_ + std::chrono::seconds(5);
    while (Clock::now() < give_up && !(Clock::now() > end_ && due_.empty() && in_flight_ == 0)) {
      plan_arrivals();
      send_due();
      wait();
    }
    bad_ += static_cast<long>(due_.size() + in_flight_);
    bench::print_quantiles(took_, bad_);
  }

 private:
  static Clock::duration seconds(double count) {
    return std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(count));
  }

  void plan_arrivals() {
    for (const auto now = Clock::now(); next_ <= now && next_ < end_; next_ += seconds(gap_(random_))) {
      due_.push_back(next_);
    }
  }

  void send_due() {
    while (!due_.empty() && !idle_.empty()) {
      const std::size_t chosen = idle_.front();
      idle_.pop_front();
      if (connections_[chosen].ask(request_number(plan_, sent_++), due_.front())) {
        ++in_flight_;
      } else {
        lose(chosen);
      }
      due_.pop_front();
    }
  }

  void wait() {
    const auto soon = Clock::now() + std::chrono::milliseconds(10);
    const auto until = next_ < end_ ? std::min(next_, soon) : soon;
    const auto left = std::max(Clock::duration::zero(), until - Clock::now());
    const timespec timeout{0, std::chrono::nanoseconds(left).count()};
    if (ppoll(polled_.data(), polled_.size(), &timeout, nullptr) <= 0) return;
    for (std::size_t i = 0; i < polled_.size(); ++i) {
      if (polled_[i].revents != 0) receive(i);
    }
  }

  void receive(std::size_t i) {
    const auto progress = connections_[i].receive();
    if (progress == Connection::Progress::more) return;
    --in_flight_;
    if (progress == Connection::Progress::broken) return lose(i);
    took_.push_back(connections_[i].milliseconds());
    if (connections_[i].answer().compare(9, 3, "200") != 0) ++bad_;
    idle_.push_back(i);
  }

  void lose(std::size_t i) {
    ++bad_;
    polled_[i].fd = -1;
  }

  Plan plan_;
  std::vector<Connection> connections_;
  std::vector<pollfd> polled_;
  std::deque<std::size_t> idle_;
  std::deque<Clock::time_point> due_;  // planned, and waiting for a connection
  std::mt19937_64 random_{1};
  std::exponential_distribution<double> gap_;
  Clock::time_point next_{};
  Clock::time_point end_{};
  std::vector<double> took_;
  std::size_t sent_ = 0;
  std::size_t in_flight_ = 0;
  long bad_ = 0;
};

std::vector<std::uint16_t> ports(const char* text) {
  std::vector<std::uint16_t> all;
  for (const char* one = text; one != nullptr; one = std::strchr(one, ',')) {
    if (*one == ',') ++one;
    all.push_back(static_cast<std::uint16_t>(std::atoi(one)));
  }
  return all;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 7) {
    std::fputs(
        "usage: openloop PORT[,PORT...] REQUESTS_A_SECOND SECONDS CONNECTIONS known|new|lives "
        "PREFIX\n",
        stderr);
    return 2;
  }
  // The default slack of 50 µs would be counted as the server's.
  prctl(PR_SET_TIMERSLACK, 1);
  Load(Plan{ports(argv[1]), std::atof(argv[2]), std::atof(argv[3]), static_cast<std::size_t>(std::atoi(argv[4])),
            argv[5], argv[6]})
      .run();
}
