// Makes request targets: what stands in a path segment or in a query value is percent-encoded.
// Pure; any thread. Does not fail.
#pragma once

#include <string>
#include <string_view>

namespace cli {

// All but the unreserved characters of RFC 3986 as %XX, which holds in a segment and in a value.
std::string percent_encoded(std::string_view text);

}  // namespace cli
