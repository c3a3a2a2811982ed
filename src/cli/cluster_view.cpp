#include "cli/cluster_view.h"

#include <algorithm>

#include "cli/answer_fields.h"
#include "cli/table.h"
#include "terms/terms.h"

namespace cli {
namespace {

std::string seconds(std::int64_t ms) {
  if (ms >= 10000) return std::to_string(ms / 1000) + " s";
  return std::to_string(ms / 1000) + '.' + std::to_string(ms % 1000 / 100) + " s";
}

std::int64_t count_of(const std::vector<json::Value>& items) { return static_cast<std::int64_t>(items.size()); }

std::int64_t well_among(const std::vector<json::Value>& members) {
  return std::count_if(members.begin(), members.end(),
                       [](const json::Value& member) { return text_at(member, "problem").empty(); });
}

}  // namespace

bool cluster_is_shared(const json::Value& cluster) {
  const auto engine = text_at(cluster, "engine");
  return !engine.empty() && engine != "none";
}

bool cluster_is_well(const json::Value& cluster) {
  const auto state = text_at(cluster, "state");
  const auto members = items_at(cluster, "members");
  return (state == "live" || state == "idle") && well_among(members) == count_of(members);
}

std::string cluster_line(const json::Value& cluster) {
  const auto members = items_at(cluster, "members");
  return printable(text_at(cluster, "engine")) + " " + printable(text_at(cluster, "state")) + ", " +
         terms::sidecars(count_of(items_at(cluster, "sidecars"))) + ", " +
         terms::members_well(count_of(members), std::to_string(well_among(members)));
}

std::string cluster_tables(const json::Value& cluster) {
  const auto state = text_at(cluster, "state");
  const auto meaning = terms::shared_state(state);
  std::string text = "Cluster  " + printable(text_at(cluster, "engine")) + ", " + printable(state) +
                     (meaning.empty() ? "" : ": " + meaning) + '\n';
  const auto age = number_at(cluster, "age_ms");
  const auto longest = number_at(cluster, "max_stale_ms");
  if (age) {
    const auto known = terms::at_most_so_old(seconds(*age));
    text += "         " + (longest ? terms::longest_age(known, seconds(*longest)) : known) + '\n';
  } else if (state != "idle") {
    text += "         " + terms::age_unknown() + '\n';
  }
  const auto sidecars = items_at(cluster, "sidecars");
  if (!sidecars.empty()) {
    Table table({{"SIDECAR"}, {"ADDRESS"}, {"VERSION"}, {"SINCE"}, {"ID"}, {""}});
    for (const auto& sidecar : sidecars) {
      table.add_row({or_dash(text_at(sidecar, "name")), or_dash(text_at(sidecar, "address")),
                     or_dash(text_at(sidecar, "version")), or_dash(text_at(sidecar, "since")), text_at(sidecar, "id"),
                     flag_at(sidecar, "self") ? terms::this_one() : ""});
    }
    text += '\n' + table.text();
  }
  const auto members = items_at(cluster, "members");
  if (members.empty()) return text;
  Table table({{"MEMBER"}, {"NAME"}, {"VERSION"}, {"LEADER"}, {"PROBLEM"}});
  for (const auto& member : members) {
    table.add_row({text_at(member, "endpoint"), or_dash(text_at(member, "name")), or_dash(text_at(member, "version")),
                   flag_at(member, "leader") ? "yes" : "-", or_dash(text_at(member, "problem"))});
  }
  return text + '\n' + table.text();
}

}  // namespace cli
