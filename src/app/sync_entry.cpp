#include "app/sync_entry.h"

namespace app {

std::string in_quotes(const std::string& text) { return "\"" + text + "\""; }
std::string shown(const std::string& text) { return in_quotes(text); }
std::string shown(std::int64_t value) { return std::to_string(value); }
std::string shown(bool value) { return value ? "true" : "false"; }
std::string shown(const std::optional<std::int64_t>& value) { return value ? std::to_string(*value) : "none"; }

void SyncFindings::error(const std::string& where, const std::string& text) {
  errors.push_back(where.empty() ? text : where + ": " + text);
}

void SyncFindings::warn(const std::string& where, const std::string& text) {
  warnings.push_back(where.empty() ? text : where + ": " + text);
}

void SyncFindings::contradict(const std::string& where, const std::string& text) {
  warn(where, text);
  contradictions.push_back(warnings.back());
}

void SyncFindings::quarrel(const std::string& where, const std::string& text, bool was_accepted) {
  was_accepted ? contradict(where, text) : error(where, text);
}

void SyncFindings::id_is_taken(const std::string& where, const char* kind, const std::string& key, std::int64_t id,
                               const std::string& bearer, bool was_accepted) {
  const std::string text = std::string(kind) + " " + in_quotes(key) + " cannot have id " + std::to_string(id) + ": " +
                           kind + " " + in_quotes(bearer) + " bears it";
  quarrel(where, text + (was_accepted ? " by now; it is left out until that is changed back" : "; choose another id"),
          was_accepted);
}

void SyncFindings::id_is_kept(const std::string& where, const char* kind, const std::string& key, std::int64_t has,
                              std::int64_t wanted, bool was_accepted) {
  const std::string text = std::string(kind) + " " + in_quotes(key) + " cannot have id " + std::to_string(wanted) +
                           ": it bears id " + std::to_string(has) + " in the database";
  quarrel(where,
          text + (was_accepted ? " by now, which stands" : ", and ids are kept for good; write that one, or none"),
          was_accepted);
}

std::string accepted_id(const char* kind, const std::string& key, std::int64_t id) {
  return kind + (' ' + key) + " id " + std::to_string(id);
}

void SyncEntry::warn_of_difference(const char* field, const std::string& in_database, const std::string& wanted) {
  findings_.warn(where_, entry_ + ": " + field + " is " + in_database + " in the database and " + wanted +
                             " in the configuration; the database's stands until the configured one changes");
}

}  // namespace app
