#include "app/rooms_heard.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "app/event_log.h"
#include "app/report_session.h"
#include "app/splits.h"
#include "domain/id.h"

namespace app {
namespace {

using domain::Occupancy;

constexpr std::size_t rooms_a_turn = 128;
constexpr int fresh_rounds = 3;  // a word that is older does not stand against another gateway's

// Where most of them are; the first of as many.
const Occupancy::Presence& largest(const std::vector<Occupancy::Presence>& presences) {
  return *std::max_element(presences.begin(), presences.end(),
                           [](const auto& a, const auto& b) { return a.participants < b.participants; });
}

bool is_split_by_lists(Desk::Turn& turn, const std::string& room) {
  const auto split = turn.splits().find(room);
  return split != turn.splits().end() && split->second.by_lists;
}

void adopt(Desk::Turn& turn, const std::string& room, const std::string& gateway) {
  if (!turn.believes_reports(room)) return;
  domain::Question question{room, "", domain::Question::Asker::session, std::nullopt};
  question.reported = gateway;
  const domain::Decision decision = decide(turn.situation(), question);
  // A pinned room belongs to its pin; who is elsewhere does not bind it.
  const bool is_there = decision.kind == domain::Decision::Kind::booking && decision.gateway == gateway;
  if (is_there) turn.book(question, decision, AssignedBy::gateways);
}

}  // namespace

std::vector<Occupancy::Presence> presences_of(Desk::Turn& turn, const std::string& room) {
  std::vector<Occupancy::Presence> result;
  const auto& occupancy = turn.ledger().occupancy();
  if (!occupancy) return result;
  const auto found = occupancy->rooms().find(room);
  if (found == occupancy->rooms().end()) return result;
  // What a gateway that fell silent has said heals nothing.
  const bool is_split = is_split_by_lists(turn, room);
  for (const Occupancy::Presence& presence : found->second) {
    const bool stands = is_split && turn.health().state(presence.gateway) != domain::GatewayState::down;
    if (stands || occupancy->is_fresh(presence, turn.now().service)) result.push_back(presence);
  }
  return result;
}

void RoomsHeard::follow(const std::set<std::string>& gateways, domain::Duration interval) {
  const locks::MutexLock lock(mutex_);
  AllSaid followed;
  for (const std::string& gateway : gateways) followed.emplace(gateway, said_[gateway]);
  news_ = true;
  said_ = std::move(followed);
  interval_ = interval;
}

void RoomsHeard::hear(const std::string& gateway, List list) {
  for (auto room = list.begin(); room != list.end();) {
    const bool counts = room->second > 0 && domain::is_valid_id(room->first);
    room = counts ? std::next(room) : list.erase(room);
  }
  const locks::MutexLock lock(mutex_);
  const auto said = said_.find(gateway);
  if (said == said_.end()) return;
  Said& word = said->second;
  for (auto missed = word.missed.begin(); missed != word.missed.end();) {
    ++missed->second.lists;
    missed = list.count(missed->first) > 0 ? word.missed.erase(missed) : std::next(missed);
  }
  if (word.list) {
    for (const auto& [room, participants] : *word.list) {
      if (list.count(room) == 0) word.missed.emplace(room, Missed{participants, 1});
    }
  }
  word.list = std::make_shared<const List>(std::move(list));
  ++word.lists;
  word.is_new = true;
  news_ = true;
}

void RoomsHeard::forget_emptied(std::int64_t fall) {
  for (auto& [gateway, word] : said_) {
    std::erase_if(word.missed, [&](const auto& missed) { return missed.second.lists >= fall; });
  }
}

void RoomsHeard::conclude() {
  AllSaid said;
  domain::Duration interval;
  const std::int64_t fall = desk_.policy()->options().health.fall;
  {
    const domain::ServiceTime now = Desk::Turn(desk_).now().service;
    const locks::MutexLock lock(mutex_);
    if (!std::exchange(news_, false)) return;
    forget_emptied(fall);
    for (auto& [gateway, word] : said_) {
      if (std::exchange(word.is_new, false)) word.heard = now;
    }
    said = said_;
    interval = interval_;
  }
  show(said, interval, fall);
  end_emptied_rooms();
  Suspected suspected;
  listed_.clear();
  left_out_.clear();
  for (std::size_t at = 0; at < occupied_.size(); at += rooms_a_turn) {
    if (at > 0) desk_.let_others_pass();
    Desk::Turn turn(desk_);
    for (std::size_t i = at; i < std::min(occupied_.size(), at + rooms_a_turn); ++i) {
      look_at(turn, occupied_[i], suspected);
    }
  }
  suspected_ = std::move(suspected);
  tell_left_out();
  tell_healed();
}

void RoomsHeard::show(const AllSaid& said, domain::Duration interval, std::int64_t fall) {
  std::shared_ptr<const Occupancy> picture;
  if (!said.empty()) {
    Occupancy::Rooms rooms;
    Occupancy::Rooms lately;
    std::set<domain::GatewayNumber> unheard;
    for (const auto& [name, word] : said) {
      const domain::GatewayNumber gateway = Desk::Turn(desk_).ledger().number_of(name);
      if (word.lists < fall) unheard.insert(gateway);
      if (!word.list) continue;
      for (const auto& [room, participants] : *word.list) {
        rooms[room].push_back({gateway, participants, word.heard});
      }
      for (const auto& [room, missed] : word.missed) {
        lately[room].push_back({gateway, missed.participants, word.heard});
      }
    }
    picture = std::make_shared<const Occupancy>(std::move(rooms), std::move(lately), std::move(unheard),
                                                fresh_rounds * interval);
  }
  auto before = picture;  // what is replaced is taken apart without the lock
  Desk::Turn turn(desk_);
  before = turn.ledger().occupancy();
  turn.ledger().take_occupancy(std::move(picture));
}

// Those that were occupied by the last picture, and by this one are not.
void RoomsHeard::end_emptied_rooms() {
  const std::shared_ptr<const Occupancy> picture = Desk::Turn(desk_).ledger().occupancy();
  std::vector<std::string> occupied;
  if (picture) {
    for (const auto& room : picture->rooms()) occupied.push_back(room.first);
    for (const auto& room : picture->lately()) {
      if (picture->rooms().count(room.first) == 0) occupied.push_back(room.first);
    }
    std::sort(occupied.begin(), occupied.end());
  }
  std::vector<std::string> emptied;
  std::set_difference(occupied_.begin(), occupied_.end(), occupied.begin(), occupied.end(),
                      std::back_inserter(emptied));
  for (std::size_t at = 0; at < emptied.size(); at += rooms_a_turn) {
    if (at > 0) desk_.let_others_pass();
    Desk::Turn turn(desk_);
    for (std::size_t i = at; i < std::min(emptied.size(), at + rooms_a_turn); ++i) end_emptied(turn, emptied[i]);
  }
  occupied_ = std::move(occupied);
}

// Keeps the rooms in `suspected` that are split, or may be.
void RoomsHeard::look_at(Desk::Turn& turn, const std::string& room, Suspected& suspected) {
  if (!turn.policy().admits(room)) return;
  const domain::Ledger& ledger = turn.ledger();
  const domain::ServiceTime now = turn.now().service;
  const auto presences = presences_of(turn, room);
  if (presences.empty()) return;
  const domain::Ledger::Room* entry = ledger.find(room);
  const Occupancy::Presence& most = largest(presences);
  const bool is_within = is_within_capacity(turn, most);
  if (turn.options().scale && (!entry || !entry->held)) {
    is_within ? adopt(turn, room, ledger.name_of(most.gateway)) : void(++left_out_[most.gateway]);
  }
  const auto answered = standing_gateway(turn.policy(), ledger, room);
  const bool elsewhere = answered && ledger.name_of(presences.front().gateway) != *answered;
  if (presences.size() < 2 && !elsewhere) return;
  const auto before = suspected_.find(room);
  const domain::ServiceTime first = before == suspected_.end() ? now : before->second;
  suspected.emplace(room, first);
  if (is_split_by_lists(turn, room)) return;
  const bool is_sure =
      std::all_of(presences.begin(), presences.end(), [&](const auto& presence) { return presence.heard > first; });
  if (is_sure) note_split(turn, room, SplitBy::lists);
}

bool RoomsHeard::is_within_capacity(Desk::Turn& turn, const Occupancy::Presence& presence) {
  const domain::Gateway* gateway = turn.policy().catalogue().gateway(turn.ledger().name_of(presence.gateway));
  if (!gateway) return false;
  const std::int64_t capacity = capacity_of(*gateway, turn.options());
  std::int64_t& listed = listed_[presence.gateway];
  if (listed <= capacity) listed += std::min(presence.participants, capacity + 1);
  return listed <= capacity;
}

// Once for each gateway, until all of its rooms are adopted again.
void RoomsHeard::tell_left_out() {
  std::set<domain::GatewayNumber> told;
  for (const auto& [gateway, rooms] : left_out_) {
    told.insert(gateway);
    if (told_left_out_.count(gateway)) continue;
    const std::string name = Desk::Turn(desk_).ledger().name_of(gateway);
    log_warn("Gateway lists more participants than its capacity; rooms beyond it are not adopted",
             {{"gateway_name", name}, {"rooms", rooms}});
  }
  told_left_out_ = std::move(told);
}

void RoomsHeard::tell_healed() {
  end_splits(desk_, SplitBy::lists,
             [this](Desk::Turn&, const std::string& room) { return suspected_.count(room) == 0; });
}

}  // namespace app
