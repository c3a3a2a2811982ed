#include "app/sync_rooms.h"

#include <set>
#include <utility>

#include "domain/row_ids.h"
#include "domain/suggestion.h"

namespace app {
namespace {

constexpr const char* cannot_answer = "; legacy mode cannot answer with it";

}  // namespace

RoomSync::RoomSync(const Configured& configured, const GatewaySync& gateways, SyncPlan& plan, SyncFindings& findings)
    : configured_(configured), gateways_(gateways), plan_(plan), findings_(findings) {
  for (std::size_t i = 0; i < plan_.rows.rooms.size(); ++i) {
    index_.emplace(plan_.rows.rooms[i].room.gateway_uid, i);
  }
}

std::size_t RoomSync::update(domain::WallTime now) {
  add_configured();
  for (const domain::ConfiguredRoom& entry : configured_.rooms) {
    const auto known = index_.find(entry.gateway_uid);
    if (known != index_.end()) update_entry(entry, known->second);  // else its id is another's
  }
  warn_of_unfit();
  return remove_left(now);
}

// Ids that are written down come first, then the decimal ones, then the made-up ones.
void RoomSync::add_configured() {
  domain::RowIds ids;
  for (const store::RoomRow& row : plan_.rows.rooms) ids.take(row.room.id, row.room.gateway_uid.text());
  for (const domain::RowId id : plan_.rows.skipped_rooms) ids.take(id, "(a row left out)");
  std::vector<const domain::ConfiguredRoom*> without_id;
  for (const domain::ConfiguredRoom& entry : configured_.rooms) {
    const auto known = index_.find(entry.gateway_uid);
    const bool had_id =
        entry.id && plan_.rows.accepted.count(accepted_id("room", entry.gateway_uid.text(), *entry.id)) > 0;
    if (known == index_.end() && entry.id) {
      if (const auto* bearer = ids.take(*entry.id, entry.gateway_uid.text())) {
        findings_.id_is_taken(entry.where, "room", entry.gateway_uid.text(), *entry.id, *bearer, had_id);
        continue;
      }
      add(entry.gateway_uid, *entry.id);
    } else if (known == index_.end()) {
      without_id.push_back(&entry);
    } else if (const auto has = plan_.rows.rooms[known->second].room.id; entry.id && *entry.id != has) {
      findings_.id_is_kept(entry.where, "room", entry.gateway_uid.text(), has, *entry.id, had_id);
    }
  }
  std::vector<const domain::ConfiguredRoom*> without_decimal;
  for (const domain::ConfiguredRoom* entry : without_id) {
    const auto id = domain::decimal_row_id(entry->gateway_uid);
    if (id && !ids.take(*id, entry->gateway_uid.text())) {
      add(entry->gateway_uid, *id);
    } else {
      without_decimal.push_back(entry);
    }
  }
  for (const domain::ConfiguredRoom* entry : without_decimal) {
    add(entry->gateway_uid, ids.acquire_next(entry->gateway_uid.text()));
  }
}

void RoomSync::add(const domain::RoomId& uid, domain::RowId id) {
  store::RoomRow row;
  row.room.id = id;
  row.room.gateway_uid = uid;
  index_.emplace(uid, plan_.rows.rooms.size());
  plan_.rows.rooms.push_back(std::move(row));
}

void RoomSync::update_entry(const domain::ConfiguredRoom& wanted, std::size_t index) {
  store::RoomRow& row = plan_.rows.rooms[index];
  SyncEntry entry("room " + in_quotes(wanted.gateway_uid.text()), wanted.where, findings_);
  entry.adopt(row, row.room, false);
  if (const auto text = entry.removed_by_sql()) findings_.warn(wanted.where, *text);
  store::RoomRow::Synced& synced = *row.synced;
  domain::Room& actual = row.room;
  const domain::Room usual;
  entry.field("name", actual.name, synced.name, wanted.name, usual.name);
  entry.field("default_gateway_id", actual.default_gateway_id, synced.default_gateway_id, default_id(wanted, synced),
              usual.default_gateway_id);
  entry.field("disabled", actual.disabled, synced.disabled, wanted.disabled, usual.disabled);
  if (entry.changed()) plan_.changed_rooms.insert(index);
}

std::size_t RoomSync::remove_left(domain::WallTime now) {
  std::set<domain::RoomId> wanted;
  for (const domain::ConfiguredRoom& entry : configured_.rooms) wanted.insert(entry.gateway_uid);
  std::size_t left = 0;
  for (std::size_t i = 0; i < plan_.rows.rooms.size(); ++i) {
    store::RoomRow& row = plan_.rows.rooms[i];
    if (!row.from_config || row.room.removed || wanted.count(row.room.gateway_uid)) continue;
    ++left;
    if (configured_.removals == Removals::none) continue;
    row.room.removed = true;
    row.removed_at = now;
    row.from_config = false;
    row.synced.reset();
    plan_.changed_rooms.insert(i);
  }
  return left;
}

void RoomSync::check_pins() {
  if (plan_.options.unknown_rooms == domain::UnknownRooms::accept) return;
  std::vector<std::string> known;
  for (const domain::Pin& pin : plan_.options.pins) {
    const auto found = index_.find(pin.room_id);
    if (found != index_.end() && !plan_.rows.rooms[found->second].room.removed) continue;
    if (known.empty()) {
      for (const store::RoomRow& row : plan_.rows.rooms) {
        if (!row.room.removed) known.push_back(row.room.gateway_uid.text());
      }
    }
    findings_.warn(pin.where, "pins." + pin.room_id.text() + ": has no effect: there is no room " +
                                  in_quotes(pin.room_id.text()) + domain::did_you_mean(pin.room_id.text(), known) +
                                  ", and unknown_rooms is \"reject\"");
  }
}

void RoomSync::add_accepted(std::set<std::string>& accepted) const {
  for (const domain::ConfiguredRoom& entry : configured_.rooms) {
    if (entry.id) accepted.insert(accepted_id("room", entry.gateway_uid.text(), *entry.id));
  }
}

void RoomSync::note_unfit(const domain::ConfiguredRoom& room, const std::string& why) {
  const auto [known, is_new] = unfit_.try_emplace(*room.default_gateway, Unfit{&room, why});
  if (!is_new) ++known->second.others;
}

// A sentence for each gateway, not for each of its thousand rooms.
void RoomSync::warn_of_unfit() {
  for (const auto& [gateway, rooms] : unfit_) {
    const std::string others = rooms.others > 0 ? " and " + std::to_string(rooms.others) + " more" : "";
    findings_.contradict(rooms.first->where, "room " + in_quotes(rooms.first->gateway_uid.text()) + others +
                                                 ": default_gateway: gateway " + in_quotes(gateway) + ' ' + rooms.why);
  }
}

std::optional<domain::RowId> RoomSync::default_id(const domain::ConfiguredRoom& wanted,
                                                  const store::RoomRow::Synced& synced) {
  if (!wanted.default_gateway) return wanted.default_gateway_id;
  const store::GatewayRow* row = gateways_.find(*wanted.default_gateway);
  const auto before = gateways_.renamed_row(*wanted.default_gateway);
  if (before && synced.default_gateway_id == before) return before;
  if (row && !row->gateway.removed) {
    // An entry in [[gateways]] has its own warning.
    const bool is_unfit = row->gateway.type != "rooms" && !gateways_.entry(*wanted.default_gateway);
    if (is_unfit) note_unfit(wanted, "is of type " + in_quotes(row->gateway.type) + " in the database" + cannot_answer);
    return row->gateway.id;
  }
  if ((row && row->from_config) || gateways_.was_accepted(*wanted.default_gateway)) {
    const auto renamed = row ? std::nullopt : gateways_.now_called(*wanted.default_gateway);
    note_unfit(wanted, renamed ? "is now " + *renamed + " in the database, which stays the default gateway"
                               : std::string("is removed or missing in the database") + cannot_answer);
    return row ? std::optional(row->gateway.id) : synced.default_gateway_id;
  }
  std::vector<std::string> names;
  for (const store::GatewayRow& known : plan_.rows.gateways) {
    if (!known.gateway.removed) names.push_back(known.gateway.name);
  }
  findings_.error(wanted.where, "room " + in_quotes(wanted.gateway_uid.text()) +
                                    ": default_gateway: there is no gateway " + in_quotes(*wanted.default_gateway) +
                                    domain::did_you_mean(*wanted.default_gateway, names));
  return std::nullopt;
}

}  // namespace app
