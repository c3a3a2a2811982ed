#include "cluster/standbys.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "cluster/operations.h"

namespace cluster {
namespace {

using Named = std::vector<std::pair<std::string, FailoverValue>>;  // by gateway

const ClaimRoom* move_in(const Command& command) {
  const ClaimRoom* claim = std::get_if<ClaimRoom>(&command);
  return claim && claim->moves() ? claim : nullptr;
}

// What is to be put, and the transaction that puts it: a nested one each.
etcd::Transaction prepare(const std::deque<Command>& batch, SharedState& state, Named& named) {
  etcd::Transaction whole;
  const locks::MutexLock lock(state.mutex);
  for (const Command& command : batch) {
    const ClaimRoom* claim = move_in(command);
    if (!claim) continue;
    const app::ClaimRequest& request = claim->request;
    const std::string& gateway = request.leaves;
    if (std::any_of(named.begin(), named.end(), [&](const auto& each) { return each.first == gateway; })) continue;
    const Replica::Failover* known = state.replica.failover(gateway);
    if (known && known->value.standby == request.standby) continue;
    // Another than the one that was known when this was decided: that one can't go on.
    if (known && known->value.standby != request.standby_before) continue;
    named.emplace_back(gateway, FailoverValue{request.standby, state.sidecar});
    etcd::Transaction one;
    const std::string key = state.keys.failover(gateway);
    one.compares.push_back(is_as_of(key, known ? known->modified : 0));
    one.success.push_back(put(key, to_text(named.back().second)));
    one.failure.push_back(get(key));
    whole.success.push_back(nested(std::move(one)));
  }
  return whole;
}

// What was put, or what stood there already.
void conclude(Named named, const etcd::Reply<etcd::TransactionResult>& reply, SharedState& state) {
  const locks::MutexLock lock(state.mutex);
  for (std::size_t i = 0; i < named.size(); ++i) {
    const auto& results = reply.value.done[i].nested;
    if (results.empty()) continue;
    auto& [gateway, value] = named[i];
    etcd::Revision modified = reply.header.revision;
    if (!results[0].succeeded) {
      const etcd::KeyValue* there = found(results[0], 0);
      value = there ? failover_value_from(there->value).value_or(FailoverValue{}) : FailoverValue{};
      if (there) modified = there->modified;
    }
    state.replica.take_failover(gateway, std::move(value), modified);
  }
}

}  // namespace

void name_standbys(std::deque<Command>& batch, etcd::Client& client, SharedState& state, Writer& writer) {
  Named named;
  const etcd::Transaction whole = prepare(batch, state, named);
  if (!named.empty()) {
    const auto reply = client.transact(whole, std::chrono::steady_clock::now() + state.options.attempt_timeout);
    if (reply.ok() && reply.value.done.size() == named.size()) conclude(std::move(named), reply, state);
  }
  const locks::MutexLock lock(state.mutex);
  std::erase_if(batch, [&](const Command& command) {
    state.mutex.assert_held();
    const ClaimRoom* claim = move_in(command);
    if (!claim) return false;
    const Replica::Failover* known = state.replica.failover(claim->request.leaves);
    if (known && known->value.standby == claim->request.standby) return false;
    if (known) {
      app::Registry::Transaction local(state.registry);
      domain::Ledger& ledger = local.ledger();
      std::optional<domain::GatewayId> standby;
      if (known->value.standby) standby = ledger.number_of(*known->value.standby);
      ledger.begin_evacuation(ledger.number_of(claim->request.leaves), standby);
    }
    claim->settle({known ? app::ClaimOutcome::retry : app::ClaimOutcome::failed, {}}, state, writer);
    return true;
  });
}

}  // namespace cluster
