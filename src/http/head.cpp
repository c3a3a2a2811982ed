#include "http/head.h"

#include <algorithm>
#include <cstring>
#include <iterator>

#include <strings.h>

#include "domain/number.h"
#include "http/route.h"

namespace http {

bool is_token_char(char c) {
  if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')) return true;
  return c != '\0' && std::strchr("!#$%&'*+-.^_`|~", c) != nullptr;
}

bool same_word(std::string_view a, std::string_view b) {
  return a.size() == b.size() && strncasecmp(a.data(), b.data(), a.size()) == 0;
}

namespace {

constexpr Refusal malformed(std::string_view message) { return {400, "invalid_request", message}; }

constexpr Refusal bad_line =
    malformed("The request line is malformed; send a method, a target and HTTP/1.1, with one blank between.");
constexpr Refusal bad_target =
    malformed("The target is malformed; send a path that begins with a slash, without a fragment.");
constexpr Refusal bad_field =
    malformed("A header field is malformed; send each as 'Name: value' on a line of its own.");
constexpr Refusal bad_host = malformed("Send exactly one Host field.");
constexpr Refusal bad_length =
    malformed("Send either one Content-Length in plain digits, or Transfer-Encoding: chunked.");
constexpr Refusal bad_path{400, "invalid_path",
                           "A percent sign in the path is not followed by two hexadecimal digits."};
constexpr Refusal encoded{415, "unsupported_encoding", "Send the body without Content-Encoding."};

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

bool is_control(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte == 0x7f;
}

// Is `word` in a comma-separated list, in any case?
bool lists(std::string_view list, std::string_view word) {
  while (!list.empty()) {
    const auto comma = std::min(list.find(','), list.size());
    if (same_word(trimmed(list.substr(0, comma)), word)) return true;
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return false;
}

// What the fields say about framing and connection, judged when all have been seen.
struct Framing {
  int hosts = 0;
  int lengths = 0;
  int encodings = 0;
  bool odd = false;
  bool content_encoded = false;
  bool close = false;
  bool keep = false;
};

void read_length(std::string_view value, Head& head, Framing& framing) {
  ++framing.lengths;
  const auto length = domain::number_from<std::uint64_t>(value);
  if (!length) framing.odd = true;
  head.length = length.value_or(0);
}

void read_field(std::string_view name, std::string_view value, Head& head, Framing& framing) {
  if (same_word(name, "Host")) {
    ++framing.hosts;
    head.host = value;
  } else if (same_word(name, "Origin")) {
    ++head.origins;
    head.origin = value;
  } else if (same_word(name, "X-Expect")) {
    head.expects_continue = same_word(value, "100-continue");
  } else if (same_word(name, "Connection")) {
    framing.close = framing.close || lists(value, "close");
    framing.keep = framing.keep || lists(value, "keep-alive");
  } else if (same_word(name, "X-Request-Id")) {
    if (head.request_id.empty()) head.request_id = value;
  } else if (same_word(name, "Authorization")) {
    ++head.authorizations;
    head.authorization = value;
  } else if (same_word(name, "Content-Length")) {
    read_length(value, head, framing);
  } else if (same_word(name, "Content-Encoding")) {
    framing.content_encoded = true;
  } else if (same_word(name, "Transfer-Encoding")) {
    ++framing.encodings;
    head.chunked = same_word(value, "chunked");
    if (!head.chunked) framing.odd = true;
  } else if (same_word(name, client_field)) {
    head.is_command = value == command_client;
  }
}

// A target in absolute form, as proxies send it.
bool strip_authority(std::string_view& target, std::string_view& authority) {
  constexpr std::string_view scheme = "http://";
  if (!same_word(target.substr(0, scheme.size()), scheme)) return false;
  target.remove_prefix(scheme.size());
  const auto end = std::min(target.find('/'), target.size());
  authority = target.substr(0, end);
  target.remove_prefix(end);
  return true;
}

// Is `name` a field that is looked at? Most are none of ours; their length says so already.
bool matters(std::string_view name) {
  static constexpr std::string_view ours[] = {
      "Host",          "Origin",         "Expect",           "Connection",        "X-Request-Id",
      "Authorization", "Content-Length", "Content-Encoding", "Transfer-Encoding", client_field};
  return std::any_of(std::begin(ours), std::end(ours), [name](std::string_view one) { return same_word(name, one); });
}

std::optional<Refusal> check_line(std::string_view line) {
  const auto first = line.find(' ');
  const auto last = line.rfind(' ');
  if (first == line.npos || first == last) return bad_line;
  const auto method = line.substr(0, first);
  const auto target = line.substr(first + 1, last - first - 1);
  const auto version = line.substr(last + 1);
  if (version != "HTTP/1.1" && version != "HTTP/1.0") return bad_line;
  if (method.empty() || !std::all_of(method.begin(), method.end(), is_token_char)) return bad_line;
  const auto is_foul = [](char c) { return is_control(c) || c == ' ' || c == '#'; };
  if (target.empty() || target.front() == '?') return bad_target;
  if (std::any_of(target.begin(), target.end(), is_foul)) return bad_target;
  return std::nullopt;
}

// cpp-httplib knows these methods and takes any other for a malformed head; none of the others has a
// route, and one without a route is refused like any other.
std::string_view known_method(std::string_view method) {
  for (const std::string_view known : {"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"}) {
    if (method == known) return method;
  }
  return "OPTIONS";
}

std::optional<Refusal> read_target(std::string_view target, Head& head) {
  std::string_view authority;
  if (strip_authority(target, authority)) {
    if (authority.empty()) return bad_target;
    head.host = authority;  // RFC 9112, 3.2.2: it counts instead of Host
    if (target.empty()) target = "/";
  }
  head.path = target;
  if (head.path == "*" && head.method == "OPTIONS") head.path = "/";  // the server as such
  if (head.path.front() != '/') return bad_target;
  if (head.path.find('%') != head.path.npos && !percent_decoded(head.path)) return bad_path;
  return std::nullopt;
}

// cpp-httplib takes no longer line than this, line end included; an honest value never needs more.
constexpr std::size_t longest_codec_line = 8192;

void append_field(std::string_view name, std::string_view value, std::string& for_codec) {
  const auto start = for_codec.size();
  // Expect would be answered by cpp-httplib at once, whatever comes of the request.
  for_codec += same_word(name, "Expect") ? "X-Expect" : name;
  for_codec += ": ";
  const auto value_start = for_codec.size();
  for (const char c : value) {
    for_codec += c;
    if (c == '%') for_codec += "25";  // cpp-httplib percent-decodes values
  }
  const bool is_long = for_codec.size() - start + 2 > longest_codec_line;
  if (is_long || value.empty()) {
    if (same_word(name, "X-Request-Id") || same_word(name, client_field)) {  // nothing depends on it
      for_codec.resize(start);
      return;
    }
    for_codec.resize(value_start);
    // cpp-httplib 0.11.4 leaves out a field without a value, but these mean something by being there.
    // A dash is right in none of them: no host, no origin, no token, no length.
    for_codec += same_word(name, "Connection") ? "close" : "-";
  }
  for_codec += "\r\n";
}

std::optional<Refusal> check_fields(std::string_view text, std::string& for_codec) {
  while (!text.empty()) {
    const auto end = text.find("\r\n");
    if (end == text.npos) return bad_field;
    const auto line = text.substr(0, end);
    text.remove_prefix(end + 2);
    const auto colon = line.find(':');
    if (colon == line.npos || colon == 0) return bad_field;
    const auto name = line.substr(0, colon);
    // No blank before the colon, no folded line: both have been read as another field elsewhere.
    if (!std::all_of(name.begin(), name.end(), is_token_char)) return bad_field;
    const auto value = trimmed(line.substr(colon + 1));
    const auto is_foul = [](char c) { return is_control(c) && c != '\t'; };
    if (std::any_of(value.begin(), value.end(), is_foul)) return bad_field;
    if (!matters(name)) continue;
    append_field(name, value, for_codec);
  }
  return std::nullopt;
}

}  // namespace

std::optional<Refusal> check_form(std::string_view text, std::string& for_codec, std::string_view& query) {
  const auto end = text.find("\r\n");
  if (end == text.npos) return bad_line;
  const auto line = text.substr(0, end);
  if (auto refused = check_line(line)) return refused;
  for_codec = known_method(line.substr(0, line.find(' ')));
  const auto rest = line.substr(line.find(' '));
  const auto mark = rest.find('?');
  for_codec += rest.substr(0, mark);
  if (mark != rest.npos) {
    const auto version = rest.rfind(' ');
    query = rest.substr(mark + 1, version - mark - 1);
    for_codec += rest.substr(version);
  } else {
    query = {};
  }
  for_codec += "\r\n";
  return check_fields(text.substr(end + 2), for_codec);
}

std::optional<Refusal> read_head(const HttplibCodec::Parsed& parsed, bool host_matters, Head& head) {
  head = Head{};
  head.method = parsed.method;
  head.is_1_0 = parsed.version == "HTTP/1.0";
  Framing framing;
  for (const auto& [name, value] : parsed.fields) read_field(name, value, head, framing);

  if (host_matters && (framing.hosts > 1 || (framing.hosts == 0 && !head.is_1_0))) return bad_host;
  if (framing.odd || framing.lengths + framing.encodings > 1) return bad_length;
  if (head.chunked && head.is_1_0) return bad_length;  // HTTP/1.0 does not know it
  if (auto refused = read_target(parsed.target, head)) return refused;
  if (framing.content_encoded) return encoded;

  head.keep_alive = !framing.close && (!head.is_1_0 || framing.keep);
  return std::nullopt;
}

}  // namespace http
