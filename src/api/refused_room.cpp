#include "api/refused_room.h"

#include <algorithm>
#include <string>
#include <vector>

#include "api/fields.h"
#include "http/refusal.h"

namespace api {
namespace {

using Verdicts = std::vector<domain::Verdict>;

constexpr std::size_t most_names = 3;  // of each kind

struct Obstacle {
  std::string_view verdict;
  std::string_view what;
  std::string_view remedy;
};

constexpr Obstacle obstacles[] = {
    {"down", "down by their health", "repair one that is down"},
    {"full", "full", "add capacity or allow when_full = \"overflow\""},
    {"draining", "draining", "end a drain"},
    {"disabled", "disabled", "enable one"},
    {"not_available", "not in available_servers", "add one to available_servers"},
    {"standby", "standby", ""},
};

// "down by their health: gxy1, gxy2 and 3 more", or "" where there is none.
std::string group(const Obstacle& obstacle, const Verdicts& verdicts) {
  std::string text;
  std::size_t count = 0;
  for (const domain::Verdict& verdict : verdicts) {
    if (verdict.verdict != obstacle.verdict || ++count > most_names) continue;
    text += (count == 1 ? std::string(obstacle.what) + ": " : std::string(", ")) + verdict.name;
  }
  return count <= most_names ? text : text + " and " + std::to_string(count - most_names) + " more";
}

std::string joined(const std::vector<std::string>& parts, std::string_view between) {
  std::string text;
  for (const std::string& part : parts) text += (text.empty() ? "" : std::string(between)) + part;
  return text;
}

std::string in_the_way(std::string_view fact, const app::Candidates& candidates) {
  const Verdicts verdicts = candidates.verdicts();
  if (verdicts.empty()) return std::string(fact) + ": configure a gateway, there is none.";
  std::vector<std::string> groups;
  std::vector<std::string> remedies;
  for (const Obstacle& obstacle : obstacles) {
    std::string text = group(obstacle, verdicts);
    if (text.empty()) continue;
    groups.push_back(std::move(text));
    if (!obstacle.remedy.empty()) remedies.emplace_back(obstacle.remedy);
  }
  if (candidates.left_out() > 0) groups.push_back("and " + std::to_string(candidates.left_out()) + " gateways more");
  if (remedies.empty()) remedies.emplace_back("add one to available_servers");
  return std::string(fact) + " (" + joined(groups, "; ") + "): " + joined(remedies, ", or ") + ".";
}

std::string no_gateway(const app::Refused& refused) {
  const Verdicts verdicts = refused.in_the_way.verdicts();
  if (!refused.is_pinned || verdicts.empty()) return in_the_way("No gateway takes a new room", refused.in_the_way);
  return "The room is pinned to " + verdicts.front().name +
         ", which is disabled, removed or of another type: enable that gateway, or change the pin.";
}

}  // namespace

http::Response refusal(const app::Refused& refused, const domain::RoomId& room) {
  const std::string_view code = code_of(refused.refusal);
  switch (refused.refusal) {
    case domain::Refusal::no_gateway_available:
      return refusal(503, code, no_gateway(refused));
    case domain::Refusal::capacity_exhausted:
      return refusal(503, code, in_the_way("No gateway that is up has capacity for one more room", refused.in_the_way));
    case domain::Refusal::default_gateway_unusable:
      return refusal(500, code,
                     "gateway not found for room " + room.text() +
                         (refused.is_pinned ? ": pin it to an enabled gateway, or take the pin away."
                                            : ": give it a default_gateway_id of an enabled gateway."));
    case domain::Refusal::room_not_found:
    case domain::Refusal::storage_unavailable:
    case domain::Refusal::too_many_sessions:
      break;
  }
  return refusal(refused.refusal);
}

}  // namespace api
