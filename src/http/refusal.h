// The form of every error answer: {"error":"<code>","message":"<sentence>"}.
#pragma once

#include <string_view>

#include "http/message.h"

namespace http {

// A refusal with a fixed text, as the server's own checks return it.
struct Refusal {
  int status;
  std::string_view code;
  std::string_view message;  // one sentence on what to do
};

// Load shedding: all slots are taken.
inline constexpr Refusal too_many_connections{503, "too_many_connections",
                                              "Close some connections or raise http.max_connections."};

Response refusal(int status, std::string_view code, std::string_view message);

}  // namespace http
