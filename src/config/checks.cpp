#include "config/checks.h"

#include <algorithm>
#include <string>
#include <string_view>

#include "config/duration.h"
#include "config/etcd_member.h"
#include "config/listen_address.h"

namespace config {
namespace {

void blame(const Given& culprit, Report& report, const std::string& text) {
  report.error(*culprit.origin, culprit.line, culprit.name + ": " + text);
}

// Two settings that mean nothing without each other.
struct Pair {
  const char* key[2];
  const char* variable[2];
};

constexpr Pair pairs[] = {
    {{"cluster.user", "cluster.password_file"}, {"CLUSTER_USER", "CLUSTER_PASSWORD_FILE"}},
    {{"cluster.cert_file", "cluster.key_file"}, {"CLUSTER_CERT_FILE", "CLUSTER_KEY_FILE"}},
};

void check_pair(const Pair& pair, const GivenSettings& given, Report& report) {
  for (const int i : {0, 1}) {
    const Given& one = given.at(pair.key[i]);
    const Given& other = given.at(pair.key[1 - i]);
    if (!one.origin || other.origin || one.refused || other.refused) continue;
    blame(one, report,
          std::string("goes with ") + pair.key[1 - i] + " (" + pair.variable[1 - i] + "): set both or none");
  }
}

void check_cluster(const cluster::Options& options, const GivenSettings& given, Report& report) {
  const Given& engine = given.at("cluster.engine");
  const Given& endpoints = given.at("cluster.endpoints");
  if (options.is_shared() && !engine.refused && !endpoints.origin && !endpoints.refused) {
    blame(engine, report, "\"etcd\" needs the addresses of its members: set cluster.endpoints (CLUSTER_ENDPOINTS)");
  }
  for (const Pair& pair : pairs) check_pair(pair, given, report);
  for (const char* key : {"cluster.ca_file", "cluster.cert_file", "cluster.key_file"}) {
    const Given& file = given.at(key);
    if (!file.origin || file.refused || !endpoints.origin || endpoints.refused) continue;
    if (is_https(options.endpoints.front())) continue;
    blame(file, report, "is for https://, and cluster.endpoints has http://: change them, or leave it out");
  }
  const Given& whole = given.at("cluster.timeout");
  const Given& attempt = given.at("cluster.attempt_timeout");
  if (!whole.refused && !attempt.refused && options.attempt_timeout > options.timeout) {
    blame(attempt.origin ? attempt : whole, report,
          "one attempt (attempt_timeout = " + to_text(options.attempt_timeout) +
              ") is above what all have together (timeout = " + to_text(options.timeout) + ")");
  }
}

// Can everybody on the way to another machine read what is sent there?
bool is_plain_elsewhere(std::string_view url) {
  if (url.substr(0, 7) != "http://" && url.substr(0, 7) != "mqtt://") return false;
  std::string authority(url.substr(7));
  authority.resize(std::min(authority.find('/'), authority.size()));
  return !is_local_only(authority) && !is_local_only(authority + ":80");  // the port may be left out
}

// `use`: what to do instead.
void warn_if_plain(const Given& secret, std::string_view url, const std::string& use, Report& report) {
  if (!secret.origin || secret.refused || !is_plain_elsewhere(url)) return;
  report.warning(*secret.origin, secret.line,
                 secret.name + ": the secret is sent to " + in_quotes(url) +
                     " without encryption, readable for everybody on the way; use " + use);
}

void check_secrets(const Configuration& configuration, const GivenSettings& given, Report& report) {
  for (const std::string& member : configuration.cluster.endpoints) {
    if (!is_plain_elsewhere(member)) continue;
    warn_if_plain(given.at("cluster.password_file"), member, "https:// in cluster.endpoints", report);
    break;
  }
  if (configuration.domain.health.mqtt) {
    warn_if_plain(given.at("health.mqtt_password_file"), configuration.health.mqtt_url, "mqtts:// in health.mqtt_url",
                  report);
  }
  if (!configuration.health.occupancy.janus) return;
  for (const auto& gateway : configuration.gateways) {
    const std::string url = gateway.admin_url ? *gateway.admin_url : gateway.url.value_or("");
    if (!is_plain_elsewhere(url)) continue;
    for (const char* key : {"occupancy.secret_file", "occupancy.token_file"}) {
      warn_if_plain(given.at(key), url, "https:// there", report);
    }
    break;
  }
}

}  // namespace

void check_together(const Configuration& configuration, const GivenSettings& given, Report& report) {
  const domain::Options& options = configuration.domain;
  const Given& occupancy = given.at("balancing.avg_room_occupancy");
  const Given& capacity = given.at("balancing.max_server_capacity");
  if (!occupancy.refused && !capacity.refused && options.avg_room_occupancy > options.max_server_capacity) {
    // The defaults fit together, so somebody wrote one of the two.
    blame(occupancy.origin ? occupancy : capacity, report,
          "the average room (avg_room_occupancy = " + std::to_string(options.avg_room_occupancy) +
              ") is above the capacity of a gateway (max_server_capacity = " +
              std::to_string(options.max_server_capacity) + "): no gateway could take a room");
  }

  const Given& interval = given.at("health.interval");
  const Given& stale_after = given.at("health.stale_after");
  if (!interval.refused && !stale_after.refused && options.health.stale_after < 2 * options.health.interval) {
    blame(stale_after.origin ? stale_after : interval, report,
          "a result would be too old (health.stale_after) before the next one comes (health.interval): let it last for "
          "several intervals");
  }

  const Given& standby = given.at("failover.standby_servers");
  if (standby.origin && !standby.refused && !given.at("health.source").refused && !options.health.watches()) {
    report.warning(*standby.origin, standby.line,
                   standby.name +
                       ": has no effect without a source of the gateways' health: set health.source "
                       "(HEALTH_SOURCE)");
  }

  const Given& listen = given.at("http.listen");
  if (listen.origin && !listen.refused && !given.at("http.token_file").refused && !configuration.http.token_file &&
      !is_local_only(configuration.http.listen)) {
    blame(listen, report,
          in_quotes(configuration.http.listen) +
              " can be reached from other machines: set http.token_file (API_TOKEN_FILE), or listen "
              "on 127.0.0.1, [::1] or a Unix socket");
  }
  check_cluster(configuration.cluster, given, report);
  check_secrets(configuration, given, report);
}

}  // namespace config
