// One conditional write to the shared store, for one room mostly. A struct for each kind, which has
//   prepare   makes the transaction; returns the outcome instead where that is known already
//   conclude  what the store's answer, as of its revision, means, and what the replica learns from it; nothing: the
//             command is to be prepared and sent anew
//   finish    what follows from the outcome in the registry, and for the caller
// Pure but for finish(); the owner of cluster/shared_state.h's lock calls them. Each may be sent and applied twice, early
// or late: a claim knows its own row by its id, and a removal names the revision that it removes.
#pragma once

#include <string>
#include <variant>

#include "cluster/commands/claim.h"
#include "cluster/commands/end_failover.h"
#include "cluster/commands/give_up.h"
#include "cluster/commands/mark_use.h"
#include "cluster/commands/plain.h"
#include "cluster/commands/release.h"
#include "cluster/commands/republish.h"

namespace cluster {

using Command = std::variant<ClaimRoom, GiveUp, Reap, Republish, Release, MarkUse, EndFailover, Plain>;

inline CommandBase& base_of(Command& command) {
  return std::visit([](CommandBase& base) -> CommandBase& { return base; }, command);
}
inline const CommandBase& base_of(const Command& command) {
  return std::visit([](const CommandBase& base) -> const CommandBase& { return base; }, command);
}
inline std::string subject_of(const Command& command) {
  return std::visit([](const auto& kind) -> std::string { return kind.subject(); }, command);
}
inline bool is_waited_for(const Command& command) {
  return std::visit([](const auto& kind) { return kind.is_waited_for(); }, command);
}
inline void abandon(Command& command) {
  std::visit([](auto& kind) { kind.abandon(); }, command);
}

}  // namespace cluster
