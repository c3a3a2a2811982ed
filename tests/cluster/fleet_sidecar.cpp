#include "fleet_sidecar.h"

#include "app/report_session.h"
#include "catch.h"
#include "comes_true.h"

namespace cluster_test {
namespace {

app::Configured any_room() {
  app::Configured configured = four_gateways();
  configured.options.unknown_rooms = domain::UnknownRooms::accept;
  return configured;
}

}  // namespace

FleetSidecar::FleetSidecar(etcd::Options with) : options(std::move(with)) {
  start();
  REQUIRE(comes_true([this] { return is_live(); }));
}

FleetSidecar::~FleetSidecar() { stop(); }

void FleetSidecar::start() {
  open(any_room(), [this]() -> app::Claims& { return *(fleet = std::make_unique<cluster::Fleet>(*journal)); });
  fleet->attach(*registry, *keeper, {"host", "127.0.0.1:1", "test", "", domain::WallTime{std::chrono::hours{1}}});
  share();
}

void FleetSidecar::share() {
  fleet->configure({options, options.endpoints.empty() ? cluster::EngineKind::none : cluster::EngineKind::etcd}, true);
  fleet->follow();
}

void FleetSidecar::stop() {
  if (!fleet) return;
  fleet->stop();
  journal->flush();
  journal->stop();
  fleet.reset();
  keeper.reset();
  journal.reset();
  registry.reset();
}

void FleetSidecar::configure(const etcd::Options& with) {
  options = with;
  share();
}

std::string FleetSidecar::gateway(const std::string& room) {
  const std::string answer = ask(room);
  return answer.substr(0, answer.find(' '));
}

bool FleetSidecar::leave(const std::string& room, const std::string& session) {
  return app::leave_room(*registry, domain::RoomId(room), session).assignment_removed;
}

std::string FleetSidecar::knows(const std::string& room) {
  app::Registry::Transaction local(*registry);
  const auto* entry = local.ledger().find(domain::RoomId(room));
  return entry && entry->held && !entry->pending ? local.ledger().name_of(entry->held->gateway) : "";
}

void FleetSidecar::pass(std::chrono::seconds time) {
  for (; time.count() > 0; --time) {
    SidecarFixture::pass(std::chrono::seconds{1});
    app::Registry::Transaction local(*registry);
  }
}

bool FleetSidecar::is_live() const { return fleet->view().state == "live"; }

}  // namespace cluster_test
