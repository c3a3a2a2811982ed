#include "cluster/commands/release.h"

#include "cluster/operations.h"
#include "cluster/writer.h"

namespace cluster {

using Released = app::Claims::Released;

std::optional<Released> Release::prepare(const Keys& keys, const Replica& replica) {
  const auto known = replica.room(room);
  if (!known) return Released::done;
  row = known->row;
  const std::string key = keys.room(room);
  transaction = {};
  transaction.compares.push_back(is_as_of(key, known->modified));
  if (!force && others.empty()) add_no_others(transaction, keys, room, sidecar);
  for (const etcd::KeyValue& use_mark : others)
    transaction.compares.push_back(is_as_of(use_mark.key, use_mark.modified));
  transaction.success.push_back(erase(key));
  transaction.success.push_back(erase(keys.first_use(room), keys.last_use(room)));
  const auto why = force ? Tombstone::Why::forced : Tombstone::Why::released;
  transaction.success.push_back(put(keys.tombstone(room), to_text(Tombstone{row.gateway_name, why, id})));
  transaction.failure.push_back(get(key));
  transaction.failure.push_back(get(keys.first_use(room), keys.last_use(room)));
  return std::nullopt;
}

std::optional<Released> Release::conclude(const etcd::TransactionResult& result, etcd::Revision revision,
                                          Replica& replica) {
  if (result.succeeded) {
    replica.drop_room(room, revision);
    replica.drop_use_mark(room);
    return Released::done;
  }
  const etcd::KeyValue* there = found(result, 0);
  if (!there) {
    replica.drop_room(room, revision + 1);
    return Released::done;
  }
  const auto known = replica.room(room);
  if (known && known->modified == there->modified) {
    // Others have use marks on it: is somebody in it there? A user who comes in just now has it republished.
    if (result.done.size() < 2) return Released::unavailable;
    for (const etcd::KeyValue& use_mark : result.done[1].found) {
      const bool is_own = use_mark.modified == replica.use_mark(room);
      if (!is_own && use_mark_from(use_mark.value).use != domain::Use::kept) return Released::in_use;
    }
    others = result.done[1].found;
    return std::nullopt;
  }
  const auto value = room_value_from(room, there->value);
  if (!value) return Released::unavailable;
  replica.take_room(value->row, there->modified);
  return std::nullopt;
}

void Release::finish(Released outcome, SharedState& state, Writer& writer) const {
  if (outcome == Released::done) {
    app::Registry::Transaction local(state.registry);
    const domain::Ledger::Room* entry = local.ledger().find(room);
    const bool came_in = !force && entry && entry->has_users() && !row.gateway_name.empty();
    state.end_room(local.ledger(), room, std::nullopt);
    if (came_in) {  // meanwhile: the room goes on where it was
      outcome = Released::in_use;
      writer.push(Republish(row));
    }
  }
  if (released) released(outcome);
}

}  // namespace cluster
