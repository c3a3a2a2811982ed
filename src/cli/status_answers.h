// What `status` asks the sidecar for. Main's thread; what it refuses is thrown as CommandFailed.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "cli/sidecar.h"
#include "http/json.h"

namespace cli {

struct StatusAnswers {
  bool scale = false;
  std::string health;  // ok, degraded, …
  std::vector<std::string> reasons;
  std::vector<http::Json> gateways;
  std::vector<http::Json> decisions;  // newest first
};

// With so many decisions, if that is not 0; a sidecar that knows none has none. `patience`: with each answer.
StatusAnswers ask_status(Sidecar& sidecar, int decisions, std::chrono::milliseconds patience);

// One JSON object, without a line's end.
std::string for_programs(const StatusAnswers& status);
std::string flags_of(const http::Json& gateway);

}  // namespace cli
