// The one list of settings: loading, `config`, "did you mean" and the tests all read it.
// Constant; any thread.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "config/configuration.h"
#include "config/readers.h"

namespace config {

struct Row {
  std::string_view key;       // "balancing.max_server_capacity"; "scale" stands outside a section
  std::string_view variable;  // "MAX_SERVER_CAPACITY"
  std::string_view expected;  // completes "… is not "
  // Reads the value into the configuration, and reports what it refuses. Expects no blank value.
  Outcome (*apply)(const Value&, const Spot&, Configuration&);
  std::string (*show)(const Configuration&);

  // "balancing" and "max_server_capacity". Without a section: "" and the key; [regions] and [pins]
  // are each one setting, as they are one variable.
  std::string_view section() const;
  std::string_view name() const;
  // Nothing if the file does not have it.
  const Value* find_in(const Value& config_file) const;
};

// In the order in which they are shown.
std::span<const Row> settings();

// Every variable may be written as ROOM_SIDECAR_…, too, which counts more.
bool is_prefixed(std::string_view variable);
std::string with_prefix(std::string_view variable);
std::string_view unprefixed(std::string_view variable);
// The setting that a variable sets, with the prefix or without; null if it is none of ours.
const Row* row_of(std::string_view variable);
bool is_variable(std::string_view name);

}  // namespace config
