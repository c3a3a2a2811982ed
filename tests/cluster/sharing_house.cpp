#include "sharing_house.h"

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

SharingHouse::SharingHouse(cluster::Options with) : options(std::move(with)) {
  start();
  REQUIRE(comes_true([this] { return is_live(); }));
}

SharingHouse::~SharingHouse() { stop(); }

void SharingHouse::start() {
  open(any_room(), [this]() -> app::Claims& { return *(fleet = std::make_unique<cluster::Fleet>(*journal)); });
  fleet->attach(*desk, *keeper, {"host", "127.0.0.1:1", "test", "", domain::WallTime{std::chrono::hours{1}}});
  fleet->configure(options, true);
  fleet->follow();
}

void SharingHouse::stop() {
  if (!fleet) return;
  fleet->stop();
  journal->flush();
  journal->stop();
  fleet.reset();
  keeper.reset();
  journal.reset();
  desk.reset();
}

void SharingHouse::configure(const cluster::Options& with) {
  options = with;
  fleet->configure(options, true);
  fleet->follow();
}

std::string SharingHouse::gateway(const std::string& room) {
  const std::string answer = ask(room);
  return answer.substr(0, answer.find(' '));
}

bool SharingHouse::leave(const std::string& room, const std::string& session) {
  return app::leave_room(*desk, room, session).assignment_removed;
}

std::string SharingHouse::knows(const std::string& room) {
  app::Desk::Turn turn(*desk);
  const auto* entry = turn.ledger().find(room);
  return entry && entry->held && !entry->pending ? turn.ledger().name_of(entry->held->gateway) : "";
}

void SharingHouse::pass(std::chrono::seconds time) {
  for (; time.count() > 0; --time) {
    SidecarFixture::pass(std::chrono::seconds{1});
    app::Desk::Turn turn(*desk);
  }
}

bool SharingHouse::is_live() const { return fleet->view().state == "live"; }

}  // namespace cluster_test
