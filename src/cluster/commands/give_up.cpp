#include "cluster/commands/give_up.h"

#include "cluster/operations.h"
#include "cluster/writer.h"

namespace cluster {

using Released = app::Claims::Released;

std::optional<Released> EndOfUse::prepare(const Keys& keys, const Replica& replica) {
  const etcd::Revision use_mark = departed_mark ? *departed_mark : replica.use_mark(room);
  if (use_mark == 0) return Released::in_use;
  const std::string use = keys.use(room, sidecar);
  const std::string key = keys.room(room);
  const auto known = replica.room(room);
  // Its echo may come before the answer.
  row = known ? known->row : domain::Assignment{};

  etcd::Transaction last;
  last.success.push_back(erase(use));
  last.failure.push_back(get(key));
  if (known) {
    last.compares.push_back(is_as_of(key, known->modified));
    last.success.push_back(erase(key));
    last.success.push_back(put(keys.tombstone(room), to_text(Tombstone{row.gateway_name, Tombstone::Why::empty, id})));
  } else {
    last.compares.push_back(is_absent(key));
  }
  etcd::Transaction one_of_many;
  one_of_many.compares.push_back(is_as_of(use, use_mark));
  one_of_many.success.push_back(erase(use));
  one_of_many.failure.push_back(get(use));
  one_of_many.failure.push_back(get(keys.tombstone(room)));

  transaction = {};
  add_no_others(transaction, keys, room, sidecar);
  transaction.compares.push_back(is_as_of(use, use_mark));
  transaction.success.push_back(nested(std::move(last)));
  transaction.failure.push_back(nested(std::move(one_of_many)));
  return std::nullopt;
}

std::optional<Released> EndOfUse::conclude(const etcd::TransactionResult& result, etcd::Revision revision,
                                           Replica& replica) {
  const bool is_ours = !departed_mark;
  if (result.done.empty() || result.done[0].nested.empty()) return Released::unavailable;
  const etcd::TransactionResult& inner = result.done[0].nested[0];
  if (inner.succeeded) {
    if (is_ours) replica.drop_use_mark(room);
    if (!result.succeeded || row.gateway_name.empty()) return Released::in_use;
    replica.drop_room(room, revision);
    if (revision > replica.followed())
      replica.put_tombstone(room, Tombstone{row.gateway_name, Tombstone::Why::empty, id}, revision);
    return Released::done;
  }
  const etcd::KeyValue* there = found(inner, 0);
  if (result.succeeded) {  // the room is another by now
    const auto value = there ? room_value_from(room, there->value) : std::nullopt;
    if (there && !value) return Released::unavailable;
    if (value) replica.take_room(value->row, there->modified);
    if (!there) replica.drop_room(room, revision + 1);
    return std::nullopt;
  }
  if (there) {
    if (!is_ours) return Released::in_use;  // it is back
    replica.set_use_mark(room, there->modified);
    return std::nullopt;
  }
  // Done already, or nothing was to be done.
  if (is_ours) replica.drop_use_mark(room);
  const etcd::KeyValue* tombstone = found(inner, 1);
  const auto value = tombstone ? tombstone_from(tombstone->value) : std::nullopt;
  if (!value || value->id != id) return Released::in_use;
  // By an attempt that seemed to have failed.
  row.gateway_name = value->gateway;
  replica.drop_room(room, tombstone->modified);
  learn_tombstone(replica, room, tombstone, revision);
  return Released::done;
}

void GiveUp::finish(Released outcome, SharedState& state, Writer& writer) const {
  const bool has_ended = outcome == Released::done;
  bool is_used = false;
  {
    app::Registry::Transaction local(state.registry);
    const domain::Ledger::Room* entry = local.ledger().find(room);
    is_used = entry && entry->has_users();
    if (has_ended) state.end_room(local.ledger(), room, row.gateway_name);
  }
  // Somebody came in meanwhile: the room goes on where it was.
  if (has_ended && is_used) writer.push(Republish(row));
  if (ended) ended(has_ended && !is_used);
}

void Reap::finish(Released outcome, SharedState& state, Writer&) const {
  if (outcome != Released::done) return;
  app::Registry::Transaction local(state.registry);
  state.end_room(local.ledger(), room, row.gateway_name);
}

}  // namespace cluster
