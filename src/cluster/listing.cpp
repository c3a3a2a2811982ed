#include "cluster/applier.h"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "app/for_each_room.h"
#include "cluster/operations.h"
#include "logging/log.h"

namespace cluster {
namespace {

constexpr std::size_t rooms_per_slice = 256;

}  // namespace

void Applier::apply(const Listing& listing, bool has_other_past) {
  {
    const locks::MutexLock lock(state_.mutex);
    const ResumePoint before = state_.resume_point;
    const bool is_join = !before.is_known();
    const bool is_other_history =
        !is_join && (has_other_past || listing.cluster_id != before.cluster_id || listing.revision < before.revision);
    if (is_other_history) {
      logging::warn("Shared store was replaced or restored; what it lacks is republished",
                    {{"revision", listing.revision}, {"followed", before.revision}});
      state_.freshness.forget_questions();
    }
    ListedNames names = apply_items(listing);
    apply_rooms(listing, is_join || is_other_history, is_other_history);
    const auto with_use_marks = apply_use_marks(listing);
    sidecars_.list(std::move(names.sidecars), with_use_marks);
    if (is_join || is_other_history) republish_drains(names.gateways);
    state_.replica.set_followed(listing.revision);
    state_.resume_point.cluster_id = listing.cluster_id;
    state_.resume_point.revision = listing.revision;
    state_.freshness.answered(listing.sent, listing.revision);
    state_.freshness.followed(listing.revision);
    app::Registry::Transaction local(state_.registry);
    local.note(state_.resume_point_now());
  }
  state_.counts.listings.add();
}

// All but rooms and use marks.
Applier::ListedNames Applier::apply_items(const Listing& listing) {
  ListedNames names;
  state_.replica.forget_tombstones();
  state_.replica.forget_failovers();
  app::Registry::Transaction(state_.registry).ledger().forget_tombstones();
  for (std::size_t at = 0; at < listing.items.size();) {
    if (at > 0) state_.registry.pause_between_slices();
    app::Registry::Transaction local(state_.registry);
    for (const std::size_t end = std::min(listing.items.size(), at + rooms_per_slice); at < end; ++at) {
      const etcd::KeyValue& item = listing.items[at];
      const auto key = state_.keys.parse(item.key);
      if (!key || key->kind == KeyKind::room) continue;
      if (key->kind == KeyKind::gateway) names.gateways.insert(key->name);
      if (key->kind != KeyKind::sidecar) {
        apply(local, {false, item});
      } else if (auto value = sidecar_value_from(item.value)) {
        names.sidecars.emplace(key->name, std::move(*value));
      }
    }
  }
  return names;
}

// What was drained here while this one was alone.
void Applier::republish_drains(const std::set<std::string>& drained) {
  const auto policy = state_.registry.policy();
  for (const domain::Gateway& gateway : policy->catalogue().gateways()) {
    if (!gateway.draining || gateway.removed || drained.count(gateway.name)) continue;
    const auto draining = gateway.evacuating ? domain::Draining::and_evacuating : domain::Draining::yes;
    writer_.push(Plain({{}, {put(state_.keys.gateway(gateway.name), to_text(draining))}}));
  }
}

// `is_other_history`: what is missing there was not given up by anybody, but is not known there;
// `is_restored`: it had been followed before, and what is there may be older.
void Applier::apply_rooms(const Listing& listing, bool is_other_history, bool is_restored) {
  ListedRooms listed = read_rooms(listing, is_restored);
  if (is_other_history) state_.replica.forget_revisions();
  state_.replica.set_followed(0);
  apply_rows(listed.rows, is_other_history);
  end_missing(listing.revision, is_other_history, listed);
  for (const auto& [row, over] : listed.to_republish) writer_.push(Republish(row, over));
}

Applier::ListedRooms Applier::read_rooms(const Listing& listing, bool is_restored) {
  ListedRooms listed;
  for (const etcd::KeyValue& item : listing.items) {
    const auto key = state_.keys.parse(item.key);
    if (!key || key->kind != KeyKind::room) continue;
    const auto value = room_value_from(key->room, item.value);
    if (!value) {
      logging::warn("Row of the shared store left out: it cannot be read", {{"room_id", key->room}});
      continue;
    }
    listed.names.insert(key->room);
    // Revisions of two histories cannot be compared: the later assignment counts.
    std::optional<domain::Assignment> newer;
    if (is_restored) {
      const app::Registry::View local(state_.registry);
      const domain::Ledger::Room* room = local.ledger().find(key->room);
      if (room && room->held && !room->pending && room->held->assigned_at > value->row.assigned_at &&
          local.ledger().name_of(room->held->gateway) != value->row.gateway_name) {
        newer = local.ledger().assignment(key->room, *room->held);
      }
    }
    (newer ? listed.to_republish : listed.rows).emplace_back(newer.value_or(value->row), item.modified);
  }
  return listed;
}

void Applier::apply_rows(const std::vector<RowAt>& rows, bool is_other_history) {
  for (std::size_t at = 0; at < rows.size(); at += rooms_per_slice) {
    if (at > 0) state_.registry.pause_between_slices();
    app::Registry::Transaction local(state_.registry);
    for (std::size_t i = at; i < std::min(rows.size(), at + rooms_per_slice); ++i) {
      const auto& [row, modified] = rows[i];
      const bool is_news = state_.replica.take_room(row, modified);
      if (const auto now = state_.replica.room(row.room_id); !is_news && (!now || now->modified != modified)) continue;
      const domain::Ledger::Room* room = local.ledger().find(row.room_id);
      const bool is_elsewhere = room && room->held && !room->pending && (is_other_history || room->has_users()) &&
                                local.ledger().name_of(room->held->gateway) != row.gateway_name;
      if (is_elsewhere) {
        state_.count_conflict(row.room_id, local.ledger().name_of(room->held->gateway), row.gateway_name);
      }
      local.ledger().follow(row);
    }
  }
}

// What is known here and was not listed: it has ended, or is to be republished there.
void Applier::end_missing(etcd::Revision as_of, bool is_other_history, ListedRooms& listed) {
  Replica& replica = state_.replica;
  app::for_each_room(state_.registry, rooms_per_slice, [&](app::Registry::Transaction& local, const auto& room) {
    state_.mutex.assert_held();
    const domain::RoomId name = room.first;
    if (!room.second.held || listed.names.count(name) > 0) return;
    const auto known = replica.room(name);
    if (known && known->modified > as_of) return;  // a claim of ours, after the listing
    replica.drop_room(name, as_of + 1);
    if (room.second.pending) return;  // its claim decides
    const Replica::KnownTombstone* tombstone = replica.tombstone(name);
    const bool is_forced = tombstone && tombstone->value.why == Tombstone::Why::forced;
    if (is_other_history || (room.second.has_users() && !is_forced)) {
      listed.to_republish.emplace_back(local.ledger().assignment(name, *room.second.held), 0);
    } else {
      local.ledger().unfollow(name);
    }
    if (is_forced) empty_by_force(local, name);
  });
  forget_emptied();
}

// Others' use marks hold how many users are in their rooms. Rooms that are used here without a use mark of ours are
// announced again. Returns the sidecars that have use marks.
std::set<std::string> Applier::apply_use_marks(const Listing& listing) {
  state_.replica.forget_use_marks(listing.revision);
  state_.replica.forget_users();
  std::set<std::string> sidecars;
  std::set<domain::RoomId> marked_as_kept;
  for (const etcd::KeyValue& use_mark : listing.use_marks) {
    const auto key = state_.keys.parse(use_mark.key);
    if (!key) continue;
    sidecars.insert(key->sidecar);
    const UseMark value = use_mark_from(use_mark.value);
    if (key->sidecar == state_.sidecar) {
      state_.replica.set_use_mark(key->room, use_mark.modified);
      if (value.use == domain::Use::kept) marked_as_kept.insert(key->room);
    } else {
      state_.replica.set_users(key->room, key->sidecar, value.users);
    }
  }
  app::for_each_room(state_.registry, rooms_per_slice, [&](app::Registry::Transaction& local, const auto& room) {
    state_.mutex.assert_held();
    const domain::RoomId name = room.first;
    domain::Ledger& ledger = local.ledger();
    const auto elsewhere = static_cast<std::size_t>(state_.replica.users(name));
    const bool is_recounted = room.second.users_elsewhere != elsewhere;
    if (room.second.held && !room.second.pending) {
      const bool is_announced = ledger.announced_use(room.second) != domain::Use::none;
      const auto use = room.second.has_users()                             ? domain::Use::live
                       : state_.replica.use_mark(name) > 0 || is_announced ? domain::Use::kept
                                                                           : domain::Use::none;
      // After a kill the users of the last second are forgotten, while the use mark still counts them.
      const bool is_right = use == domain::Use::kept && marked_as_kept.count(name) > 0;
      if (use != domain::Use::none) {
        domain::RoomUse announced = ledger.set_announced_use(name, use);
        if (!is_right) writer_.push(MarkUse(std::move(announced)));
      }
    }
    if (is_recounted) ledger.set_users_elsewhere(name, elsewhere);
  });
  return sidecars;
}

}  // namespace cluster
