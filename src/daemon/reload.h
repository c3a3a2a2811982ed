// Applies an edited configuration while the sidecar runs, or refuses it and leaves the old one in force.
// Any thread. Files are read by a thread of their own for each reload, without a lock; one reload is applied at a time. One
// that hangs at its files is refused as soon as another one is asked for, which reads them anew.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "api/settings_view.h"
#include "app/catalogue_keeper.h"
#include "app/reload_report.h"
#include "cluster/fleet.h"
#include "config/load.h"
#include "counts/counter.h"
#include "daemon/gateway_watch.h"
#include "http/server.h"
#include "locks/mutex.h"
#include "metrics/collector.h"

namespace sidecar {

// For people.
std::string mode_of(const domain::Options& options);

// Beside those of the configuration itself, what the sync would refuse; none of a file that could not be read.
std::vector<std::string> further_problems(const config::Loaded& loaded, const std::string& database_path,
                                          app::Removals removals);

// The configuration, and what else stands in files that it names.
struct FilesRead {
  config::Loaded loaded;
  std::optional<std::string> token;     // of http.token_file
  std::vector<std::string> unreadable;  // a problem for each file that cannot be used
  std::string credential;               // the copy of http.token_file that was read in its place; "": none
};
FilesRead read_files(const config::Sources& sources);
void log_credential(const FilesRead& files);

class Reload {
 public:
  // `needs_token`: it listens where others than this machine can ask. `applied` is called after each one that was applied, with their number.
  Reload(config::Sources sources, const config::Loaded& in_force, bool needs_token, app::CatalogueKeeper& keeper,
         cluster::Fleet& fleet, GatewayWatch& watch, http::Server& server,
         std::function<void(std::uint64_t generation)> applied);

  // From now on one that still reads files is refused, and so is each new one: what hangs holds no stop up.
  void stop() { stopping_ = true; }

  // Problems and warnings are logged as well as returned.
  app::ReloadReport run(bool allow_removals);
  // What is in force, and with `preview` what run() would change: that reads the files, and waits for a reload under way.
  api::SettingsView settings(bool preview);
  // How often so far; never waits for one that is under way.
  void report(metrics::DaemonState& daemon_state) const;

 private:
  struct Outcome {
    app::ReloadReport report;
    bool was_overtaken = false;  // by a later reload, which reports what is in force
  };

  Outcome attempt(bool allow_removals);
  app::ReloadReport apply(FilesRead files, bool allow_removals) REQUIRES(mutex_);
  app::Removals removals_for(config::ConfigFile file, bool allow_removals, std::vector<std::string>& problems) const
      REQUIRES(mutex_);
  std::vector<api::SettingsView::Setting> settings_now();
  void report_settings(app::ReloadReport& report, const std::vector<api::SettingsView::Setting>& before)
      REQUIRES(mutex_);
  std::variant<FilesRead, std::string> read(std::uint64_t number) const;
  void put_in_force(config::Loaded loaded) REQUIRES(mutex_);
  api::SettingsView::Preview preview();
  void keep_what_needs_a_restart(config::Configuration& wanted, std::vector<std::string>& warnings) REQUIRES(mutex_);

  const config::Sources sources_;
  const bool needs_token_;
  app::CatalogueKeeper& keeper_;
  cluster::Fleet& fleet_;
  GatewayWatch& watch_;
  http::Server& server_;
  const std::function<void(std::uint64_t)> applied_;
  counts::Counter applied_count_;
  counts::Counter refused_count_;
  std::atomic<bool> last_refused_{false};
  std::atomic<bool> stopping_{false};
  std::atomic<std::uint64_t> begun_{0};  // the number of the latest one that reads files
  const std::shared_ptr<std::atomic<int>> reads_in_progress_ = std::make_shared<std::atomic<int>>(0);
  locks::Mutex mutex_;
  std::uint64_t last_number_ GUARDED_BY(mutex_) = 0;  // of the one that was applied or refused last
  config::Configuration in_force_ GUARDED_BY(mutex_);
  config::ConfigFile file_in_force_ GUARDED_BY(mutex_);
  std::uint64_t generation_ GUARDED_BY(mutex_) = 1;
  const std::string database_;  // as it was named at the start
  // Apart, so that they can be looked at while a reload hangs. Changed with both mutexes held.
  locks::Mutex settings_mutex_;
  std::vector<api::SettingsView::Setting> settings_ GUARDED_BY(settings_mutex_);
};

}  // namespace sidecar
