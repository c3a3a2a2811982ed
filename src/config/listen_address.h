// What http.listen may look like. Any thread.
#pragma once

#include <string_view>

namespace config {

// "127.0.0.1:8082", "[::1]:8082" (a numeric address and a port from 0 to 65535) or "unix:/path" (an
// absolute path of at most 107 bytes: what fits into a socket's address).
bool is_listen_address(std::string_view text);

// Can only this machine reach it: 127.0.0.0/8, [::1], localhost or a Unix socket, with a port? Takes what is configured
// and what is bound.
bool is_local_only(std::string_view text);

}  // namespace config
