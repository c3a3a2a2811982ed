#include "app/room_lists.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "app/book_room.h"
#include "app/report_session.h"
#include "app/splits.h"
#include "domain/id.h"
#include "logging/log.h"

namespace app {
namespace {

using domain::Occupancy;

constexpr std::size_t rooms_per_slice = 128;
constexpr int fresh_rounds = 3;  // an older list does not count against another gateway's

// Where most of them are; the first of as many.
const Occupancy::Presence& largest(const std::vector<Occupancy::Presence>& presences) {
  return *std::max_element(presences.begin(), presences.end(),
                           [](const auto& a, const auto& b) { return a.participants < b.participants; });
}

bool is_split_by_lists(const Registry::View& view, const domain::RoomId& room) {
  const auto split = view.splits().find(room);
  return split != view.splits().end() && split->second.by_lists;
}

void adopt(Registry::Transaction& transaction, const domain::RoomId& room, const std::string& gateway) {
  if (!transaction.quarantine().accepts(room, transaction.now().service)) return;
  domain::Question question{room, "", domain::Question::Asker::session, std::nullopt};
  question.reported = gateway;
  const domain::Decision decision = decide(transaction.input(), question);
  // A pinned room belongs to its pin; users elsewhere do not bind it.
  const bool is_there = decision.kind == domain::Decision::Kind::booking &&
                        decision.gateway == transaction.ledger().gateways().require(gateway);
  if (is_there) book_room(transaction, question, decision, AssignedBy::gateways);
}

}  // namespace

std::vector<Occupancy::Presence> presences_of(const Registry::View& view, const domain::RoomId& room) {
  std::vector<Occupancy::Presence> result;
  const auto& occupancy = view.ledger().occupancy();
  if (!occupancy) return result;
  const auto found = occupancy->rooms().find(room);
  if (found == occupancy->rooms().end()) return result;
  // The last list of a gateway that fell silent heals no split.
  const bool is_split = is_split_by_lists(view, room);
  for (const Occupancy::Presence& presence : found->second) {
    const bool stands = is_split && view.health().state(presence.gateway) != domain::GatewayState::down;
    if (stands || occupancy->is_fresh(presence, view.now().service)) result.push_back(presence);
  }
  return result;
}

void RoomLists::follow(const std::set<std::string>& gateways, domain::Duration interval) {
  const locks::MutexLock lock(mutex_);
  Latest followed;
  for (const std::string& gateway : gateways) followed.emplace(gateway, latest_[gateway]);
  news_ = true;
  latest_ = std::move(followed);
  interval_ = interval;
}

void RoomLists::observe(const std::string& gateway, List list) {
  for (auto room = list.begin(); room != list.end();) {
    const bool counts = room->second > 0 && domain::is_valid_id(room->first);
    room = counts ? std::next(room) : list.erase(room);
  }
  const locks::MutexLock lock(mutex_);
  const auto latest = latest_.find(gateway);
  if (latest == latest_.end()) return;
  GatewayReport& report = latest->second;
  for (auto missed = report.missed.begin(); missed != report.missed.end();) {
    ++missed->second.lists;
    missed = list.count(missed->first) > 0 ? report.missed.erase(missed) : std::next(missed);
  }
  if (report.list) {
    for (const auto& [room, participants] : *report.list) {
      if (list.count(room) == 0) report.missed.emplace(room, Missed{participants, 1});
    }
  }
  report.list = std::make_shared<const List>(std::move(list));
  ++report.lists;
  report.is_new = true;
  news_ = true;
}

void RoomLists::forget_emptied(std::int64_t fall) {
  for (auto& [gateway, report] : latest_) {
    std::erase_if(report.missed, [&](const auto& missed) { return missed.second.lists >= fall; });
  }
}

void RoomLists::evaluate() {
  Latest latest;
  domain::Duration interval;
  const std::int64_t fall = registry_.policy()->options().health.fall;
  {
    const domain::ServiceTime now = Registry::View(registry_).now().service;
    const locks::MutexLock lock(mutex_);
    if (!std::exchange(news_, false)) return;
    forget_emptied(fall);
    for (auto& [gateway, report] : latest_) {
      if (std::exchange(report.is_new, false)) report.observed_at = now;
    }
    latest = latest_;
    interval = interval_;
  }
  show(latest, interval, fall);
  end_emptied_rooms();
  Suspected suspected;
  listed_.clear();
  left_out_.clear();
  for (std::size_t at = 0; at < occupied_.size(); at += rooms_per_slice) {
    if (at > 0) registry_.pause_between_slices();
    Registry::Transaction transaction(registry_);
    for (std::size_t i = at; i < std::min(occupied_.size(), at + rooms_per_slice); ++i) {
      look_at(transaction, occupied_[i], suspected);
    }
  }
  suspected_ = std::move(suspected);
  log_left_out();
  end_healed();
}

void RoomLists::show(const Latest& latest, domain::Duration interval, std::int64_t fall) {
  std::shared_ptr<const Occupancy> picture;
  if (!latest.empty()) {
    Occupancy::Rooms rooms;
    Occupancy::Rooms lately;
    std::set<domain::GatewayId> unobserved;
    for (const auto& [name, report] : latest) {
      const domain::GatewayId gateway = Registry::Transaction(registry_).ledger().number_of(name);
      if (report.lists < fall) unobserved.insert(gateway);
      if (!report.list) continue;
      for (const auto& [room, participants] : *report.list) {
        rooms[room].push_back({gateway, participants, report.observed_at});
      }
      for (const auto& [room, missed] : report.missed) {
        lately[room].push_back({gateway, missed.participants, report.observed_at});
      }
    }
    picture = std::make_shared<const Occupancy>(std::move(rooms), std::move(lately), std::move(unobserved),
                                                fresh_rounds * interval);
  }
  auto before = picture;  // what is replaced is taken apart without the lock
  Registry::Transaction transaction(registry_);
  before = transaction.ledger().occupancy();
  transaction.ledger().set_occupancy(std::move(picture));
}

// Ends the rooms that were occupied in the last picture and are not in this one.
void RoomLists::end_emptied_rooms() {
  const std::shared_ptr<const Occupancy> picture = Registry::View(registry_).ledger().occupancy();
  std::vector<domain::RoomId> occupied;
  if (picture) {
    for (const auto& room : picture->rooms()) occupied.push_back(room.first);
    for (const auto& room : picture->lately()) {
      if (picture->rooms().count(room.first) == 0) occupied.push_back(room.first);
    }
    std::sort(occupied.begin(), occupied.end());
  }
  std::vector<domain::RoomId> emptied;
  std::set_difference(occupied_.begin(), occupied_.end(), occupied.begin(), occupied.end(),
                      std::back_inserter(emptied));
  for (std::size_t at = 0; at < emptied.size(); at += rooms_per_slice) {
    if (at > 0) registry_.pause_between_slices();
    Registry::Transaction transaction(registry_);
    for (std::size_t i = at; i < std::min(emptied.size(), at + rooms_per_slice); ++i)
      end_emptied(transaction, emptied[i]);
  }
  occupied_ = std::move(occupied);
}

// Keeps the rooms in `suspected` that are split, or may be.
void RoomLists::look_at(Registry::Transaction& transaction, const domain::RoomId& room, Suspected& suspected) {
  if (!transaction.policy().admits(room)) return;
  const domain::Ledger& ledger = transaction.ledger();
  const domain::ServiceTime now = transaction.now().service;
  const auto presences = presences_of(transaction, room);
  if (presences.empty()) return;
  const domain::Ledger::Room* entry = ledger.find(room);
  const Occupancy::Presence& most = largest(presences);
  const bool is_within = is_within_capacity(transaction, most);
  if (transaction.options().scale && (!entry || !entry->held)) {
    is_within ? adopt(transaction, room, ledger.name_of(most.gateway)) : void(++left_out_[most.gateway]);
  }
  const auto answered = standing_gateway(transaction.policy(), ledger, room);
  const bool elsewhere = answered && ledger.name_of(presences.front().gateway) != *answered;
  if (presences.size() < 2 && !elsewhere) return;
  const auto before = suspected_.find(room);
  const domain::ServiceTime first = before == suspected_.end() ? now : before->second;
  suspected.emplace(room, first);
  if (is_split_by_lists(transaction, room)) return;
  const bool is_sure = std::all_of(presences.begin(), presences.end(),
                                   [&](const auto& presence) { return presence.observed_at > first; });
  if (is_sure) note_split(transaction, room, SplitBy::lists);
}

bool RoomLists::is_within_capacity(const Registry::View& view, const Occupancy::Presence& presence) {
  const domain::Gateway* gateway = view.policy().catalogue().gateway(view.ledger().name_of(presence.gateway));
  if (!gateway) return false;
  const std::int64_t capacity = capacity_of(*gateway, view.options());
  std::int64_t& listed = listed_[presence.gateway];
  if (listed <= capacity) listed += std::min(presence.participants, capacity + 1);
  return listed <= capacity;
}

// Once for each gateway, until all of its rooms are adopted again.
void RoomLists::log_left_out() {
  std::set<domain::GatewayId> logged;
  for (const auto& [gateway, rooms] : left_out_) {
    logged.insert(gateway);
    if (logged_left_out_.count(gateway)) continue;
    const std::string name = Registry::View(registry_).ledger().name_of(gateway);
    logging::warn("Gateway lists more participants than its capacity; rooms beyond it are not adopted",
                  {{"gateway_name", name}, {"rooms", rooms}});
  }
  logged_left_out_ = std::move(logged);
}

void RoomLists::end_healed() {
  end_splits(registry_, SplitBy::lists,
             [this](const Registry::View&, const domain::RoomId& room) { return suspected_.count(room) == 0; });
}

}  // namespace app
