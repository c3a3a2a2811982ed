#include "config/needed_files.h"

#include <sys/stat.h>

#include <optional>
#include <utility>

#include "config/lists.h"
#include "files/read_file.h"

namespace config {

namespace {

struct NeededFile {
  const char* key;
  const std::optional<std::string>& path;
  bool is_used;
  bool is_secret;  // its first line counts; else a library opens the file
};

std::string problem_of(const NeededFile& needed) {
  std::string trouble = needed.is_secret ? "" : files::trouble_with_plain_file(*needed.path);
  const files::FileText file = trouble.empty() ? files::read_file(*needed.path) : files::FileText{};
  if (trouble.empty()) trouble = file.trouble;
  if (!file.text) return "can't be read (" + trouble + "); make it readable for the sidecar's user.";
  return needed.is_secret && trimmed(files::first_line(*file.text)).empty()
             ? "has nothing in its first line; write the secret there."
             : "";
}

}  // namespace

std::vector<std::string> unreadable_files(const Loaded& loaded) {
  const Configuration& configuration = loaded.configuration;
  const cluster::Options& cluster = configuration.cluster;
  const health::Options& health = configuration.health;
  const bool shares = cluster.is_shared();
  const bool hears_broker = configuration.domain.health.mqtt;
  const bool lists_rooms = health.occupancy.janus;
  const NeededFile files[] = {{"health.mqtt_password_file", health.mqtt_password_file, hears_broker, true},
                              {"health.mqtt_ca_file", health.mqtt_ca_file, hears_broker, false},
                              {"occupancy.secret_file", health.occupancy.secret_file, lists_rooms, true},
                              {"occupancy.token_file", health.occupancy.token_file, lists_rooms, true},
                              {"cluster.password_file", cluster.password_file, shares, true},
                              {"cluster.ca_file", cluster.ca_file, shares, false},
                              {"cluster.cert_file", cluster.cert_file, shares, false},
                              {"cluster.key_file", cluster.key_file, shares, false}};
  std::vector<std::string> problems;
  for (const NeededFile& needed : files) {
    if (!needed.path || !needed.is_used) continue;
    const std::string problem = problem_of(needed);
    if (problem.empty()) continue;
    problems.push_back(place_of(loaded, needed.key) + ": the file " + in_quotes(*needed.path) + " " + problem);
  }
  return problems;
}

std::vector<std::string> exposed_secrets(const Loaded& loaded) {
  const Configuration& configuration = loaded.configuration;
  const std::pair<const char*, const std::optional<std::string>&> secrets[] = {
      {"http.token_file", configuration.http.token_file},
      {"cluster.password_file", configuration.cluster.password_file},
      {"cluster.key_file", configuration.cluster.key_file},
      {"health.mqtt_password_file", configuration.health.mqtt_password_file},
      {"occupancy.secret_file", configuration.health.occupancy.secret_file},
      {"occupancy.token_file", configuration.health.occupancy.token_file}};
  std::vector<std::string> warnings;
  for (const auto& [key, path] : secrets) {
    struct stat status {};
    if (!path || ::stat(path->c_str(), &status) != 0 || (status.st_mode & S_IROTH) == 0) continue;
    warnings.push_back(place_of(loaded, key) + ": every user of this machine can read the secret in " +
                       in_quotes(*path) + "; take that right away (chmod o-rwx).");
  }
  return warnings;
}

}  // namespace config
