#include <atomic>
#include <thread>

#include "catch.h"
#include "etcd/client.h"
#include "etcd_process.h"
#include "in_time.h"
#include "transactions.h"
#include "watcher.h"

using namespace std::chrono_literals;
using namespace etcd;
using etcd_test::EtcdProcess;
using etcd_test::in;
using etcd_test::patiently;
using etcd_test::put;
using etcd_test::time_of;
using etcd_test::Watcher;

namespace {

Transaction erase(const std::string& key) {
  Transaction transaction;
  transaction.success.push_back({Operation::Kind::erase, key});
  return transaction;
}

}  // namespace

TEST_CASE("a watch reports puts and deletes in order, and only for its keys") {
  EtcdProcess etcd;
  Client client(etcd.patient_options());
  Watcher watcher(etcd.patient_options(), "r/", 2);
  REQUIRE(watcher.has_begun());
  REQUIRE(client.transact(put("r/a", "1"), patiently()).ok());
  REQUIRE(client.transact(put("q/a", "1"), patiently()).ok());
  REQUIRE(client.transact(put("r/a", "2"), patiently()).ok());
  REQUIRE(client.transact(erase("r/a"), patiently()).ok());
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

TEST_CASE("a watch from an earlier revision reports all later changes, those of one revision together") {
  EtcdProcess etcd;
  Client client(etcd.patient_options());
  Transaction three;
  for (const char* key : {"r/a", "r/b", "r/c"}) three.success.push_back({Operation::Kind::put, key, "", "x"});
  for (int i = 0; i < 3; ++i) REQUIRE(client.transact(three, patiently()).ok());  // revisions 2 to 4
  Watcher watcher(etcd.patient_options(), "r/", 3);
  REQUIRE(client.transact(three, patiently()).ok());
  REQUIRE(comes_true([&] { return watcher.events().size() == 9; }));
  const auto calls = watcher.calls();
  for (std::size_t i = 1; i < calls.size(); ++i) {
    CHECK(calls[i - 1].events.back().item.modified < calls[i].events.front().item.modified);
  }
  CHECK(calls.front().events.front().item.modified == 3);
  CHECK(calls.back().header.revision == 5);
  CHECK(!calls.back().header.cluster_id.empty());
}

TEST_CASE("a watch reports bytes of any kind, and an event of a megabyte") {
  EtcdProcess etcd;
  Client client(etcd.patient_options());
  std::string all;
  for (int i = 0; i < 256; ++i) all.push_back(static_cast<char>(i));
  Watcher watcher(etcd.patient_options(), "r/", 2);
  const std::vector<std::string> kinds{all, std::string(1, '\0'),     "\xff", "\"\n\\", "שלום",
                                       "",  std::string(1 << 20, 'x')};
  for (const auto& bytes : kinds) REQUIRE(client.transact(put("r/" + bytes.substr(0, 300), bytes), patiently()).ok());
  REQUIRE(comes_true([&] { return watcher.events().size() == kinds.size(); }));
  const auto events = watcher.events();
  for (std::size_t i = 0; i < kinds.size(); ++i) {
    CHECK((events[i].item.key == "r/" + kinds[i].substr(0, 300)));
    CHECK((events[i].item.value == kinds[i]));
  }
}

TEST_CASE("a watch from a compacted revision ends as such") {
  EtcdProcess etcd;
  Client client(etcd.patient_options());
  for (int i = 0; i < 5; ++i) REQUIRE(client.transact(put("r/a", "x"), patiently()).ok());
  etcd.post("/v3/kv/compaction", R"({"revision":"5"})");
  const auto end = client.watch("r/", end_of_prefix("r/"), 2, 5s, [](const Header&, const auto&) { return true; });
  INFO(end.words);
  CHECK(end.why == WatchEnd::Why::compacted);
  CHECK(client.range({"r/a"}, patiently()).ok());
}

TEST_CASE("a lease that is not kept expires, and the watch reports it") {
  EtcdProcess etcd;
  Client client(etcd.patient_options());
  Watcher watcher(etcd.patient_options(), "s/", 2);
  const auto lease = client.grant_lease(1s, patiently());
  REQUIRE(client.transact(put("s/a", "x", lease.value), patiently()).ok());
  REQUIRE(comes_true([&] { return watcher.events().size() == 2; }));
  CHECK(watcher.events()[1].erased);
}

TEST_CASE("a quiet watch goes on while its member sends progress notes") {
  EtcdProcess etcd;  // each second
  Client client(etcd.patient_options());
  constexpr auto silence = 10s;  // several of those, also on a busy machine
  Watcher watcher(etcd.patient_options(), "r/", 2, silence);
  REQUIRE(watcher.has_begun());
  const auto quiet_until = in(silence + 2s);
  REQUIRE(comes_true([&] { return etcd_test::Clock::now() > quiet_until || watcher.has_ended(); }));
  REQUIRE(!watcher.has_ended());
  REQUIRE(client.transact(put("r/a", "1"), patiently()).ok());
  CHECK(comes_true([&] { return watcher.events().size() == 1; }));
}

TEST_CASE("a watch is lost at once when its member is killed, and after a silence when it hangs") {
  EtcdProcess etcd;
  constexpr auto silence = 5s;
  CHECK(time_of([&] {
          Watcher hung(etcd.patient_options(), "r/", 2, silence);
          REQUIRE(hung.has_begun());
          etcd.halt(0);
          REQUIRE(comes_true([&] { return hung.has_ended(); }));
          CHECK(hung.end().why == WatchEnd::Why::lost);
        }) >= silence);
  etcd.go_on(0);

  Watcher killed(etcd.patient_options(), "r/", 2, 1h);
  REQUIRE(killed.has_begun());
  etcd.kill(0);
  REQUIRE(comes_true([&] { return killed.has_ended(); }));  // long before its silence
  CHECK(killed.end().why == WatchEnd::Why::lost);
}

TEST_CASE("a watch that no member accepts is lost, and pauses before each next attempt") {
  etcd::Options options;
  options.endpoints = {"http://127.0.0.1:1"};
  Client client(options);
  const auto watch = [&] { return client.watch("r/", "r0", 2, 5s, [](const Header&, const auto&) { return true; }); };
  CHECK(watch().why == WatchEnd::Why::lost);
  CHECK(time_of([&] {
          for (int i = 0; i < 5; ++i) CHECK(watch().why == WatchEnd::Why::lost);
        }) > 100ms);
}

TEST_CASE("the sink and stop() end a watch") {
  EtcdProcess etcd;
  Client client(etcd.patient_options());
  auto end = client.watch("r/", end_of_prefix("r/"), 2, 5s, [](const Header&, const auto&) { return false; });
  CHECK(end.why == WatchEnd::Why::stopped);
  REQUIRE(client.range({"r/"}, patiently()).ok());

  constexpr auto silence = 60s;
  std::atomic<bool> has_begun{false};
  std::thread thread([&] {
    end = client.watch("r/", end_of_prefix("r/"), 2, silence,
                       [&](const Header&, const auto&) { return has_begun = true; });
  });
  CHECK(comes_true([&] { return has_begun.load(); }));
  CHECK(time_of([&] {
          client.stop();
          thread.join();
        }) < silence);
  CHECK(end.why == WatchEnd::Why::stopped);
  CHECK(client.range({"r/"}, patiently()).error == ErrorCode::unreached);
  CHECK(client.watch("r/", "r0", 2, 5s, [](const Header&, const auto&) { return true; }).why == WatchEnd::Why::stopped);
}
