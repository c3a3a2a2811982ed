// What `status --watch` shows: a pure function of answers and of the space there is.
// Values; does not fail. Whatever comes from outside is made printable.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "cli/status_answers.h"
#include "domain/time.h"

namespace cli {

struct Watched {
  std::string address;
  domain::WallTime now{};
  std::optional<StatusAnswers> answers;  // the last ones there were
  // Since when it can't be reached or, though it is there, refuses; and why.
  std::optional<domain::WallTime> out_of_reach_since = std::nullopt;
  bool is_refused = false;
  std::string problem = {};
};

struct Space {
  std::size_t columns;
  std::size_t rows;  // 0: as many as it takes
  bool colour;
};

// At most so many lines, each ended and none wider than that.
std::string watch_view(const Watched& watched, const Space& space);

}  // namespace cli
