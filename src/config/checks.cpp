#include "config/checks.h"

#include "config/listen_address.h"

namespace config {
namespace {

void blame(const Given& culprit, Report& report, const std::string& text) {
  report.error(*culprit.origin, culprit.line, culprit.name + ": " + text);
}

}  // namespace

void check_together(const Configuration& configuration, const GivenSettings& given,
                    Report& report) {
  const domain::Options& options = configuration.domain;
  const Given& occupancy = given.at("balancing.avg_room_occupancy");
  const Given& capacity = given.at("balancing.max_server_capacity");
  if (!occupancy.refused && !capacity.refused &&
      options.avg_room_occupancy > options.max_server_capacity) {
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
          "word would grow old (health.stale_after) before the next comes (health.interval): let it last for "
          "several intervals");
  }

  const Given& listen = given.at("http.listen");
  if (listen.origin && !listen.refused && !given.at("http.token_file").refused &&
      !configuration.http.token_file && !is_local_only(configuration.http.listen)) {
    blame(
        listen, report,
        in_quotes(configuration.http.listen) +
            " can be reached from other machines: set http.token_file (API_TOKEN_FILE), or listen "
            "on 127.0.0.1, [::1] or a Unix socket");
  }
}

}  // namespace config
