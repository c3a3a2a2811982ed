// No more rooms are moved off a gateway: this sidecar's failover key goes.
#pragma once

#include "cluster/commands/command_base.h"
#include "cluster/operations.h"

namespace cluster {

struct EndFailover : CommandBase {
  using Outcome = bool;  // nobody asks for it

  explicit EndFailover(std::string its_gateway) : gateway(std::move(its_gateway)) {}

  std::string gateway;

  std::string subject() const { return "\n\n" + gateway; }  // no id of a room has a control character

  // Only the sidecar that began it knows when it is over: another may see the gateway well all the time.
  std::optional<Outcome> prepare(const Keys& keys, const Replica& replica) {
    const Replica::Failover* known = replica.failover(gateway);
    if (!known || known->value.by != sidecar) return false;
    transaction = {};
    transaction.compares.push_back(is_as_of(keys.failover(gateway), known->modified));
    transaction.success.push_back(erase(keys.failover(gateway)));
    return std::nullopt;
  }
  std::optional<Outcome> conclude(const etcd::TransactionResult&, etcd::Revision, Replica&) const { return true; }
  void finish(Outcome, SharedState&, Writer&) const {}
};

}  // namespace cluster
