// What the sync of gateways and of rooms share: one entry of the configuration against its row, and the
// sentences about it. Private to app/. One thread at a time; never throws but for memory.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "domain/row_ids.h"

namespace app {

std::string in_quotes(const std::string& text);
std::string shown(const std::string& text);
std::string shown(std::int64_t value);
std::string shown(bool value);
std::string shown(const std::optional<std::int64_t>& value);
std::string shown(const std::optional<domain::RowId>& id);

// What a sync reports, each sentence with the place it is about ("config.toml:12", or nothing).
struct SyncFindings {
  std::vector<std::string> errors;
  std::vector<std::string> warnings;
  std::vector<std::string> contradictions;
  std::vector<std::string> remade;

  void error(const std::string& where, const std::string& text);
  void warn(const std::string& where, const std::string& text);
  // A warning that an entry has no effect, since SQL has changed its row.
  void contradict(const std::string& where, const std::string& text);
  // A warning about a gateway's row that SQL has taken away, and that comes again with another id.
  void note_remade(const std::string& where, const std::string& text);
  // An error; or a contradiction, if the configuration said the same before and was accepted.
  void quarrel(const std::string& where, const std::string& text, bool was_accepted);
  // Ids that are written down, of a new row that another one bears, and of a known row. `kind` is
  // "gateway" or "room".
  void id_is_taken(const std::string& where, const char* kind, const std::string& key, domain::RowId id,
                   const std::string& bearer, bool was_accepted);
  void id_is_kept(const std::string& where, const char* kind, const std::string& key, domain::RowId has,
                  domain::RowId wanted, bool was_accepted);
};

// How an entry with an id that is written down is called among those that were accepted.
std::string accepted_id(const char* kind, const std::string& key, domain::RowId id);

// The id of the row that a gateway had when the configuration was last accepted, among what was accepted then.
std::optional<domain::RowId> accepted_row(const std::set<std::string>& accepted, const std::string& gateway);
void set_accepted_row(std::set<std::string>& accepted, const std::string& gateway, domain::RowId id);

// An entry of the configuration as it is being synced into a row.
class SyncEntry {
 public:
  // `entry`: what people call it; `where`: its line.
  SyncEntry(std::string entry, const std::string& where, SyncFindings& findings)
      : entry_(std::move(entry)), where_(where), findings_(findings) {}

  // Takes the row over into the configuration's hands. A row that the sync had removed comes back; one
  // that somebody else has removed stays away.
  template <typename Row, typename Entity>
  void adopt(Row& row, Entity& entity, bool was_accepted) {
    if (entity.removed && (row.from_config || was_accepted)) {
      removed_by_sql_ = true;
    } else if (entity.removed) {
      entity.removed = false;
      row.removed_at.reset();
      changed_ = true;
    }
    known_ = row.from_config && row.synced.has_value();
    changed_ |= !row.from_config;
    row.from_config = true;
    if (!known_) row.synced.emplace();
  }

  // One field, and a warning if the database's value stands. `wanted` is nothing where the entry does not say; `usual`
  // is what then counts if it did say before.
  template <typename Actual, typename T>
  void field(const char* name, Actual& actual, std::optional<T>& synced, const std::optional<T>& wanted,
             const Actual& usual) {
    write(actual, synced, wanted, usual);
    if (wanted && actual != *wanted) warn_of_difference(name, shown(actual), shown(*wanted));
  }

  // The same without the warning.
  template <typename Actual, typename T>
  void write(Actual& actual, std::optional<T>& synced, const std::optional<T>& wanted, const Actual& usual) {
    if (known_ && synced == wanted) return;
    const bool was_set_before = known_ && synced;
    synced = wanted;
    if (wanted) {
      actual = *wanted;
    } else if (was_set_before) {
      actual = usual;
    }
    changed_ = true;
  }

  bool changed() const { return changed_; }
  // The sentence about a row that somebody else has removed; nothing if it is not removed.
  std::optional<std::string> removed_by_sql() const {
    if (!removed_by_sql_) return std::nullopt;
    return entry_ + ": removed_at is set in the database; it stays removed until that is NULL";
  }

 private:
  void warn_of_difference(const char* field, const std::string& in_database, const std::string& wanted);

  std::string entry_;
  const std::string& where_;
  SyncFindings& findings_;
  bool known_ = false;
  bool changed_ = false;
  bool removed_by_sql_ = false;
};

}  // namespace app
