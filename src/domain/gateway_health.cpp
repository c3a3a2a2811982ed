#include "domain/gateway_health.h"

#include <algorithm>

namespace domain {
namespace {

using namespace std::chrono_literals;

// A gateway that fell again within this time flaps: it is held down for `first_pause` after its second
// fall, twice as long after each further one.
constexpr auto flapping = 10min;
constexpr auto first_pause = 30s;
constexpr auto longest_pause = 10min;
// So many probe results may be missing before a source counts as silent.
constexpr int probes_missed = 3;
// One that came back is empty, and would get every new room at once, just when it may fall again.
constexpr auto slow_start_time = 1min;
constexpr auto slow_start_gap = 2s;

bool is_bad(GatewayState state) { return state == GatewayState::suspect || state == GatewayState::down; }

}  // namespace

std::string_view to_text(GatewayState state) {
  switch (state) {
    case GatewayState::unknown:
      return "unknown";
    case GatewayState::up:
      return "up";
    case GatewayState::suspect:
      return "suspect";
    case GatewayState::down:
      return "down";
  }
  return "";
}

void GatewayHealth::watch(const HealthOptions& options, const std::vector<GatewayId>& gateways) {
  options_ = options;
  std::vector<Gateway> before = std::move(gateways_);
  gateways_.clear();
  watched_ = options.watches() ? gateways.size() : 0;
  if (watched_ > 0) {
    gateways_.resize(index_of(*std::max_element(gateways.begin(), gateways.end())) + 1);
    for (const GatewayId id : gateways) {
      Gateway& gateway = gateways_[index_of(id)];
      if (index_of(id) < before.size() && before[index_of(id)].watched) gateway = before[index_of(id)];
      gateway.watched = true;
      // The results of a source that is no longer asked must not stand for ever.
      if (!options.http) gateway.streaks[static_cast<std::size_t>(HealthSource::http)] = {};
      if (!options.mqtt) gateway.streaks[static_cast<std::size_t>(HealthSource::mqtt)] = {};
    }
  }
  if (watched_ == 0) brakes_ = false;
  fitness_.assign(gateways_.size(), Fitness::fit);
  slow_starting_ = 0;
  for (std::size_t i = 0; i < gateways_.size(); ++i) {
    if (gateways_[i].slow_start_until) ++slow_starting_;
    if (gateways_[i].watched) fitness_[i] = fitness_of(gateways_[i].state);
  }
}

void GatewayHealth::observe(GatewayId id, HealthSource source, bool good, ServiceTime now) {
  const std::size_t at = index_of(id);
  if (at >= gateways_.size() || !gateways_[at].watched) return;
  Streak& streak = gateways_[at].streaks[static_cast<std::size_t>(source)];
  if (streak.last && now - *streak.last > options_.stale_after) streak = {};  // it begins anew
  streak.last = now;
  (good ? streak.good : streak.bad) += 1;
  (good ? streak.bad : streak.good) = 0;
  streak.doubted = streak.good < options_.rise && (!good || streak.doubted);
  if (streak.good >= options_.rise) streak.judged = GatewayState::up;
  if (streak.bad >= options_.fall) streak.judged = GatewayState::down;
}

GatewayState GatewayHealth::state_by(const Streak& streak, ServiceTime now) const {
  if (!streak.last || now - *streak.last > options_.stale_after) return GatewayState::unknown;
  // Also one that was judged up: good and bad results in turn are no sign of health.
  return streak.doubted && streak.judged != GatewayState::down ? GatewayState::suspect : streak.judged;
}

GatewayState GatewayHealth::state_by_streaks(const Gateway& gateway, ServiceTime now) const {
  GatewayState state = GatewayState::unknown;
  for (const Streak& streak : gateway.streaks) {
    const GatewayState by = state_by(streak, now);
    if (by == GatewayState::unknown) continue;
    // A less direct source can cast doubt on a good result, and no more.
    if (state == GatewayState::unknown)
      state = by;
    else if (state == GatewayState::up && by == GatewayState::down)
      state = GatewayState::suspect;
  }
  const bool held_down = gateway.hold_down_until && now < *gateway.hold_down_until;
  return state == GatewayState::up && held_down ? GatewayState::suspect : state;
}

void GatewayHealth::set_state(Gateway& gateway, GatewayState state, ServiceTime now) {
  gateway.state = state;
  if (!is_bad(state))
    gateway.bad_since.reset();
  else if (!gateway.bad_since)
    gateway.bad_since = now;

  if (state == GatewayState::down) {
    gateway.down_since = now;
    gateway.fell = true;
    gateway.falls = gateway.last_fall && now - *gateway.last_fall < flapping ? gateway.falls + 1 : 1;
    gateway.last_fall = now;
    gateway.hold_down_until.reset();
    gateway.slow_start_until.reset();
    return;
  }
  gateway.down_since.reset();
  if (gateway.fell && state == GatewayState::up) {
    gateway.fell = false;
    if (gateway.falls > 1) {
      Duration pause = first_pause;
      for (std::int64_t i = 2; i < gateway.falls && pause < longest_pause; ++i) pause *= 2;
      gateway.hold_down_until = now + std::min<Duration>(pause, longest_pause);
      gateway.state = GatewayState::suspect;
    }
    gateway.slow_start_until = gateway.hold_down_until.value_or(now) + slow_start_time;
    gateway.next_room.reset();
  }
}

std::vector<GatewayHealth::Transition> GatewayHealth::evaluate(ServiceTime now) {
  std::vector<Transition> transitions;
  for (std::size_t i = 0; i < gateways_.size(); ++i) {
    Gateway& gateway = gateways_[i];
    if (!gateway.watched) continue;
    const GatewayState before = gateway.state;
    const GatewayState state = state_by_streaks(gateway, now);
    if (state == before) continue;
    set_state(gateway, state, now);
    if (gateway.state != before) transitions.push_back({GatewayId(i), before, gateway.state});
  }
  apply_brake(now);
  reckon_fitness(now);
  return transitions;
}

// The brake is a panic threshold. Once it holds, it holds until so many are well again: waiting must not move rooms
// after all because of what most likely is a failure of ours.
void GatewayHealth::apply_brake(ServiceTime now) {
  std::size_t bad = 0;
  std::size_t lately = 0;
  for (const Gateway& gateway : gateways_) {
    if (!gateway.bad_since) continue;
    ++bad;
    if (now - *gateway.bad_since <= options_.stale_after) ++lately;
  }
  const double most = options_.brake * static_cast<double>(watched_);
  if (brakes_) {
    brakes_ = static_cast<double>(bad) > most;
    if (!brakes_) brake_ended_ = now;
  } else {
    brakes_ = static_cast<double>(lately) > most && count(GatewayState::down) > 0;
    if (brakes_) ++brakings_;
  }
}

GatewayState GatewayHealth::state(GatewayId id) const {
  return index_of(id) < gateways_.size() ? gateways_[index_of(id)].state : GatewayState::unknown;
}

bool GatewayHealth::is_lost(GatewayId id, Duration wait, ServiceTime now) const {
  if (brakes_ || index_of(id) >= gateways_.size()) return false;
  const Gateway& gateway = gateways_[index_of(id)];
  if (!gateway.down_since || now < *gateway.down_since + wait) return false;
  // Where most are back the last ones may be about to.
  if (brake_ended_ && now < *brake_ended_ + wait) return false;
  // Should the source have fallen silent since, nobody knows whether it is still so.
  return std::any_of(gateway.streaks.begin(), gateway.streaks.end(), [&](const Streak& streak) {
    return streak.judged == GatewayState::down && now - *streak.last <= probes_missed * options_.interval;
  });
}

void GatewayHealth::booked(GatewayId id, ServiceTime now) {
  if (slow_starting_ == 0 || index_of(id) >= gateways_.size()) return;
  Gateway& gateway = gateways_[index_of(id)];
  if (!gateway.slow_start_until) return;
  gateway.next_room = now + slow_start_gap;
  fitness_[index_of(id)] = fitness_of(gateway, now);
}

Fitness GatewayHealth::fitness_of(GatewayState state) const {
  switch (state) {
    case GatewayState::unknown:
      return Fitness::unknown;
    case GatewayState::up:
      return Fitness::fit;
    case GatewayState::suspect:
      return Fitness::suspect;
    case GatewayState::down:
      return brakes_ ? Fitness::doubted : Fitness::down;
  }
  return Fitness::unknown;
}

Fitness GatewayHealth::fitness_of(const Gateway& gateway, ServiceTime now) const {
  if (!gateway.watched) return Fitness::fit;
  const bool pauses = gateway.slow_start_until && gateway.next_room && now < *gateway.next_room;
  return std::max(fitness_of(gateway.state), pauses ? Fitness::suspect : Fitness::fit);
}

void GatewayHealth::reckon_fitness(ServiceTime now) {
  slow_starting_ = 0;
  for (std::size_t i = 0; i < gateways_.size(); ++i) {
    Gateway& gateway = gateways_[i];
    if (gateway.slow_start_until && now >= *gateway.slow_start_until) gateway.slow_start_until.reset();
    if (gateway.slow_start_until) ++slow_starting_;
    fitness_[i] = fitness_of(gateway, now);
  }
}

std::size_t GatewayHealth::count(GatewayState state) const {
  return static_cast<std::size_t>(std::count_if(gateways_.begin(), gateways_.end(), [&](const Gateway& gateway) {
    return gateway.watched && gateway.state == state;
  }));
}

}  // namespace domain
