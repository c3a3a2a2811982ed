// Access (CONTRACT "Who may ask"): the checks of Host, Origin and bearer token, and the token's
// file. Pure functions but for read_token_file; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "http/head.h"
#include "http/refusal.h"

namespace http {

// Is it localhost, 127.0.0.0/8 or [::1], with any port or none? A browser that was lured by DNS
// rebinding sends another Host.
bool is_local_host(std::string_view host);

// 403, for a request that came over TCP.
std::optional<Refusal> check_origin(const Head& head, bool has_token);

// Does the request bear the token? The time taken reveals nothing of how much of it was right.
bool bears_token(const Head& head, std::string_view token);

struct TokenFile {
  std::optional<std::string> token;
  std::string problem;     // why there is none, for operators
  std::string credential;  // the copy that was read in place of the file; "": the file itself
};

// One line of A-Z a-z 0-9 - . _ ~ + / =, with or without a line end. If the file cannot be read, systemd's copy of it is
// (LoadCredential=, with the file's name as the credential's), unless the copy's first line is empty. A file that can be
// read counts: the copy is from the start, and may be the copy of another file with the same name.
TokenFile read_token_file(const std::string& path);

}  // namespace http
