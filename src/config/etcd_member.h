// The members of an etcd, as [cluster] names them. Any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/readers.h"

namespace config {

// "http://host:port" or "https://host:port", in lower case and with its port (2379 if none is written),
// so that equal ones are equal texts. Nothing if the text is anything else.
std::optional<std::string> member_from(std::string_view text);

bool is_https(std::string_view member);

// Members as member_from has them, each once, all http or all https; may be empty. Reports what it
// refuses, each item by itself.
std::optional<std::vector<std::string>> read_members(const Value& value, const Spot& spot);

}  // namespace config
