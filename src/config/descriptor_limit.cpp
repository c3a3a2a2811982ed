#include "config/descriptor_limit.h"

#include <sys/resource.h>

namespace config {
namespace {

constexpr std::int64_t for_itself = 64;  // the database, the log, signals, the broker, files that are read
constexpr std::int64_t for_etcd = 32;
constexpr std::int64_t a_gateway = 2;  // its health and its rooms

std::int64_t beside_connections(const Configuration& configuration) {
  return http::closing_connections + for_itself + (configuration.cluster.endpoints.empty() ? 0 : for_etcd) +
         a_gateway * static_cast<std::int64_t>(configuration.gateways.size());
}

}  // namespace

std::int64_t needed_descriptors(const Configuration& configuration) {
  return configuration.http.max_connections + beside_connections(configuration);
}

std::optional<std::string> too_few_descriptors(const Loaded& loaded) {
  rlimit limit{};
  // The hard limit, to which the sidecar raises its own.
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_max == RLIM_INFINITY) return std::nullopt;
  const std::int64_t needed = needed_descriptors(loaded.configuration);
  const auto allowed = static_cast<std::int64_t>(limit.rlim_max);
  if (needed <= allowed) return std::nullopt;
  const std::int64_t fitting = allowed - beside_connections(loaded.configuration);
  return place_of(loaded, "http.max_connections") + ": so many connections need up to " + std::to_string(needed) +
         " open files with all else, and the limit is " + std::to_string(allowed) + "; raise it to " +
         std::to_string(needed) + " (LimitNOFILE= of the unit, ulimit -Hn)" +
         (fitting > 0 ? ", or set at most " + std::to_string(fitting) : "");
}

}  // namespace config
