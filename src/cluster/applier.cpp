#include "cluster/applier.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

#include "app/report_session.h"
#include "logging/log.h"

namespace cluster {
namespace {

// So many changes are applied within one transaction.
constexpr std::size_t changes_per_slice = 256;

}  // namespace

void Applier::apply(const std::vector<etcd::Event>& events) {
  forced_.clear();
  for (const etcd::Event& event : events) {
    const auto key = event.erased ? std::nullopt : state_.keys.parse(event.item.key);
    if (!key || key->kind != KeyKind::tombstone) continue;
    const auto value = tombstone_from(event.item.value);
    if (value && value->why == Tombstone::Why::forced) forced_.insert(key->room);
  }
  for (std::size_t at = 0; at < events.size();) {
    const locks::MutexLock lock(state_.mutex);
    {
      app::Registry::Transaction local(state_.registry);
      // What one revision has done is seen at once.
      for (std::size_t taken = 0; at < events.size(); ++at, ++taken) {
        if (taken >= changes_per_slice && events[at].item.modified != events[at - 1].item.modified) break;
        apply(local, events[at]);
      }
      const etcd::Revision revision = events[at - 1].item.modified;
      state_.replica.set_followed(std::max(state_.replica.followed(), revision));
      state_.resume_point.revision = state_.replica.followed();
      state_.freshness.followed(state_.replica.followed());
      local.note(state_.resume_point_now());
    }
    forget_emptied();
    if (at < events.size()) state_.registry.pause_between_slices();
  }
  state_.counts.changes.add(events.size());
  write_drains();
}

void Applier::apply(app::Registry::Transaction& local, const etcd::Event& event) {
  const auto key = state_.keys.parse(event.item.key);
  if (!key) return;
  switch (key->kind) {
    case KeyKind::room:
      return apply_room(local, key->room, event);
    case KeyKind::tombstone:
      return apply_tombstone(local.ledger(), key->room, event);
    case KeyKind::failover:
      return apply_failover(local.ledger(), key->name, event);
    case KeyKind::sidecar:
      return apply_sidecar(key->name, event);
    case KeyKind::gateway:
      return apply_draining(key->name, event);
    case KeyKind::use:
      return apply_use_mark(local.ledger(), *key, event);
    case KeyKind::heartbeat:
      return;
  }
}

// More sessions than one transaction can forget are forgotten after it (forget_emptied).
void Applier::empty_by_force(app::Registry::Transaction& local, const domain::RoomId& room) {
  const std::size_t forgotten = local.ledger().forget_sessions(room, app::forgotten_per_slice);
  if (forgotten == app::forgotten_per_slice) emptied_.push_back(room);
  local.quarantine().begin(room, local.now().service + local.options().dead_after);
}

void Applier::forget_emptied() { app::forget_sessions(state_.registry, std::exchange(emptied_, {})); }

void Applier::apply_room(app::Registry::Transaction& local, const domain::RoomId& room, const etcd::Event& event) {
  domain::Ledger& ledger = local.ledger();
  if (event.erased) {
    const auto was = state_.replica.room(room);
    const bool is_forced = forced_.count(room) > 0;
    if (!state_.replica.drop_room(room, event.item.modified)) {
      if (is_forced && !was) empty_by_force(local, room);  // dropped already, by an answer
      return;
    }
    state_.replica.drop_use_mark(room);
    const domain::Ledger::Room* entry = ledger.find(room);
    const bool is_used = entry && entry->has_users() && !entry->pending;
    ledger.unfollow(room);
    if (is_forced) return empty_by_force(local, room);
    // A user came in before the others knew: the room goes on where it was.
    if (is_used && was) writer_.push(Republish(was->row));
    return;
  }
  const auto value = room_value_from(room, event.item.value);
  if (!value) {
    logging::warn("Row of the shared store left out: it cannot be read", {{"room_id", room}});
    return;
  }
  const bool is_new = !state_.replica.room(room);
  if (!state_.replica.take_room(value->row, event.item.modified)) return;
  if (is_new) local.arrived();
  ledger.follow(value->row);
  const domain::Ledger::Room* entry = ledger.find(room);
  if (value->by != state_.sidecar || !entry || entry->pending || state_.replica.use_mark(room) > 0) return;
  // A claim of ours that came through after all, when nobody waited for it any more.
  state_.replica.set_use_mark(room, event.item.modified);
  ledger.set_announced_use(room, domain::Use::kept);
  ledger.keep(room, local.now().service);
}

void Applier::apply_tombstone(domain::Ledger& ledger, const domain::RoomId& room, const etcd::Event& event) {
  if (event.erased) {
    state_.replica.drop_tombstone(room);
    return ledger.set_tombstone(room, std::nullopt);
  }
  auto value = tombstone_from(event.item.value);
  if (!value) return;
  ledger.set_tombstone(room, value->why == Tombstone::Why::empty ? std::optional(value->gateway) : std::nullopt);
  state_.replica.put_tombstone(room, std::move(*value), event.item.modified);
}

void Applier::apply_failover(domain::Ledger& ledger, const std::string& gateway, const etcd::Event& event) {
  const domain::GatewayId number = ledger.number_of(gateway);
  if (event.erased) {
    state_.replica.drop_failover(gateway);
    return ledger.end_evacuation(number);
  }
  auto value = failover_value_from(event.item.value);
  if (!value) return;
  std::optional<domain::GatewayId> standby;
  if (value->standby) standby = ledger.number_of(*value->standby);
  const domain::Evacuation* known = ledger.evacuations().find(number);
  if (!known || known->standby != standby) ledger.begin_evacuation(number, standby);
  state_.replica.take_failover(gateway, std::move(*value), event.item.modified);
}

// Our own use marks come back as events, too.
void Applier::apply_use_mark(domain::Ledger& ledger, const ParsedKey& key, const etcd::Event& event) {
  if (key.sidecar == state_.sidecar) return;
  state_.replica.set_users(key.room, key.sidecar, event.erased ? 0 : use_mark_from(event.item.value).users);
  ledger.set_users_elsewhere(key.room, static_cast<std::size_t>(state_.replica.users(key.room)));
}

void Applier::apply_draining(const std::string& gateway, const etcd::Event& event) {
  const auto draining = event.erased ? domain::Draining::no : draining_from(event.item.value);
  if (draining) drains_[gateway] = *draining;
}

void Applier::apply_sidecar(const std::string& id, const etcd::Event& event) {
  if (event.erased) return sidecars_.went(id);
  if (const auto value = sidecar_value_from(event.item.value)) sidecars_.came(id, *value);
}

// What cannot be done now is done with what comes next, a heartbeat at the latest; so is one of a gateway that is not known yet.
void Applier::write_drains() {
  for (auto drain = drains_.begin(); drain != drains_.end();) {
    const auto done = state_.keeper.follow_draining(drain->first, drain->second);
    drain = done == app::CatalogueKeeper::Drained::done ? drains_.erase(drain) : std::next(drain);
  }
}

}  // namespace cluster
