// What `status` asks the sidecar for. Main's thread; what fails is thrown as CommandFailed.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cli/sidecar.h"
#include "cli/terminal.h"
#include "cli/trend.h"
#include "json/value.h"

namespace cli {

// The sidecar is there and refuses to answer: without its token, say. That does not heal by itself.
class StatusRefused : public CommandFailed {
 public:
  using CommandFailed::CommandFailed;
};

struct StatusAnswers {
  bool scale = false;
  std::string health;  // ok, degraded, …
  std::vector<std::string> reasons;
  std::vector<json::Value> gateways;
  std::vector<json::Value> decisions;  // newest first
  // Rooms whose participants are not where they are answered; nothing: a sidecar that does not say.
  std::optional<std::vector<json::Value>> splits = {};
  std::int64_t room_occupancy = 0;  // users; a gateway that has no room for so many more is full
  Trend trend = {};
  std::optional<json::Value> cluster = {};  // the answer of GET /v2/cluster; nothing: an older sidecar
};

// Mode, health, gateways, split rooms and the fleet. `patience`: with each answer.
StatusAnswers ask_status(Sidecar& sidecar, std::chrono::milliseconds patience);
// Also so many of the newest decisions. A sidecar that does not say has none.
void ask_for_decisions(Sidecar& sidecar, StatusAnswers& status, int most, std::chrono::milliseconds patience);
// And the last hour, with room_occupancy. Not each time: the answer is long.
void ask_for_last_hour(Sidecar& sidecar, StatusAnswers& status, std::chrono::milliseconds patience);

// One JSON object, without a line's end.
std::string for_programs(const StatusAnswers& status);
std::string flags_of(const json::Value& gateway);

}  // namespace cli
