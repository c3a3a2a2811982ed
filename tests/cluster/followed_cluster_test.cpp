// Endpoints that lead to more than one etcd cluster.
#include "etcd/followed_cluster.h"

#include <atomic>
#include <regex>

#include "catch.h"
#include "cluster/keys.h"
#include "cluster/operations.h"
#include "etcd/balancer.h"
#include "etcd/client.h"
#include "etcd/etcd_process.h"
#include "etcd/in_time.h"
#include "fleet_sidecar.h"

using namespace std::chrono_literals;
using namespace cluster;
using cluster_test::FleetSidecar;
using etcd_test::Balancer;
using etcd_test::EtcdProcess;
using etcd_test::in;
using etcd_test::patiently;

namespace {

using Ids = etcd::FollowedCluster::Ids;

etcd::Options at(std::vector<std::string> endpoints) {
  etcd::Options options;
  options.endpoints = std::move(endpoints);
  return options;
}

etcd::Transaction create(const std::string& key) {
  etcd::Transaction transaction;
  transaction.compares.push_back(is_absent(key));
  transaction.success.push_back(put(key, "1"));
  transaction.failure.push_back(get(key));
  return transaction;
}

std::size_t keys_in(const EtcdProcess& etcd) {
  const auto reply = etcd::Client(etcd.options())
                         .range({etcd::Options{}.prefix, etcd::end_of_prefix(etcd::Options{}.prefix)}, patiently());
  REQUIRE(reply.ok());
  return reply.value.items.size();
}

std::string id_of(const EtcdProcess& etcd) { return etcd::Client(etcd.options()).members().front().cluster_id; }

std::string on_localhost(const std::string& endpoint) {
  return "http://localhost" + endpoint.substr(endpoint.rfind(':'));
}

// The followed cluster, twice, and one that is not.
std::vector<std::string> two_of_three(const EtcdProcess& etcd, const EtcdProcess& other) {
  return {etcd.endpoint(0), on_localhost(etcd.endpoint(0)), other.endpoint(0)};
}

bool is_answered(FleetSidecar& fleet_sidecar, const std::string& room) {
  return fleet_sidecar.gateway(room).substr(0, 3) == "gxy";
}

// Waits for it, as a refused client asks again.
std::string answered(FleetSidecar& fleet_sidecar, const std::string& room) {
  REQUIRE(comes_true([&] { return is_answered(fleet_sidecar, room); }));
  return fleet_sidecar.gateway(room);
}

// No attempt is given up on a busy machine: a second one would find the first one's changes.
etcd::Options with_patience(etcd::Options options) {
  options.attempt_timeout = 20s;
  return options;
}

}  // namespace

TEST_CASE("the first followed cluster is that of most answering endpoints") {
  struct Case {
    Ids reported;
    std::string followed;
  };
  for (const Case& each : {
           Case{{}, ""},
           Case{{{"a", "1"}}, "1"},
           Case{{{"a", "1"}, {"b", "1"}, {"c", "2"}}, "1"},
           Case{{{"a", "2"}, {"b", "1"}, {"c", "2"}}, "2"},
           Case{{{"a", "1"}, {"b", "2"}}, ""},
           Case{{{"a", "1"}, {"b", ""}}, ""},
           Case{{{"a", "1"}, {"b", "1"}, {"c", ""}}, "1"},
           Case{{{"a", ""}, {"b", ""}, {"c", ""}}, ""},
       }) {
    etcd::FollowedCluster cluster(at({"a", "b", "c"}));
    CAPTURE(etcd::to_text(each.reported));
    CHECK(cluster.choose(each.reported, {}) == !each.followed.empty());
    CHECK(cluster.id() == each.followed);
    for (const auto& [endpoint, id] : each.reported) {
      CHECK(cluster.is_foreign(endpoint) == (!each.followed.empty() && !id.empty() && id != each.followed));
    }
  }
}

TEST_CASE("the only answering one of two seen clusters counts after max_stale") {
  etcd::FollowedCluster cluster(at({"a", "b"}));
  const etcd::FollowedCluster::Clock::time_point begin{};
  CHECK_FALSE(cluster.choose({{"a", "1"}, {"b", "2"}}, begin));
  REQUIRE(cluster.problem());
  CHECK(cluster.problem()->find("a (cluster 1), b (cluster 2)") != std::string::npos);
  CHECK_FALSE(cluster.choose({{"a", "1"}}, begin + 1s));
  CHECK_FALSE(cluster.choose({{"b", "2"}}, begin + 200s));
  CHECK_FALSE(cluster.choose({{"b", "2"}}, begin + 499s));
  CHECK(cluster.choose({{"b", "2"}}, begin + 500s));
  CHECK(cluster.id() == "2");
  CHECK_FALSE(cluster.problem());
}

TEST_CASE("the followed cluster is replaced at once by another one with all endpoints") {
  struct Case {
    Ids reported;
    bool is_replaced;
  };
  for (const Case& each : {
           Case{{}, false},
           Case{{{"a", "2"}, {"b", "2"}, {"c", "2"}}, true},
           Case{{{"a", "2"}, {"b", "2"}}, false},
           Case{{{"a", "2"}, {"b", "2"}, {"c", "3"}}, false},
           Case{{{"a", "2"}, {"b", "2"}, {"c", "1"}}, false},
           Case{{{"a", "2"}, {"b", "2"}, {"c", ""}}, false},
           Case{{{"a", "2"}}, false},
           Case{{{"a", "2"}, {"b", "3"}}, false},
       }) {
    etcd::FollowedCluster cluster(at({"a", "b", "c"}), "1");
    CAPTURE(etcd::to_text(each.reported));
    CHECK(cluster.choose(each.reported, {}) == each.is_replaced);
    CHECK(cluster.id() == (each.is_replaced ? "2" : "1"));
    CHECK(cluster.is_foreign("a") == (!each.is_replaced && each.reported.count("a") > 0));
  }
}

TEST_CASE("a cluster with fewer than all endpoints replaces the followed one only after its silence of max_stale") {
  for (const Ids& reported : {Ids{{"c", "2"}}, Ids{{"b", "2"}, {"c", "2"}}}) {
    CAPTURE(etcd::to_text(reported));
    etcd::FollowedCluster cluster(at({"a", "b", "c"}), "1");
    const etcd::FollowedCluster::Clock::time_point begin{};
    CHECK_FALSE(cluster.choose(reported, begin));
    CHECK_FALSE(cluster.choose(reported, begin + 299s));
    CHECK(cluster.counts("a", "1"));
    CHECK_FALSE(cluster.choose(reported, begin + 301s));
    CHECK(cluster.choose(reported, begin + 601s));
  }
}

TEST_CASE("an answer counts by its cluster id, and never without one") {
  etcd::FollowedCluster cluster(at({"a", "b"}), "1");
  CHECK(cluster.counts("a", "1"));
  CHECK_FALSE(cluster.counts("a", "2"));
  CHECK_FALSE(cluster.counts("b", ""));
  CHECK(cluster.is_foreign("a"));
  CHECK(cluster.foreign() == Ids{{"a", "2"}, {"b", ""}});
  CHECK(cluster.counts("a", "1"));
  CHECK_FALSE(cluster.is_foreign("a"));
}

TEST_CASE("a follower of one cluster never writes rooms into another one, and names the endpoint") {
  EtcdProcess etcd, other;
  FleetSidecar a(etcd.options());
  a.configure(at(two_of_three(etcd, other)));
  FleetSidecar b(at(two_of_three(etcd, other)));  // which followed none before
  for (int i = 0; i < 30; ++i) {
    const std::string room = std::to_string(i);
    const std::string gateway = answered(i % 2 == 0 ? a : b, room);
    CHECK(answered(i % 2 == 0 ? b : a, room) == gateway);
  }
  CHECK(keys_in(other) == 0);
  for (FleetSidecar* fleet_sidecar : {&a, &b}) {
    REQUIRE(comes_true([&] { return fleet_sidecar->fleet->problem().has_value(); }));
    CHECK(fleet_sidecar->fleet->problem()->find(other.endpoint(0)) != std::string::npos);
    CHECK(comes_true([&] { return fleet_sidecar->is_live(); }));
    CHECK(comes_true([&] {
      const auto members = fleet_sidecar->fleet->view().members;
      return members.size() == 3 && !members[0].problem && members[2].problem;
    }));
  }
}

TEST_CASE("a sidecar that followed no cluster yet follows neither of two") {
  EtcdProcess etcd, other;
  FleetSidecar a(etcd.options());
  answered(a, "1");
  FleetSidecar b(etcd.options());
  b.configure(etcd::Options{});  // it forgets what it followed
  b.configure(at({etcd.endpoint(0), other.endpoint(0)}));
  REQUIRE(
      comes_true([&] { return b.fleet->problem() && b.fleet->problem()->find("none has most") != std::string::npos; }));
  CHECK_FALSE(is_answered(b, "new"));
  a.configure(at({etcd.endpoint(0), other.endpoint(0)}));  // it knows which one
  CHECK(comes_true([&] { return is_answered(a, "new"); }));
  CHECK(keys_in(other) == 0);
}

TEST_CASE("a member that became another cluster gets no request, even over an old connection") {
  EtcdProcess etcd;
  etcd::Client client(etcd.options());
  REQUIRE(client.transact(create("/room-sidecar/a"), patiently()).ok());
  const auto lease = client.grant_lease(30s, patiently());
  REQUIRE(lease.ok());
  etcd.start_as_another_cluster();
  const auto reply = client.transact(create("/room-sidecar/b"), in(1s));
  CHECK(reply.error == etcd::ErrorCode::unreached);
  CHECK(reply.why.find("another etcd cluster") != std::string::npos);
  CHECK(client.grant_lease(30s).error == etcd::ErrorCode::unreached);
  CHECK(client.keep_lease(lease.value).error == etcd::ErrorCode::unreached);
  CHECK(client.range({"/room-sidecar/a"}).error == etcd::ErrorCode::unreached);
  CHECK(client
            .watch("/room-sidecar/", "/room-sidecar0", 1, 5s,
                   [](const etcd::Header&, const auto&) {
                     FAIL("it was believed");
                     return false;
                   })
            .why == etcd::WatchEnd::Why::lost);
  CHECK(keys_in(etcd) == 0);
  CHECK(client.members().front().problem);
  CHECK(client.finds_replacement());  // there is no other
  CHECK(client.transact(create("/room-sidecar/b"), patiently()).ok());
  CHECK_FALSE(client.members().front().problem);
}

TEST_CASE("another cluster gets the rooms once all members belong to it") {
  EtcdProcess etcd;
  FleetSidecar a(etcd.options());
  const std::string gateway = answered(a, "1");
  REQUIRE(a.report("1", "s") == gateway + " 1");
  etcd.start_as_another_cluster();
  REQUIRE(comes_true([&] { return is_answered(a, "2"); }));
  FleetSidecar b(etcd.options());
  CHECK(comes_true([&] { return b.knows("1") == gateway; }));
  CHECK(comes_true([&] { return a.is_live() && !a.fleet->problem(); }));
}

TEST_CASE("new rooms are refused while only another cluster answers, also after a restart") {
  EtcdProcess etcd, other;
  FleetSidecar a(at(two_of_three(etcd, other)));
  const std::string gateway = answered(a, "1");
  etcd.kill(0);
  CHECK_FALSE(is_answered(a, "new"));
  CHECK(a.gateway("1") == gateway);
  a.stop();
  a.start();
  CHECK_FALSE(is_answered(a, "newer"));
  CHECK(a.gateway("1") == gateway);
  CHECK(keys_in(other) == 0);
  etcd.start(0);
  CHECK(comes_true([&] { return is_answered(a, "new"); }));
}

TEST_CASE("an answer of another cluster over a checked connection does not count") {
  EtcdProcess etcd, other;
  std::atomic<bool> is_other{false};
  Balancer balancer([&](const std::string& path) {
    return (is_other && path != "/v3/cluster/member/list" ? other : etcd).endpoint(0);
  });
  etcd::Client client(at({balancer.endpoint()}));
  REQUIRE(client.transact(create("/room-sidecar/a"), patiently()).value.succeeded);
  const auto lease = client.grant_lease(30s, patiently());
  REQUIRE(lease.ok());
  is_other = true;
  CHECK(client.transact(create("/room-sidecar/b"), in(500ms)).error == etcd::ErrorCode::unreached);
  CHECK(client.grant_lease(30s).error == etcd::ErrorCode::unreached);
  CHECK(client.keep_lease(lease.value).error == etcd::ErrorCode::unreached);
  CHECK(client.range({"/room-sidecar/a"}).error == etcd::ErrorCode::unreached);
}

TEST_CASE("an answer without a cluster id does not count") {
  EtcdProcess etcd;
  std::atomic<bool> is_edited{false};
  Balancer balancer([&](const std::string&) { return etcd.endpoint(0); }, false,
                    [&](std::string body) {
                      return is_edited ? std::regex_replace(body, std::regex(R"("cluster_id":"\d+",)"), "") : body;
                    });
  etcd::Client client(at({balancer.endpoint()}));
  REQUIRE(client.range({"/room-sidecar/a"}, patiently()).ok());
  is_edited = true;
  CHECK(client.transact(create("/room-sidecar/a"), in(500ms)).error == etcd::ErrorCode::unreached);
  CHECK(client.range({"/room-sidecar/a"}).error == etcd::ErrorCode::unreached);
  CHECK(etcd::Client(at({balancer.endpoint()})).range({"/room-sidecar/a"}).error == etcd::ErrorCode::unreached);
}

TEST_CASE("a listing without progress between pages is given up, and is seldom requested again") {
  EtcdProcess etcd;
  std::atomic<int> pages{0};
  std::atomic<bool> is_edited{false};
  Balancer balancer(
      [&](const std::string& path) {
        if (path == "/v3/kv/range") ++pages;
        return etcd.endpoint(0);
      },
      false,
      [&](std::string body) {
        if (is_edited && body.find("\"kvs\"") != body.npos) body.insert(1, R"("more":true,)");
        return body;
      });
  etcd::Client client(at({balancer.endpoint()}));
  REQUIRE(client.transact(create("/room-sidecar/a"), patiently()).ok());
  is_edited = true;
  etcd::RangeRequest request{"/room-sidecar/", "/room-sidecar0", 2000};
  pages = 0;
  CHECK(client.range(request, in(500ms)).error == etcd::ErrorCode::unreached);
  CHECK(pages < 30);
}

TEST_CASE("a member that refuses its status counts as well if it answers the sidecar") {
  EtcdProcess etcd;
  Balancer balancer([&](const std::string& path) {
    return path == "/v3/maintenance/status" || path == "/v3/cluster/member/list" ? "" : etcd.endpoint(0);
  });
  etcd::Client client(with_patience(at({balancer.endpoint()})));
  CHECK(client.transact(create("/room-sidecar/a"), patiently()).value.succeeded);
  const auto member = client.members().front();
  CHECK_FALSE(member.problem);
  CHECK(member.cluster_id == id_of(etcd));
}

TEST_CASE("a proxy may close each connection after one answer") {
  EtcdProcess etcd;
  Balancer balancer([&](const std::string&) { return etcd.endpoint(0); }, true);
  etcd::Client client(with_patience(at({balancer.endpoint()})));
  for (int i = 0; i < 5; ++i) {
    const auto reply = client.transact(create("/room-sidecar/" + std::to_string(i)), patiently());
    INFO(reply.why);
    CHECK(reply.value.succeeded);
  }
  CHECK(balancer.connections() > 5);
}

TEST_CASE("a password is checked only at members of the followed cluster") {
  EtcdProcess etcd, open, other;  // `open` needs none, `other` has another one
  etcd::Options options = with_patience(etcd.options());
  etcd.turn_authentication_on("sidecar", "secret", options.prefix);
  other.turn_authentication_on("sidecar", "another", options.prefix);
  options.user = "sidecar";
  options.password_file = etcd.folder().write("password", "secret");
  options.endpoints = {etcd.endpoint(0), open.endpoint(0), other.endpoint(0)};
  for (int i = 0; i < 4; ++i) {  // whichever it begins with
    etcd::Client client(options, std::make_shared<etcd::FollowedCluster>(options, id_of(etcd)));
    const auto reply = client.transact(create(options.prefix + std::to_string(i)), patiently());
    INFO(reply.why);
    CHECK(reply.value.succeeded);
  }
  CHECK(other.password_checks() == 0);
}
