#include "cli/running_settings.h"

#include "cli/answer_fields.h"
#include "cli/sidecar.h"
#include "cli/terminal.h"
#include "json/value.h"
#include "store/failure.h"
#include "store/owner.h"

namespace cli {
namespace {

bool is_owned(const std::string& database) {
  try {
    return store::is_owned(database);
  } catch (const store::Failure&) {  // its folder is closed to us
    return false;
  }
}

std::string or_none(const std::string& value) { return value.empty() ? "none" : value; }

std::string sentence(const json::Value& change) {
  return text_at(change, "key") + ": " + or_none(text_at(change, "before")) + " -> " +
         or_none(text_at(change, "value")) + " (" + text_at(change, "origin") + ')' +
         (flag_at(change, "needs_restart") ? ", with the next restart only" : "");
}

}  // namespace

std::optional<RunningSettings> running_settings(const CommandLine& line, const config::Loaded& loaded,
                                                std::string& problem) {
  RunningSettings running;
  try {
    Sidecar sidecar(line);
    running.address = sidecar.address();
    const auto answer = sidecar.ask("GET", "/v2/settings?preview=true");
    if (answer.status == 404) return std::nullopt;  // an older one, without that answer
    if (!answer.is_fine()) throw CommandFailed(Sidecar::refusal(answer));
    if (!serves(answer.body, loaded.configuration.store.path)) return std::nullopt;
    for (const auto& setting : items_at(answer.body, "settings")) {
      running.in_force[text_at(setting, "key")] = {text_at(setting, "value"), text_at(setting, "origin")};
    }
    if (const auto* after = answer.body.find("after_reload")) {
      for (const auto& change : items_at(*after, "changes")) running.changes.push_back(sentence(change));
      for (auto& entry : texts_at(*after, "entries")) running.changes.push_back(std::move(entry));
      running.problems = texts_at(*after, "problems");
    }
  } catch (const CommandFailed& failed) {
    if (is_owned(loaded.configuration.store.path)) problem = failed.what();
    return std::nullopt;
  }
  return running;
}

}  // namespace cli
