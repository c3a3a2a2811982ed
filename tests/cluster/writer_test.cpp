// The writer by itself, where its etcd takes too long.
#include "cluster/writer.h"

#include <atomic>
#include <memory>

#include "catch.h"
#include "cluster/standbys.h"
#include "etcd/base64.h"
#include "etcd/etcd_process.h"
#include "etcd/in_time.h"
#include "etcd/slow_link.h"
#include "fleet_sidecar.h"

using namespace std::chrono_literals;
using namespace cluster;
using cluster_test::FleetSidecar;
using etcd_test::EtcdProcess;
using etcd_test::in;
using etcd_test::patiently;
using etcd_test::SlowLink;

namespace {

constexpr auto attempt = 100ms;

etcd::Options hasty(etcd::Options options) {
  options.attempt_timeout = attempt;
  options.timeout = 3 * attempt;
  return options;
}

// With the registry and the journal of another sidecar.
struct Writing {
  Writing(const etcd::Options& options, FleetSidecar& fleet_sidecar)
      : state(std::make_shared<SharedState>(Options{options, EngineKind::etcd}, "writing", "", *fleet_sidecar.registry,
                                            *fleet_sidecar.journal, *fleet_sidecar.keeper, counts)),
        writer(std::make_shared<Writer>(state)) {}
  ~Writing() { writer->stop(); }

  Counts counts;
  std::shared_ptr<SharedState> state;
  std::shared_ptr<Writer> writer;
};

}  // namespace

TEST_CASE("a use mark that came too late is not put over a newer one") {
  EtcdProcess etcd;
  std::atomic<bool> is_shut{true};
  const std::string older_mark = etcd::to_base64(to_text(UseMark{domain::Use::live, 5}));
  const SlowLink link(etcd.endpoint(0), 0ms,
                      [&](std::string_view piece) { return !is_shut || piece.find(older_mark) == piece.npos; });
  FleetSidecar fleet_sidecar(etcd.patient_options());
  fleet_sidecar.gateway("r");
  etcd::Options options = hasty(etcd.options());
  options.endpoints = {link.endpoint()};
  Writing writing(options, fleet_sidecar);
  const auto failures = [&] { return writing.counts.failures.value(); };
  writing.writer->push(MarkUse({"r", domain::Use::live, 5}));
  REQUIRE(comes_true([&] { return failures() >= 2; }));  // it is being retried
  std::atomic<bool> answers_caller{false};
  MarkUse newer({"r", domain::Use::kept, 0}, [&] { answers_caller = true; });
  const auto before = failures();
  writing.writer->push(std::move(newer));
  REQUIRE(comes_true([&] { return answers_caller || failures() >= before + 3; }));
  is_shut = false;
  REQUIRE(comes_true([&] { return answers_caller && writing.counts.transactions.read().count >= 2; }));
  etcd::Client client(etcd.patient_options());
  const auto mark = client.range({Keys(etcd::Options{}.prefix).use("r", "writing")}, patiently());
  REQUIRE(mark.value.items.size() == 1);
  CHECK(use_mark_from(mark.value.items[0].value).use == domain::Use::kept);
}

TEST_CASE("a release fails at its deadline even behind a use mark that is retried") {
  EtcdProcess etcd;
  FleetSidecar fleet_sidecar(etcd.patient_options());
  etcd::Options nowhere = hasty(etcd.options());
  nowhere.endpoints = {"http://127.0.0.1:1"};
  Writing writing(nowhere, fleet_sidecar);
  writing.writer->push(MarkUse({"r", domain::Use::live, 5}));
  std::atomic<int> reported{0};
  Release release("r", false, [&](app::Claims::Released what) {
    reported += what == app::Claims::Released::unavailable ? 1 : 100;
  });
  release.deadline = in(attempt);
  writing.writer->push(std::move(release));
  CHECK(comes_true([&] { return reported == 1; }));
}

TEST_CASE("a standby is named for the rooms that are moved, whatever else leaves their gateway") {
  EtcdProcess etcd;
  FleetSidecar fleet_sidecar(etcd.patient_options());
  Writing writing(etcd.patient_options(), fleet_sidecar);
  const auto claim = [](const domain::RoomId& room, app::ClaimRequest::Kind kind) {
    app::ClaimRequest request;
    request.row.room_id = room;
    request.kind = kind;
    request.leaves = "gxy1";
    if (kind == app::ClaimRequest::Kind::moved) request.standby = "gxy2";
    return ClaimRoom(std::move(request), [](const app::Grant&) { FAIL("it was not sent"); });
  };
  std::deque<Command> batch;
  batch.emplace_back(claim("elsewhere", app::ClaimRequest::Kind::instead));
  batch.emplace_back(claim("moved", app::ClaimRequest::Kind::moved));
  etcd::Client client(etcd.patient_options());
  name_standbys(batch, client, *writing.state, *writing.writer);
  CHECK(batch.size() == 2);
  const locks::MutexLock lock(writing.state->mutex);
  const Replica::Failover* named = writing.state->replica.failover("gxy1");
  REQUIRE(named);
  CHECK(named->value.standby == "gxy2");
}
