// Reads the text of config.toml into values; the only server to the TOML library. Any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "config/value.h"

namespace config {

struct TomlText {
  Value root;  // a table; empty if the text is no TOML
  bool valid = true;
  std::size_t fault_line = 0;
  std::string fault;  // what TOML has against it; the reader stops at the first
};

TomlText parse_toml(std::string_view text);

}  // namespace config
