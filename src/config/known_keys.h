// Which keys config.toml may have: what is not known is a slip, and never ignored. Any thread.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "config/report.h"
#include "config/value.h"

namespace config {

// Reports the keys of the file that no setting has, and sections that are no tables. What is inside
// [[gateways]] and [[rooms]] is not looked at (entries.h does).
void check_keys(const Value& config_file, const Origin& origin, Report& report);

// Reports the table's keys that are not among the known ones. `path` is what stands before them.
void check_keys_of(const Value& table, std::string_view path, std::span<const std::string> known, const Origin& origin,
                   Report& report);

}  // namespace config
