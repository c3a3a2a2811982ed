#include "config/mqtt_address.h"
#include "domain/number.h"

#include <cstdint>

namespace config {
namespace {

bool is_port(std::string_view text) { return domain::number_from<std::uint16_t>(text).value_or(0) > 0; }

}  // namespace

bool is_broker_url(std::string_view text) {
  const std::string_view scheme = text.substr(0, text.find("://"));
  if (scheme != "mqtt" && scheme != "mqtts") return false;
  std::string_view host = text.substr(scheme.size() + 3 > text.size() ? text.size() : scheme.size() + 3);
  const std::size_t colon = host.rfind(':');
  // The colons of an IPv6 address stand in brackets.
  if (colon != host.npos && host.find(']', colon) == host.npos) {
    if (!is_port(host.substr(colon + 1))) return false;
    host = host.substr(0, colon);
  }
  return !host.empty() && host.find_first_of(" /@?#") == host.npos;
}

bool is_status_topic(std::string_view text) {
  int pluses = 0;
  for (std::string_view rest = text;;) {
    const std::string_view level = rest.substr(0, rest.find('/'));
    if (level == "+") {
      ++pluses;
    } else if (level.find_first_of("+#") != level.npos) {
      return false;
    }
    if (level.size() == rest.size()) break;
    rest.remove_prefix(level.size() + 1);
  }
  return pluses == 1;
}

}  // namespace config
