#include "http/client.h"

#include <algorithm>
#include <cstdint>

#include "domain/number.h"
#include "http/message.h"

namespace http {
namespace {

// Nothing that a URL would read as a user, a path or a query.
bool is_host(std::string_view text) {
  constexpr std::string_view others = "-._:[]%";
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || others.find(c) != others.npos;
  });
}

}  // namespace

std::optional<Client::Place> Client::place_of(std::string_view address) {
  constexpr std::string_view unix_prefix = "unix:";
  if (address.substr(0, unix_prefix.size()) == unix_prefix) {
    const std::string path(address.substr(unix_prefix.size()));
    if (path.empty()) return std::nullopt;
    return Place{"http://localhost/", path, "localhost"};
  }
  constexpr std::string_view scheme = "http://";
  if (address.substr(0, scheme.size()) == scheme) address.remove_prefix(scheme.size());
  while (!address.empty() && address.back() == '/') address.remove_suffix(1);

  std::uint16_t port = 80;
  const auto colon = address.rfind(':');
  const bool has_port = colon != address.npos && address.find(']', colon) == address.npos;
  if (has_port) {
    const auto number = domain::number_from<std::uint16_t>(address.substr(colon + 1));
    if (!number) return std::nullopt;
    port = *number;
    address = address.substr(0, colon);
  }
  if (!is_host(address)) return std::nullopt;
  std::string shown(address);
  if (shown == "0.0.0.0") shown = "127.0.0.1";
  if (shown == "[::]") shown = "[::1]";
  Place place;
  place.url = "http://" + shown + ":" + std::to_string(port) + "/";
  // As a Host such an address is foreign, though it is this machine's.
  const bool is_mapped_loopback = shown.starts_with("[::ffff:127.");
  place.host_field = (is_mapped_loopback ? "localhost" : shown) + ":" + std::to_string(port);
  return place;
}

Client::Client(std::string address, std::optional<std::string> token)
    : address_(std::move(address)), token_(std::move(token)), place_(place_of(address_)) {}

ClientAnswer Client::request(std::string_view method, std::string_view target, std::string_view body,
                             std::chrono::milliseconds timeout) {
  ClientAnswer answer;
  if (!place_) {
    answer.problem = "\"" + address_ + "\" is no address; give 127.0.0.1:8082 or unix:/path";
    return answer;
  }
  TransferRequest request{
      .url = place_->url,
      .method = std::string(method),
      .target = std::string(target),
      .unix_socket = place_->unix_socket,
      .fields = {"Host: " + place_->host_field, std::string(client_field) + ": " + std::string(command_client)},
      .body = std::string(body),
      .largest_answer = largest_answer,
      .timeout = std::max(timeout, std::chrono::milliseconds{1})};
  if (token_) request.fields.push_back("Authorization: Bearer " + *token_);
  auto reply = transfers_.exchange(std::move(request));
  answer.is_too_large = reply.too_large != TransferAnswer::TooLarge::nothing;
  if (!reply.problem.empty()) {
    answer.problem = address_ + ": " + reply.problem;
  } else {
    answer.status = reply.status;
    answer.body = std::move(reply.body);
  }
  return answer;
}

}  // namespace http
