// What the sync of gateways and of rooms share: one entry of the configuration against its row, and the
// sentences about it. Private to app/. One thread at a time; never throws but for memory.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace app {

std::string in_quotes(const std::string& text);
std::string shown(const std::string& text);
std::string shown(std::int64_t value);
std::string shown(bool value);
std::string shown(const std::optional<std::int64_t>& value);

// What a sync has to say, each sentence with the place it is about ("config.toml:12", or nothing).
struct SyncFindings {
  std::vector<std::string> errors;
  std::vector<std::string> warnings;

  void error(const std::string& where, const std::string& text);
  void warn(const std::string& where, const std::string& text);
  // Ids that are written down, of a new row that another one bears, and of a known row. `kind` is
  // "gateway" or "room".
  void id_is_taken(const std::string& where, const char* kind, const std::string& key, std::int64_t id,
                   const std::string& bearer);
  void id_is_kept(const std::string& where, const char* kind, const std::string& key, std::int64_t has,
                  std::int64_t wanted);
};

// An entry of the configuration as it is being synced into a row.
class SyncEntry {
 public:
  // `entry`: what people call it; `where`: its line.
  SyncEntry(std::string entry, const std::string& where, SyncFindings& findings)
      : entry_(std::move(entry)), where_(where), findings_(findings) {}

  // Takes the row over into the configuration's hands. A row that the sync had removed comes back; one
  // that somebody else has removed stays away.
  template <typename Row, typename Entity>
  void adopt(Row& row, Entity& entity) {
    if (entity.removed && row.from_config) {
      findings_.warn(where_, entry_ + ": removed_at is set in the database; it stays removed until that is NULL");
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

  // One field. `wanted` is nothing where the entry does not say; `usual` is what then counts if it did say
  // before.
  template <typename Actual, typename T>
  void field(const char* name, Actual& actual, std::optional<T>& synced, const std::optional<T>& wanted,
             const Actual& usual) {
    if (known_ && synced == wanted) {
      if (wanted && actual != *wanted) warn_of_difference(name, shown(actual), shown(*wanted));
      return;
    }
    const bool said_before = known_ && synced;
    synced = wanted;
    if (wanted) {
      actual = *wanted;
    } else if (said_before) {
      actual = usual;
    }
    changed_ = true;
  }

  bool changed() const { return changed_; }

 private:
  void warn_of_difference(const char* field, const std::string& in_database, const std::string& wanted);

  std::string entry_;
  const std::string& where_;
  SyncFindings& findings_;
  bool known_ = false;
  bool changed_ = false;
};

}  // namespace app
