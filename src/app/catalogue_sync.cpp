#include "app/catalogue_sync.h"

#include <algorithm>
#include <charconv>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <unordered_map>

#include "domain/suggestion.h"

namespace app {
namespace {

std::string in_quotes(const std::string& text) { return "\"" + text + "\""; }
std::string shown(const std::string& text) { return in_quotes(text); }
std::string shown(std::int64_t value) { return std::to_string(value); }
std::string shown(bool value) { return value ? "true" : "false"; }
std::string shown(const std::optional<std::int64_t>& value) {
  return value ? std::to_string(*value) : "none";
}

// The room's id for which the description's `WHERE id = 2171` finds room 2171.
std::optional<std::int64_t> decimal(const std::string& uid) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(uid.data(), uid.data() + uid.size(), value);
  if (error != std::errc{} || end != uid.data() + uid.size() || value < 1) return std::nullopt;
  return std::to_string(value) == uid ? std::optional(value) : std::nullopt;
}

// The one behind the last, or the first gap if there is none behind it.
std::int64_t next_id(const std::map<std::int64_t, std::string>& ids) {
  if (ids.empty()) return 1;
  if (ids.rbegin()->first < std::numeric_limits<std::int64_t>::max()) {
    return std::max<std::int64_t>(ids.rbegin()->first, 0) + 1;
  }
  std::int64_t id = 1;
  while (ids.count(id)) ++id;
  return id;
}

class Sync {
 public:
  Sync(const Configured& configured, CatalogueRows rows, const std::set<std::string>& assigned,
       domain::WallTime now)
      : configured_(configured), assigned_(assigned), now_(now) {
    plan_.rows = std::move(rows);
    plan_.options = configured.options;
  }

  SyncPlan run() {
    sync_gateways();
    sync_rooms();
    remove_gateways();
    check_names();
    std::sort(plan_.changed_gateways.begin(), plan_.changed_gateways.end());
    std::sort(plan_.changed_rooms.begin(), plan_.changed_rooms.end());
    return std::move(plan_);
  }

 private:
  void error(const std::string& where, const std::string& text) {
    plan_.errors.push_back(where.empty() ? text : where + ": " + text);
  }
  void warn(const std::string& where, const std::string& text) {
    plan_.warnings.push_back(where.empty() ? text : where + ": " + text);
  }

  // One field of an entry. `wanted` is nothing where the entry does not say; `usual` is what then counts
  // if it did say before. Returns whether the row changed.
  template <typename Actual, typename T>
  bool sync_field(const std::string& entry, const std::string& where, const char* field, bool known,
                  Actual& actual, std::optional<T>& synced, const std::optional<T>& wanted,
                  const Actual& usual) {
    if (known && synced == wanted) {
      if (wanted && actual != *wanted) {
        warn(where, entry + ": " + field + " is " + shown(actual) + " in the database and " +
                        shown(*wanted) +
                        " in the configuration; the database's stands until the configured one changes");
      }
      return false;
    }
    const bool said_before = known && synced;
    synced = wanted;
    if (wanted) {
      actual = *wanted;
    } else if (said_before) {
      actual = usual;
    }
    return true;
  }

  // One that the sync had removed comes back; one that somebody else has removed stays away.
  template <typename Row, typename Entity>
  bool bring_back(Row& row, Entity& entity, const std::string& entry, const std::string& where) {
    if (!entity.removed) return false;
    if (row.from_config) {
      warn(where, entry + ": removed_at is set in the database; it stays removed until that is NULL");
      return false;
    }
    entity.removed = false;
    row.removed_at.reset();
    return true;
  }

  // --- ids. Those that are written down come first, then the made-up ones.
  template <typename Row, typename Entity>
  static std::map<std::int64_t, std::string> ids_of(const std::vector<Row>& rows, Entity Row::*entity,
                                                    std::string Entity::*key) {
    std::map<std::int64_t, std::string> ids;
    for (const Row& row : rows) ids.emplace((row.*entity).id, row.*entity.*key);
    return ids;
  }

  // May `key` have this id? An error names both bearers.
  bool take_id(std::map<std::int64_t, std::string>& ids, std::int64_t id, const std::string& key,
               const std::string& where, const char* kind) {
    const auto [it, is_free] = ids.try_emplace(id, key);
    if (is_free || it->second == key) return true;
    error(where, std::string(kind) + " " + in_quotes(key) + " cannot have id " + std::to_string(id) +
                     ": " + kind + " " + in_quotes(it->second) + " bears it; choose another id");
    return false;
  }

  void refuse_id(const char* kind, const std::string& key, std::int64_t has, std::int64_t wanted,
                 const std::string& where) {
    error(where, std::string(kind) + " " + in_quotes(key) + " cannot have id " + std::to_string(wanted) +
                     ": it bears id " + std::to_string(has) +
                     " in the database, and ids are kept for good; write that one, or none");
  }

  // --- gateways
  void index_gateways() {
    gateway_index_.clear();
    for (std::size_t i = 0; i < plan_.rows.gateways.size(); ++i) {
      gateway_index_.emplace(plan_.rows.gateways[i].gateway.name, i);
    }
  }
  store::GatewayRow* gateway(const std::string& name) {
    const auto it = gateway_index_.find(name);
    return it == gateway_index_.end() ? nullptr : &plan_.rows.gateways[it->second];
  }

  // Every name that a setting mentions, where, and in which setting.
  void each_mention(const std::function<void(const std::string& name, const std::string& where,
                                             const std::string& setting)>& mention) const {
    const domain::Options& options = configured_.options;
    if (options.available_servers) {
      for (const std::string& name : *options.available_servers) {
        mention(name, options.available_where, "balancing.available_servers");
      }
    }
    for (const domain::Region& region : options.regions) {
      for (const std::string& name : region.gateways) {
        mention(name, region.where, "regions." + region.country);
      }
    }
    for (const domain::Pin& pin : options.pins) mention(pin.gateway, pin.where, "pins." + pin.room_id);
    for (const std::string& name : options.standby_servers) {
      mention(name, options.standby_where, "failover.standby_servers");
    }
  }

  void sync_gateways() {
    index_gateways();
    auto ids = ids_of(plan_.rows.gateways, &store::GatewayRow::gateway, &domain::Gateway::name);
    std::vector<const domain::ConfiguredGateway*> fresh;
    for (const domain::ConfiguredGateway& entry : configured_.gateways) {
      store::GatewayRow* row = gateway(entry.name);
      if (row && entry.id && *entry.id != row->gateway.id) {
        refuse_id("gateway", entry.name, row->gateway.id, *entry.id, entry.where);
      }
      if (!row) {
        fresh.push_back(&entry);
        if (entry.id) take_id(ids, *entry.id, entry.name, entry.where, "gateway");
      }
    }
    for (const domain::ConfiguredGateway* entry : fresh) {
      const std::int64_t id = entry->id ? *entry->id : next_id(ids);
      add_gateway(entry->name, id);
      ids.emplace(id, entry->name);
    }
    if (configured_.gateways.empty()) {
      each_mention([&](const std::string& name, const std::string&, const std::string&) {
        store::GatewayRow* row = gateway(name);
        if (!row) {
          const std::int64_t id = next_id(ids);
          ids.emplace(id, name);
          add_gateway(name, id);
        } else if (bring_back(*row, row->gateway, "", "")) {
          changed(*row);
        }
      });
    } else if (!plan_.options.available_servers) {
      plan_.options.available_servers.emplace();
    }
    for (const domain::ConfiguredGateway& entry : configured_.gateways) {
      update_gateway(entry, *gateway(entry.name));
      if (!configured_.options.available_servers && gateway(entry.name)->gateway.type == "rooms") {
        plan_.options.available_servers->push_back(entry.name);
      }
    }
  }

  void add_gateway(const std::string& name, std::int64_t id) {
    store::GatewayRow row;
    row.gateway.id = id;
    row.gateway.name = name;
    gateway_index_.emplace(name, plan_.rows.gateways.size());
    plan_.changed_gateways.push_back(plan_.rows.gateways.size());
    plan_.rows.gateways.push_back(std::move(row));
  }

  void changed(const store::GatewayRow& row) {
    const std::size_t index = gateway_index_.at(row.gateway.name);
    auto& list = plan_.changed_gateways;
    if (std::find(list.begin(), list.end(), index) == list.end()) list.push_back(index);
  }

  void update_gateway(const domain::ConfiguredGateway& wanted, store::GatewayRow& row) {
    const std::string entry = "gateway " + in_quotes(wanted.name);
    bool change = bring_back(row, row.gateway, entry, wanted.where);
    const bool known = row.from_config && row.synced.has_value();
    if (!known) row.synced.emplace();
    store::GatewayRow::Synced& synced = *row.synced;
    domain::Gateway& actual = row.gateway;
    const domain::Gateway usual;
    change |= !row.from_config;
    row.from_config = true;
    change |= sync_field(entry, wanted.where, "url", known, actual.url, synced.url, wanted.url, usual.url);
    change |= sync_field(entry, wanted.where, "type", known, actual.type, synced.type, wanted.type, usual.type);
    change |= sync_field(entry, wanted.where, "capacity", known, actual.capacity, synced.capacity,
                         wanted.capacity, usual.capacity);
    change |= sync_field(entry, wanted.where, "disabled", known, actual.disabled, synced.disabled,
                         wanted.disabled, usual.disabled);
    if (change) changed(row);
  }

  // What stood in [[gateways]], stands there no more, and is not in use.
  void remove_gateways() {
    std::set<std::string> wanted;
    for (const domain::ConfiguredGateway& entry : configured_.gateways) wanted.insert(entry.name);
    if (configured_.gateways.empty()) {
      each_mention([&](const std::string& name, const std::string&, const std::string&) {
        wanted.insert(name);
      });
    }
    std::set<std::int64_t> defaults;
    for (const store::RoomRow& row : plan_.rows.rooms) {
      if (!row.room.removed && row.room.default_gateway_id) defaults.insert(*row.room.default_gateway_id);
    }
    for (store::GatewayRow& row : plan_.rows.gateways) {
      if (!row.from_config || row.gateway.removed || wanted.count(row.gateway.name)) continue;
      if (assigned_.count(row.gateway.name) || defaults.count(row.gateway.id)) continue;
      row.gateway.removed = true;
      row.removed_at = now_;
      row.from_config = false;  // by which it is known that the sync removed it
      row.synced.reset();
      changed(row);
    }
  }

  // --- names in lists
  void check_names() {
    std::vector<std::string> names;
    std::set<std::string> configured;
    for (const domain::ConfiguredGateway& entry : configured_.gateways) configured.insert(entry.name);
    for (const store::GatewayRow& row : plan_.rows.gateways) {
      // One that has left [[gateways]] and only stays because it is in use is not known here any more.
      if (row.gateway.removed) continue;
      if (!configured_.gateways.empty() && row.from_config && !configured.count(row.gateway.name)) continue;
      names.push_back(row.gateway.name);
    }
    const std::set<std::string> known(names.begin(), names.end());
    each_mention([&](const std::string& name, const std::string& where, const std::string& setting) {
      if (!known.count(name)) {
        error(where, setting + ": there is no gateway " + in_quotes(name) + domain::did_you_mean(name, names));
        return;
      }
      const domain::Gateway& actual = gateway(name)->gateway;
      if (actual.type != "rooms") {
        error(where, setting + ": gateway " + in_quotes(name) + " is of type " + in_quotes(actual.type) +
                         ", not \"rooms\"");
      } else if (actual.disabled || actual.draining) {
        warn(where, setting + ": gateway " + in_quotes(name) + " is " +
                        (actual.disabled ? "disabled" : "draining"));
      }
    });
  }

  // --- rooms
  void sync_rooms() {
    auto& rows = plan_.rows.rooms;
    for (std::size_t i = 0; i < rows.size(); ++i) room_index_.emplace(rows[i].room.gateway_uid, i);
    auto ids = ids_of(rows, &store::RoomRow::room, &domain::Room::gateway_uid);
    std::vector<const domain::ConfiguredRoom*> fresh;
    for (const domain::ConfiguredRoom& entry : configured_.rooms) {
      const auto it = room_index_.find(entry.gateway_uid);
      if (it == room_index_.end()) {
        fresh.push_back(&entry);
        if (entry.id) take_id(ids, *entry.id, entry.gateway_uid, entry.where, "room");
      } else if (entry.id && *entry.id != rows[it->second].room.id) {
        refuse_id("room", entry.gateway_uid, rows[it->second].room.id, *entry.id, entry.where);
      }
    }
    std::map<const domain::ConfiguredRoom*, std::int64_t> made_up;
    for (const domain::ConfiguredRoom* entry : fresh) {
      const auto id = decimal(entry->gateway_uid);
      if (!entry->id && id && ids.try_emplace(*id, entry->gateway_uid).second) made_up[entry] = *id;
    }
    for (const domain::ConfiguredRoom* entry : fresh) {
      if (entry->id || made_up.count(entry)) continue;
      made_up[entry] = next_id(ids);
      ids.emplace(made_up[entry], entry->gateway_uid);
    }
    for (const domain::ConfiguredRoom* entry : fresh) {
      store::RoomRow row;
      row.room.id = entry->id ? *entry->id : made_up.at(entry);
      row.room.gateway_uid = entry->gateway_uid;
      room_index_.emplace(entry->gateway_uid, rows.size());
      rows.push_back(std::move(row));
    }
    std::set<std::string> wanted;
    for (const domain::ConfiguredRoom& entry : configured_.rooms) {
      wanted.insert(entry.gateway_uid);
      update_room(entry, room_index_.at(entry.gateway_uid));
    }
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (!rows[i].from_config || rows[i].room.removed || wanted.count(rows[i].room.gateway_uid)) continue;
      rows[i].room.removed = true;
      rows[i].removed_at = now_;
      rows[i].from_config = false;
      rows[i].synced.reset();
      plan_.changed_rooms.push_back(i);
    }
  }

  std::optional<std::int64_t> default_id(const domain::ConfiguredRoom& wanted) {
    if (!wanted.default_gateway) return wanted.default_gateway_id;
    const store::GatewayRow* row = gateway(*wanted.default_gateway);
    if (row && !row->gateway.removed) return row->gateway.id;
    std::vector<std::string> names;
    for (const store::GatewayRow& known : plan_.rows.gateways) {
      if (!known.gateway.removed) names.push_back(known.gateway.name);
    }
    error(wanted.where, "room " + in_quotes(wanted.gateway_uid) + ": default_gateway: there is no gateway " +
                            in_quotes(*wanted.default_gateway) +
                            domain::did_you_mean(*wanted.default_gateway, names));
    return std::nullopt;
  }

  void update_room(const domain::ConfiguredRoom& wanted, std::size_t index) {
    store::RoomRow& row = plan_.rows.rooms[index];
    const std::string entry = "room " + in_quotes(wanted.gateway_uid);
    bool change = bring_back(row, row.room, entry, wanted.where);
    const bool known = row.from_config && row.synced.has_value();
    change |= !row.from_config;
    row.from_config = true;
    if (!known) row.synced.emplace();
    store::RoomRow::Synced& synced = *row.synced;
    const domain::Room usual;
    change |= sync_field(entry, wanted.where, "name", known, row.room.name, synced.name, wanted.name, usual.name);
    change |= sync_field(entry, wanted.where, "default_gateway_id", known, row.room.default_gateway_id,
                         synced.default_gateway_id, default_id(wanted), usual.default_gateway_id);
    change |= sync_field(entry, wanted.where, "disabled", known, row.room.disabled, synced.disabled,
                         wanted.disabled, usual.disabled);
    if (change) plan_.changed_rooms.push_back(index);
  }

  const Configured& configured_;
  const std::set<std::string>& assigned_;
  domain::WallTime now_;
  SyncPlan plan_;
  std::unordered_map<std::string, std::size_t> gateway_index_;
  std::unordered_map<std::string, std::size_t> room_index_;
};

}  // namespace

SyncPlan plan_sync(const Configured& configured, CatalogueRows rows, const std::set<std::string>& assigned,
                   domain::WallTime now) {
  return Sync(configured, std::move(rows), assigned, now).run();
}

std::shared_ptr<const domain::Catalogue> catalogue_of(const CatalogueRows& rows) {
  std::vector<domain::Gateway> gateways;
  gateways.reserve(rows.gateways.size());
  for (const store::GatewayRow& row : rows.gateways) gateways.push_back(row.gateway);
  std::vector<domain::Room> rooms;
  rooms.reserve(rows.rooms.size());
  for (const store::RoomRow& row : rows.rooms) rooms.push_back(row.room);
  return std::make_shared<const domain::Catalogue>(std::move(gateways), std::move(rooms));
}

std::vector<std::string> rooms_without_gateway(const domain::Catalogue& catalogue) {
  std::vector<std::string> sentences;
  for (const domain::Room& room : catalogue.rooms()) {
    if (!room.is_open() || catalogue.default_gateway(room)) continue;
    sentences.push_back("room " + in_quotes(room.gateway_uid) + " (id " + std::to_string(room.id) +
                        ") has no valid default gateway: default_gateway_id is " +
                        shown(room.default_gateway_id) + "; legacy mode cannot answer it");
  }
  return sentences;
}

}  // namespace app
