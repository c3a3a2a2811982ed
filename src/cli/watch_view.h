// What `status --watch` shows: a pure function of answers, of what was seen before, and of the space there is.
// Values; does not fail. Whatever comes from outside is made printable.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "cli/status_answers.h"
#include "domain/time.h"

namespace cli {

// The load of each gateway, as seen since the watching began; so much of it as could be shown.
class LoadHistory {
 public:
  static constexpr std::size_t most = 120;

  // Forgets gateways that are no more.
  void add(const std::vector<http::Json>& gateways);
  // The newest, oldest first, as so many of ▁▂▃▄▅▆▇█: how far above the least of them, a tenth of the capacity being
  // the least that fills it. Shorter while there is less.
  std::string sparkline(const std::string& gateway, std::size_t length) const;

 private:
  struct Seen {
    std::int64_t capacity = 0;
    std::deque<std::int64_t> loads;
  };
  std::map<std::string, Seen> gateways_;
};

struct Watched {
  std::string address;
  domain::WallTime now{};
  std::optional<StatusAnswers> answers;  // the last ones there were
  // Since when it can't be reached, and why.
  std::optional<domain::WallTime> out_of_reach_since = std::nullopt;
  std::string problem = {};
};

struct Space {
  std::size_t columns;
  std::size_t rows;  // 0: as many as it takes
  bool colour;
};

// At most so many lines, each ended and none wider than that.
std::string watch_view(const Watched& watched, const LoadHistory& history, const Space& space);

}  // namespace cli
