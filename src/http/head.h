// The head of a request, taken strictly: what two programs could read in two ways is refused, because
// such shapes smuggle requests past a proxy in front. Its form is checked on the bytes as they
// came, before cpp-httplib parses them; its meaning afterwards. Pure functions, any thread.
// Shapes: RFC 9112 (HTTP/1.1), without its leniencies.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "http/httplib_codec.h"
#include "http/refusal.h"

namespace http {

// May it stand in a method or in a field's name?
bool is_token_char(char c);
// Without regard to case.
bool same_word(std::string_view a, std::string_view b);

// `text` is the request line and the fields, each line with its CRLF, without the empty line at the
// end. `for_codec` becomes what cpp-httplib is to parse: the request line and the fields that matter
// here. What it would act upon and we do not want (Range, Accept-Encoding, Expect …) it never sees, nor
// the `query` (in `text`, behind the first `?`, as sent): it refuses one that holds a second `?`.
std::optional<Refusal> check_form(std::string_view text, std::string& for_codec, std::string_view& query);

// Views point into what was parsed.
struct Head {
  std::string_view method;
  std::string_view path;                 // from the first slash, as sent; every `%` in it is good
  std::optional<std::string_view> host;  // the target's, if it names one, else the only Host
  std::string_view origin;
  std::string_view authorization;
  std::string_view request_id;
  bool is_command = false;  // our own command line sends it
  int origins = 0;
  int authorizations = 0;
  std::uint64_t length = 0;
  bool chunked = false;
  bool expects_continue = false;
  bool is_1_0 = false;
  bool keep_alive = true;

  bool has_body() const { return chunked || length > 0; }
};

// `host_matters` is false on Unix sockets, where Host is not looked at.
std::optional<Refusal> read_head(const HttplibCodec::Parsed& parsed, bool host_matters, Head& head);

}  // namespace http
