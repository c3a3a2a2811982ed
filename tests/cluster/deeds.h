// Sidecars that do single deeds in a real etcd, without the threads that otherwise send them: each deed is prepared,
// sent and concluded when the test says so.
#pragma once

#include <set>
#include <string>

#include "catch.h"
#include "cluster/deed.h"
#include "cluster/engine.h"
#include "etcd_process.h"
#include "in_time.h"

namespace cluster_test {

struct Store {
  EtcdProcess etcd;
  cluster::Engine engine{etcd.patient_options()};
  cluster::Keys keys{"/test/"};

  // Under that key; "" if it is not there.
  std::string text(const std::string& key) {
    const auto reply = engine.range({key}, patiently());
    REQUIRE(reply.ok());
    return reply.value.items.empty() ? "" : reply.value.items.front().value;
  }
  // Since when it stands so under that key; 0 if it is not there.
  cluster::Revision modified(const std::string& key) {
    const auto reply = engine.range({key}, patiently());
    REQUIRE(reply.ok());
    return reply.value.items.empty() ? 0 : reply.value.items.front().modified;
  }
  // Where the room is; "" if it is nowhere.
  std::string gateway_of(const std::string& room) {
    const auto value = cluster::room_value_from(room, text(keys.room(room)));
    return value ? value->row.gateway_name : "";
  }
  // Where it was, if it has been given up.
  std::string left(const std::string& room) {
    const auto value = cluster::left_value_from(text(keys.left(room)));
    return value ? value->gateway : "";
  }
  cluster::Revision mark(const std::string& room, const std::string& sidecar) {
    return modified(keys.use(room, sidecar));
  }
  bool is_marked(const std::string& room, const std::string& sidecar) { return mark(room, sidecar) != 0; }
};

// The transaction is sent as one of many, as the writer does.
inline cluster::Reply<cluster::TransactionResult> send(Store& store, const cluster::Deed& deed) {
  cluster::Operation operation;
  operation.kind = cluster::Operation::Kind::nested;
  operation.transaction.push_back(deed.transaction);
  cluster::Transaction whole;
  whole.success.push_back(std::move(operation));
  auto reply = store.engine.transact(whole, patiently());
  INFO(reply.why);
  REQUIRE(reply.ok());
  REQUIRE(reply.value.done.size() == 1);
  REQUIRE(reply.value.done[0].nested.size() == 1);
  return reply;
}

class Sidecar {
 public:
  using What = cluster::Conclusion::What;

  Sidecar(Store& store, std::string id) : store_(store), id_(std::move(id)) {}

  cluster::Deed deed(cluster::Deed::Kind kind, const std::string& room) {
    cluster::Deed deed;
    deed.kind = kind;
    deed.room = room;
    named_.insert(room);
    deed.id = id_ + "-" + std::to_string(++last_id_);
    deed.sidecar = id_;
    return deed;
  }
  cluster::Deed claim(const std::string& room, const std::string& gateway,
                      app::Wish::Kind kind = app::Wish::Kind::first, const std::string& leaves = "") {
    auto made = deed(cluster::Deed::Kind::claim, room);
    made.wish.row = row(room, gateway);
    made.wish.kind = kind;
    made.wish.leaves = leaves;
    return made;
  }
  cluster::Deed carry(const std::string& room, const std::string& gateway, cluster::Revision over = 0) {
    auto made = deed(cluster::Deed::Kind::carry, room);
    made.wish.row = row(room, gateway);
    made.over = over;
    return made;
  }

  cluster::Conclusion prepare(cluster::Deed& deed) { return cluster::prepare(deed, store_.keys, replica); }
  // As it was prepared, perhaps long ago, perhaps once more.
  cluster::Conclusion send(cluster::Deed& deed) {
    const auto reply = cluster_test::send(store_, deed);
    return cluster::conclude(deed, reply.value.done[0].nested[0], reply.header.revision, replica);
  }
  cluster::Conclusion perform(cluster::Deed deed) {
    const auto known = prepare(deed);
    return known.what == What::ask ? send(deed) : known;
  }
  cluster::Conclusion take(const std::string& room, const std::string& gateway) {
    return perform(claim(room, gateway));
  }
  cluster::Conclusion use(const std::string& room, domain::Use use = domain::Use::live) {
    auto made = deed(cluster::Deed::Kind::use, room);
    made.use = use;
    return perform(made);
  }
  cluster::Conclusion give_up(const std::string& room) { return perform(deed(cluster::Deed::Kind::give_up, room)); }

  // Takes in what is there now, as the one who follows would.
  void follow() {
    const auto reply = store_.engine.range({store_.keys.first_followed(), store_.keys.last_followed()}, patiently());
    REQUIRE(reply.ok());
    std::set<std::string> gone = named_;
    replica.forget_left();
    for (const auto& item : reply.value.items) {
      const auto key = store_.keys.parse(item.key);
      REQUIRE(key);
      if (key->kind == cluster::KeyKind::left) {
        replica.take_left(key->name, *cluster::left_value_from(item.value), item.modified);
      }
      if (key->kind != cluster::KeyKind::room) continue;
      gone.erase(key->name);
      named_.insert(key->name);
      replica.take_room(cluster::room_value_from(key->name, item.value)->row, item.modified);
    }
    for (const auto& room : gone) replica.drop_room(room, reply.header.revision + 1);
    replica.set_followed(reply.header.revision);
  }

  static domain::Assignment row(const std::string& room, const std::string& gateway) {
    return {room, gateway, "IL", domain::WallTime{std::chrono::hours{1}}, domain::WallTime{std::chrono::hours{1}}};
  }
  std::string knows(const std::string& room) const {
    const auto known = replica.room(room);
    return known ? known->row.gateway_name : "";
  }
  const std::string& id() const { return id_; }

  cluster::Replica replica;

 private:
  Store& store_;
  std::string id_;
  std::set<std::string> named_;  // the rooms that were ever heard of
  int last_id_ = 0;
};

}  // namespace cluster_test
