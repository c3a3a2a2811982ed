#include "cluster/command.h"

#include <utility>

#include "cluster/operations.h"

namespace cluster {
namespace {

using What = Conclusion::What;

std::string kept_use_mark() { return to_text(UseMark{domain::Use::kept, 0}); }

// No sidecar but that one has a use mark on the room.
void add_no_others(etcd::Transaction& transaction, const Keys& keys, const std::string& room,
                   const std::string& sidecar) {
  const std::string own = keys.use(room, sidecar);
  transaction.compares.push_back(is_absent(keys.first_use(room), own));
  transaction.compares.push_back(is_absent(own + '\0', keys.last_use(room)));
}

std::string row_text(const Command& command) {
  return to_text(RoomValue{command.request.row, command.sidecar, command.id});
}

Conclusion prepare_claim(Command& command, const Keys& keys, const Replica& replica) {
  const std::string key = keys.room(command.room);
  const auto known = replica.room(command.room);
  etcd::Transaction transaction;
  transaction.success.push_back(put(key, row_text(command)));
  if (command.request.is_used_here) {
    transaction.success.push_back(put(keys.use(command.room, command.sidecar), kept_use_mark()));
  }
  transaction.failure.push_back(get(key));
  const bool takes_place = command.request.kind != app::ClaimRequest::Kind::first;
  command.over = known ? known->modified : 0;
  if (takes_place && known) {
    const bool is_moved = command.request.kind == app::ClaimRequest::Kind::moved;
    if (is_moved && known->row.gateway_name != command.request.leaves) return {What::not_so, known->row};
    transaction.compares.push_back(is_as_of(key, known->modified));
    if (command.request.kind == app::ClaimRequest::Kind::instead)
      add_no_others(transaction, keys, command.room, command.sidecar);
  } else if (command.request.kind == app::ClaimRequest::Kind::moved) {
    return {What::again};  // somebody has given it up
  } else {
    if (known) return {What::not_so, known->row};
    const std::string tombstone = keys.tombstone(command.room);
    const Replica::KnownTombstone* was = replica.tombstone(command.room);
    transaction.compares.push_back(is_absent(key));
    transaction.compares.push_back(is_as_of(tombstone, was ? was->modified : 0));
    transaction.success.push_back(erase(tombstone));
    transaction.failure.push_back(get(tombstone));
  }
  command.transaction = std::move(transaction);
  return {};
}

Conclusion prepare_republish(Command& command, const Keys& keys, const Replica& replica) {
  const std::string key = keys.room(command.room);
  const auto known = replica.room(command.room);
  if (known && known->modified > command.over) {
    const bool is_same = known->row.gateway_name == command.request.row.gateway_name;
    return {is_same ? What::done : What::not_so, known->row};
  }
  etcd::Transaction transaction;
  transaction.compares.push_back(is_as_of(key, command.over));
  transaction.success.push_back(put(key, row_text(command)));
  transaction.success.push_back(put(keys.use(command.room, command.sidecar), kept_use_mark()));
  transaction.success.push_back(erase(keys.tombstone(command.room)));
  transaction.failure.push_back(get(key));
  command.transaction = std::move(transaction);
  return {};
}

// Our use mark goes; if it was the only one, so does the room, which leaves a tombstone for a while.
Conclusion prepare_give_up(Command& command, const Keys& keys, const Replica& replica) {
  const std::string use = keys.use(command.room, command.sidecar);
  const etcd::Revision use_mark =
      command.kind == Command::Kind::reap ? command.use_mark : replica.use_mark(command.room);
  if (use_mark == 0) return {What::not_so};
  const auto known = replica.room(command.room);
  const std::string key = keys.room(command.room);
  // Its echo may come before the answer.
  command.request.row = known ? known->row : domain::Assignment{};

  etcd::Transaction last;
  last.success.push_back(erase(use));
  last.failure.push_back(get(key));
  if (known) {
    last.compares.push_back(is_as_of(key, known->modified));
    last.success.push_back(erase(key));
    last.success.push_back(put(keys.tombstone(command.room),
                               to_text(Tombstone{known->row.gateway_name, Tombstone::Why::empty, command.id})));
  } else {
    last.compares.push_back(is_absent(key));
  }
  etcd::Transaction one_of_many;
  one_of_many.compares.push_back(is_as_of(use, use_mark));
  one_of_many.success.push_back(erase(use));
  one_of_many.failure.push_back(get(use));
  one_of_many.failure.push_back(get(keys.tombstone(command.room)));

  etcd::Transaction transaction;
  add_no_others(transaction, keys, command.room, command.sidecar);
  transaction.compares.push_back(is_as_of(use, use_mark));
  transaction.success.push_back(nested(std::move(last)));
  transaction.failure.push_back(nested(std::move(one_of_many)));
  command.transaction = std::move(transaction);
  return {};
}

Conclusion prepare_use_mark(Command& command, const Keys& keys) {
  etcd::Transaction transaction;
  transaction.compares.push_back(is_there(keys.room(command.room)));
  transaction.success.push_back(
      put(keys.use(command.room, command.sidecar), to_text(UseMark{command.use, command.users})));
  command.transaction = std::move(transaction);
  return {};
}

// Only the sidecar that began it knows when it is over: another may see the gateway well all the time.
Conclusion prepare_end_failover(Command& command, const Keys& keys, const Replica& replica) {
  const Replica::Failover* known = replica.failover(command.room);
  if (!known || known->value.by != command.sidecar) return {What::not_so};
  etcd::Transaction transaction;
  transaction.compares.push_back(is_as_of(keys.failover(command.room), known->modified));
  transaction.success.push_back(erase(keys.failover(command.room)));
  command.transaction = std::move(transaction);
  return {};
}

Conclusion prepare_release(Command& command, const Keys& keys, const Replica& replica) {
  const auto known = replica.room(command.room);
  if (!known) return {What::done};
  command.request.row = known->row;
  const std::string key = keys.room(command.room);
  etcd::Transaction transaction;
  transaction.compares.push_back(is_as_of(key, known->modified));
  if (!command.force && command.others.empty()) add_no_others(transaction, keys, command.room, command.sidecar);
  for (const etcd::KeyValue& use_mark : command.others)
    transaction.compares.push_back(is_as_of(use_mark.key, use_mark.modified));
  transaction.success.push_back(erase(key));
  transaction.success.push_back(erase(keys.first_use(command.room), keys.last_use(command.room)));
  const auto why = command.force ? Tombstone::Why::forced : Tombstone::Why::released;
  transaction.success.push_back(
      put(keys.tombstone(command.room), to_text(Tombstone{known->row.gateway_name, why, command.id})));
  transaction.failure.push_back(get(key));
  transaction.failure.push_back(get(keys.first_use(command.room), keys.last_use(command.room)));
  command.transaction = std::move(transaction);
  return {};
}

// What the `at`th operation has found, if it has.
const etcd::KeyValue* found(const etcd::TransactionResult& result, std::size_t at) {
  if (at >= result.done.size() || result.done[at].found.empty()) return nullptr;
  return &result.done[at].found.front();
}

// As of the revision of an answer. What has been followed further is newer.
void learn_tombstone(Replica& replica, const std::string& room, const etcd::KeyValue* tombstone,
                     etcd::Revision revision) {
  if (revision < replica.followed()) return;
  replica.drop_tombstone(room);
  if (!tombstone) return;
  if (auto value = tombstone_from(tombstone->value))
    replica.put_tombstone(room, std::move(*value), tombstone->modified);
}

Conclusion conclude_claim(Command& command, const etcd::TransactionResult& result, etcd::Revision revision,
                          Replica& replica) {
  const auto won_at = [&](etcd::Revision at) -> Conclusion {
    replica.take_room(command.request.row, at);
    if (command.request.is_used_here) replica.set_use_mark(command.room, at);
    if (at > replica.followed()) replica.drop_tombstone(command.room);
    return {What::done, command.request.row};
  };
  if (result.succeeded) return won_at(revision);
  const etcd::KeyValue* room = found(result, 0);
  if (!room) {
    command.over = 0;
    if (command.kind == Command::Kind::claim) learn_tombstone(replica, command.room, found(result, 1), revision);
    return {What::again};
  }
  const auto value = room_value_from(command.room, room->value);
  if (!value) return {What::refused};
  if (value->id == command.id) return won_at(room->modified);  // by an attempt that seemed to have failed
  replica.take_room(value->row, room->modified);
  const auto now = replica.room(command.room);
  if (!now) return {What::again};  // it has ended since
  // The row may have been another one than was known: only a compare with the right one shows that others use it.
  const bool was_known = command.kind != Command::Kind::claim || now->modified == command.over;
  if (command.request.kind == app::ClaimRequest::Kind::instead && !was_known) return {What::resend};
  return {What::not_so, now->row};
}

Conclusion conclude_give_up(Command& command, const etcd::TransactionResult& result, etcd::Revision revision,
                            Replica& replica) {
  const bool is_ours = command.kind == Command::Kind::give_up;
  if (result.done.empty() || result.done[0].nested.empty()) return {What::refused};
  const etcd::TransactionResult& inner = result.done[0].nested[0];
  if (!inner.succeeded) {
    const etcd::KeyValue* there = found(inner, 0);
    if (result.succeeded) {  // the room is another by now
      const auto value = there ? room_value_from(command.room, there->value) : std::nullopt;
      if (value) replica.take_room(value->row, there->modified);
      if (!there) replica.drop_room(command.room, revision + 1);
      if (there && !value) return {What::refused};
      return {What::again};
    }
    if (!there) {  // done already, or nothing was to be done
      if (is_ours) replica.drop_use_mark(command.room);
      const etcd::KeyValue* tombstone = found(inner, 1);
      const auto value = tombstone ? tombstone_from(tombstone->value) : std::nullopt;
      if (value && value->id == command.id) {  // by an attempt that seemed to have failed
        command.request.row.gateway_name = value->gateway;
        replica.drop_room(command.room, tombstone->modified);
        learn_tombstone(replica, command.room, tombstone, revision);
        return {What::done, command.request.row};
      }
      return {What::not_so};
    }
    if (!is_ours) return {What::not_so};  // it is back
    replica.set_use_mark(command.room, there->modified);
    return {What::again};
  }
  if (is_ours) replica.drop_use_mark(command.room);
  if (!result.succeeded) return {What::not_so};
  const domain::Assignment& row = command.request.row;
  if (row.gateway_name.empty()) return {What::not_so};
  replica.drop_room(command.room, revision);
  if (revision > replica.followed()) {
    replica.put_tombstone(command.room, Tombstone{row.gateway_name, Tombstone::Why::empty, command.id}, revision);
  }
  return {What::done, row};
}

Conclusion conclude_release(Command& command, const etcd::TransactionResult& result, etcd::Revision revision,
                            Replica& replica) {
  if (result.succeeded) {
    replica.drop_room(command.room, revision);
    replica.drop_use_mark(command.room);
    return {What::done};
  }
  const etcd::KeyValue* room = found(result, 0);
  if (!room) {
    replica.drop_room(command.room, revision + 1);
    return {What::done};
  }
  const auto known = replica.room(command.room);
  if (known && known->modified == room->modified) {
    // Others have use marks on it: is somebody in it there? A user who comes in just now has it republished.
    if (result.done.size() < 2) return {What::refused};
    for (const etcd::KeyValue& use_mark : result.done[1].found) {
      const bool is_own = use_mark.modified == replica.use_mark(command.room);
      if (!is_own && use_mark_from(use_mark.value).use != domain::Use::kept) return {What::not_so};
    }
    command.others = result.done[1].found;
    return {What::resend};
  }
  const auto value = room_value_from(command.room, room->value);
  if (!value) return {What::refused};
  replica.take_room(value->row, room->modified);
  return {What::again};
}

}  // namespace

Command use_mark_of(domain::RoomUse use) {
  Command command;
  command.kind = Command::Kind::use;
  command.room = std::move(use.room_id);
  command.use = use.use;
  command.users = use.users;
  return command;
}

Command republish_of(domain::Assignment row, etcd::Revision over) {
  Command command;
  command.kind = Command::Kind::republish;
  command.room = row.room_id;
  command.request.row = std::move(row);
  command.over = over;
  return command;
}

std::string Command::subject() const {
  // No id of a room has a control character.
  if (kind == Kind::end_failover) return "\n\n" + room;
  if (kind != Kind::plain) return room;
  return "\n" + (transaction.success.empty() ? std::string() : transaction.success.front().key);
}

Conclusion prepare(Command& command, const Keys& keys, const Replica& replica) {
  switch (command.kind) {
    case Command::Kind::claim:
      return prepare_claim(command, keys, replica);
    case Command::Kind::republish:
      return prepare_republish(command, keys, replica);
    case Command::Kind::give_up:
    case Command::Kind::reap:
      return prepare_give_up(command, keys, replica);
    case Command::Kind::use:
      return prepare_use_mark(command, keys);
    case Command::Kind::end_failover:
      return prepare_end_failover(command, keys, replica);
    case Command::Kind::release:
      return prepare_release(command, keys, replica);
    case Command::Kind::plain:
      break;
  }
  return {};
}

Conclusion conclude(Command& command, const etcd::TransactionResult& result, etcd::Revision revision,
                    Replica& replica) {
  switch (command.kind) {
    case Command::Kind::claim:
    case Command::Kind::republish:
      return conclude_claim(command, result, revision, replica);
    case Command::Kind::give_up:
    case Command::Kind::reap:
      return conclude_give_up(command, result, revision, replica);
    case Command::Kind::release:
      return conclude_release(command, result, revision, replica);
    case Command::Kind::use:
      if (!result.succeeded) {
        replica.drop_use_mark(command.room);
        return {What::not_so};
      }
      replica.set_use_mark(command.room, revision);
      return {What::done};
    case Command::Kind::end_failover:
    case Command::Kind::plain:
      break;
  }
  return {What::done};
}

}  // namespace cluster
