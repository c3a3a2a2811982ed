// A room as it is here, into a store that has not got it, or has it as of an older revision.
#pragma once

#include "cluster/commands/command_base.h"

namespace cluster {

struct Republish : RoomCommand {
  using Outcome = app::Grant;  // won, lost, failed: what stands there cannot be read
  static bool shows_freshness(const Outcome& grant) { return grant.outcome == app::ClaimOutcome::won; }

  explicit Republish(domain::Assignment what, etcd::Revision as_of = 0)
      : RoomCommand(what.room_id), row(std::move(what)), over(as_of) {}

  domain::Assignment row;
  etcd::Revision over;  // 0: the store has not got it

  std::optional<Outcome> prepare(const Keys& keys, const Replica& replica);
  std::optional<Outcome> conclude(const etcd::TransactionResult& result, etcd::Revision revision, Replica& replica);
  void finish(const Outcome& grant, SharedState& state, Writer& writer) const REQUIRES(state.mutex);
};

}  // namespace cluster
