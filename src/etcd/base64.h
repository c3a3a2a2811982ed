// Base64 as etcd's gateway wants it: the standard alphabet, padded. Any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace etcd {

std::string to_base64(std::string_view bytes);

// Nothing if the text is not such.
std::optional<std::string> from_base64(std::string_view text);

}  // namespace etcd
