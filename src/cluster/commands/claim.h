// A claim: the room is to be on that gateway.
#pragma once

#include "cluster/commands/command_base.h"

namespace cluster {

struct ClaimRoom : RoomCommand {
  using Outcome = app::Grant;
  static bool shows_freshness(const Outcome& grant) { return grant.outcome == app::ClaimOutcome::won; }

  ClaimRoom(app::ClaimRequest what, app::Claims::Settled when_settled)
      : RoomCommand(what.row.room_id), request(std::move(what)), settled(std::move(when_settled)) {}

  app::ClaimRequest request;
  app::Claims::Settled settled;
  etcd::Revision over = 0;  // the room's, as it was prepared; 0: it had no row

  bool moves() const { return request.kind == app::ClaimRequest::Kind::moved; }
  bool is_waited_for() const { return true; }
  bool may_be_dropped() const { return true; }
  void abandon() { settled({}); }

  std::optional<Outcome> prepare(const Keys& keys, const Replica& replica);
  std::optional<Outcome> conclude(const etcd::TransactionResult& result, etcd::Revision revision, Replica& replica);
  void finish(const Outcome& grant, SharedState& state, Writer& writer) REQUIRES(state.mutex);
  // Counts the outcome and reports it. The ledger then follows what it could not while the claim was under way.
  void settle(const Outcome& grant, SharedState& state, Writer& writer) const REQUIRES(state.mutex);

 private:
  void finish_written(bool committed, SharedState& state, Writer& writer) const REQUIRES(state.mutex);
};

}  // namespace cluster
