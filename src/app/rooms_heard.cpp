#include "app/rooms_heard.h"

#include <algorithm>
#include <utility>

#include "app/event_log.h"
#include "app/report_session.h"

namespace app {
namespace {

using domain::Occupancy;

constexpr std::size_t rooms_a_turn = 128;
constexpr int fresh_rounds = 3;  // a word that is older does not stand against another gateway's

// Where most of them are; the first of as many.
const Occupancy::Presence& largest(const std::vector<Occupancy::Presence>& presences) {
  return *std::max_element(presences.begin(), presences.end(), [](const auto& a, const auto& b) {
    return a.participants < b.participants;
  });
}

void adopt(Desk::Turn& turn, const std::string& room, const std::string& gateway) {
  if (!turn.believes_reports(room)) return;
  domain::Question question{room, "", domain::Question::Asker::session, std::nullopt};
  question.reported = gateway;
  const domain::Decision decision = decide(turn.situation(), question);
  // A pinned room belongs to its pin; who is elsewhere does not bind it.
  const bool is_there = decision.kind == domain::Decision::Kind::booking && decision.gateway == gateway;
  if (is_there) turn.book(question, decision);
}

std::string text_of(const domain::Ledger& ledger, const std::vector<Occupancy::Presence>& presences) {
  std::string text;
  for (const auto& presence : presences) {
    text += (text.empty() ? "" : ",") + ledger.name_of(presence.gateway) + ":" +
            std::to_string(presence.participants);
  }
  return text;
}

}  // namespace

void RoomsHeard::follow(std::set<std::string> gateways, domain::Duration interval) {
  const std::lock_guard lock(mutex_);
  if (gateways == gateways_ && interval == interval_) return;
  gateways_ = std::move(gateways);
  interval_ = interval;
  for (auto said = said_.begin(); said != said_.end();) {
    said = gateways_.count(said->first) ? std::next(said) : said_.erase(said);
  }
  show();
}

void RoomsHeard::hear(const std::string& gateway, List list) {
  std::vector<std::string> emptied;
  {
    const std::lock_guard lock(mutex_);
    if (!gateways_.count(gateway)) return;
    Said now_said;
    {
      Desk::Turn turn(desk_);
      now_said = {turn.ledger().number_of(gateway), turn.now().service, std::move(list)};
    }
    Said& said = said_[gateway];
    for (const auto& [room, participants] : said.list) {
      const auto now = now_said.list.find(room);
      if (participants > 0 && (now == now_said.list.end() || now->second == 0)) emptied.push_back(room);
    }
    said = std::move(now_said);
    show();
  }
  end_emptied_rooms(emptied);
}

// Puts what has been said so far before the desk.
void RoomsHeard::show() {
  news_ = true;
  std::shared_ptr<const Occupancy> picture;
  if (!gateways_.empty()) {
    Occupancy::Rooms rooms;
    for (const auto& [name, said] : said_) {
      for (const auto& [room, participants] : said.list) {
        if (participants > 0) rooms[room].push_back({said.gateway, participants, said.heard});
      }
    }
    picture = std::make_shared<const Occupancy>(std::move(rooms), fresh_rounds * interval_);
  }
  auto before = picture;  // what is replaced is taken apart without the lock
  Desk::Turn turn(desk_);
  before = turn.ledger().occupancy();
  turn.ledger().take_occupancy(std::move(picture));
}

void RoomsHeard::end_emptied_rooms(const std::vector<std::string>& rooms) {
  for (std::size_t at = 0; at < rooms.size(); at += rooms_a_turn) {
    if (at > 0) desk_.let_others_pass();
    Desk::Turn turn(desk_);
    for (std::size_t i = at; i < std::min(rooms.size(), at + rooms_a_turn); ++i) end_emptied(turn, rooms[i]);
  }
}

void RoomsHeard::conclude() {
  const std::lock_guard lock(mutex_);
  if (!std::exchange(news_, false)) return;
  std::shared_ptr<const Occupancy> picture = Desk::Turn(desk_).ledger().occupancy();
  Suspected suspected;
  if (picture) {
    std::size_t looked = 0;
    for (auto room = picture->rooms().begin(); room != picture->rooms().end(); desk_.let_others_pass()) {
      Desk::Turn turn(desk_);
      for (looked = 0; room != picture->rooms().end() && looked < rooms_a_turn; ++room, ++looked) {
        look_at(turn, room->first, suspected);
      }
    }
  }
  suspected_ = std::move(suspected);
  tell_healed();
}

// Keeps the rooms in `suspected` that are split, or may be.
void RoomsHeard::look_at(Desk::Turn& turn, const std::string& room, Suspected& suspected) {
  if (!turn.policy().admits(room)) return;
  const domain::Ledger& ledger = turn.ledger();
  const domain::ServiceTime now = turn.now().service;
  const auto presences = ledger.occupancy() ? ledger.occupancy()->fresh(room, now)
                                            : std::vector<Occupancy::Presence>{};
  if (presences.empty()) return;
  const domain::Ledger::Room* entry = ledger.find(room);
  if (turn.options().scale && (!entry || !entry->held)) {
    adopt(turn, room, ledger.name_of(largest(presences).gateway));
  }
  const auto answered = standing_gateway(turn.policy(), ledger, room);
  const bool elsewhere = answered && ledger.name_of(presences.front().gateway) != *answered;
  if (presences.size() < 2 && !elsewhere) return;
  const auto before = suspected_.find(room);
  const domain::ServiceTime first = before == suspected_.end() ? now : before->second;
  suspected.emplace(room, first);
  const bool is_sure = std::all_of(presences.begin(), presences.end(),
                                   [&](const auto& presence) { return presence.heard > first; });
  if (!is_sure || !turn.splits().emplace(room, turn.now().wall).second) return;
  log_warn("Room is split", {{"room_id", room},
                             {"gateway_name", answered.value_or("")},
                             {"participants", text_of(ledger, presences)}});
}

void RoomsHeard::tell_healed() {
  std::vector<std::string> healed;
  {
    Desk::Turn turn(desk_);
    for (const auto& [room, since] : turn.splits()) {
      if (!suspected_.count(room)) healed.push_back(room);
    }
    for (const std::string& room : healed) turn.splits().erase(room);
  }
  for (const std::string& room : healed) log_info("Room is no longer split", {{"room_id", room}});
}

}  // namespace app
