#include "cluster/commands/mark_use.h"

#include "cluster/operations.h"
#include "cluster/writer.h"

namespace cluster {
namespace {

// It was given up elsewhere before others knew of the use. An answered user finds it where it was
// (tombstone_gateway); for users who are in it already it is republished now.
void republish_used(const domain::RoomId& room, SharedState& state, Writer& writer) {
  app::Registry::Transaction local(state.registry);
  domain::Ledger& ledger = local.ledger();
  ledger.set_announced_use(room, domain::Use::none);
  const domain::Ledger::Room* entry = ledger.find(room);
  if (!entry || !entry->has_users() || entry->pending) return;
  if (entry->held) {
    writer.push(Republish(ledger.assignment(room, *entry->held)));
  } else if (const auto back = ledger.tombstone_gateway(room)) {
    writer.push(Republish({room, ledger.name_of(*back), "", local.now().wall, local.now().wall}));
  }
}

}  // namespace

std::optional<bool> MarkUse::prepare(const Keys& keys, const Replica&) {
  transaction = {};
  transaction.compares.push_back(is_there(keys.room(room)));
  transaction.success.push_back(put(keys.use(room, sidecar), to_text(mark)));
  return std::nullopt;
}

std::optional<bool> MarkUse::conclude(const etcd::TransactionResult& result, etcd::Revision revision,
                                      Replica& replica) const {
  if (result.succeeded) {
    replica.set_use_mark(room, revision);
  } else {
    replica.drop_use_mark(room);
  }
  return result.succeeded;
}

void MarkUse::finish(bool is_marked, SharedState& state, Writer& writer) const {
  if (!is_marked) republish_used(room, state, writer);
  if (announced) announced();
}

}  // namespace cluster
