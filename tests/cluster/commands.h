// Sidecars that run single commands on a real etcd, without the threads that otherwise send them. Each command is
// prepared, sent and concluded when the test says so.
#pragma once

#include <optional>
#include <set>
#include <string>

#include "catch.h"
#include "cluster/command.h"
#include "etcd/client.h"
#include "etcd/etcd_process.h"
#include "etcd/in_time.h"

namespace cluster_test {

using etcd_test::EtcdProcess;
using etcd_test::patiently;

struct Store {
  EtcdProcess etcd;
  etcd::Client client{etcd.patient_options()};
  cluster::Keys keys{"/test/"};

  // Under that key; "" if it is not there.
  std::string text(const std::string& key) {
    const auto reply = client.range({key}, patiently());
    REQUIRE(reply.ok());
    return reply.value.items.empty() ? "" : reply.value.items.front().value;
  }
  // Since when it stands so under that key; 0 if it is not there.
  etcd::Revision modified(const std::string& key) {
    const auto reply = client.range({key}, patiently());
    REQUIRE(reply.ok());
    return reply.value.items.empty() ? 0 : reply.value.items.front().modified;
  }
  // Where the room is; "" if it is nowhere.
  std::string gateway_of(const domain::RoomId& room) {
    const auto value = cluster::room_value_from(room, text(keys.room(room)));
    return value ? value->row.gateway_name : "";
  }
  // The gateway of its tombstone, if it has been given up.
  std::string tombstone(const domain::RoomId& room) {
    const auto value = cluster::tombstone_from(text(keys.tombstone(room)));
    return value ? value->gateway : "";
  }
  etcd::Revision mark(const domain::RoomId& room, const std::string& sidecar) {
    return modified(keys.use(room, sidecar));
  }
  bool is_marked(const domain::RoomId& room, const std::string& sidecar) { return mark(room, sidecar) != 0; }
};

// What came of a command that is to be prepared and sent anew.
constexpr std::nullopt_t anew = std::nullopt;

// The transaction is sent as one of many, as the writer does.
inline etcd::Reply<etcd::TransactionResult> send(Store& store, const cluster::CommandBase& command) {
  etcd::Operation operation;
  operation.kind = etcd::Operation::Kind::nested;
  operation.transaction.push_back(command.transaction);
  etcd::Transaction whole;
  whole.success.push_back(std::move(operation));
  auto reply = store.client.transact(whole, patiently());
  INFO(reply.why);
  REQUIRE(reply.ok());
  REQUIRE(reply.value.done.size() == 1);
  REQUIRE(reply.value.done[0].nested.size() == 1);
  return reply;
}

class Sidecar {
 public:
  Sidecar(Store& store, std::string id) : store_(store), id_(std::move(id)) {}

  // As the writer does before it sends a command.
  template <typename Kind>
  Kind made(Kind command) {
    named_.insert(command.room);
    command.id = id_ + "-" + std::to_string(++last_id_);
    if (command.sidecar.empty()) command.sidecar = id_;
    return command;
  }
  cluster::ClaimRoom claim(const domain::RoomId& room, const std::string& gateway,
                           app::ClaimRequest::Kind kind = app::ClaimRequest::Kind::first,
                           const std::string& leaves = "") {
    app::ClaimRequest request;
    request.row = row(room, gateway);
    request.kind = kind;
    request.leaves = leaves;
    return made(cluster::ClaimRoom(std::move(request), {}));
  }
  cluster::Republish republish(const domain::RoomId& room, const std::string& gateway, etcd::Revision over = 0) {
    return made(cluster::Republish(row(room, gateway), over));
  }

  // What is known without asking; nothing: the command is to be sent.
  template <typename Kind>
  auto prepare(Kind& command) {
    return seen(command.prepare(store_.keys, replica));
  }
  // As it was prepared, perhaps long ago, perhaps once more. Nothing: it is to be prepared and sent anew.
  template <typename Kind>
  auto send(Kind& command) {
    return conclude(command, cluster_test::send(store_, command));
  }
  template <typename Kind>
  auto conclude(Kind& command, const etcd::Reply<etcd::TransactionResult>& reply) {
    return seen(command.conclude(reply.value.done[0].nested[0], reply.header.revision, replica));
  }
  template <typename Kind>
  auto perform(Kind command) {
    const auto known = prepare(command);
    return known ? known : send(command);
  }
  auto take(const domain::RoomId& room, const std::string& gateway) { return perform(claim(room, gateway)); }
  auto use(const domain::RoomId& room, domain::Use use = domain::Use::live) {
    return perform(made(cluster::MarkUse({room, use})));
  }
  auto give_up(const domain::RoomId& room) { return perform(made(cluster::GiveUp(room))); }
  auto release(const domain::RoomId& room, bool force) { return perform(made(cluster::Release(room, force))); }

  // Takes in the store's present state, as the follower would.
  void follow() {
    const auto reply = store_.client.range({store_.keys.first_followed(), store_.keys.last_followed()}, patiently());
    REQUIRE(reply.ok());
    std::set<domain::RoomId> gone = named_;
    replica.forget_tombstones();
    for (const auto& item : reply.value.items) {
      const auto key = store_.keys.parse(item.key);
      REQUIRE(key);
      if (key->kind == cluster::KeyKind::tombstone) {
        replica.put_tombstone(key->room, *cluster::tombstone_from(item.value), item.modified);
      }
      if (key->kind != cluster::KeyKind::room) continue;
      gone.erase(key->room);
      named_.insert(key->room);
      replica.take_room(cluster::room_value_from(key->room, item.value)->row, item.modified);
    }
    for (const auto& room : gone) replica.drop_room(room, reply.header.revision + 1);
    replica.set_followed(reply.header.revision);
  }

  static domain::Assignment row(const domain::RoomId& room, const std::string& gateway) {
    return {room, gateway, "IL", domain::WallTime{std::chrono::hours{1}}, domain::WallTime{std::chrono::hours{1}}};
  }
  std::string knows(const domain::RoomId& room) const {
    const auto known = replica.room(room);
    return known ? known->row.gateway_name : "";
  }
  const std::string& id() const { return id_; }

  cluster::Replica replica;
  std::string holder;  // the gateway that the last claim's outcome names

 private:
  std::optional<app::ClaimOutcome> seen(const std::optional<app::Grant>& grant) {
    holder = grant ? grant->row.gateway_name : "";
    return grant ? std::optional(grant->outcome) : std::nullopt;
  }
  template <typename Outcome>
  static std::optional<Outcome> seen(std::optional<Outcome> outcome) {
    return outcome;
  }

  Store& store_;
  std::string id_;
  std::set<domain::RoomId> named_;  // every room that was ever mentioned
  int last_id_ = 0;
};

}  // namespace cluster_test
