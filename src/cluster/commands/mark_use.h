// This sidecar uses a room: its use mark is put, if the room has an assignment.
#pragma once

#include <functional>

#include "cluster/commands/command_base.h"

namespace cluster {

struct MarkUse : RoomCommand {
  using Outcome = bool;  // false: the room has no assignment

  explicit MarkUse(domain::RoomUse its_use, std::function<void()> when_announced = {})
      : RoomCommand(std::move(its_use.room_id)),
        mark{its_use.use, its_use.users},
        announced(std::move(when_announced)) {}

  UseMark mark;
  std::function<void()> announced;

  bool is_waited_for() const { return announced != nullptr; }
  void abandon() {
    if (announced) announced();
  }

  std::optional<Outcome> prepare(const Keys& keys, const Replica& replica);
  std::optional<Outcome> conclude(const etcd::TransactionResult& result, etcd::Revision revision,
                                  Replica& replica) const;
  void finish(Outcome is_marked, SharedState& state, Writer& writer) const REQUIRES(state.mutex);
};

}  // namespace cluster
