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
    : configured_(configured), plan_(plan), findings_(findings), mentioned_(find_named()) {
  for (std::size_t i = 0; i < plan_.rows.gateways.size(); ++i) {
    index_.emplace(plan_.rows.gateways[i].gateway.name, i);
  }
  for (const domain::ConfiguredGateway& entry : configured_.gateways) entries_.emplace(entry.name, &entry);
}

const store::GatewayRow* GatewaySync::find(const std::string& name) const {
  const auto it = index_.find(name);
  return it == index_.end() ? nullptr : &plan_.rows.gateways[it->second];
}

const domain::ConfiguredGateway* GatewaySync::entry(const std::string& name) const {
  const auto it = entries_.find(name);
  return it == entries_.end() ? nullptr : it->second;
}

std::optional<domain::RowId> GatewaySync::renamed_row(const std::string& name) const {
  const auto it = renamed_.find(name);
  return it == renamed_.end() ? std::nullopt : std::optional(it->second);
}

std::map<std::string, std::string> GatewaySync::find_named() const {
  std::map<std::string, std::string> named;
  for (const domain::ConfiguredGateway& entry : configured_.gateways) named.emplace(entry.name, entry.where);
  each_mention(
      [&](const std::string& name, const std::string& where, const std::string&) { named.emplace(name, where); });
  for (const domain::ConfiguredRoom& room : configured_.rooms) {
    if (room.default_gateway) named.emplace(*room.default_gateway, room.where);
  }
  return named;
}

std::optional<std::string> GatewaySync::now_called(const std::string& name) const {
  const auto had = accepted_row(plan_.rows.accepted, name);
  return had ? name_of_row(*had) : std::nullopt;
}

std::optional<std::string> GatewaySync::name_of_row(domain::RowId id) const {
  for (const store::GatewayRow& row : plan_.rows.gateways) {
    if (row.gateway.id == id) return "gateway " + in_quotes(row.gateway.name);
  }
  for (const domain::RowId skipped : plan_.rows.skipped_gateways) {
    if (skipped == id) return "a row that is left out";
  }
  return std::nullopt;
}

// Names that are other rows' than when the configuration was last accepted. What an entry says of the one gateway is
// not written into the row of another; an operator who means it writes the row's id into the entry.
void GatewaySync::find_renamed_rows() {
  for (const auto& [name, where] : mentioned_) {
    const store::GatewayRow* row = find(name);
    const auto had = accepted_row(plan_.rows.accepted, name);
    if (!row || !had || *had == row->gateway.id) continue;
    const domain::ConfiguredGateway* written = entry(name);
    if (written && written->id == row->gateway.id) continue;
    const auto bearer = name_of_row(*had);
    if (bearer) renamed_.emplace(name, *had);
    if ((row->gateway.removed && !bearer) || (written && written->id)) continue;  // reported as such
    const std::string has = to_text(row->gateway.id);
    std::string text =
        "gateway " + in_quotes(name) + " has id " + has + " in the database now and had id " + to_text(*had);
    if (bearer) {
      text += ", which is " + *bearer;
      text += "; rooms keep their default_gateway_id, and their configured default gateway waits until that is undone";
      text += " or its entry in [[gateways]] has id = " + has;
      findings_.contradict(where, text);
    } else {
      findings_.note_remade(where, text + "; a start or a reload lets the configured rooms follow");
    }
  }
}

void GatewaySync::update() {
  find_renamed_rows();
  domain::RowIds ids;
  for (const store::GatewayRow& row : plan_.rows.gateways) ids.take(row.gateway.id, row.gateway.name);
  for (const domain::RowId id : plan_.rows.skipped_gateways) ids.take(id, "(a row left out)");
  if (configured_.gateways.empty()) {
    add_mentioned(ids);
    return;
  }
  add_configured(ids);
  auto& available = plan_.options.available_servers;
  const bool spell_out = !available;
  if (spell_out) available.emplace();
  for (const domain::ConfiguredGateway& entry : configured_.gateways) {
    const auto known = index_.find(entry.name);
    if (known == index_.end()) continue;  // its id is another's
    if (!renamed_row(entry.name)) update_entry(entry, known->second);
    if (spell_out && find(entry.name)->gateway.type == "rooms") available->push_back(entry.name);
  }
}

// Ids that are written down come first, then the made-up ones.
void GatewaySync::add_configured(domain::RowIds& ids) {
  std::vector<const domain::ConfiguredGateway*> without_id;
  for (const domain::ConfiguredGateway& entry : configured_.gateways) {
    const store::GatewayRow* row = find(entry.name);
    const bool had_id = entry.id && plan_.rows.accepted.count(accepted_id("gateway", entry.name, *entry.id)) > 0;
    if (row && entry.id && *entry.id != row->gateway.id) {
      findings_.id_is_kept(entry.where, "gateway", entry.name, row->gateway.id, *entry.id, had_id);
    } else if (!row && entry.id) {
      if (const auto* bearer = ids.take(*entry.id, entry.name)) {
        findings_.id_is_taken(entry.where, "gateway", entry.name, *entry.id, *bearer, had_id);
        continue;
      }
      add(entry.name, *entry.id);
    } else if (!row) {
      without_id.push_back(&entry);
    }
  }
  for (const domain::ConfiguredGateway* entry : without_id) add(entry->name, ids.acquire_next(entry->name));
}

// Without any [[gateways]] a name that a setting mentions is a gateway.
void GatewaySync::add_mentioned(domain::RowIds& ids) {
  each_mention([&](const std::string& name, const std::string&, const std::string&) {
    const auto known = index_.find(name);
    if (known == index_.end()) {
      add(name, ids.acquire_next(name));
      return;
    }
    store::GatewayRow& row = plan_.rows.gateways[known->second];
    // Removed by somebody else: stays away. The sync removes only what was not named any more.
    if (!row.gateway.removed || row.from_config || was_accepted(name)) return;
    row.gateway.removed = false;
    row.removed_at.reset();
    plan_.changed_gateways.insert(known->second);
  });
}

void GatewaySync::add(const std::string& name, domain::RowId id) {
  store::GatewayRow row;
  row.gateway.id = id;
  row.gateway.name = name;
  const std::size_t index = plan_.rows.gateways.size();
  index_.emplace(name, index);
  plan_.changed_gateways.insert(index);
  plan_.rows.gateways.push_back(std::move(row));
  if (!was_accepted(name)) return;
  findings_.note_remade("", "gateway " + in_quotes(name) +
                                " is no longer in the database; a start or a reload creates it again, with id " +
                                to_text(id));
}

bool GatewaySync::was_accepted(const std::string& name) const {
  return plan_.rows.accepted.count("gateway " + name) > 0;
}

void GatewaySync::add_accepted(std::set<std::string>& accepted) const {
  for (const auto& [name, where] : mentioned_) {
    accepted.insert("gateway " + name);
    const store::GatewayRow* row = find(name);
    auto id = row ? std::optional(row->gateway.id) : accepted_row(plan_.rows.accepted, name);
    if (const auto renamed = renamed_row(name)) id = renamed;
    if (id) set_accepted_row(accepted, name, *id);
  }
  for (const domain::ConfiguredGateway& entry : configured_.gateways) {
    if (entry.id) accepted.insert(accepted_id("gateway", entry.name, *entry.id));
  }
}

void GatewaySync::update_entry(const domain::ConfiguredGateway& wanted, std::size_t index) {
  store::GatewayRow& row = plan_.rows.gateways[index];
  SyncEntry entry("gateway " + in_quotes(wanted.name), wanted.where, findings_);
  entry.adopt(row, row.gateway, was_accepted(wanted.name));
  if (const auto text = entry.removed_by_sql()) findings_.contradict(wanted.where, *text);
  store::GatewayRow::Synced& synced = *row.synced;
  domain::Gateway& actual = row.gateway;
  const domain::Gateway usual;
  entry.field("url", actual.url, synced.url, wanted.url, usual.url);
  entry.field("admin_url", actual.admin_url, synced.admin_url, wanted.admin_url, usual.admin_url);
  entry.write(actual.type, synced.type, wanted.type, usual.type);
  // Unlike the others it decides whether the gateway serves rooms at all: that it is not written changes nothing.
  const std::string& type = wanted.type ? *wanted.type : usual.type;
  if (actual.type != type && !actual.removed && reported_.insert(wanted.name).second) {
    findings_.contradict(wanted.where, "gateway " + in_quotes(wanted.name) + " is of type " + in_quotes(actual.type) +
                                           " in the database and " + in_quotes(type) +
                                           " in the configuration; the database's value is kept until that is undone");
  }
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
  std::set<std::string> named;
  each_mention([&](const std::string& name, const std::string& where, const std::string& setting) {
    if (kinds[kind_of(name)] != 1 || !named.insert(name).second) return;
    for (const std::string& other : names) {
      const std::string kind = kind_of(other);
      if (kinds[kind] == 1 || domain::did_you_mean(kind_of(name), std::span(&kind, 1)).empty()) continue;
      findings_.warn(where, setting + ": only gateway " + in_quotes(name) + " has such a name (did you mean one like " +
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
  for (const domain::Pin& pin : options.pins) mention(pin.gateway, pin.where, "pins." + pin.room_id.text());
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
  std::set<domain::RowId> defaults;
  for (const store::RoomRow& row : plan_.rows.rooms) {
    if (!row.room.removed && row.room.default_gateway_id) defaults.insert(*row.room.default_gateway_id);
  }
  std::size_t left = 0;
  for (std::size_t i = 0; i < plan_.rows.gateways.size(); ++i) {
    store::GatewayRow& row = plan_.rows.gateways[i];
    if (!row.from_config || row.gateway.removed || wanted.count(row.gateway.name)) continue;
    const bool is_used = assigned.count(row.gateway.name) || defaults.count(row.gateway.id);
    const bool keeps_all = configured_.removals == Removals::none;
    if (!is_used || keeps_all || configured_.named_before.count(row.gateway.name)) ++left;
    if (is_used || keeps_all) continue;
    removed_.insert(row.gateway.name);
    row.gateway.removed = true;
    row.removed_at = now;
    row.from_config = false;  // by which it is known that the sync removed it
    row.synced.reset();
    plan_.changed_gateways.insert(i);
  }
  return left;
}

void GatewaySync::check_names() {
  std::vector<std::string> names;
  std::set<std::string> left = removed_;
  for (const store::GatewayRow& row : plan_.rows.gateways) {
    // One that has left [[gateways]] and only stays because it is in use is not known here any more.
    const bool has_left = !configured_.gateways.empty() && row.from_config && !entry(row.gateway.name);
    if (has_left) left.insert(row.gateway.name);
    if (!row.gateway.removed && !has_left) names.push_back(row.gateway.name);
  }
  each_mention([&](const std::string& name, const std::string& where, const std::string& setting) {
    const store::GatewayRow* row = find(name);
    const std::string gateway = setting + ": gateway " + in_quotes(name);
    const bool is_known = row && !row->gateway.removed && !left.count(name);
    const bool was_known = !left.count(name) && (was_accepted(name) || (row && row->from_config));
    const domain::ConfiguredGateway* written = entry(name);
    const bool says_type = written && written->type.value_or("rooms") != "rooms";
    if (!is_known && !was_known) {
      findings_.error(where, setting + ": there is no gateway " + in_quotes(name) + domain::did_you_mean(name, names));
    } else if (!is_known) {
      if (!reported_.insert(name).second) return;
      findings_.contradict(
          where, gateway + (row ? " is removed in the database (removed_at)" : " is not in the database any more") +
                     "; it is left out until that is undone");
    } else if (row->gateway.type != "rooms") {
      const std::string text = gateway + " is of type " + in_quotes(row->gateway.type) + ", not \"rooms\"";
      const bool by_sql = !says_type && (was_accepted(name) || written);
      if (!by_sql) return findings_.error(where, text);
      if (reported_.insert(name).second)
        findings_.contradict(where, text + ", in the database; it is left out until that is undone");
    } else if (row->gateway.disabled || row->gateway.draining) {
      findings_.warn(where, gateway + " is " + (row->gateway.disabled ? "disabled" : "draining"));
    }
  });
}

}  // namespace app
