#include "config/etcd_member.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <cstdint>

#include "config/lists.h"
#include "domain/number.h"

namespace config {
namespace {

constexpr std::string_view plain_scheme = "http://";
constexpr std::string_view tls_scheme = "https://";
constexpr std::uint16_t usual_port = 2379;  // of etcd's clients
constexpr std::size_t longest_label = 63;   // of a host name (RFC 1035)
constexpr std::size_t longest_host = 253;

constexpr std::string_view a_member =
    "a member of etcd like \"http://127.0.0.1:2379\" or \"https://etcd1.example.org:2379\" (no path, nothing else)";

std::optional<std::uint16_t> port_from(std::string_view text) {
  const auto port = domain::number_from<std::uint16_t>(text);
  return port == 0 ? std::nullopt : port;
}

bool is_numeric(int family, std::string_view host) {
  unsigned char address[sizeof(in6_addr)] = {};
  return host.find('\0') == host.npos && inet_pton(family, std::string(host).c_str(), address) == 1;
}

bool is_host_name(std::string_view host) {
  if (host.size() > longest_host) return false;
  while (true) {
    const std::string_view label = host.substr(0, host.find('.'));
    if (label.empty() || label.size() > longest_label) return false;
    // An underscore is no letter of host names, but Docker's have it.
    if (label.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-_") != label.npos) return false;
    if (label.size() == host.size()) return true;
    host.remove_prefix(label.size() + 1);
  }
}

bool is_member_host(std::string_view host) {
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    return is_numeric(AF_INET6, host.substr(1, host.size() - 2));
  }
  // What ends in a number is meant as an address: "10.0.0" and "10.0.0.256" are slips, no names.
  const std::string_view last = host.substr(host.rfind('.') + 1);
  if (last.find_first_not_of("0123456789") == last.npos) return is_numeric(AF_INET, host);
  return is_host_name(host);
}

std::vector<Value> items_of(const Value& value) {
  if (value.kind == Value::Kind::list) return value.children;
  std::vector<Value> items;
  for (const std::string& item : split(value.text, ',')) items.push_back(untyped(item, value.line));
  return items;
}

}  // namespace

std::optional<std::string> member_from(std::string_view text) {
  const std::string whole = lower_case(trimmed(text));
  const std::string_view scheme = is_https(whole) ? tls_scheme : plain_scheme;
  if (whole.compare(0, scheme.size(), scheme) != 0) return std::nullopt;
  std::string_view host = std::string_view(whole).substr(scheme.size());
  std::optional<std::uint16_t> port = usual_port;
  const std::size_t colon = host.rfind(':');
  // The colons of an IPv6 address stand in brackets.
  if (colon != host.npos && host.find(']', colon) == host.npos) {
    port = port_from(host.substr(colon + 1));
    host = host.substr(0, colon);
  }
  if (!port || !is_member_host(host)) return std::nullopt;
  return std::string(scheme) + std::string(host) + ":" + std::to_string(*port);
}

bool is_https(std::string_view member) { return member.substr(0, tls_scheme.size()) == tls_scheme; }

std::optional<std::vector<std::string>> read_members(const Value& value, const Spot& spot) {
  if (value.kind != Value::Kind::list && !value.is_text()) {
    spot.refuse(value);
    return std::nullopt;
  }
  std::vector<std::string> members;
  bool good = true;
  for (const Value& item : items_of(value)) {
    if (is_blank(item)) continue;
    std::optional<std::string> member;
    if (item.is_text()) member = member_from(item.text);
    if (member) {
      members.push_back(std::move(*member));
      continue;
    }
    good = false;
    if (item.is_text() && item.text.find('@') != std::string::npos) {
      // A password may stand before the @: the log need not have it.
      spot.complain(item.line,
                    "a member holds an @: user and password have settings of their own, "
                    "cluster.user and cluster.password_file");
    } else {
      spot.refuse(item, a_member);
    }
  }
  if (!good) return std::nullopt;
  const auto tls = std::count_if(members.begin(), members.end(), [](const std::string& m) { return is_https(m); });
  if (tls != 0 && tls != static_cast<std::ptrdiff_t>(members.size())) {
    spot.complain(value.line, "http:// and https:// are mixed: write all members with the same one");
    return std::nullopt;
  }
  collapse_duplicates(members);
  return members;
}

}  // namespace config
