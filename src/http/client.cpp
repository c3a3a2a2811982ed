#include "http/client.h"

#include <charconv>
#include <cstdint>

#include <sys/socket.h>

#include "http/message.h"

// The only file that sees the library.
#include <httplib.h>

namespace http {
namespace {

struct Place {
  std::string host;  // or the path of a Unix socket
  int port = 0;
  bool is_unix = false;
  std::string host_field;  // the library would send a socket's path, and IPv6 without brackets
};

std::optional<Place> place_of(std::string_view address) {
  constexpr std::string_view unix_prefix = "unix:";
  if (address.substr(0, unix_prefix.size()) == unix_prefix) {
    const std::string path(address.substr(unix_prefix.size()));
    if (path.empty()) return std::nullopt;
    return Place{path, 80, true, "localhost"};
  }
  constexpr std::string_view scheme = "http://";
  if (address.substr(0, scheme.size()) == scheme) address.remove_prefix(scheme.size());
  while (!address.empty() && address.back() == '/') address.remove_suffix(1);

  std::uint16_t port = 80;
  const auto colon = address.rfind(':');
  const bool has_port = colon != address.npos && address.find(']', colon) == address.npos;
  if (has_port) {
    const auto digits = address.substr(colon + 1);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
    if (error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
    address = address.substr(0, colon);
  }
  if (address.empty()) return std::nullopt;
  std::string shown(address);
  if (shown == "0.0.0.0") shown = "127.0.0.1";
  if (shown == "[::]") shown = "[::1]";
  const bool is_v6 = shown.size() > 2 && shown.front() == '[' && shown.back() == ']';
  Place place;
  place.host = is_v6 ? shown.substr(1, shown.size() - 2) : shown;
  place.port = port;
  // As a Host such an address is foreign, though it is this machine's.
  const bool is_mapped_loopback = shown.starts_with("[::ffff:127.");
  place.host_field = (is_mapped_loopback ? "localhost" : shown) + ":" + std::to_string(port);
  return place;
}

std::string problem_text(httplib::Error error) {
  switch (error) {
    case httplib::Error::Connection:
      return "nobody answers there";
    case httplib::Error::Read:
      return "no answer came in time";
    case httplib::Error::Write:
      return "the request was not taken";
    default:
      return httplib::to_string(error);
  }
}

}  // namespace

class Client::Inside {
 public:
  Inside(std::string address, std::optional<std::string> token)
      : address_(std::move(address)), token_(std::move(token)), place_(place_of(address_)) {
    if (!place_) return;
    client_.emplace(place_->host, place_->port);
    if (place_->is_unix) client_->set_address_family(AF_UNIX);
    client_->set_tcp_nodelay(true);  // else head and body, sent apart, wait 40 ms for each other
    client_->set_keep_alive(true);
    client_->set_url_encode(false);
  }

  ClientAnswer request(std::string_view method, std::string_view target, std::string_view body,
                       std::chrono::milliseconds timeout) {
    ClientAnswer answer;
    if (!place_) {
      answer.problem = "\"" + address_ + "\" is no address; give 127.0.0.1:8082 or unix:/path";
      return answer;
    }
    client_->set_connection_timeout(timeout);
    client_->set_read_timeout(timeout);
    client_->set_write_timeout(timeout);
    httplib::Request request;
    request.method = method;
    request.path = target;
    request.body = body;
    request.headers.emplace("Host", place_->host_field);
    request.headers.emplace(client_field, command_client);
    if (token_) request.headers.emplace("Authorization", "Bearer " + *token_);
    if (!body.empty()) request.headers.emplace("Content-Type", "application/json");
    const auto result = client_->send(request);
    if (!result) {
      answer.problem = address_ + ": " + problem_text(result.error());
      return answer;
    }
    answer.status = result->status;
    answer.body = result->body;
    return answer;
  }

 private:
  std::string address_;
  std::optional<std::string> token_;
  std::optional<Place> place_;
  std::optional<httplib::Client> client_;
};

Client::Client(std::string address, std::optional<std::string> token)
    : inside_(std::make_unique<Inside>(std::move(address), std::move(token))) {}
Client::~Client() = default;

ClientAnswer Client::request(std::string_view method, std::string_view target, std::string_view body,
                             std::chrono::milliseconds timeout) {
  return inside_->request(method, target, body, timeout);
}

}  // namespace http
