#include "http/access.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include <arpa/inet.h>

#include "files/read_file.h"

namespace http {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_token_file_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) ||
         (c != '\0' && std::strchr("-._~+/=", c) != nullptr);
}

// Cuts `:port` off; false if what stands there is no port.
bool cut_port(std::string_view& host) {
  const auto colon = host.rfind(':');
  const auto bracket = host.rfind(']');
  if (colon == host.npos || (bracket != host.npos && bracket > colon)) return true;
  const auto port = host.substr(colon + 1);
  host = host.substr(0, colon);
  return port.size() <= 5 && std::all_of(port.begin(), port.end(), is_digit);
}

// Where systemd may have put a copy of the file; "" without one.
std::string credential_of(const std::string& path) {
  const char* folder = std::getenv("CREDENTIALS_DIRECTORY");
  return folder ? folder / std::filesystem::path(path).filename() : std::filesystem::path();
}

}  // namespace

bool is_local_host(std::string_view host) {
  if (!cut_port(host)) return false;
  if (same_word(host, "localhost")) return true;
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    in6_addr address{};
    const std::string inner(host.substr(1, host.size() - 2));
    return inet_pton(AF_INET6, inner.c_str(), &address) == 1 && IN6_IS_ADDR_LOOPBACK(&address);
  }
  in_addr address{};
  const std::string dotted(host);
  if (dotted.find('\0') != dotted.npos) return false;
  return inet_pton(AF_INET, dotted.c_str(), &address) == 1 && (ntohl(address.s_addr) >> 24) == 127;
}

std::optional<Refusal> check_origin(const Head& head, bool has_token) {
  // Without Host only HTTP/1.0 comes through, which no browser sends.
  if (!has_token && head.host && !is_local_host(*head.host)) {
    return Refusal{403, "foreign_host", "Ask as localhost, 127.0.0.1 or [::1]; other names need http.token_file."};
  }
  if (head.origins == 0) return std::nullopt;
  constexpr std::string_view scheme = "http://";
  const bool same = head.origins == 1 && head.host && head.origin.substr(0, scheme.size()) == scheme &&
                    same_word(head.origin.substr(scheme.size()), *head.host);
  if (same) return std::nullopt;
  return Refusal{403, "foreign_origin",
                 "Web pages of other origins may not ask; leave Origin out or ask from the same one."};
}

bool bears_token(const Head& head, std::string_view token) {
  constexpr std::string_view scheme = "Bearer ";
  if (head.authorizations != 1 || !same_word(head.authorization.substr(0, scheme.size()), scheme)) {
    return false;
  }
  auto given = head.authorization.substr(scheme.size());
  given.remove_prefix(std::min(given.find_first_not_of(' '), given.size()));
  std::size_t difference = given.size() ^ token.size();
  for (std::size_t i = 0; i < given.size(); ++i) {
    const char wanted = token.empty() ? '\0' : token[i % token.size()];
    difference |= static_cast<unsigned char>(given[i] ^ wanted);
  }
  return difference == 0 && !token.empty();
}

TokenFile read_token_file(const std::string& path) {
  TokenFile result;
  files::FileText file = files::read_file(path);
  if (!file.text) {
    result.problem =
        "The token file " + path + " can't be read (" + file.problem + "); make it readable for the sidecar's user.";
    const std::string credential = credential_of(path);
    if (credential.empty()) return result;
    file = files::read_file(credential);
    if (!file.text || files::first_line(*file.text).empty()) return result;
    result = {std::nullopt, "", credential};
  }
  std::string& text = *file.text;
  if (!text.empty() && text.back() == '\n') text.pop_back();
  if (!text.empty() && text.back() == '\r') text.pop_back();
  if (text.empty() || text.size() > 4096 || !std::all_of(text.begin(), text.end(), is_token_file_char)) {
    const std::string& read = result.credential.empty() ? path : result.credential;
    result.problem = "The token file " + read + " must hold one line of A-Z a-z 0-9 - . _ ~ + / = only.";
    return result;
  }
  result.token = std::move(text);
  return result;
}

}  // namespace http
