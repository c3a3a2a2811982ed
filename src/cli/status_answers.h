// What `status` asks the sidecar for. Main's thread; what it refuses is thrown as StatusRefused.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "cli/sidecar.h"
#include "cli/terminal.h"
#include "http/json.h"

namespace cli {

// The sidecar is there and refuses to answer, as without its token.
class StatusRefused : public CommandFailed {
 public:
  using CommandFailed::CommandFailed;
};

struct StatusAnswers {
  bool scale = false;
  std::string health;  // ok, degraded, …
  std::vector<std::string> reasons;
  std::vector<http::Json> gateways;
  std::vector<http::Json> decisions;  // newest first
  std::int64_t room_occupancy = 0;  // users; a gateway that has no room for so many more is full
};

// With so many decisions, if that is not 0; a sidecar that knows none has none. `patience`: with each answer.
StatusAnswers ask_status(Sidecar& sidecar, int decisions, std::chrono::milliseconds patience);

// 0 of a sidecar that does not tell it. To be asked for once: the answer is long.
std::int64_t ask_room_occupancy(Sidecar& sidecar, std::chrono::milliseconds patience);

// One JSON object, without a line's end.
std::string for_programs(const StatusAnswers& status);
std::string flags_of(const http::Json& gateway);

}  // namespace cli
