#include <atomic>
#include <thread>

#include "catch.h"
#include "cluster/engine.h"
#include "etcd_process.h"
#include "in_time.h"
#include "watcher.h"

using namespace std::chrono_literals;
using namespace cluster;
using cluster_test::EtcdProcess;
using cluster_test::idle_time_of;
using cluster_test::in;
using cluster_test::time_of;
using cluster_test::Watcher;

namespace {

Transaction put(const std::string& key, const std::string& value, std::int64_t lease = 0) {
  Transaction transaction;
  transaction.success.push_back({Operation::Kind::put, key, "", value, lease});
  return transaction;
}

Transaction erase(const std::string& key) {
  Transaction transaction;
  transaction.success.push_back({Operation::Kind::erase, key});
  return transaction;
}

}  // namespace

TEST_CASE("a watch tells of puts and deletes in order, and of those of its keys only") {
  EtcdProcess etcd;
  Engine engine(etcd.options());
  Watcher watcher(etcd.options(), "r/", 2);
  REQUIRE(watcher.has_begun());
  REQUIRE(engine.transact(put("r/a", "1"), in(5s)).ok());
  REQUIRE(engine.transact(put("q/a", "1"), in(5s)).ok());
  REQUIRE(engine.transact(put("r/a", "2"), in(5s)).ok());
  REQUIRE(engine.transact(erase("r/a"), in(5s)).ok());
  REQUIRE(comes_true([&] { return watcher.events().size() == 3; }));
  const auto events = watcher.events();
  CHECK(events[0].item.key == "r/a");
  CHECK(events[0].item.value == "1");
  CHECK(events[1].item.value == "2");
  CHECK(events[1].item.modified == 4);
  CHECK(events[2].erased);
  CHECK(events[2].item.key == "r/a");
  CHECK(events[2].item.modified == 5);
}

TEST_CASE("a watch from an earlier revision tells what has happened since, and all of one revision at once") {
  EtcdProcess etcd;
  Engine engine(etcd.options());
  Transaction three;
  for (const char* key : {"r/a", "r/b", "r/c"}) three.success.push_back({Operation::Kind::put, key, "", "x"});
  for (int i = 0; i < 3; ++i) REQUIRE(engine.transact(three, in(5s)).ok());  // revisions 2 to 4
  Watcher watcher(etcd.options(), "r/", 3);
  REQUIRE(engine.transact(three, in(5s)).ok());
  REQUIRE(comes_true([&] { return watcher.events().size() == 9; }));
  const auto calls = watcher.calls();
  for (std::size_t i = 1; i < calls.size(); ++i) {
    CHECK(calls[i - 1].events.back().item.modified < calls[i].events.front().item.modified);
  }
  CHECK(calls.front().events.front().item.modified == 3);
  CHECK(calls.back().header.revision == 5);
  CHECK(!calls.back().header.cluster_id.empty());
}

TEST_CASE("a watch tells bytes of any kind, and an event of a megabyte") {
  EtcdProcess etcd;
  Engine engine(etcd.options());
  std::string all;
  for (int i = 0; i < 256; ++i) all.push_back(static_cast<char>(i));
  Watcher watcher(etcd.options(), "r/", 2);
  const std::vector<std::string> kinds{all, std::string(1, '\0'),     "\xff", "\"\n\\", "שלום",
                                       "",  std::string(1 << 20, 'x')};
  for (const auto& bytes : kinds) REQUIRE(engine.transact(put("r/" + bytes.substr(0, 300), bytes), in(5s)).ok());
  REQUIRE(comes_true([&] { return watcher.events().size() == kinds.size(); }));
  const auto events = watcher.events();
  for (std::size_t i = 0; i < kinds.size(); ++i) {
    CHECK((events[i].item.key == "r/" + kinds[i].substr(0, 300)));
    CHECK((events[i].item.value == kinds[i]));
  }
}

TEST_CASE("a watch from a compacted revision ends as such") {
  EtcdProcess etcd;
  Engine engine(etcd.options());
  for (int i = 0; i < 5; ++i) REQUIRE(engine.transact(put("r/a", "x"), in(5s)).ok());
  etcd.post("/v3/kv/compaction", R"({"revision":"5"})");
  const auto end = engine.watch("r/", end_of_prefix("r/"), 2, 5s, [](const Header&, const auto&) { return true; });
  INFO(end.words);
  CHECK(end.why == WatchEnd::Why::compacted);
  CHECK(engine.range({"r/a"}, in(5s)).ok());
}

TEST_CASE("a lease that is not kept expires, and the watch tells it") {
  EtcdProcess etcd;
  Engine engine(etcd.options());
  Watcher watcher(etcd.options(), "s/", 2);
  const auto lease = engine.grant_lease(1s, in(5s));
  REQUIRE(engine.transact(put("s/a", "x", lease.value), in(5s)).ok());
  REQUIRE(comes_true([&] { return watcher.events().size() == 2; }));
  CHECK(watcher.events()[1].erased);
}

TEST_CASE("a quiet watch goes on while its member says that it lives") {
  EtcdProcess etcd;  // each second
  Engine engine(etcd.options());
  Watcher watcher(etcd.options(), "r/", 2, 3500ms);
  REQUIRE(watcher.has_begun());
  const auto quiet_until = in(6s);
  REQUIRE(comes_true([&] { return cluster_test::Clock::now() > quiet_until || watcher.has_ended(); }));
  REQUIRE(!watcher.has_ended());
  REQUIRE(engine.transact(put("r/a", "1"), in(5s)).ok());
  CHECK(comes_true([&] { return watcher.events().size() == 1; }));
}

TEST_CASE("a watch at a member that is hung is lost after its silence, and at one that is killed at once") {
  EtcdProcess etcd;
  Watcher hung(etcd.options(), "r/", 2, 2500ms);
  REQUIRE(hung.has_begun());
  etcd.halt(0);
  std::chrono::milliseconds took{};
  CHECK(idle_time_of([&] { took = time_of([&] { REQUIRE(comes_true([&] { return hung.has_ended(); })); }); }) < 4s);
  CHECK(took > 1s);
  CHECK(hung.end().why == WatchEnd::Why::lost);
  etcd.go_on(0);

  Watcher killed(etcd.options(), "r/", 2, 20s);
  REQUIRE(killed.has_begun());
  etcd.kill(0);
  CHECK(idle_time_of([&] { REQUIRE(comes_true([&] { return killed.has_ended(); })); }) < 2s);
  CHECK(killed.end().why == WatchEnd::Why::lost);
}

TEST_CASE("a watch that nobody takes is lost, and waits before it is tried over and over") {
  cluster::Options options;
  options.endpoints = {"http://127.0.0.1:1"};
  Engine engine(options);
  const auto watch = [&] { return engine.watch("r/", "r0", 2, 5s, [](const Header&, const auto&) { return true; }); };
  CHECK(watch().why == WatchEnd::Why::lost);
  CHECK(idle_time_of([&] {
          for (int i = 0; i < 5; ++i) CHECK(watch().why == WatchEnd::Why::lost);
        }) > 100ms);
}

TEST_CASE("the sink and stop() end a watch") {
  EtcdProcess etcd;
  Engine engine(etcd.options());
  auto end = engine.watch("r/", end_of_prefix("r/"), 2, 5s, [](const Header&, const auto&) { return false; });
  CHECK(end.why == WatchEnd::Why::stopped);
  REQUIRE(engine.range({"r/"}, in(5s)).ok());

  std::atomic<bool> has_begun{false};
  std::thread thread([&] {
    end = engine.watch("r/", end_of_prefix("r/"), 2, 20s, [&](const Header&, const auto&) { return has_begun = true; });
  });
  CHECK(comes_true([&] { return has_begun.load(); }));
  CHECK(time_of([&] {
          engine.stop();
          thread.join();
        }) < 500ms);
  CHECK(end.why == WatchEnd::Why::stopped);
  CHECK(engine.range({"r/"}, in(5s)).trouble == Trouble::unreached);
  CHECK(engine.watch("r/", "r0", 2, 5s, [](const Header&, const auto&) { return true; }).why == WatchEnd::Why::stopped);
}
