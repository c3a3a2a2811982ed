#include "cluster/deed.h"

#include <utility>

#include "cluster/operations.h"

namespace cluster {
namespace {

using What = Conclusion::What;

std::string kept_mark() { return to_text(UseValue{domain::Use::kept, 0}); }

// No sidecar but that one has its mark on the room.
void add_no_others(Transaction& transaction, const Keys& keys, const std::string& room, const std::string& sidecar) {
  const std::string own = keys.use(room, sidecar);
  transaction.compares.push_back(is_absent(keys.first_use(room), own));
  transaction.compares.push_back(is_absent(own + '\0', keys.last_use(room)));
}

std::string row_text(const Deed& deed) { return to_text(RoomValue{deed.wish.row, deed.sidecar, deed.id}); }

Conclusion prepare_claim(Deed& deed, const Keys& keys, const Replica& replica) {
  const std::string key = keys.room(deed.room);
  const auto known = replica.room(deed.room);
  Transaction transaction;
  transaction.success.push_back(put(key, row_text(deed)));
  if (deed.wish.is_used_here) {
    transaction.success.push_back(put(keys.use(deed.room, deed.sidecar), kept_mark()));
  }
  transaction.failure.push_back(get(key));
  const bool takes_place = deed.wish.kind != app::Wish::Kind::first;
  deed.over = known ? known->modified : 0;
  if (takes_place && known) {
    const bool is_moved = deed.wish.kind == app::Wish::Kind::moved;
    if (is_moved && known->row.gateway_name != deed.wish.leaves) return {What::not_so, known->row};
    transaction.compares.push_back(is_as_of(key, known->modified));
    if (deed.wish.kind == app::Wish::Kind::instead) add_no_others(transaction, keys, deed.room, deed.sidecar);
  } else if (deed.wish.kind == app::Wish::Kind::moved) {
    return {What::again};  // somebody has given it up
  } else {
    if (known) return {What::not_so, known->row};
    const std::string left = keys.left(deed.room);
    const Replica::Left* was = replica.left(deed.room);
    transaction.compares.push_back(is_absent(key));
    transaction.compares.push_back(is_as_of(left, was ? was->modified : 0));
    transaction.success.push_back(erase(left));
    transaction.failure.push_back(get(left));
  }
  deed.transaction = std::move(transaction);
  return {};
}

Conclusion prepare_carry(Deed& deed, const Keys& keys, const Replica& replica) {
  const std::string key = keys.room(deed.room);
  const auto known = replica.room(deed.room);
  if (known && known->modified > deed.over) {
    const bool is_same = known->row.gateway_name == deed.wish.row.gateway_name;
    return {is_same ? What::done : What::not_so, known->row};
  }
  Transaction transaction;
  transaction.compares.push_back(is_as_of(key, deed.over));
  transaction.success.push_back(put(key, row_text(deed)));
  transaction.success.push_back(put(keys.use(deed.room, deed.sidecar), kept_mark()));
  transaction.success.push_back(erase(keys.left(deed.room)));
  transaction.failure.push_back(get(key));
  deed.transaction = std::move(transaction);
  return {};
}

// Our mark goes; if it was the only one, so does the room, which is remembered for a while.
Conclusion prepare_give_up(Deed& deed, const Keys& keys, const Replica& replica) {
  const std::string use = keys.use(deed.room, deed.sidecar);
  const Revision mark = deed.kind == Deed::Kind::reap ? deed.mark : replica.mark(deed.room);
  if (mark == 0) return {What::not_so};
  const auto known = replica.room(deed.room);
  const std::string key = keys.room(deed.room);
  // Its echo may come before the answer.
  deed.wish.row = known ? known->row : domain::Assignment{};

  Transaction last;
  last.success.push_back(erase(use));
  last.failure.push_back(get(key));
  if (known) {
    last.compares.push_back(is_as_of(key, known->modified));
    last.success.push_back(erase(key));
    last.success.push_back(
        put(keys.left(deed.room), to_text(LeftValue{known->row.gateway_name, LeftValue::Why::empty, deed.id})));
  } else {
    last.compares.push_back(is_absent(key));
  }
  Transaction one_of_many;
  one_of_many.compares.push_back(is_as_of(use, mark));
  one_of_many.success.push_back(erase(use));
  one_of_many.failure.push_back(get(use));
  one_of_many.failure.push_back(get(keys.left(deed.room)));

  Transaction transaction;
  add_no_others(transaction, keys, deed.room, deed.sidecar);
  transaction.compares.push_back(is_as_of(use, mark));
  transaction.success.push_back(nested(std::move(last)));
  transaction.failure.push_back(nested(std::move(one_of_many)));
  deed.transaction = std::move(transaction);
  return {};
}

Conclusion prepare_use(Deed& deed, const Keys& keys) {
  Transaction transaction;
  transaction.compares.push_back(is_there(keys.room(deed.room)));
  transaction.success.push_back(put(keys.use(deed.room, deed.sidecar), to_text(UseValue{deed.use, deed.users})));
  deed.transaction = std::move(transaction);
  return {};
}

// Only who began it knows when it is over: another may see the gateway well all the time.
Conclusion prepare_end_failover(Deed& deed, const Keys& keys, const Replica& replica) {
  const Replica::Failover* known = replica.failover(deed.room);
  if (!known || known->value.by != deed.sidecar) return {What::not_so};
  Transaction transaction;
  transaction.compares.push_back(is_as_of(keys.failover(deed.room), known->modified));
  transaction.success.push_back(erase(keys.failover(deed.room)));
  deed.transaction = std::move(transaction);
  return {};
}

Conclusion prepare_release(Deed& deed, const Keys& keys, const Replica& replica) {
  const auto known = replica.room(deed.room);
  if (!known) return {What::done};
  deed.wish.row = known->row;
  const std::string key = keys.room(deed.room);
  Transaction transaction;
  transaction.compares.push_back(is_as_of(key, known->modified));
  if (!deed.force && deed.others.empty()) add_no_others(transaction, keys, deed.room, deed.sidecar);
  for (const KeyValue& mark : deed.others) transaction.compares.push_back(is_as_of(mark.key, mark.modified));
  transaction.success.push_back(erase(key));
  transaction.success.push_back(erase(keys.first_use(deed.room), keys.last_use(deed.room)));
  const auto why = deed.force ? LeftValue::Why::forced : LeftValue::Why::released;
  transaction.success.push_back(put(keys.left(deed.room), to_text(LeftValue{known->row.gateway_name, why, deed.id})));
  transaction.failure.push_back(get(key));
  transaction.failure.push_back(get(keys.first_use(deed.room), keys.last_use(deed.room)));
  deed.transaction = std::move(transaction);
  return {};
}

// What the `at`th operation has found, if it has.
const KeyValue* found(const TransactionResult& result, std::size_t at) {
  if (at >= result.done.size() || result.done[at].found.empty()) return nullptr;
  return &result.done[at].found.front();
}

// As of the revision of an answer. What has been followed up to there, or further, is no older.
void learn_left(Replica& replica, const std::string& room, const KeyValue* left, Revision revision) {
  if (revision <= replica.followed()) return;
  replica.drop_left(room);
  if (!left) return;
  if (auto value = left_value_from(left->value)) replica.take_left(room, std::move(*value), left->modified);
}

Conclusion conclude_claim(Deed& deed, const TransactionResult& result, Revision revision, Replica& replica) {
  const auto won_at = [&](Revision at) -> Conclusion {
    replica.take_room(deed.wish.row, at);
    if (deed.wish.is_used_here) replica.set_mark(deed.room, at);
    replica.drop_left(deed.room);
    return {What::done, deed.wish.row};
  };
  if (result.succeeded) return won_at(revision);
  const KeyValue* room = found(result, 0);
  if (!room) {
    deed.over = 0;
    if (deed.kind == Deed::Kind::claim) learn_left(replica, deed.room, found(result, 1), revision);
    return {What::again};
  }
  const auto value = room_value_from(deed.room, room->value);
  if (!value) return {What::refused};
  if (value->id == deed.id) return won_at(room->modified);  // by an attempt that seemed to have failed
  replica.take_room(value->row, room->modified);
  const auto now = replica.room(deed.room);
  if (!now) return {What::again};  // it has ended since
  // One that was not known, or not as it is: only then is it sure that others use it.
  const bool was_known = deed.kind != Deed::Kind::claim || now->modified == deed.over;
  if (deed.wish.kind == app::Wish::Kind::instead && !was_known) return {What::resend};
  return {What::not_so, now->row};
}

Conclusion conclude_give_up(Deed& deed, const TransactionResult& result, Revision revision, Replica& replica) {
  const bool is_ours = deed.kind == Deed::Kind::give_up;
  if (result.done.empty() || result.done[0].nested.empty()) return {What::refused};
  const TransactionResult& inner = result.done[0].nested[0];
  if (!inner.succeeded) {
    const KeyValue* there = found(inner, 0);
    if (result.succeeded) {  // the room is another by now
      const auto value = there ? room_value_from(deed.room, there->value) : std::nullopt;
      if (value) replica.take_room(value->row, there->modified);
      if (!there) replica.drop_room(deed.room, revision + 1);
      if (there && !value) return {What::refused};
      return {What::again};
    }
    if (!there) {  // done already, or nothing was to be done
      if (is_ours) replica.drop_mark(deed.room);
      const KeyValue* left = found(inner, 1);
      const auto value = left ? left_value_from(left->value) : std::nullopt;
      if (value && value->id == deed.id) {  // by an attempt that seemed to have failed
        deed.wish.row.gateway_name = value->gateway;
        replica.drop_room(deed.room, left->modified);
        learn_left(replica, deed.room, left, revision);
        return {What::done, deed.wish.row};
      }
      return {What::not_so};
    }
    if (!is_ours) return {What::not_so};  // it is back
    replica.set_mark(deed.room, there->modified);
    return {What::again};
  }
  if (is_ours) replica.drop_mark(deed.room);
  if (!result.succeeded) return {What::not_so};
  const domain::Assignment& row = deed.wish.row;
  if (row.gateway_name.empty()) return {What::not_so};
  replica.drop_room(deed.room, revision);
  if (revision > replica.followed()) {
    replica.take_left(deed.room, LeftValue{row.gateway_name, LeftValue::Why::empty, deed.id}, revision);
  }
  return {What::done, row};
}

Conclusion conclude_release(Deed& deed, const TransactionResult& result, Revision revision, Replica& replica) {
  if (result.succeeded) {
    replica.drop_room(deed.room, revision);
    replica.drop_mark(deed.room);
    return {What::done};
  }
  const KeyValue* room = found(result, 0);
  if (!room) {
    replica.drop_room(deed.room, revision + 1);
    return {What::done};
  }
  const auto known = replica.room(deed.room);
  if (known && known->modified == room->modified) {
    // Others have it marked: is somebody in it there? Who comes in just now has it brought back.
    if (result.done.size() < 2) return {What::refused};
    for (const KeyValue& mark : result.done[1].found) {
      const bool is_own = mark.modified == replica.mark(deed.room);
      if (!is_own && use_value_from(mark.value).use != domain::Use::kept) return {What::not_so};
    }
    deed.others = result.done[1].found;
    return {What::resend};
  }
  const auto value = room_value_from(deed.room, room->value);
  if (!value) return {What::refused};
  replica.take_room(value->row, room->modified);
  return {What::again};
}

}  // namespace

Deed use_of(domain::RoomUse use) {
  Deed deed;
  deed.kind = Deed::Kind::use;
  deed.room = std::move(use.room_id);
  deed.use = use.use;
  deed.users = use.users;
  return deed;
}

std::string Deed::subject() const {
  // No id of a room has a control character.
  if (kind == Kind::end_failover) return "\n\n" + room;
  if (kind != Kind::plain) return room;
  return "\n" + (transaction.success.empty() ? std::string() : transaction.success.front().key);
}

Conclusion prepare(Deed& deed, const Keys& keys, const Replica& replica) {
  switch (deed.kind) {
    case Deed::Kind::claim:
      return prepare_claim(deed, keys, replica);
    case Deed::Kind::carry:
      return prepare_carry(deed, keys, replica);
    case Deed::Kind::give_up:
    case Deed::Kind::reap:
      return prepare_give_up(deed, keys, replica);
    case Deed::Kind::use:
      return prepare_use(deed, keys);
    case Deed::Kind::end_failover:
      return prepare_end_failover(deed, keys, replica);
    case Deed::Kind::release:
      return prepare_release(deed, keys, replica);
    case Deed::Kind::plain:
      break;
  }
  return {};
}

Conclusion conclude(Deed& deed, const TransactionResult& result, Revision revision, Replica& replica) {
  switch (deed.kind) {
    case Deed::Kind::claim:
    case Deed::Kind::carry:
      return conclude_claim(deed, result, revision, replica);
    case Deed::Kind::give_up:
    case Deed::Kind::reap:
      return conclude_give_up(deed, result, revision, replica);
    case Deed::Kind::release:
      return conclude_release(deed, result, revision, replica);
    case Deed::Kind::use:
      if (!result.succeeded) {
        replica.drop_mark(deed.room);
        return {What::not_so};
      }
      replica.set_mark(deed.room, revision);
      return {What::done};
    case Deed::Kind::end_failover:
    case Deed::Kind::plain:
      break;
  }
  return {What::done};
}

}  // namespace cluster
