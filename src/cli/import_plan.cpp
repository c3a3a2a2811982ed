#include "cli/import_plan.h"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "cli/table.h"
#include "domain/row_ids.h"
#include "domain/suggestion.h"

namespace cli {
namespace {

std::string quoted(const std::string& text) { return '"' + printable(text) + '"'; }

// What comes by import stays: the next sync must not remove it once more.
template <class Row>
void mark_imported(Row& row, bool& removed) {
  removed = false;
  row.removed_at.reset();
  row.from_config = false;
  row.synced.reset();
}

class Import {
 public:
  Import(const std::vector<store::GatewayRow>& gateways, const std::vector<store::RoomRow>& rooms, bool create_gateways)
      : create_gateways_(create_gateways) {
    for (const auto& row : gateways) {
      gateways_.emplace(row.gateway.name, row);
      gateway_ids_.take(row.gateway.id, row.gateway.name);
      if (!row.gateway.removed) gateway_names_.push_back(row.gateway.name);
    }
    for (const auto& row : rooms) {
      rooms_.emplace(row.room.gateway_uid, &row);
      room_ids_.take(row.room.id, row.room.gateway_uid.text());
    }
  }

  ImportPlan plan(const std::vector<RoomEntry>& entries) {
    first_ = entries.data();
    // Ids that somebody chose come first, then those that follow from the uid, then the rest.
    std::vector<store::RoomRow> rows;
    rows.reserve(entries.size());
    for (const auto& entry : entries) rows.push_back(row_with_given_id(entry));
    for (auto& row : rows) {
      const auto id = domain::decimal_row_id(row.room.gateway_uid);
      if (row.room.id == domain::RowId{} && id && !room_ids_.take(*id, row.room.gateway_uid.text())) row.room.id = *id;
    }
    for (std::size_t i = 0; i < rows.size(); ++i) {
      auto& row = rows[i];
      if (row.room.id == domain::RowId{}) row.room.id = room_ids_.acquire_next(row.room.gateway_uid.text());
      fill(row, entries[i]);
      add(row);
    }
    std::stable_sort(complaints_.begin(), complaints_.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    for (auto& [entry, text] : complaints_) {
      plan_.problems.push_back({first_[entry].line, std::move(text)});
    }
    warn_of_missing_gateways();
    return std::move(plan_);
  }

 private:
  // The known row, or a new one; id 0: to be chosen.
  store::RoomRow row_with_given_id(const RoomEntry& entry) {
    const auto known = rooms_.find(entry.gateway_uid);
    if (known != rooms_.end()) {
      const auto& row = *known->second;
      if (entry.id && *entry.id != row.room.id) {
        complain(entry, "room " + quoted(entry.gateway_uid.text()) + " has id " + to_text(row.room.id) +
                            ", and ids are kept for good; leave id " + to_text(*entry.id) + " out");
      }
      return row;
    }
    store::RoomRow row;
    row.room.gateway_uid = entry.gateway_uid;
    if (!entry.id) return row;
    if (const auto* bearer = room_ids_.take(*entry.id, entry.gateway_uid.text())) {
      complain(entry, "room " + quoted(entry.gateway_uid.text()) + " cannot have id " + to_text(*entry.id) + ": room " +
                          quoted(*bearer) + " has it; leave the id out to get a free one");
    }
    row.room.id = *entry.id;
    return row;
  }

  void fill(store::RoomRow& row, const RoomEntry& entry) {
    if (entry.name) row.room.name = *entry.name;
    if (!entry.default_gateway.empty()) {
      row.room.default_gateway_id = gateway_id(entry);
    } else {
      (rooms_.count(entry.gateway_uid) > 0 ? kept_ : lacking_).push_back(entry.place);
    }
    if (row.room.removed) mark_imported(row, row.room.removed);
  }

  void add(const store::RoomRow& row) {
    const auto known = rooms_.find(row.room.gateway_uid);
    if (known == rooms_.end()) {
      ++plan_.added;
    } else if (known->second->room == row.room) {
      ++plan_.unchanged;
      return;
    } else {
      ++plan_.updated;
    }
    plan_.rooms.push_back(row);
  }

  std::optional<domain::RowId> gateway_id(const RoomEntry& entry) {
    const auto& name = entry.default_gateway;
    const auto known = gateways_.find(name);
    if (known == gateways_.end() || known->second.gateway.removed) {
      if (create_gateways_) return created(name);
      complain(entry, "there is no gateway " + quoted(name) + domain::did_you_mean(name, gateway_names_) +
                          "; correct the name, or use --create-gateways");
      return std::nullopt;
    }
    const auto& gateway = known->second.gateway;
    if (gateway.type != "rooms") {
      complain(entry,
               "gateway " + quoted(name) + " is of type " + quoted(gateway.type) + "; name one of type \"rooms\"");
    } else if (gateway.disabled && named_.insert(name).second) {
      plan_.warnings.push_back(entry.place + ": gateway " + quoted(name) +
                               " is disabled; legacy mode cannot answer its rooms");
    }
    return gateway.id;
  }

  domain::RowId created(const std::string& name) {
    auto& row = gateways_[name];
    if (row.gateway.id == domain::RowId{}) {
      row.gateway.id = gateway_ids_.acquire_next(name);
      row.gateway.name = name;
    }
    mark_imported(row, row.gateway.removed);
    plan_.gateways.push_back(row);
    return row.gateway.id;
  }

  void warn_of_missing_gateways() {
    if (!lacking_.empty()) {
      plan_.warnings.push_back(places(lacking_) +
                               ": no default_gateway; a new room has none then, and legacy mode "
                               "cannot answer it");
    }
    if (!kept_.empty()) {
      plan_.warnings.push_back(places(kept_) + ": no default_gateway; a known room keeps what it has");
    }
  }

  static std::string places(const std::vector<std::string>& all) {
    constexpr std::size_t kEnough = 5;
    std::string text;
    for (std::size_t i = 0; i < std::min(all.size(), kEnough); ++i) {
      text += (i == 0 ? "" : ", ") + all[i];
    }
    if (all.size() > kEnough) text += " and " + std::to_string(all.size() - kEnough) + " more";
    return text;
  }

  void complain(const RoomEntry& entry, const std::string& text) {
    complaints_.emplace_back(&entry - first_, entry.place + ": " + text);
  }

  bool create_gateways_;
  std::unordered_map<std::string, store::GatewayRow> gateways_;
  std::vector<std::string> gateway_names_;
  std::unordered_map<domain::RoomId, const store::RoomRow*> rooms_;
  std::unordered_set<std::string> named_;
  std::vector<std::string> lacking_;  // places of new rooms without a default gateway
  std::vector<std::string> kept_;     // of known ones
  const RoomEntry* first_ = nullptr;
  std::vector<std::pair<std::ptrdiff_t, std::string>> complaints_;
  domain::RowIds gateway_ids_;
  domain::RowIds room_ids_;
  ImportPlan plan_;
};

}  // namespace

ImportPlan plan_import(const std::vector<RoomEntry>& entries, const std::vector<store::GatewayRow>& gateways,
                       const std::vector<store::RoomRow>& rooms, bool create_gateways) {
  return Import(gateways, rooms, create_gateways).plan(entries);
}

}  // namespace cli
