#include "cluster/commands/command_base.h"

#include "cluster/operations.h"

namespace cluster {

void add_no_others(etcd::Transaction& transaction, const Keys& keys, const domain::RoomId& room,
                   const std::string& sidecar) {
  const std::string own = keys.use(room, sidecar);
  transaction.compares.push_back(is_absent(keys.first_use(room), own));
  transaction.compares.push_back(is_absent(own + '\0', keys.last_use(room)));
}

// What has been followed further is newer.
void learn_tombstone(Replica& replica, const domain::RoomId& room, const etcd::KeyValue* tombstone,
                     etcd::Revision revision) {
  if (revision < replica.followed()) return;
  replica.drop_tombstone(room);
  if (!tombstone) return;
  if (auto value = tombstone_from(tombstone->value))
    replica.put_tombstone(room, std::move(*value), tombstone->modified);
}

app::Grant conclude_row(const RoomCommand& command, const domain::Assignment& row, bool is_marked,
                        const etcd::TransactionResult& result, etcd::Revision revision, Replica& replica) {
  const auto won_at = [&](etcd::Revision at) -> app::Grant {
    replica.take_room(row, at);
    if (is_marked) replica.set_use_mark(command.room, at);
    if (at > replica.followed()) replica.drop_tombstone(command.room);
    return {app::ClaimOutcome::won, row};
  };
  if (result.succeeded) return won_at(revision);
  const etcd::KeyValue* there = found(result, 0);
  if (!there) return {app::ClaimOutcome::retry};
  const auto value = room_value_from(command.room, there->value);
  if (!value) return {app::ClaimOutcome::failed};
  if (value->id == command.id) return won_at(there->modified);  // by an attempt that seemed to have failed
  replica.take_room(value->row, there->modified);
  const auto now = replica.room(command.room);
  if (!now) return {app::ClaimOutcome::retry};  // it has ended since
  return {app::ClaimOutcome::lost, now->row};
}

}  // namespace cluster
