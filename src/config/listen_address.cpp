#include "config/listen_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <cstdint>
#include <cstring>
#include <optional>
#include <string>

#include "domain/id.h"
#include "domain/number.h"

namespace config {
namespace {

constexpr std::string_view unix_prefix = "unix:";
constexpr std::size_t longest_path = 107;  // sockaddr_un::sun_path without its NUL

bool is_unix(std::string_view text) { return text.substr(0, unix_prefix.size()) == unix_prefix; }

bool is_port(std::string_view text) { return text.size() <= 5 && domain::number_from<std::uint16_t>(text); }

struct Parts {
  std::string host;
  std::string_view port;
  int family = AF_INET;
};

std::optional<Parts> parts_of(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  std::string_view host = text.substr(0, colon);
  const std::string_view port = text.substr(colon + 1);
  if (host.size() < 2 || host.front() != '[') return Parts{std::string(host), port, AF_INET};
  if (host.back() != ']') return std::nullopt;
  host = host.substr(1, host.size() - 2);
  return Parts{std::string(host), port, AF_INET6};
}

}  // namespace

bool is_listen_address(std::string_view text) {
  if (is_unix(text)) {
    const std::string_view path = text.substr(unix_prefix.size());
    // is_valid_id: no control characters, and no NUL, at which the kernel would cut the path.
    return path.size() > 1 && path.front() == '/' && path.size() <= longest_path && domain::is_valid_id(path);
  }
  const std::optional<Parts> parts = parts_of(text);
  unsigned char address[sizeof(in6_addr)] = {};
  return parts && is_port(parts->port) && parts->host.find('\0') == std::string::npos &&
         inet_pton(parts->family, parts->host.c_str(), address) == 1;
}

bool is_local_only(std::string_view text) {
  if (is_unix(text)) return true;
  const std::optional<Parts> parts = parts_of(text);
  if (parts && parts->host == "localhost") return true;
  unsigned char address[sizeof(in6_addr)] = {};
  if (!parts || inet_pton(parts->family, parts->host.c_str(), address) != 1) return false;
  if (parts->family == AF_INET) return address[0] == 127;
  in6_addr v6{};
  std::memcpy(&v6, address, sizeof v6);
  return IN6_IS_ADDR_LOOPBACK(&v6) || (IN6_IS_ADDR_V4MAPPED(&v6) && address[12] == 127);
}

}  // namespace config
