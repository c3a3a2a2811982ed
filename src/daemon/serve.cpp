#include "daemon/serve.h"

#include <malloc.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <memory>
#include <thread>

#include "api/routes.h"
#include "app/catalogue_keeper.h"
#include "app/clock.h"
#include "app/load_history.h"
#include "cli/configured.h"
#include "cluster/fleet.h"
#include "config/listen_address.h"
#include "config/load.h"
#include "daemon/gateway_watch.h"
#include "daemon/housekeeping.h"
#include "daemon/notify.h"
#include "daemon/reload.h"
#include "daemon/signals.h"
#include "daemon/watchdog.h"
#include "http/access.h"
#include "http/listeners.h"
#include "http/server.h"
#include "logging/log.h"
#include "metrics/collector.h"
#include "store/database.h"
#include "store/failure.h"
#include "store/journal.h"
#include "store/owner.h"

namespace sidecar {
namespace {

constexpr int failed = 1;
constexpr int refused = 2;
// From SIGTERM on, for requests and the last commit together; it has to be over in 5 s.
constexpr std::chrono::milliseconds time_to_stop{4200};
constexpr std::chrono::milliseconds time_for_last_commit{1000};
// After a stop was asked for: how long the log's reader may take nothing before the rest of the log is given up.
constexpr std::chrono::milliseconds patience_with_log{1000};

// Each connection is a descriptor, and the soft limit is often 1024.
void raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

// Left to itself, malloc takes the first large buffer that is freed for a sign to keep all of them: a few
// hostile snapshots were 700 MB for good.
void give_large_buffers_back() {
  constexpr int large = 128 * 1024;
  mallopt(M_MMAP_THRESHOLD, large);
  mallopt(M_TRIM_THRESHOLD, 8 * large);
}

store::Database open_database(const std::string& path, bool set_aside_damaged) {
  try {
    return store::Database(path, store::OpenMode::read_write);
  } catch (const store::Failure& failure) {
    if (failure.kind() != store::Failure::Kind::damaged || !set_aside_damaged) throw;
    logging::error(failure.what());
  }
  const std::string aside = store::set_aside_damaged(path, app::wall_now());
  logging::warn("Damaged database set aside; beginning with an empty one", {{"file", aside}});
  return store::Database(path, store::OpenMode::read_write);
}

void log_startup_state(const app::StartupState& startup) {
  for (const std::string& sentence : startup.skipped) logging::warn("Row left out", {{"reason", sentence}});
  for (const std::string& warning : startup.plan.warnings) logging::warn(warning);
  const auto rooms = app::rooms_without_gateway(*app::catalogue_of(startup.plan.rows));
  if (!rooms.empty()) {
    logging::warn("Rooms without a valid default gateway; `room-sidecar check` lists them",
                  {{"rooms", static_cast<std::int64_t>(rooms.size())}, {"first", rooms.front()}});
  }
}

void log_start(app::Registry& registry) {
  const auto policy = registry.policy();
  std::int64_t gateways = 0;
  std::int64_t rooms = 0;
  for (const domain::Gateway& gateway : policy->catalogue().gateways()) gateways += !gateway.removed;
  for (const domain::Room& room : policy->catalogue().rooms()) rooms += !room.removed;
  logging::info("Started", {{"version", ROOM_SIDECAR_VERSION},
                            {"mode", policy->options().scale ? "scale" : "legacy"},
                            {"gateways", gateways},
                            {"rooms", rooms}});
}

std::string host_name() {
  char name[256] = "";
  return gethostname(name, sizeof name - 1) == 0 ? name : "";
}

// systemd's socket counts more than http.listen, which surprises an operator who edited that.
void log_other_address(const http::Options& options, const std::vector<http::Listener>& listeners) {
  const bool is_edited = options.listen != http::Options{}.listen;
  const bool is_in_force = std::any_of(listeners.begin(), listeners.end(), [&](const http::Listener& listener) {
    return listener.address == options.listen;
  });
  if (!is_edited || is_in_force || !listeners.front().is_systemds) return;
  logging::warn("http.listen has no effect: systemd hands over another socket, see room-sidecar.socket",
                {{"http.listen", options.listen}, {"address", listeners.front().address}});
}

// All that runs, in the order in which it is started; destroyed in reverse.
class Running {
 public:
  Running(const config::Sources& sources, const config::Loaded& loaded, std::optional<std::string> token,
          bool set_aside_damaged)
      : owner_(loaded.configuration.store.path) {
    const config::Configuration& configuration = loaded.configuration;
    store::Database database = open_database(configuration.store.path, set_aside_damaged);
    const app::Configured configured = cli::configured_at_start(loaded);
    app::StartupState startup = app::read_startup_state(database, configured, app::wall_now());
    if (!startup.plan.errors.empty()) {
      errors_ = std::move(startup.plan.errors);
      return;
    }
    log_startup_state(startup);
    const bool written = write(database, startup);
    std::vector<http::Listener> listeners = http::adopt_systemd_listeners();
    if (listeners.empty()) listeners = http::open_listeners(configuration.http.listen);
    log_other_address(configuration.http, listeners);
    bool needs_token = false;
    for (const http::Listener& listener : listeners) {
      addresses_.push_back(listener.address);
      needs_token = needs_token || !config::is_local_only(listener.address);
    }
    if (needs_token && !token) {
      for (const http::Listener& listener : listeners) http::close_listener(listener);
      errors_.push_back("http.token_file: other machines can reach " + addresses_.front() +
                        ", which needs a token; set it, or listen on loopback");
      return;
    }

    const std::string path = database.path();
    journal_ = std::make_unique<store::Journal>(std::move(database), callbacks());
    fleet_ = std::make_unique<cluster::Fleet>(*journal_);
    registry_ = std::make_unique<app::Registry>(clock_, *fleet_, *journal_);
    app::start_registry(*registry_, startup);
    keeper_ = std::make_unique<app::CatalogueKeeper>(*registry_, *journal_, path, configured, !written,
                                                     startup.plan.contradictions);
    fleet_->attach(*registry_, *keeper_, {host_name(), addresses_.front(), ROOM_SIDECAR_VERSION, "", app::wall_now()});
    fleet_->configure(configuration.cluster, configuration.domain.scale);
    fleet_->follow();
    watch_ = std::make_unique<GatewayWatch>(*registry_, configuration.health);
    housekeeping_ = std::make_unique<Housekeeping>(*registry_, *journal_, *keeper_, *watch_, load_history_);
    changes_go_to_ = housekeeping_.get();

    http::ServerOptions options;
    options.max_connections = static_cast<std::size_t>(configuration.http.max_connections);
    options.token = std::move(token);
    options.on_exception = [](const http::Route& route, std::string_view what) {
      logging::error("Request failed", {{"route", route.pattern}, {"reason", what}});
    };
    const api::Backend backend{*registry_,
                               *keeper_,
                               load_history_,
                               [this](bool allow_removals) { return reload_->run(allow_removals); },
                               [this] { return readiness(); },
                               [this] { return collector_->text(); },
                               [this] { return fleet_->view(); },
                               [this](bool preview) { return reload_->settings(preview); }};
    server_ = std::make_unique<http::Server>(std::move(options), api::routes(backend), std::move(listeners));
    reload_ = std::make_unique<Reload>(sources, loaded, needs_token, *keeper_, *fleet_, *watch_, *server_,
                                       [this](std::uint64_t generation) { note(generation); });
    collector_ = std::make_unique<metrics::Collector>(
        metrics::Sources{*registry_, *journal_, *keeper_, *server_, fleet_->counts(), [this] { return fleet_->view(); },
                         [this] { return daemon_state(); }, ROOM_SIDECAR_VERSION});
  }

  ~Running() { changes_go_to_ = nullptr; }

  const std::vector<std::string>& errors() const { return errors_; }

  // Until it is to stop. Returns the exit code.
  int run(Signals& signals) {
    // Before the signals, one of which may stop it.
    watchdog_ = std::make_unique<Watchdog>(
        std::vector<Watchdog::Watched>{{"accepting", [this] { return server_->heartbeats(); }},
                                       {"writer", [this] { return journal_->heartbeats(); }},
                                       {"housekeeping", [this] { return housekeeping_->heartbeats(); }}});
    signals.set_exit_code(failed);
    signals.attach({[this] { stop(); }, [this] { reload_->run(false); }});
    note(1);
    log_start(*registry_);
    for (const std::string& address : addresses_) logging::info("Listening", {{"address", address}});
    notify_ready(mode_of(registry_->policy()->options()));
    server_->serve();
    signals.detach();
    housekeeping_->stop();
    fleet_->stop();
    const bool flushed = journal_->flush();
    if (!journal_->stop_in_time()) leave_as_in_a_crash();
    if (!flushed) logging::error("Stopped, but not all could be written to the database");
    logging::info("Stopped");
    signals.set_exit_code(flushed ? 0 : failed);
    return flushed ? 0 : failed;
  }

 private:
  // What cannot be written now is put in force all the same, and written later.
  bool write(store::Database& database, const app::StartupState& startup) {
    try {
      if (owner_.keep()) {
        app::write_startup_state(database, startup);
        return true;
      }
      logging::error("Configuration not yet in the database", {{"reason", "its .lock cannot be taken"}});
    } catch (const store::Failure& failure) {
      logging::error("Configuration not yet in the database", {{"reason", failure.what()}});
    }
    return false;
  }

  // The disk does not answer, and nothing can be closed. What was answered is safe as after kill -9.
  [[noreturn]] static void leave_as_in_a_crash() {
    logging::error("Stopped, but not all could be written to the database");
    logging::drain(std::chrono::milliseconds{100});
    std::_Exit(failed);
  }

  store::Journal::Callbacks callbacks() {
    store::Journal::Callbacks callbacks;
    callbacks.foreign_commit = [this] {
      if (Housekeeping* housekeeping = changes_go_to_) housekeeping->file_changed();
    };
    callbacks.failing = [](const std::string& reason) {
      logging::error("Database cannot be written; new rooms are refused", {{"reason", reason}});
    };
    callbacks.recovered = [] { logging::info("Database can be written again"); };
    callbacks.may_write = [this] { return owner_.keep(); };
    callbacks.event = [](const std::string& sentence) { logging::warn(sentence); };
    return callbacks;
  }

  void stop() {
    stopping_ = true;
    reload_->stop();
    const auto deadline = std::chrono::steady_clock::now() + time_to_stop;
    journal_->set_deadline(deadline);
    server_->stop();
    fleet_->set_deadline(deadline - time_for_last_commit);
    notify_stopping();
    watchdog_->stop();  // systemd now has another limit
  }

  void note(std::uint64_t generation) { owner_.note({getpid(), addresses_.front(), generation}); }

  metrics::DaemonState daemon_state() const {
    metrics::DaemonState daemon_state;
    reload_->report(daemon_state);
    daemon_state.has_source_problem = !watch_->problems().empty();
    daemon_state.has_store_problem = fleet_->problem().has_value();
    return daemon_state;
  }

  api::Readiness readiness() const {
    api::Readiness readiness;
    if (stopping_) return {false, {"stopping"}};
    if (const auto failure = journal_->failure()) readiness.reasons.push_back("storage: " + *failure);
    if (const auto refusal = journal_->refusal()) readiness.reasons.push_back("storage: " + *refusal);
    if (keeper_->has_unwritten()) readiness.reasons.push_back("configuration: not yet in the database");
    for (const std::string& sentence : keeper_->contradictions())
      readiness.reasons.push_back("configuration: " + sentence);
    if (const auto problem = fleet_->problem()) readiness.reasons.push_back("cluster: " + *problem);
    if (server_->shedding().refuses_session_reports()) {
      readiness.reasons.push_back("sessions: reports are refused, too many connections or large bodies at a time");
    }
    for (const std::string& problem : watch_->problems()) readiness.reasons.push_back("health: " + problem);
    if (app::Registry::View(*registry_).health().brakes()) {
      readiness.reasons.push_back("health: most gateways failed at once; no room is moved");
    }
    return readiness;
  }

  store::Owner owner_;
  app::Clock clock_;
  app::LoadHistory load_history_;
  std::vector<std::string> errors_;
  std::vector<std::string> addresses_;
  std::atomic<Housekeeping*> changes_go_to_{nullptr};
  std::atomic<bool> stopping_{false};
  std::unique_ptr<app::Registry> registry_;
  std::unique_ptr<store::Journal> journal_;
  std::unique_ptr<app::CatalogueKeeper> keeper_;
  std::unique_ptr<cluster::Fleet> fleet_;
  std::unique_ptr<GatewayWatch> watch_;
  std::unique_ptr<Housekeeping> housekeeping_;
  std::unique_ptr<http::Server> server_;
  std::unique_ptr<Reload> reload_;
  std::unique_ptr<metrics::Collector> collector_;
  std::unique_ptr<Watchdog> watchdog_;
};

int refuse(const std::vector<std::string>& problems) {
  for (const std::string& problem : problems) logging::error(problem);
  logging::error("Configuration refused; not started", {{"problems", static_cast<std::int64_t>(problems.size())}});
  return refused;
}

int load_and_run(const cli::ServeArguments& arguments, Signals& signals) {
  const config::Sources sources = config::default_sources(arguments.config_file, arguments.env_file, environ);
  FilesRead files = read_files(sources);
  const config::Loaded& loaded = files.loaded;
  logging::start(loaded.configuration.log, logging::target());
  std::vector<std::string> problems;
  for (const config::Problem& problem : loaded.problems) {
    if (problem.is_error)
      problems.push_back(problem.text);
    else
      logging::warn(problem.text);
  }
  problems.insert(problems.end(), files.unreadable.begin(), files.unreadable.end());
  if (!problems.empty()) {
    if (!loaded.is_database_known) return refuse(problems);
    for (std::string& problem : further_problems(loaded, loaded.configuration.store.path, app::Removals::all)) {
      problems.push_back(std::move(problem));
    }
    return refuse(problems);
  }
  log_credential(files);

  Running running(sources, loaded, std::move(files.token), arguments.set_aside_damaged);
  if (!running.errors().empty()) return refuse(running.errors());
  return running.run(signals);
}

}  // namespace

int serve(const cli::ServeArguments& arguments) {
  Signals::block();
  logging::start({}, logging::target());
  raise_descriptor_limit();
  give_large_buffers_back();
  int code = failed;
  {
    Signals signals;
    try {
      code = load_and_run(arguments, signals);
    } catch (const std::exception& exception) {
      logging::error(exception.what());
    }
    signals.set_exit_code(code);
    const auto patience = signals.stop_was_asked() ? std::optional(patience_with_log) : std::nullopt;
    if (!logging::drain(patience)) std::_Exit(code);
  }
  logging::stop();
  return code;
}

}  // namespace sidecar
