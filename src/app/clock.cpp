#include "app/clock.h"

#include <utility>

namespace app {

using namespace std::chrono_literals;

domain::WallTime wall_now() { return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now()); }

Clock::Clock() : Clock([] { return domain::Moment{Steady::now(), wall_now()}; }) {}

Clock::Clock(Source machine) : machine_(std::move(machine)), last_(machine_().service) {}

domain::Moment Clock::now() {
  domain::Moment moment = machine_();
  if (moment.service - last_ > 5s) lost_ += moment.service - last_;
  last_ = moment.service;
  moment.service -= lost_;
  return moment;
}

}  // namespace app
