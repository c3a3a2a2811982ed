#include "config/needed_files.h"

#include <optional>
#include <utility>

#include "files/read_file.h"

namespace config {

std::vector<std::string> unreadable_files(const Loaded& loaded) {
  const cluster::Options& options = loaded.configuration.cluster;
  std::vector<std::string> problems;
  if (!options.is_shared()) return problems;
  const std::pair<const char*, const std::optional<std::string>&> files[] = {
      {"cluster.password_file", options.password_file},
      {"cluster.ca_file", options.ca_file},
      {"cluster.cert_file", options.cert_file},
      {"cluster.key_file", options.key_file}};
  for (const auto& [key, path] : files) {
    if (!path) continue;
    const files::FileText file = files::read_file(*path);
    if (file.text) continue;
    problems.push_back(place_of(loaded, key) + ": the file " + in_quotes(*path) + " can't be read (" + file.trouble +
                       "); make it readable for the sidecar's user.");
  }
  return problems;
}

}  // namespace config
