#include "app/sync_entry.h"

#include <string_view>

#include "domain/number.h"

namespace app {
namespace {

// A gateway's name holds no blank, so no other line begins with this.
std::string row_line(const std::string& gateway) { return "gateway " + gateway + " row "; }

std::set<std::string>::const_iterator find_row_line(const std::set<std::string>& accepted, const std::string& line) {
  const auto found = accepted.lower_bound(line);
  return found != accepted.end() && found->starts_with(line) ? found : accepted.end();
}

}  // namespace

std::string in_quotes(const std::string& text) { return "\"" + text + "\""; }
std::string shown(const std::string& text) { return in_quotes(text); }
std::string shown(std::int64_t value) { return std::to_string(value); }
std::string shown(bool value) { return value ? "true" : "false"; }
std::string shown(const std::optional<std::int64_t>& value) { return value ? std::to_string(*value) : "none"; }
std::string shown(const std::optional<domain::RowId>& id) { return id ? to_text(*id) : "none"; }

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

void SyncFindings::note_remade(const std::string& where, const std::string& text) {
  warn(where, text);
  remade.push_back(warnings.back());
}

void SyncFindings::quarrel(const std::string& where, const std::string& text, bool was_accepted) {
  was_accepted ? contradict(where, text) : error(where, text);
}

void SyncFindings::id_is_taken(const std::string& where, const char* kind, const std::string& key, domain::RowId id,
                               const std::string& bearer, bool was_accepted) {
  const std::string text = std::string(kind) + " " + in_quotes(key) + " cannot have id " + to_text(id) + ": " + kind +
                           " " + in_quotes(bearer) + " has it";
  quarrel(where, text + (was_accepted ? " now; it is left out until that is undone" : "; choose another id"),
          was_accepted);
}

void SyncFindings::id_is_kept(const std::string& where, const char* kind, const std::string& key, domain::RowId has,
                              domain::RowId wanted, bool was_accepted) {
  const std::string text = std::string(kind) + " " + in_quotes(key) + " cannot have id " + to_text(wanted) +
                           ": it has id " + to_text(has) + " in the database";
  quarrel(where, text + (was_accepted ? " now, which is kept" : ", and ids are kept for good; write that one, or none"),
          was_accepted);
}

std::string accepted_id(const char* kind, const std::string& key, domain::RowId id) {
  return kind + (' ' + key) + " id " + to_text(id);
}

std::optional<domain::RowId> accepted_row(const std::set<std::string>& accepted, const std::string& gateway) {
  const std::string line = row_line(gateway);
  const auto found = find_row_line(accepted, line);
  if (found == accepted.end()) return std::nullopt;
  const auto id = domain::number_from<std::int64_t>(std::string_view(*found).substr(line.size()));
  return id ? std::optional(domain::RowId{*id}) : std::nullopt;
}

void set_accepted_row(std::set<std::string>& accepted, const std::string& gateway, domain::RowId id) {
  const std::string line = row_line(gateway);
  for (auto old = find_row_line(accepted, line); old != accepted.end(); old = find_row_line(accepted, line)) {
    accepted.erase(old);
  }
  accepted.insert(line + to_text(id));
}

void SyncEntry::warn_of_difference(const char* field, const std::string& in_database, const std::string& wanted) {
  findings_.warn(where_, entry_ + ": " + field + " is " + in_database + " in the database and " + wanted +
                             " in the configuration; the database's value is kept until the configured one changes");
}

}  // namespace app
