// An operator's release: the room loses its assignment, and goes wherever it fits.
#pragma once

#include <functional>
#include <vector>

#include "cluster/commands/command_base.h"

namespace cluster {

struct Release : RoomCommand {
  using Outcome = app::Claims::Released;
  static bool shows_freshness(Outcome outcome) { return outcome == Outcome::done; }

  Release(domain::RoomId its_room, bool by_force, std::function<void(Outcome)> when_released = {})
      : RoomCommand(std::move(its_room)), force(by_force), released(std::move(when_released)) {}

  bool force;  // also while the room is in use
  std::function<void(Outcome)> released;
  domain::Assignment row{};              // that is to end; empty: none is known
  std::vector<etcd::KeyValue> others{};  // use marks of others without users in the room

  bool is_waited_for() const { return true; }
  bool may_be_dropped() const { return true; }
  void abandon() {
    if (released) released(Outcome::unavailable);
  }

  std::optional<Outcome> prepare(const Keys& keys, const Replica& replica);
  std::optional<Outcome> conclude(const etcd::TransactionResult& result, etcd::Revision revision, Replica& replica);
  void finish(Outcome outcome, SharedState& state, Writer& writer) const REQUIRES(state.mutex);
};

}  // namespace cluster
