// What `status` says in words of gateways, rooms and decisions: the same as the page does (src/page). Pure;
// does not fail. Whatever comes from outside is made printable.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cli/status_answers.h"
#include "json/value.h"

namespace cli {

// "02:13:05" of an RFC 3339 time.
std::string clock_time(const std::string& time);

std::int64_t load_of(const json::Value& gateway);
std::int64_t capacity_of(const json::Value& gateway);

// How urgently a gateway is to be seen: 5 down, 4 suspect, 3 full, 2 draining, 1 disabled, 0 not at all.
int severity_of(const json::Value& gateway, const StatusAnswers& status);

// Sentences on the gateways as a whole, beside what /readyz says.
std::vector<std::string> problems_of(const StatusAnswers& status);

// Rooms and users of all gateways, and in scale mode how many users they have room for, also by region.
std::string sums_of(const StatusAnswers& status);

std::string decision_text(const json::Value& decision);
// A line for each room whose participants are not all where it is answered. More than `most` are a number in the last
// line. `time_text` writes since when.
std::vector<std::string> split_texts(const StatusAnswers& status, std::size_t most,
                                     std::string (*time_text)(const std::string& time));

}  // namespace cli
