// A room is not used any more, by this sidecar or by one that is gone: its use mark goes and, if it was the last, so does
// the assignment, which leaves a tombstone for a while.
#pragma once

#include "cluster/commands/command_base.h"

namespace cluster {

struct EndOfUse : RoomCommand {
  // done: the assignment has ended; in_use: others use it, or there is none; unavailable: it cannot be read.
  using Outcome = app::Claims::Released;

  explicit EndOfUse(domain::RoomId its_room, std::optional<etcd::Revision> of_departed = {})
      : RoomCommand(std::move(its_room)), departed_mark(of_departed) {}

  std::optional<etcd::Revision> departed_mark;  // the use mark's; nothing: it is ours, as it is known
  domain::Assignment row{};                     // that is to end; empty: none is known

  std::optional<Outcome> prepare(const Keys& keys, const Replica& replica);
  std::optional<Outcome> conclude(const etcd::TransactionResult& result, etcd::Revision revision, Replica& replica);
};

// By this sidecar.
struct GiveUp : EndOfUse {
  static bool shows_freshness(Outcome outcome) { return outcome == Outcome::done; }

  explicit GiveUp(domain::RoomId its_room, app::Claims::Ended when_ended = {})
      : EndOfUse(std::move(its_room)), ended(std::move(when_ended)) {}

  app::Claims::Ended ended;

  bool is_waited_for() const { return true; }
  void abandon() {
    if (ended) ended(false);
  }
  void finish(Outcome outcome, SharedState& state, Writer& writer) const REQUIRES(state.mutex);
};

// By `sidecar`, which is gone.
struct Reap : EndOfUse {
  Reap(domain::RoomId its_room, std::string departed, etcd::Revision use_mark)
      : EndOfUse(std::move(its_room), use_mark) {
    sidecar = std::move(departed);
  }

  void finish(Outcome outcome, SharedState& state, Writer& writer) const REQUIRES(state.mutex);
};

}  // namespace cluster
