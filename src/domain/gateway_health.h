// Which gateways are alive, by the health sources' probe results: pure rules over good and bad ones.
// Not thread-safe: its owner holds the ledger's lock (app/registry.h). Time comes in as an argument and must
// not go backwards. Nothing fails.
//
// Not knowing never moves a room: only `down` does, and not while the brake (a panic threshold) holds.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "domain/health_options.h"
#include "domain/placement.h"
#include "domain/time.h"

namespace domain {

// The most direct source first: where an earlier one knows, it decides.
enum class HealthSource { http, mqtt };
inline constexpr std::size_t health_sources = 2;

enum class GatewayState { unknown, up, suspect, down };
std::string_view to_text(GatewayState state);

class GatewayHealth {
 public:
  // A state that has changed, for the log.
  struct Transition {
    GatewayId gateway;
    GatewayState before;
    GatewayState now;
  };

  // Which gateways count for the brake. Forgets the others; those that stay keep their state.
  void watch(const HealthOptions& options, const std::vector<GatewayId>& gateways);
  bool watches() const { return options_.watches(); }

  // A source's probe result for a gateway; ignored for one that is not watched.
  void observe(GatewayId gateway, HealthSource source, bool good, ServiceTime now);
  // Draws the conclusions up to now: to be called after probe results came, and now and then.
  std::vector<Transition> evaluate(ServiceTime now);

  GatewayState state(GatewayId gateway) const;
  // Down, and that is to be believed: while the brake holds, nobody knows whether it is true.
  bool is_surely_down(GatewayId gateway) const { return !brakes_ && state(gateway) == GatewayState::down; }
  // Has it been down for at least `wait`, is that still being reported, and may rooms be moved at all?
  bool is_lost(GatewayId gateway, Duration wait, ServiceTime now) const;
  // A room has been booked on it: one that has just come back gets the next after a pause.
  void booked(GatewayId gateway, ServiceTime now);
  // By GatewayId, for Placement; gateways beyond its end are fit.
  std::span<const Fitness> fitness() const { return fitness_; }
  // Brings `fitness` up to date: the pauses of those that came back end by themselves.
  void refresh(ServiceTime now) {
    if (slow_starting_ > 0) reckon_fitness(now);
  }

  bool brakes() const { return brakes_; }
  std::uint64_t brakings() const { return brakings_; }  // how often it began to
  std::size_t count(GatewayState state) const;
  std::size_t watched() const { return watched_; }

 private:
  struct Streak {
    std::int64_t good = 0;                        // in a row
    std::int64_t bad = 0;                         // in a row
    GatewayState judged = GatewayState::unknown;  // unknown, up or down
    bool doubted = false;                         // a bad result came, and not `rise` good ones in a row since
    std::optional<ServiceTime> last;
  };
  struct Gateway {
    bool watched = false;
    std::array<Streak, health_sources> streaks;
    GatewayState state = GatewayState::unknown;
    std::optional<ServiceTime> bad_since;  // suspect or down by probe results since
    std::optional<ServiceTime> down_since;
    bool fell = false;       // down, and not up again since
    std::int64_t falls = 0;  // so often without a long good time between
    std::optional<ServiceTime> last_fall;
    std::optional<ServiceTime> hold_down_until;   // it flaps
    std::optional<ServiceTime> slow_start_until;  // it has just come back
    std::optional<ServiceTime> next_room;         // while slow start
  };

  GatewayState state_by(const Streak& streak, ServiceTime now) const;
  GatewayState state_by_streaks(const Gateway& gateway, ServiceTime now) const;
  void set_state(Gateway& gateway, GatewayState state, ServiceTime now);
  void reckon_fitness(ServiceTime now);
  Fitness fitness_of(GatewayState state) const;
  Fitness fitness_of(const Gateway& gateway, ServiceTime now) const;
  void apply_brake(ServiceTime now);

  HealthOptions options_;
  std::vector<Gateway> gateways_;  // by GatewayId
  std::vector<Fitness> fitness_;
  std::size_t watched_ = 0;
  std::size_t slow_starting_ = 0;  // how many came back lately
  bool brakes_ = false;
  std::uint64_t brakings_ = 0;
  std::optional<ServiceTime> brake_ended_;
};

}  // namespace domain
