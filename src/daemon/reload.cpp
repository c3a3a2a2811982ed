#include "daemon/reload.h"

#include <algorithm>
#include <chrono>
#include <future>
#include <map>
#include <string_view>
#include <thread>
#include <tuple>
#include <utility>

#include "cli/configured.h"
#include "config/descriptor_limit.h"
#include "config/needed_files.h"
#include "daemon/notify.h"
#include "http/access.h"
#include "logging/log.h"
#include "store/database_id.h"

namespace sidecar {
namespace {

constexpr const char* being_stopped = "the sidecar is being stopped";
constexpr const char* overtaken = "the files could not be read in time, and a later reload took the place of this one";
constexpr const char* too_many_hang =
    "earlier reloads still hang at the files; repair the file system that they are on";

// A reload that waits for files for longer lets a later one pass.
constexpr std::chrono::seconds time_to_read{1};
constexpr int most_reads = 16;

bool needs_restart(std::string_view key) {
  return key == "http.listen" || key == "http.max_connections" || key == "database.path";
}

std::vector<api::SettingsView::Setting> settings_of(const config::Loaded& loaded) {
  std::vector<api::SettingsView::Setting> settings;
  for (const config::Setting& setting : loaded.settings) {
    settings.push_back({setting.key, setting.variable, setting.value, setting.origin});
  }
  return settings;
}

auto content_of(const domain::ConfiguredGateway& gateway) {
  return std::tie(gateway.id, gateway.url, gateway.admin_url, gateway.type, gateway.capacity, gateway.disabled);
}
auto content_of(const domain::ConfiguredRoom& room) {
  return std::tie(room.id, room.name, room.default_gateway, room.default_gateway_id, room.disabled);
}
const std::string& name_of(const domain::ConfiguredGateway& gateway) { return gateway.name; }
const std::string& name_of(const domain::ConfiguredRoom& room) { return room.gateway_uid.text(); }

// "2 added (gxy4, gxy5)", after what there was.
void append_names(std::string& sentence, const char* what, const std::vector<std::string>& names) {
  constexpr std::size_t most = 10;
  if (names.empty()) return;
  sentence += (sentence.empty() ? "" : ", ") + std::to_string(names.size()) + ' ' + what + " (";
  for (std::size_t i = 0; i < std::min(names.size(), most); ++i) sentence += (i > 0 ? ", " : "") + names[i];
  sentence += names.size() > most ? ", …)" : ")";
}

// What becomes of the entries called `kind`, as a sentence; none if all stay as they are.
template <typename Entry>
void describe_entries(const char* kind, const std::vector<Entry>& before, const std::vector<Entry>& after,
                      std::vector<std::string>& sentences) {
  std::map<std::string_view, const Entry*> left;
  for (const Entry& entry : before) left.emplace(name_of(entry), &entry);
  std::vector<std::string> added, changed, removed;
  for (const Entry& entry : after) {
    const auto known = left.find(name_of(entry));
    if (known == left.end()) {
      added.push_back(name_of(entry));
      continue;
    }
    if (content_of(*known->second) != content_of(entry)) changed.push_back(name_of(entry));
    left.erase(known);
  }
  for (const auto& [name, entry] : left) removed.emplace_back(name);
  std::string sentence;
  append_names(sentence, "added", added);
  append_names(sentence, "removed", removed);
  append_names(sentence, "changed", changed);
  if (!sentence.empty()) sentences.push_back(kind + (": " + sentence));
}

}  // namespace

std::string mode_of(const domain::Options& options) { return options.scale ? "scale mode" : "legacy mode"; }

std::vector<std::string> further_problems(const config::Loaded& loaded, const std::string& database_path,
                                          app::Removals removals) {
  if (loaded.file == config::ConfigFile::unusable) return {};
  return app::sync_problems(database_path, cli::configured_part(loaded.configuration, removals));
}

FilesRead read_files(const config::Sources& sources) {
  FilesRead read{config::load(sources), std::nullopt, {}, {}};
  if (const auto& path = read.loaded.configuration.http.token_file) {
    http::TokenFile file = http::read_token_file(*path);
    if (!file.token) read.unreadable.push_back(config::place_of(read.loaded, "http.token_file") + ": " + file.problem);
    read.token = std::move(file.token);
    read.credential = std::move(file.credential);
  }
  for (std::string& problem : config::unreadable_files(read.loaded)) read.unreadable.push_back(std::move(problem));
  for (std::string& warning : config::exposed_secrets(read.loaded)) {
    read.loaded.problems.push_back({false, std::move(warning)});
  }
  if (auto warning = config::too_few_descriptors(read.loaded)) {
    read.loaded.problems.push_back({false, std::move(*warning)});
  }
  return read;
}

void log_credential(const FilesRead& files) {
  if (files.credential.empty()) return;
  logging::info("Token read from systemd's copy of its file", {{"copy", files.credential}});
}

Reload::Reload(config::Sources sources, const config::Loaded& in_force, bool needs_token, app::CatalogueKeeper& keeper,
               cluster::Fleet& fleet, GatewayWatch& watch, http::Server& server,
               std::function<void(std::uint64_t)> applied)
    : sources_(std::move(sources)),
      needs_token_(needs_token),
      keeper_(keeper),
      fleet_(fleet),
      watch_(watch),
      server_(server),
      applied_(std::move(applied)),
      in_force_(in_force.configuration),
      file_in_force_(in_force.file),
      database_(in_force.configuration.store.path),
      settings_(settings_of(in_force)) {}

app::ReloadReport Reload::run(bool allow_removals) {
  notify_reloading();
  auto [result, was_overtaken] = attempt(allow_removals);
  const locks::MutexLock lock(mutex_);
  std::string refused;
  const bool is_refused = !result.problems.empty();
  if (!was_overtaken) last_refused_ = is_refused;
  (is_refused ? refused_count_ : applied_count_).add();
  if (!is_refused) {
    ++generation_;
    for (const app::SettingChange& change : result.changed) {
      logging::info(
          "Setting changed",
          {{"setting", change.key}, {"before", change.before}, {"after", change.after}, {"origin", change.origin}});
    }
    logging::info("Configuration reloaded", {{"mode", result.scale ? "scale" : "legacy"},
                                             {"mode_origin", result.mode_origin},
                                             {"gateways", static_cast<std::int64_t>(result.gateways)},
                                             {"rooms", static_cast<std::int64_t>(result.rooms)}});
    applied_(generation_);
  } else {
    constexpr const char* event = "Configuration refused; the old one stays in force";
    if (logging::may_log(event)) {
      for (const std::string& problem : result.problems) logging::error(problem);
      logging::error(event, {{"problems", static_cast<std::int64_t>(result.problems.size())}});
    }
    if (!was_overtaken) refused = "; the last reload was refused: " + result.problems.front();
  }
  if (!stopping_) notify_ready(mode_of(in_force_.domain) + refused);
  return result;
}

std::vector<api::SettingsView::Setting> Reload::settings_now() {
  const locks::MutexLock lock(settings_mutex_);
  return settings_;
}

void Reload::report_settings(app::ReloadReport& report, const std::vector<api::SettingsView::Setting>& before) {
  report.scale = in_force_.domain.scale;
  const auto now = settings_now();
  for (std::size_t i = 0; i < now.size(); ++i) {
    if (now[i].key == "scale") report.mode_origin = now[i].origin;
    if (now[i].value == before[i].value) continue;
    report.changed.push_back({now[i].key, now[i].variable, before[i].value, now[i].value, now[i].origin});
  }
}

// By a thread of its own, which a file system that hangs may keep for ever. Or why they are not read. `number`: of the
// latest reload, which may be this one.
std::variant<FilesRead, std::string> Reload::read(std::uint64_t number) const {
  constexpr std::chrono::milliseconds look{20};
  if (stopping_) return being_stopped;
  // Given back with the task, wherever that ends.
  const auto give_back = [in_progress = reads_in_progress_](void*) { --*in_progress; };
  const bool is_one_too_many = ++*reads_in_progress_ > most_reads;
  std::shared_ptr<void> place(nullptr, give_back);
  if (is_one_too_many) return too_many_hang;
  std::packaged_task<FilesRead()> task([sources = sources_, kept = std::move(place)] { return read_files(sources); });
  std::future<FilesRead> files = task.get_future();
  const auto begin = std::chrono::steady_clock::now();
  std::thread(std::move(task)).detach();
  while (!stopping_) {
    if (files.wait_for(look) == std::future_status::ready) return files.get();
    if (begun_ != number && std::chrono::steady_clock::now() > begin + time_to_read) return overtaken;
  }
  return being_stopped;
}

void Reload::put_in_force(config::Loaded loaded) {
  file_in_force_ = loaded.file;
  in_force_ = std::move(loaded.configuration);
  auto settings = settings_of(loaded);
  const locks::MutexLock lock(settings_mutex_);
  for (std::size_t i = 0; i < settings.size(); ++i) {
    if (needs_restart(settings[i].key)) settings[i] = settings_[i];
  }
  settings_ = std::move(settings);
}

api::SettingsView Reload::settings(bool with_preview) {
  api::SettingsView view;
  const store::DatabaseId id = store::database_id(database_);
  view.database = {id.path, id.real_path, id.file};
  if (with_preview) view.after_reload = preview();
  view.settings = settings_now();
  return view;
}

api::SettingsView::Preview Reload::preview() {
  api::SettingsView::Preview preview;
  const auto read_or_not = read(begun_);
  const auto* files = std::get_if<FilesRead>(&read_or_not);
  if (!files) {
    preview.problems.push_back(std::get<std::string>(read_or_not));
    return preview;
  }
  config::Configuration in_force;
  app::Removals removals = app::Removals::refused;
  std::vector<std::string> lost;
  {
    const locks::MutexLock lock(mutex_);
    in_force = in_force_;
    removals = removals_for(files->loaded.file, false, lost);
  }
  const config::Configuration& next = files->loaded.configuration;
  for (const config::Problem& problem : files->loaded.problems) {
    (problem.is_error ? preview.problems : preview.warnings).push_back(problem.text);
  }
  preview.problems.insert(preview.problems.end(), files->unreadable.begin(), files->unreadable.end());
  preview.problems.insert(preview.problems.end(), lost.begin(), lost.end());
  for (std::string& problem : further_problems(files->loaded, in_force.store.path, removals)) {
    preview.problems.push_back(std::move(problem));
  }
  const auto settings = settings_of(files->loaded);
  {
    const locks::MutexLock lock(settings_mutex_);
    for (std::size_t i = 0; i < settings.size(); ++i) {
      if (settings[i].value == settings_[i].value) continue;
      preview.changes.push_back({settings[i], settings_[i].value, needs_restart(settings[i].key)});
    }
  }
  describe_entries("[[gateways]]", in_force.gateways, next.gateways, preview.entries);
  describe_entries("[[rooms]]", in_force.rooms, next.rooms, preview.entries);
  return preview;
}

void Reload::report(metrics::DaemonState& daemon_state) const {
  daemon_state.reloads_applied = applied_count_.value();
  daemon_state.reloads_refused = refused_count_.value();
  daemon_state.last_reload_refused = last_refused_;
}

// A file that has lost all it held is a slip, whatever would follow from it.
app::Removals Reload::removals_for(config::ConfigFile file, bool allow_removals,
                                   std::vector<std::string>& problems) const {
  using config::ConfigFile;
  if (file == ConfigFile::settings) return allow_removals ? app::Removals::all : app::Removals::few;
  const bool is_lost = file == ConfigFile::missing || file == ConfigFile::blank;
  if (is_lost && file_in_force_ == ConfigFile::settings) {
    problems.push_back(sources_.config_file + (file == ConfigFile::missing ? ": has gone" : ": is empty") +
                       ", and held settings when it was last read: put them back, or restart to do without them");
  }
  return app::Removals::refused;
}

Reload::Outcome Reload::attempt(bool allow_removals) {
  for (;;) {
    const std::uint64_t number = ++begun_;
    auto read_or_not = read(number);
    auto* files = std::get_if<FilesRead>(&read_or_not);
    const locks::MutexLock lock(mutex_);
    if (files && last_number_ > number) continue;  // what is in force was read later: older files must not replace it
    const auto settings_before = settings_now();
    Outcome outcome;
    if (files) {
      last_number_ = number;
      outcome.report = apply(std::move(*files), allow_removals);
    } else {
      const auto& problem = std::get<std::string>(read_or_not);
      outcome.report.problems.push_back(problem);
      outcome.was_overtaken = problem == overtaken;
    }
    report_settings(outcome.report, settings_before);
    return outcome;
  }
}

app::ReloadReport Reload::apply(FilesRead files, bool allow_removals) {
  app::ReloadReport result;
  config::Loaded& loaded = files.loaded;
  for (const config::Problem& problem : loaded.problems) {
    (problem.is_error ? result.problems : result.warnings).push_back(problem.text);
  }
  if (needs_token_ && !loaded.configuration.http.token_file) {
    result.problems.push_back(
        "http.token_file: it listens where other machines can ask, which needs a token until the next restart");
  }
  for (std::string& problem : files.unreadable) result.problems.push_back(std::move(problem));
  const app::Removals removals = removals_for(loaded.file, allow_removals, result.problems);
  if (!result.problems.empty()) {
    // The rest of the problems too, and not only at the next attempt.
    for (std::string& problem : further_problems(loaded, in_force_.store.path, removals)) {
      result.problems.push_back(std::move(problem));
    }
    return result;
  }
  keep_what_needs_a_restart(loaded.configuration, result.warnings);
  if (!result.warnings.empty() && logging::may_log("Warnings of a reload")) {
    for (const std::string& warning : result.warnings) logging::warn(warning);
  }
  log_credential(files);

  const config::Configuration& next = loaded.configuration;
  const bool shares = next.cluster.is_shared() && next.domain.scale;
  // Rooms that are in use when scale mode begins are asked for where they will be kept.
  const bool is_new = next.cluster != in_force_.cluster || next.domain.scale != in_force_.domain.scale;
  if (shares && is_new) {
    result.problems = app::sync_problems(in_force_.store.path, cli::configured_part(next, removals));
    if (!result.problems.empty()) return result;
    fleet_.configure(next.cluster, true);
  }
  app::CatalogueKeeper::Result synced = keeper_.reload(cli::configured_part(loaded.configuration, removals));
  result.problems = std::move(synced.problems);
  result.warnings.insert(result.warnings.end(), synced.warnings.begin(), synced.warnings.end());
  if (!result.problems.empty()) {
    fleet_.configure(in_force_.cluster, in_force_.domain.scale);
    fleet_.follow();
    return result;
  }
  if (!shares) fleet_.configure(next.cluster, next.domain.scale);
  fleet_.follow();
  server_.replace_token(std::move(files.token));
  watch_.configure(loaded.configuration.health);
  result.gateways = synced.gateways;
  result.rooms = synced.rooms;
  put_in_force(std::move(loaded));
  logging::start(in_force_.log, logging::target());
  return result;
}

void Reload::keep_what_needs_a_restart(config::Configuration& wanted, std::vector<std::string>& warnings) {
  std::string keys;
  const auto keep = [&](const char* key, auto& now, const auto& before) {
    if (now == before) return;
    now = before;
    keys += keys.empty() ? key : std::string(", ") + key;
  };
  keep("http.listen", wanted.http.listen, in_force_.http.listen);
  keep("http.max_connections", wanted.http.max_connections, in_force_.http.max_connections);
  keep("database.path", wanted.store.path, in_force_.store.path);
  if (!keys.empty()) warnings.push_back(keys + ": a change takes effect at the next restart; the rest is applied");
}

}  // namespace sidecar
