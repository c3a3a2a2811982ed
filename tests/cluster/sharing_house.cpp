#include "sharing_house.h"

#include <stdlib.h>

#include "app/answer_room.h"
#include "catch.h"
#include "etcd_process.h"
#include "store/assignments_table.h"
#include "store/database.h"

namespace cluster_test {
namespace {

app::Configured four_gateways() {
  app::Configured configured;
  configured.options.scale = true;
  configured.options.unknown_rooms = domain::UnknownRooms::accept;
  for (int i = 1; i <= 4; ++i) {
    domain::ConfiguredGateway gateway;
    gateway.name = "gxy" + std::to_string(i);
    gateway.where = "config.toml:" + std::to_string(i);
    configured.gateways.push_back(gateway);
  }
  return configured;
}

}  // namespace

SharingHouse::SharingHouse(cluster::Options with) : options(std::move(with)) {
  std::string name = (std::filesystem::temp_directory_path() / "room-sidecar-sharing-XXXXXX").string();
  REQUIRE(mkdtemp(name.data()) != nullptr);
  folder_ = name;
  start();
  REQUIRE(comes_true([this] { return is_live(); }));
}

SharingHouse::~SharingHouse() {
  stop();
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

void SharingHouse::start() {
  const app::Configured configured = four_gateways();
  const std::string path = (folder_ / "test.db").string();
  store::Database database(path, store::OpenMode::read_write);
  app::Opening opening = app::read_opening(database, configured, domain::WallTime{});
  REQUIRE(opening.plan.errors.empty());
  app::write_opening(database, opening);
  clock_ = std::make_unique<app::Clock>([this] {
    const std::chrono::milliseconds service{service_};
    return domain::Moment{domain::ServiceTime{service}, domain::WallTime{service + std::chrono::hours{500'000}}};
  });
  journal = std::make_unique<store::Journal>(std::move(database), store::Journal::Callbacks{});
  fleet = std::make_unique<cluster::Fleet>(*journal);
  desk = std::make_unique<app::Desk>(*clock_, *fleet, *journal);
  app::open_desk(*desk, opening);
  keeper = std::make_unique<app::CatalogueKeeper>(*desk, *journal, path, configured, false);
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

std::string SharingHouse::ask(const std::string& room) {
  const auto answer = app::answer_room(*desk, room, "");
  if (const auto* refused = std::get_if<app::Refused>(&answer)) return std::string(code_of(refused->refusal));
  const auto& found = std::get<app::RoomAnswer>(answer);
  return found.gateway + " " + std::string(to_text(found.reason));
}

std::string SharingHouse::gateway(const std::string& room) {
  const std::string answer = ask(room);
  return answer.substr(0, answer.find(' '));
}

std::string SharingHouse::report(const std::string& room, const std::string& session) {
  const auto answer = app::report_session(*desk, app::SessionReport{room, session, std::nullopt});
  if (const auto* refused = std::get_if<app::Refused>(&answer)) return std::string(code_of(refused->refusal));
  const auto& reported = std::get<app::Reported>(answer);
  return reported.janus.value_or("null") + " " + std::to_string(reported.users);
}

bool SharingHouse::leave(const std::string& room, const std::string& session) {
  return app::leave_room(*desk, room, session).assignment_removed;
}

std::string SharingHouse::knows(const std::string& room) {
  app::Desk::Turn turn(*desk);
  const auto* entry = turn.ledger().find(room);
  return entry && entry->held && !entry->pending ? turn.ledger().name_of(entry->held->gateway) : "";
}

std::string SharingHouse::row(const std::string& room) {
  std::string gateway;
  journal->flush();
  journal->read([&](store::Database& database) {
    std::vector<std::string> skipped;
    for (const auto& row : store::read_assignments(database, skipped)) {
      if (row.room_id == room) gateway = row.gateway_name;
    }
  });
  return gateway;
}

void SharingHouse::pass(std::chrono::seconds time) {
  for (; time.count() > 0; --time) {
    service_ += 1000;
    app::Desk::Turn turn(*desk);
  }
}

bool SharingHouse::is_live() const { return fleet->view().state == "live"; }

}  // namespace cluster_test
