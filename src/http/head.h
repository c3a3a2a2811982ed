// The head of a request, read strictly: what two programs could read in two ways is refused, because
// such shapes smuggle requests past whoever stands in front. Pure functions, any thread.
// Shapes: RFC 9112 (HTTP/1.1), without its leniencies.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "http/refusal.h"

namespace http {

// Views point into the text that was parsed.
struct Head {
  std::string_view method;
  std::string_view path;   // from the first slash, as sent; every `%` in it is good
  std::string_view query;  // behind the first `?`, as sent
  std::optional<std::string_view> host;  // the only one
  std::string_view origin;
  std::string_view authorization;
  std::string_view request_id;
  int origins = 0;
  int authorizations = 0;
  std::uint64_t length = 0;
  bool chunked = false;
  bool expects_continue = false;
  bool is_1_0 = false;
  bool keep_alive = true;

  bool has_body() const { return chunked || length > 0; }
};

bool is_token_char(char c);

// `text` is the request line and the fields, each line with its CRLF, without the empty line at the
// end. `host_matters` is false on Unix sockets, where Host is not looked at.
std::optional<Refusal> parse_head(std::string_view text, bool host_matters, Head& head);

}  // namespace http
