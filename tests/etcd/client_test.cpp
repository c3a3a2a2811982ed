#include "etcd/client.h"

#include <vector>

#include "catch.h"
#include "etcd_process.h"
#include "in_time.h"
#include "pace.h"

using namespace std::chrono_literals;
using namespace etcd;
using etcd_test::EtcdProcess;
using etcd_test::in;
using etcd_test::patiently;

namespace {

Transaction create(const std::string& key, const std::string& value) {
  return {{{key}}, {{Operation::Kind::put, key, "", value}}, {{Operation::Kind::range, key}}};
}

Operation put(const std::string& key, const std::string& value) { return {Operation::Kind::put, key, "", value}; }

void fill(Client& client, const std::string& prefix, int keys) {
  for (int i = 0; i < keys; ++i) {
    Transaction transaction;
    transaction.success.push_back(put(prefix + std::to_string(i), "v" + std::to_string(i)));
    REQUIRE(client.transact(transaction, patiently()).ok());
  }
}

}  // namespace

TEST_CASE("the first creation of a key wins, and a later one learns the winner's value") {
  EtcdProcess etcd;
  Client client(etcd.patient_options());

  const auto won = client.transact(create("room", "a"), patiently());
  INFO(won.why);
  REQUIRE(won.ok());
  REQUIRE(won.value.succeeded);
  REQUIRE(won.header.revision == 2);
  REQUIRE(!won.header.cluster_id.empty());

  const auto lost = client.transact(create("room", "b"), patiently());
  REQUIRE(lost.ok());
  REQUIRE(!lost.value.succeeded);
  REQUIRE(lost.value.done.size() == 1);
  REQUIRE(lost.value.done[0].found.size() == 1);
  const KeyValue& found = lost.value.done[0].found[0];
  CHECK(found.key == "room");
  CHECK(found.value == "a");
  CHECK(found.modified == 2);
}

TEST_CASE("a key is changed and erased only at the revision that was seen") {
  EtcdProcess etcd;
  Client client(etcd.patient_options());
  REQUIRE(client.transact(create("room", "a"), patiently()).ok());

  Transaction move;
  move.compares.push_back({"room", "", Compare::What::modified, Compare::How::equal, 7});
  move.success.push_back(put("room", "b"));
  CHECK(!client.transact(move, patiently()).value.succeeded);
  move.compares[0].revision = 2;
  CHECK(client.transact(move, patiently()).value.succeeded);

  Transaction release;
  release.compares.push_back({"room", "", Compare::What::modified, Compare::How::equal, 2});
  release.success.push_back({Operation::Kind::erase, "room"});
  CHECK(!client.transact(release, patiently()).value.succeeded);
  release.compares[0].revision = 3;
  CHECK(client.transact(release, patiently()).value.succeeded);
  CHECK(client.range({"room"}, patiently()).value.items.empty());
}

TEST_CASE("a compare of a range holds if it holds for each key; an empty range is like a key never made") {
  EtcdProcess etcd;
  Client client(etcd.patient_options());
  const auto holds = [&](Compare::How how, Revision revision) {
    Transaction transaction;
    transaction.compares.push_back({"s/", end_of_prefix("s/"), Compare::What::created, how, revision});
    const auto reply = client.transact(transaction, patiently());
    REQUIRE(reply.ok());
    return reply.value.succeeded;
  };
  CHECK(holds(Compare::How::equal, 0));
  CHECK(!holds(Compare::How::greater, 0));
  fill(client, "s/", 2);  // created at 2 and 3
  CHECK(!holds(Compare::How::equal, 0));
  CHECK(holds(Compare::How::greater, 0));
  CHECK(holds(Compare::How::greater, 1));
  CHECK(!holds(Compare::How::greater, 2));
}

TEST_CASE("each nested transaction is decided by itself, and answered in order") {
  EtcdProcess etcd;
  Client client(etcd.patient_options());
  REQUIRE(client.transact(create("r1", "old"), patiently()).ok());
  Transaction batch;
  for (const char* key : {"r0", "r1", "r2"}) {
    Operation nested;
    nested.kind = Operation::Kind::nested;
    nested.transaction.push_back(create(key, "new"));
    batch.success.push_back(nested);
  }
  const auto reply = client.transact(batch, patiently());
  INFO(reply.why);
  REQUIRE(reply.ok());
  REQUIRE(reply.value.done.size() == 3);
  CHECK(reply.value.done[0].nested.at(0).succeeded);
  CHECK(!reply.value.done[1].nested.at(0).succeeded);
  CHECK(reply.value.done[1].nested.at(0).done.at(0).found.at(0).value == "old");
  CHECK(reply.value.done[2].nested.at(0).succeeded);
}

TEST_CASE("the pages of a range are of one revision") {
  EtcdProcess etcd;
  Client client(etcd.patient_options());
  fill(client, "k/", 7);
  RangeRequest request{"k/", end_of_prefix("k/"), 3};
  std::string seen;
  int pages = 0;
  for (;;) {
    const auto page = client.range(request, patiently());
    REQUIRE(page.ok());
    ++pages;
    if (request.revision == 0) {
      request.revision = page.header.revision;
      fill(client, "k/9", 2);  // later than the first page
    }
    for (const auto& item : page.value.items) seen += item.key + " ";
    if (!page.value.more) break;
    request.key = page.value.items.back().key + std::string(1, '\0');
  }
  CHECK(pages == 3);
  CHECK(seen == "k/0 k/1 k/2 k/3 k/4 k/5 k/6 ");

  request = {"k/", end_of_prefix("k/")};
  request.keys_only = true;
  const auto keys = client.range(request, patiently());
  CHECK(keys.value.items.size() == 9);
  CHECK(keys.value.items.at(0).value.empty());
}

TEST_CASE("keys and values are bytes of any kind and up to a megabyte") {
  EtcdProcess etcd;
  Client client(etcd.patient_options());
  std::string all;
  for (int i = 0; i < 256; ++i) all.push_back(static_cast<char>(i));
  const std::vector<std::string> kinds{all,   std::string(1, '\0'),      "\xff", "\"quoted\\\"", "שלום", "a", "ab",
                                       "abc", std::string(1 << 20, '\0')};
  for (const auto& bytes : kinds) {
    const std::string key = "b/" + bytes.substr(0, 300);
    REQUIRE(client.transact(create(key, bytes), patiently()).value.succeeded);
    const auto found = client.range({key}, patiently());
    REQUIRE(found.value.items.size() == 1);
    CHECK(found.value.items[0].key == key);
    CHECK((found.value.items[0].value == bytes));
  }
  REQUIRE(client.transact(create("empty", ""), patiently()).value.succeeded);
  CHECK(client.range({"empty"}, patiently()).value.items.at(0).value.empty());
}

TEST_CASE("a request does not wait for delayed ACKs") {
  EtcdProcess etcd;
  Client client(etcd.patient_options());
  REQUIRE(client.range({"a"}, patiently()).ok());
  CHECK(tests::takes_less_than(1400ms, [&] {  // Nagle's algorithm makes each take 40 ms and more
    for (int i = 0; i < 40; ++i) REQUIRE(client.range({"a"}, patiently()).ok());
  }));
}

TEST_CASE("a compacted revision is reported as such; a future one and other mistakes are refused") {
  EtcdProcess etcd;
  Client client(etcd.patient_options());
  fill(client, "k/", 5);
  etcd.post("/v3/kv/compaction", R"({"revision":"4"})");
  RangeRequest request{"k/", end_of_prefix("k/")};
  request.revision = 3;
  CHECK(client.range(request, patiently()).error == ErrorCode::compacted);
  request.revision = 1000;
  CHECK(client.range(request, patiently()).error == ErrorCode::refused);

  Transaction twice;
  twice.success = {put("a", "1"), put("a", "2")};
  const auto refused = client.transact(twice, patiently());
  CHECK(refused.error == ErrorCode::refused);
  CHECK(refused.why.find("duplicate key") != std::string::npos);
  CHECK(client.transact(create("large", std::string(3 << 20, 'x')), patiently()).error == ErrorCode::refused);
}

TEST_CASE("a full store refuses writes, and still answers reads") {
  EtcdProcess etcd({1, false, {"--quota-backend-bytes", "200000"}});
  Client client(etcd.patient_options());
  auto reply = client.transact(create("0", std::string(50'000, 'x')), patiently());
  for (int i = 1; reply.ok() && i < 50; ++i) {
    reply = client.transact(create(std::to_string(i), std::string(50'000, 'x')), patiently());
  }
  CHECK(reply.error == ErrorCode::refused);
  CHECK(reply.why.find("space") != std::string::npos);
  CHECK(client.range({"0"}, patiently()).ok());
  CHECK(client.members().at(0).problem);
}

TEST_CASE("a lease is kept, revoked, and then gone") {
  EtcdProcess etcd;
  Client client(etcd.patient_options());
  const auto lease = client.grant_lease(30s, patiently());
  INFO(lease.why);
  REQUIRE(lease.ok());
  Transaction transaction;
  transaction.success.push_back({Operation::Kind::put, "alive", "", "", lease.value});
  REQUIRE(client.transact(transaction, patiently()).ok());

  const auto kept = client.keep_lease(lease.value, patiently());
  INFO(kept.why);
  REQUIRE(kept.ok());
  CHECK(kept.value);
  CHECK(client.revoke_lease(lease.value, patiently()).value);
  CHECK(client.range({"alive"}, patiently()).value.items.empty());

  const auto gone = client.keep_lease(lease.value, patiently());
  REQUIRE(gone.ok());
  CHECK(!gone.value);
  CHECK(client.revoke_lease(lease.value, patiently()).error == ErrorCode::refused);
  CHECK(client.transact(transaction, patiently()).error == ErrorCode::refused);
}

TEST_CASE("the end of a prefix is the first text after all texts with the prefix") {
  CHECK(end_of_prefix("room/") == "room0");
  CHECK(end_of_prefix("a\xff\xff") == "b");
  CHECK(end_of_prefix("\xff") == std::string(1, '\0'));
  CHECK(end_of_prefix("") == std::string(1, '\0'));
}
