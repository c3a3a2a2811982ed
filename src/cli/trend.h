// The last hour of a gateway's load or users as one line of blocks. A value; does not fail.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

#include "json/value.h"

namespace cli {

class Trend {
 public:
  Trend() = default;
  // The answer of /v2/load-history.
  explicit Trend(const json::Value& last_hour);

  // `of`: "load" or "users". The whole hour and then `now` in at most so many of ▁▂▃▄▅▆▇█: the most of each piece of
  // time, as high above the least of them; a tenth of the capacity is the least that fills it.
  std::string line(const std::string& gateway, const std::string& of, std::int64_t now, std::int64_t capacity,
                   std::size_t length) const;

 private:
  std::map<std::string, json::Value> gateways_;
};

}  // namespace cli
