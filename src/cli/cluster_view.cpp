#include "cli/cluster_view.h"

#include <algorithm>

#include "cli/answer_fields.h"
#include "cli/table.h"

namespace cli {
namespace {

std::string seconds(std::int64_t ms) {
  if (ms >= 10000) return std::to_string(ms / 1000) + " s";
  return std::to_string(ms / 1000) + '.' + std::to_string(ms % 1000 / 100) + " s";
}

std::string meaning_of(const std::string& state) {
  if (state == "idle") return "nothing is shared in legacy mode";
  if (state == "listing") return "the assignments of others are being read";
  if (state == "live") return "changes come in at once";
  if (state == "stale") return "changes by others may come late";
  if (state == "outdated") return "only rooms in use here are answered";
  return "";
}

std::size_t well_among(const std::vector<json::Value>& members) {
  return static_cast<std::size_t>(std::count_if(
      members.begin(), members.end(), [](const json::Value& member) { return text_at(member, "problem").empty(); }));
}

}  // namespace

bool cluster_is_shared(const json::Value& cluster) {
  const auto engine = text_at(cluster, "engine");
  return !engine.empty() && engine != "none";
}

bool cluster_is_well(const json::Value& cluster) {
  const auto state = text_at(cluster, "state");
  const auto members = items_at(cluster, "members");
  return (state == "live" || state == "idle") && well_among(members) == members.size();
}

std::string cluster_line(const json::Value& cluster) {
  const auto sidecars = items_at(cluster, "sidecars").size();
  const auto members = items_at(cluster, "members");
  return printable(text_at(cluster, "engine")) + " " + printable(text_at(cluster, "state")) + ", " +
         std::to_string(sidecars) + (sidecars == 1 ? " sidecar, " : " sidecars, ") +
         std::to_string(well_among(members)) + " of " + std::to_string(members.size()) + " members well";
}

std::string cluster_tables(const json::Value& cluster) {
  const auto state = text_at(cluster, "state");
  const auto meaning = meaning_of(state);
  std::string text = "Cluster  " + printable(text_at(cluster, "engine")) + ", " + printable(state) +
                     (meaning.empty() ? "" : ": " + meaning) + '\n';
  const auto age = number_at(cluster, "age_ms");
  const auto longest = number_at(cluster, "max_stale_ms");
  if (age) {
    text += "         what is known is at most " + seconds(*age) + " old" +
            (longest ? " (" + seconds(*longest) + " may be answered)" : "") + '\n';
  } else if (state != "idle") {
    text += "         how old what is known is, is not known\n";
  }
  const auto sidecars = items_at(cluster, "sidecars");
  if (!sidecars.empty()) {
    Table table({{"SIDECAR"}, {"ADDRESS"}, {"VERSION"}, {"SINCE"}, {"ID"}, {""}});
    for (const auto& sidecar : sidecars) {
      table.add_row({or_dash(text_at(sidecar, "name")), or_dash(text_at(sidecar, "address")),
                     or_dash(text_at(sidecar, "version")), or_dash(text_at(sidecar, "since")), text_at(sidecar, "id"),
                     flag_at(sidecar, "self") ? "this one" : ""});
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
