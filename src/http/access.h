// Who may ask (CONTRACT "Who may ask"): the checks of Host, Origin and bearer token, and the token's
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

// Does the request bear the token? The time taken tells nothing of how much of it was right.
bool bears_token(const Head& head, std::string_view token);

struct TokenFile {
  std::optional<std::string> token;
  std::string problem;  // why there is none, for operators
};

// One line of A-Z a-z 0-9 - . _ ~ + / =, with or without a line end. Where systemd made a copy of the
// file that this process may read (LoadCredential=, with the file's name as the credential's), and its
// first line is not empty, that one is read.
TokenFile read_token_file(const std::string& path);

}  // namespace http
