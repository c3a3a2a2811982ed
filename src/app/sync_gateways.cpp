#include "app/sync_gateways.h"

#include <map>
#include <span>
#include <utility>

#include "domain/suggestion.h"

namespace app {
namespace {

// "gxy#" of gxy1 and gxy12.
std::string kind_of(const std::string& name) {
  std::string kind;
  for (const char c : name) {
    if (c < '0' || c > '9') {
      kind += c;
    } else if (kind.empty() || kind.back() != '#') {
      kind += '#';
    }
  }
  return kind;
}

}  // namespace

GatewaySync::GatewaySync(const Configured& configured, SyncPlan& plan, SyncFindings& findings)
    : configured_(configured), plan_(plan), findings_(findings) {
  for (std::size_t i = 0; i < plan_.rows.gateways.size(); ++i) {
    index_.emplace(plan_.rows.gateways[i].gateway.name, i);
  }
}

const store::GatewayRow* GatewaySync::find(const std::string& name) const {
  const auto it = index_.find(name);
  return it == index_.end() ? nullptr : &plan_.rows.gateways[it->second];
}

void GatewaySync::update() {
  domain::RowIds ids;
  for (const store::GatewayRow& row : plan_.rows.gateways) ids.take(row.gateway.id, row.gateway.name);
  for (const std::int64_t id : plan_.rows.skipped_gateways) ids.take(id, "(a row left out)");
  if (configured_.gateways.empty()) {
    add_mentioned(ids);
    return;
  }
  add_configured(ids);
  auto& available = plan_.options.available_servers;
  const bool spell_out = !available;
  if (spell_out) available.emplace();
  for (const domain::ConfiguredGateway& entry : configured_.gateways) {
    update_entry(entry, index_.at(entry.name));
    if (spell_out && find(entry.name)->gateway.type == "rooms") available->push_back(entry.name);
  }
}

// Ids that are written down come first, then the made-up ones.
void GatewaySync::add_configured(domain::RowIds& ids) {
  std::vector<const domain::ConfiguredGateway*> without_id;
  for (const domain::ConfiguredGateway& entry : configured_.gateways) {
    const store::GatewayRow* row = find(entry.name);
    if (row && entry.id && *entry.id != row->gateway.id) {
      findings_.id_is_kept(entry.where, "gateway", entry.name, row->gateway.id, *entry.id);
    } else if (!row && entry.id) {
      if (const auto* bearer = ids.take(*entry.id, entry.name)) {
        findings_.id_is_taken(entry.where, "gateway", entry.name, *entry.id, *bearer);
      }
      add(entry.name, *entry.id);
    } else if (!row) {
      without_id.push_back(&entry);
    }
  }
  for (const domain::ConfiguredGateway* entry : without_id) add(entry->name, ids.take_next(entry->name));
}

// Without any [[gateways]] a name that a setting mentions is a gateway.
void GatewaySync::add_mentioned(domain::RowIds& ids) {
  each_mention([&](const std::string& name, const std::string&, const std::string&) {
    const auto known = index_.find(name);
    if (known == index_.end()) {
      add(name, ids.take_next(name));
      return;
    }
    store::GatewayRow& row = plan_.rows.gateways[known->second];
    if (!row.gateway.removed || row.from_config) return;  // removed by somebody else: stays away
    row.gateway.removed = false;
    row.removed_at.reset();
    plan_.changed_gateways.insert(known->second);
  });
}

void GatewaySync::add(const std::string& name, std::int64_t id) {
  store::GatewayRow row;
  row.gateway.id = id;
  row.gateway.name = name;
  const std::size_t index = plan_.rows.gateways.size();
  index_.emplace(name, index);
  plan_.changed_gateways.insert(index);
  plan_.rows.gateways.push_back(std::move(row));
}

void GatewaySync::update_entry(const domain::ConfiguredGateway& wanted, std::size_t index) {
  store::GatewayRow& row = plan_.rows.gateways[index];
  SyncEntry entry("gateway " + in_quotes(wanted.name), wanted.where, findings_);
  entry.adopt(row, row.gateway);
  store::GatewayRow::Synced& synced = *row.synced;
  domain::Gateway& actual = row.gateway;
  const domain::Gateway usual;
  entry.field("url", actual.url, synced.url, wanted.url, usual.url);
  entry.field("admin_url", actual.admin_url, synced.admin_url, wanted.admin_url, usual.admin_url);
  entry.field("type", actual.type, synced.type, wanted.type, usual.type);
  entry.field("capacity", actual.capacity, synced.capacity, wanted.capacity, usual.capacity);
  entry.field("disabled", actual.disabled, synced.disabled, wanted.disabled, usual.disabled);
  if (entry.changed()) plan_.changed_gateways.insert(index);
}

void GatewaySync::warn_of_odd_names() {
  if (!configured_.gateways.empty()) return;
  std::set<std::string> names;
  for (const store::GatewayRow& row : plan_.rows.gateways) {
    if (!row.gateway.removed) names.insert(row.gateway.name);
  }
  std::map<std::string, std::size_t> kinds;
  for (const std::string& name : names) ++kinds[kind_of(name)];
  std::set<std::string> told;
  each_mention([&](const std::string& name, const std::string& where, const std::string& setting) {
    if (kinds[kind_of(name)] != 1 || !told.insert(name).second) return;
    for (const std::string& other : names) {
      const std::string kind = kind_of(other);
      if (kinds[kind] == 1 || domain::did_you_mean(kind_of(name), std::span(&kind, 1)).empty()) continue;
      findings_.warn(where, setting + ": only gateway " + in_quotes(name) + " is called so (did you mean one like " +
                                in_quotes(other) + "?)");
      return;
    }
  });
}

// Every name that a setting mentions, where, and in which setting.
void GatewaySync::each_mention(const Mention& mention) const {
  const domain::Options& options = configured_.options;
  if (options.available_servers) {
    for (const std::string& name : *options.available_servers) {
      mention(name, options.available_where, "balancing.available_servers");
    }
  }
  for (const domain::Region& region : options.regions) {
    for (const std::string& name : region.gateways) mention(name, region.where, "regions." + region.country);
  }
  for (const domain::Pin& pin : options.pins) mention(pin.gateway, pin.where, "pins." + pin.room_id);
  for (const std::string& name : options.standby_servers) {
    mention(name, options.standby_where, "failover.standby_servers");
  }
}

std::set<std::string> GatewaySync::names_in_use() const {
  std::set<std::string> names;
  for (const domain::ConfiguredGateway& entry : configured_.gateways) names.insert(entry.name);
  if (configured_.gateways.empty()) {
    each_mention([&](const std::string& name, const std::string&, const std::string&) { names.insert(name); });
  }
  return names;
}

std::size_t GatewaySync::remove_unused(const std::set<std::string>& assigned, domain::WallTime now) {
  const std::set<std::string> wanted = names_in_use();
  std::set<std::int64_t> defaults;
  for (const store::RoomRow& row : plan_.rows.rooms) {
    if (!row.room.removed && row.room.default_gateway_id) defaults.insert(*row.room.default_gateway_id);
  }
  std::size_t left = 0;
  for (std::size_t i = 0; i < plan_.rows.gateways.size(); ++i) {
    store::GatewayRow& row = plan_.rows.gateways[i];
    if (!row.from_config || row.gateway.removed || wanted.count(row.gateway.name)) continue;
    const bool is_used = assigned.count(row.gateway.name) || defaults.count(row.gateway.id);
    if (!is_used || configured_.named_before.count(row.gateway.name)) ++left;
    if (is_used || configured_.removals == Removals::none) continue;
    row.gateway.removed = true;
    row.removed_at = now;
    row.from_config = false;  // by which it is known that the sync removed it
    row.synced.reset();
    plan_.changed_gateways.insert(i);
  }
  return left;
}

void GatewaySync::check_names() {
  std::set<std::string> configured;
  for (const domain::ConfiguredGateway& entry : configured_.gateways) configured.insert(entry.name);
  std::vector<std::string> names;
  for (const store::GatewayRow& row : plan_.rows.gateways) {
    // One that has left [[gateways]] and only stays because it is in use is not known here any more.
    const bool has_left = !configured_.gateways.empty() && row.from_config && !configured.count(row.gateway.name);
    if (!row.gateway.removed && !has_left) names.push_back(row.gateway.name);
  }
  const std::set<std::string> known(names.begin(), names.end());
  each_mention([&](const std::string& name, const std::string& where, const std::string& setting) {
    if (!known.count(name)) {
      findings_.error(where, setting + ": there is no gateway " + in_quotes(name) + domain::did_you_mean(name, names));
      return;
    }
    const domain::Gateway& actual = find(name)->gateway;
    if (actual.type != "rooms") {
      findings_.error(where, setting + ": gateway " + in_quotes(name) + " is of type " + in_quotes(actual.type) +
                                 ", not \"rooms\"");
    } else if (actual.disabled || actual.draining) {
      findings_.warn(where,
                     setting + ": gateway " + in_quotes(name) + " is " + (actual.disabled ? "disabled" : "draining"));
    }
  });
}

}  // namespace app
