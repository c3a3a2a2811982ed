// Keeps the policy in force true to the configuration and to the file: reloads, edits made from outside,
// drains. Any thread; one such change at a time, others wait.
//
// A change that cannot be written (a full disk) is put in force all the same, so that an operator can
// flip the mode back at once; it is written as soon as that is possible.
#pragma once

#include <atomic>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "app/catalogue_sync.h"
#include "app/registry.h"
#include "locks/mutex.h"

namespace store {
class Database;
class Journal;
}  // namespace store

namespace app {

// What is in the file at start, and what is to be in force.
struct StartupState {
  SyncPlan plan;
  std::vector<domain::Assignment> assignments;
  std::vector<domain::Session> sessions;  // none if they were last counted in legacy mode
  std::vector<domain::Failover> failovers;
  bool was_scale = false;            // the mode in which the file was last served
  std::vector<std::string> skipped;  // rows that cannot be used, a sentence each
};

// Reads the file and plans the sync; writes nothing. Throws store::Failure.
StartupState read_startup_state(store::Database& database, const Configured& configured, domain::WallTime now);
// Writes what the startup state plans. Throws store::Failure.
void write_startup_state(store::Database& database, const StartupState& startup);
// What the sync would refuse, with the file as it is, if there is one; nothing is changed.
std::vector<std::string> sync_problems(const std::string& database_path, const Configured& configured);
// Puts it in force; the ledger must be new.
void start_registry(Registry& registry, const StartupState& startup);

class CatalogueKeeper {
 public:
  CatalogueKeeper(Registry& registry, store::Journal& journal, std::string database_path, Configured configured,
                  bool unwritten, std::vector<std::string> contradictions = {});

  struct Result {
    std::vector<std::string> problems;  // if there are any, nothing was changed
    std::vector<std::string> warnings;
    std::size_t gateways = 0;  // in force now, if there are no problems
    std::size_t rooms = 0;
  };
  // A new configuration.
  Result reload(Configured configured);
  // Somebody else changed the file.
  void refresh();
  // Tries again to write what could not be written; without effect if there is nothing.
  void retry();
  bool has_unwritten() const { return unwritten_; }
  // Entries of the configuration without effect, since the database has another value: a sentence each.
  std::vector<std::string> contradictions() const;

  enum class Drained { done, no_such_gateway, storage_unavailable };
  // Durable when it is done, and known to all sidecars that share their assignments.
  Drained set_draining(std::string_view gateway, domain::Draining draining);
  // The same, for a change that was made at another sidecar.
  Drained follow_draining(std::string_view gateway, domain::Draining draining);

 private:
  CatalogueRows read_rows() REQUIRES(mutex_);
  void mark_draining(std::string_view name, domain::Draining draining) REQUIRES(mutex_);
  SyncPlan plan_against_file(const Configured& configured) REQUIRES(mutex_);
  SyncPlan write_sync(const Configured& configured);
  void write_mode(bool scale);
  Result apply(const Configured& configured) REQUIRES(mutex_);
  void refresh_locked() REQUIRES(mutex_);
  bool can_drain(std::string_view gateway) REQUIRES(mutex_);
  void report_contradictions(std::vector<std::string> sentences) REQUIRES(mutex_);
  void record_contradictions(std::vector<std::string> sentences) REQUIRES(mutex_);
  Drained write_draining(std::string_view gateway, domain::Draining draining) REQUIRES(mutex_);

  mutable locks::Mutex contradictions_mutex_;  // held for copies only
  std::vector<std::string> contradictions_ GUARDED_BY(contradictions_mutex_);
  Registry& registry_;
  store::Journal& journal_;
  const std::string path_;
  std::atomic<bool> unwritten_;
  locks::Mutex mutex_;
  std::optional<std::string> alteration_ GUARDED_BY(mutex_);  // of the tables, by SQL while it runs
  Configured configured_ GUARDED_BY(mutex_);
  domain::Options options_in_force_ GUARDED_BY(mutex_);
};

}  // namespace app
