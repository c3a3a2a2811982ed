#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <filesystem>

#include "app/catalogue_keeper.h"
#include "app/clock.h"
#include "cli/commands.h"
#include "cli/configured.h"
#include "cli/database_file.h"
#include "cli/table.h"
#include "config/descriptor_limit.h"
#include "config/needed_files.h"
#include "etcd/followed_cluster.h"
#include "http/access.h"
#include "store/database.h"
#include "store/failure.h"
#include "store/place.h"

namespace cli {
namespace {

// Prints each problem as it is found, and counts.
class Findings {
 public:
  explicit Findings(std::ostream& out) : out_(out) {}

  void error(const std::string& text) {
    out_ << "error: " << printable(text) << '\n';
    ++errors_;
  }

  void warning(const std::string& text) {
    out_ << "warning: " << printable(text) << '\n';
    ++warnings_;
  }

  bool has_errors() const { return errors_ > 0; }

  std::string summary() const {
    if (errors_ == 0 && warnings_ == 0) return "All is well.";
    return counted(errors_, "error") + ", " + counted(warnings_, "warning") +
           (errors_ > 0 ? ": serve would refuse to start." : ": serve would start.");
  }

 private:
  static std::string counted(std::size_t count, const std::string& what) {
    return std::to_string(count) + ' ' + what + (count == 1 ? "" : "s");
  }

  std::ostream& out_;
  std::size_t errors_ = 0;
  std::size_t warnings_ = 0;
};

// Why `serve` could not make the file; empty if it could. Asked of the system, which lets root
// write where a unit's DynamicUser= does not own the folder yet.
std::string obstacle_to_make(const std::string& path) {
  // What a link points to is made, not the link.
  auto folder = std::filesystem::path(store::resolved(path)).parent_path();
  struct stat status = {};
  const bool exists = ::stat(folder.c_str(), &status) == 0;
  if (exists && S_ISDIR(status.st_mode) && ::access(folder.c_str(), W_OK | X_OK) == 0) return "";
  const auto why = exists && !S_ISDIR(status.st_mode) ? ENOTDIR : errno;
  return "the database cannot be made in the folder " + folder.string() + " (" + std::strerror(why) +
         "); make a folder there that the sidecar may write to, or correct " + "database.path";
}

// What `serve` would read and plan, by the same reading; of an empty file if there is none, which `serve` would make.
app::SyncPlan plan_of(const std::string& path, const std::string& place, const app::Configured& configured,
                      Findings& findings) {
  const domain::WallTime now = app::wall_now();
  try {
    std::error_code error;
    if (std::filesystem::exists(path, error) || error) {
      app::StartupState startup;
      read_database(path,
                    [&](store::Database& database) { startup = app::read_startup_state(database, configured, now); });
      for (const auto& skipped : startup.skipped) findings.warning(skipped);
      return std::move(startup.plan);
    }
    const auto obstacle = obstacle_to_make(path);
    if (!obstacle.empty()) findings.error(place + ": " + obstacle);
  } catch (const store::Failure& failure) {
    findings.error(failure.what());
  }
  return app::plan_sync(configured, {}, {}, now);
}

void check_database(const config::Loaded& loaded, Findings& findings) {
  const auto plan = plan_of(loaded.configuration.store.path, config::place_of(loaded, "database.path"),
                            configured_at_start(loaded), findings);
  for (const auto& error : plan.errors) findings.error(error);
  for (const auto& warning : plan.warnings) findings.warning(warning);
  for (const auto& room : app::rooms_without_gateway(*app::catalogue_of(plan.rows))) findings.warning(room);
}

// Members that do not answer are no finding: etcd may be away while the configuration is written.
void compare_clusters(const config::Loaded& loaded, Findings& findings) {
  const auto& options = loaded.configuration.cluster;
  if (options.endpoints.size() < 2) return;
  std::signal(SIGPIPE, SIG_IGN);  // a member that hangs up must not end the command
  const auto different = etcd::different_clusters(etcd::Client(options).members());
  if (!different) return;
  findings.warning(config::place_of(loaded, "cluster.endpoints") + ": the endpoints lead to different etcd clusters: " +
                   etcd::to_text(*different) + "; name the members of one only");
}

}  // namespace

int check(const CommandLine& line, Terminal& terminal) {
  Findings findings(terminal.out);
  const auto loaded = load_configuration(line);
  for (const auto& problem : loaded.problems) {
    problem.is_error ? findings.error(problem.text) : findings.warning(problem.text);
  }
  const auto& configuration = loaded.configuration;
  if (configuration.http.token_file) {
    const auto token = http::read_token_file(*configuration.http.token_file);
    if (!token.problem.empty()) {
      findings.error(config::place_of(loaded, "http.token_file") + ": " + token.problem);
    }
  }
  for (const auto& problem : config::unreadable_files(loaded)) findings.error(problem);
  for (const auto& warning : config::exposed_secrets(loaded)) findings.warning(warning);
  if (const auto warning = config::too_few_descriptors(loaded)) findings.warning(*warning);
  compare_clusters(loaded, findings);
  // What a file says of the database, gateways and rooms is not known if it cannot be read.
  if (loaded.is_database_known) check_database(loaded, findings);
  terminal.out << findings.summary() << '\n';
  return findings.has_errors() ? kWrongInput : kFine;
}

}  // namespace cli
