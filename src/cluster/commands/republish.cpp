#include "cluster/commands/republish.h"

#include "cluster/operations.h"
#include "cluster/writer.h"

namespace cluster {

using app::ClaimOutcome;

std::optional<app::Grant> Republish::prepare(const Keys& keys, const Replica& replica) {
  const std::string key = keys.room(room);
  const auto known = replica.room(room);
  if (known && known->modified > over) {
    const bool is_same = known->row.gateway_name == row.gateway_name;
    return app::Grant{is_same ? ClaimOutcome::won : ClaimOutcome::lost, known->row};
  }
  transaction = {};
  transaction.compares.push_back(is_as_of(key, over));
  transaction.success.push_back(put(key, to_text(RoomValue{row, sidecar, id})));
  transaction.success.push_back(put(keys.use(room, sidecar), to_text(UseMark{domain::Use::kept, 0})));
  transaction.success.push_back(erase(keys.tombstone(room)));
  transaction.failure.push_back(get(key));
  return std::nullopt;
}

std::optional<app::Grant> Republish::conclude(const etcd::TransactionResult& result, etcd::Revision revision,
                                              Replica& replica) {
  auto grant = conclude_row(*this, row, true, result, revision, replica);
  if (!result.succeeded && !found(result, 0)) over = 0;
  if (grant.outcome == ClaimOutcome::retry) return std::nullopt;
  return grant;
}

void Republish::finish(const app::Grant& grant, SharedState& state, Writer& writer) const {
  if (grant.outcome == ClaimOutcome::failed) return;
  const auto now = state.replica.room(room);
  if (!now) return;  // it has ended since
  app::Registry::Transaction local(state.registry);
  domain::Ledger& ledger = local.ledger();
  if (now->row.gateway_name != row.gateway_name) state.count_conflict(room, row.gateway_name, now->row.gateway_name);
  ledger.follow(now->row);
  ledger.set_tombstone(room, std::nullopt);
  ledger.keep(room, local.now().service);
  const domain::Ledger::Room* entry = ledger.find(room);
  const auto use = entry && entry->has_users() ? domain::Use::live : domain::Use::kept;
  domain::RoomUse announced = ledger.set_announced_use(room, use);
  const bool is_marked = grant.outcome == ClaimOutcome::won && state.replica.use_mark(room) > 0;
  if (!is_marked || use == domain::Use::live) writer.push(MarkUse(std::move(announced)));
}

}  // namespace cluster
