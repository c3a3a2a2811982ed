#include "store/batch.h"

#include <utility>

#include "store/assignments_table.h"
#include "store/failovers_table.h"
#include "store/meta_table.h"
#include "store/sessions_table.h"

namespace store {

void Batch::write_urgently(domain::Assignment assignment, Settled settled) {
  const domain::RoomId room_id = assignment.room_id;
  const auto [at, is_new] = rooms_.try_emplace(room_id);
  RoomChange& change = at->second;
  std::unique_ptr<RoomChange> replaced;
  if (!is_new) {
    replaced = change.urgent ? std::move(change.replaced) : std::make_unique<RoomChange>(std::move(change));
  }
  change = {RoomChange::Kind::write, std::move(assignment), true, std::move(replaced)};
  settled_.push_back({room_id, std::move(settled)});
}

void Batch::take(domain::Change change) {
  std::visit([this](auto& one) { take_one(std::move(one)); }, change);
}

void Batch::take_one(domain::Assignment assignment) {
  const domain::RoomId room_id = assignment.room_id;
  rooms_[room_id] = {RoomChange::Kind::write, std::move(assignment), false, nullptr};
}

void Batch::take_one(domain::AssignmentGone gone) {
  rooms_[std::move(gone.room_id)] = {RoomChange::Kind::remove, {}, false, nullptr};
}

void Batch::touch(domain::RoomId room_id, domain::WallTime last_used_at) {
  // Nothing of a removal is looked at, so that it stays one.
  rooms_[std::move(room_id)].row.last_used_at = last_used_at;
}

void Batch::take_one(domain::Session session) {
  const std::string session_id = session.session_id;
  sessions_[session_id] = std::move(session);
}

void Batch::take_one(domain::SessionGone gone) { sessions_[std::move(gone.session_id)] = std::nullopt; }

void Batch::take_one(domain::Failover failover) {
  const std::string gateway = failover.gateway_name;
  failovers_[gateway] = std::move(failover);
}

void Batch::take_one(domain::FailoverGone gone) { failovers_[std::move(gone.gateway_name)] = std::nullopt; }

void Batch::take_one(domain::Fact fact) { facts_[std::move(fact.name)] = std::move(fact.value); }

void Batch::apply_to(Database& database) const {
  for (const auto& [room_id, change] : rooms_) {
    switch (change.kind) {
      case RoomChange::Kind::write:
        store::write_assignment(database, change.row);
        break;
      case RoomChange::Kind::remove:
        erase_assignment(database, room_id);
        break;
      case RoomChange::Kind::touch:
        touch_assignment(database, room_id, change.row.last_used_at);
        break;
    }
  }
  for (const auto& [session_id, row] : sessions_) {
    row ? write_session(database, *row) : erase_session(database, session_id);
  }
  for (const auto& [gateway, row] : failovers_) {
    row ? write_failover(database, *row) : erase_failover(database, gateway);
  }
  for (const auto& [name, value] : facts_) write_meta(database, name, value);
}

std::vector<Batch::Settled> Batch::take_settled() {
  std::vector<Settled> taken;
  taken.reserve(settled_.size());
  for (Waiting& waiting : settled_) taken.push_back(std::move(waiting.settled));
  settled_.clear();
  return taken;
}

void Batch::forget_urgent() {
  for (auto at = rooms_.begin(); at != rooms_.end();) {
    RoomChange& change = at->second;
    if (!change.urgent) {
      ++at;
    } else if (change.replaced) {
      RoomChange before = std::move(*change.replaced);
      change = std::move(before);
      ++at;
    } else {
      at = rooms_.erase(at);
    }
  }
}

void Batch::lay_over(Batch older) {
  for (auto& [room_id, before] : older.rooms_) {
    const auto [at, is_new] = rooms_.try_emplace(room_id);
    RoomChange& now = at->second;
    if (is_new) {
      now = std::move(before);
    } else if (now.kind == RoomChange::Kind::touch) {
      before.row.last_used_at = now.row.last_used_at;
      now = std::move(before);
    } else if (now.urgent && !now.replaced) {
      now.replaced = std::make_unique<RoomChange>(std::move(before));
    }
  }
  // The newer ones stay.
  sessions_.merge(older.sessions_);
  failovers_.merge(older.failovers_);
  facts_.merge(older.facts_);
  for (Waiting& waiting : older.settled_) settled_.push_back(std::move(waiting));
}

std::vector<Batch> Batch::split() {
  std::vector<Batch> parts;
  std::map<domain::RoomId, std::size_t> part_of_room;
  for (auto& [room_id, change] : rooms_) {
    part_of_room[room_id] = parts.size();
    parts.emplace_back().rooms_.emplace(room_id, std::move(change));
  }
  for (auto& [session_id, row] : sessions_) parts.emplace_back().sessions_.emplace(session_id, std::move(row));
  for (auto& [gateway, row] : failovers_) parts.emplace_back().failovers_.emplace(gateway, std::move(row));
  for (auto& [name, value] : facts_) parts.emplace_back().facts_.emplace(name, std::move(value));
  for (Waiting& waiting : settled_) {
    Batch& part = parts[part_of_room.at(waiting.room_id)];
    part.settled_.push_back(std::move(waiting));
  }
  *this = {};
  return parts;
}

std::set<std::string> Batch::tables() const {
  std::set<std::string> tables;
  for (const auto& [room_id, change] : rooms_) {
    if (change.kind == RoomChange::Kind::write) tables.insert("room_server_assignments");
  }
  for (const auto& [session_id, row] : sessions_) {
    if (row) tables.insert("sessions");
  }
  for (const auto& [gateway, row] : failovers_) {
    if (row) tables.insert("failovers");
  }
  if (!facts_.empty()) tables.insert("meta");
  return tables;
}

std::string Batch::subject() const {
  if (!rooms_.empty()) return "room " + rooms_.begin()->first.text();
  if (!sessions_.empty()) return "session " + sessions_.begin()->first;
  if (!failovers_.empty()) return "failover of gateway " + failovers_.begin()->first;
  if (!facts_.empty()) return "fact " + facts_.begin()->first;
  return "nothing";
}

}  // namespace store
