// What the commands on the shared store have in common; cluster/command.h says what they are.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <utility>

#include "app/claims.h"
#include "cluster/keys.h"
#include "cluster/replica.h"
#include "cluster/shared_state.h"
#include "etcd/client.h"

namespace cluster {

class Writer;

struct CommandBase {
  std::string id{};       // of this command alone
  std::string sidecar{};  // the one whose use mark or failover key it is about
  // The caller waits no longer than that; nothing: it is tried until it is done.
  std::optional<std::chrono::steady_clock::time_point> deadline{};
  // No request waits longer than that, also where the command goes on (Writer::push sets it).
  std::optional<std::chrono::steady_clock::time_point> waited_until{};
  etcd::Transaction transaction{};  // as it was prepared

  // The kinds that differ have their own.
  template <typename Outcome>
  static bool shows_freshness(const Outcome&) {  // the store has changed, and that will be followed
    return false;
  }
  bool is_waited_for() const { return false; }
  bool may_be_dropped() const { return false; }  // its caller asks again
  void abandon() {}                              // reports that nothing came of it
};

struct RoomCommand : CommandBase {
  explicit RoomCommand(domain::RoomId its_room) : room(std::move(its_room)) {}

  domain::RoomId room;

  // Two of the same may not be under way at once.
  const std::string& subject() const { return room.text(); }
};

// The transaction is to fail where a sidecar other than that one has a use mark on the room.
void add_no_others(etcd::Transaction& transaction, const Keys& keys, const domain::RoomId& room,
                   const std::string& sidecar);

// As of the revision of an answer; null: there is none.
void learn_tombstone(Replica& replica, const domain::RoomId& room, const etcd::KeyValue* tombstone,
                     etcd::Revision revision);

// What came of putting `row`, with the sidecar's use mark if `is_marked`; where that failed, the room was read first.
// `retry`: it has no row any more. `failed`: its row cannot be read.
app::Grant conclude_row(const RoomCommand& command, const domain::Assignment& row, bool is_marked,
                        const etcd::TransactionResult& result, etcd::Revision revision, Replica& replica);

}  // namespace cluster
