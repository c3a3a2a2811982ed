#include "config/needed_files.h"

#include <sys/stat.h>

#include <optional>
#include <string>
#include <vector>

#include "config/lists.h"
#include "files/read_file.h"

namespace config {

namespace {

struct NeededFile {
  enum class Kind {
    secret,         // its first line counts
    secret_opened,  // the same to others' eyes, but a library opens it
    opened,
  };
  const char* key;
  const std::optional<std::string>& path;
  Kind kind;
  bool is_used = true;  // else it is not looked at here
};

std::vector<NeededFile> files_of(const Configuration& configuration) {
  using Kind = NeededFile::Kind;
  const cluster::Options& cluster = configuration.cluster;
  const health::Options& health = configuration.health;
  const bool shares = cluster.is_shared();
  const bool listens_to_broker = configuration.domain.health.mqtt;
  const bool lists_rooms = health.occupancy.janus;
  return {{"http.token_file", configuration.http.token_file, Kind::secret, false},
          {"health.mqtt_password_file", health.mqtt_password_file, Kind::secret, listens_to_broker},
          {"health.mqtt_ca_file", health.mqtt_ca_file, Kind::opened, listens_to_broker},
          {"occupancy.secret_file", health.occupancy.secret_file, Kind::secret, lists_rooms},
          {"occupancy.token_file", health.occupancy.token_file, Kind::secret, lists_rooms},
          {"cluster.password_file", cluster.password_file, Kind::secret, shares},
          {"cluster.ca_file", cluster.ca_file, Kind::opened, shares},
          {"cluster.cert_file", cluster.cert_file, Kind::opened, shares},
          {"cluster.key_file", cluster.key_file, Kind::secret_opened, shares}};
}

std::string problem_of(const NeededFile& needed) {
  const bool has_line = needed.kind == NeededFile::Kind::secret;
  std::string problem = has_line ? "" : files::problem_with_plain_file(*needed.path);
  const files::FileText file = problem.empty() ? files::read_file(*needed.path) : files::FileText{};
  if (problem.empty()) problem = file.problem;
  if (!file.text) return "can't be read (" + problem + "); make it readable for the sidecar's user.";
  const bool lacks_secret = has_line && trimmed(files::first_line(*file.text)).empty();
  return lacks_secret ? "has nothing in its first line; write the secret there." : "";
}

bool may_all_read(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 && (status.st_mode & S_IROTH) != 0;
}

}  // namespace

std::vector<std::string> unreadable_files(const Loaded& loaded) {
  std::vector<std::string> problems;
  for (const NeededFile& needed : files_of(loaded.configuration)) {
    if (!needed.path || !needed.is_used) continue;
    const std::string problem = problem_of(needed);
    if (problem.empty()) continue;
    problems.push_back(place_of(loaded, needed.key) + ": the file " + in_quotes(*needed.path) + " " + problem);
  }
  return problems;
}

std::vector<std::string> exposed_secrets(const Loaded& loaded) {
  std::vector<std::string> warnings;
  for (const NeededFile& needed : files_of(loaded.configuration)) {
    if (!needed.path || needed.kind == NeededFile::Kind::opened || !may_all_read(*needed.path)) continue;
    warnings.push_back(place_of(loaded, needed.key) + ": every user of this machine can read the secret in " +
                       in_quotes(*needed.path) + "; make it unreadable for others (chmod o-rwx).");
  }
  return warnings;
}

}  // namespace config
