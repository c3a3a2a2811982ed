#include "cluster/connection.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <new>
#include <optional>
#include <utility>

// The only file here that sees cpp-httplib.
#include <httplib.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "files/read_file.h"

namespace cluster {
namespace {

constexpr std::chrono::milliseconds longest_connect{500};

struct Place {
  bool secure = false;
  std::string host;
  int port = 0;
};

std::optional<Place> place_of(std::string_view url) {
  Place place;
  if (url.substr(0, 8) == "https://") {
    place.secure = true;
    url.remove_prefix(8);
  } else if (url.substr(0, 7) == "http://") {
    url.remove_prefix(7);
  } else {
    return std::nullopt;
  }
  while (!url.empty() && url.back() == '/') url.remove_suffix(1);
  std::uint16_t port = place.secure ? 443 : 80;
  const auto colon = url.rfind(':');
  if (colon != url.npos && url.find(']', colon) == url.npos) {
    const auto digits = url.substr(colon + 1);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
    if (error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
    url = url.substr(0, colon);
  }
  if (url.size() > 2 && url.front() == '[' && url.back() == ']') url = url.substr(1, url.size() - 2);
  if (url.empty() || url.find('/') != url.npos) return std::nullopt;
  place.host = url;
  place.port = port;
  return place;
}

// Errors that only newer versions of cpp-httplib distinguish from others.
template <typename Error>
bool took_too_long_to_connect(Error error) {
  if constexpr (requires { Error::ConnectionTimeout; }) return error == Error::ConnectionTimeout;
  return false;
}
template <typename Error>
bool has_another_name(Error error) {
  if constexpr (requires { Error::SSLServerHostnameVerification; }) {
    return error == Error::SSLServerHostnameVerification;
  }
  return false;
}

bool is_before_sending(httplib::Error error) {
  switch (error) {
    case httplib::Error::Connection:
    case httplib::Error::BindIPAddress:
    case httplib::Error::SSLConnection:
    case httplib::Error::SSLLoadingCerts:
    case httplib::Error::SSLServerVerification:
      return true;
    default:
      return took_too_long_to_connect(error) || has_another_name(error);
  }
}

std::string words_for(httplib::Error error) {
  if (took_too_long_to_connect(error)) error = httplib::Error::Connection;
  if (has_another_name(error)) error = httplib::Error::SSLServerVerification;
  switch (error) {
    case httplib::Error::Connection:
      return "nobody answers there";
    case httplib::Error::Read:
      return "the connection broke before the answer was whole";
    case httplib::Error::Write:
      return "the connection broke while asking";
    case httplib::Error::SSLConnection:
      return "no TLS with that";
    case httplib::Error::SSLLoadingCerts:
      return "the authorities' certificates (ca_file) cannot be read";
    case httplib::Error::SSLServerVerification:
      return "its certificate is not good for that name, or not by a known authority";
    default:
      return httplib::to_string(error);
  }
}

// Why OpenSSL must not be given one of the files; empty if it may.
std::string problem_with_files(const Options& options) {
  for (const auto& [name, path] :
       {std::pair{"ca_file", &options.ca_file}, {"cert_file", &options.cert_file}, {"key_file", &options.key_file}}) {
    const std::string error = *path ? files::problem_with_plain_file(**path) : "";
    if (!error.empty()) return std::string(name) + " " + **path + " cannot be read (" + error + ")";
  }
  return "";
}

// By OpenSSL, which takes the names in subjectAltName only. Versions of cpp-httplib that can be set so then look at
// no name; older ones do besides, and there a CN beside a subjectAltName or a bare "*" is good enough.
template <typename Client>
void verify_name(Client& client, const std::string& host) {
  if constexpr (requires { client.enable_server_hostname_verification(false); }) {
    client.enable_server_hostname_verification(false);
  }
  SSL_CTX* context = client.ssl_context();
  if (context == nullptr) return;  // our certificate cannot be read: nothing will be connected
  X509_VERIFY_PARAM* parameters = SSL_CTX_get0_param(context);
  X509_VERIFY_PARAM_set_hostflags(parameters, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
  const bool is_set = X509_VERIFY_PARAM_set1_ip_asc(parameters, host.c_str()) == 1 ||
                      X509_VERIFY_PARAM_set1_host(parameters, host.c_str(), host.size()) == 1;
  if (!is_set) throw std::bad_alloc();
}

}  // namespace

class Connection::Line {
 public:
  Line(const Place& place, const Options& options) {
    if (place.secure) {
      auto with_tls = std::make_unique<httplib::SSLClient>(place.host, place.port, options.cert_file.value_or(""),
                                                           options.key_file.value_or(""));
      if (options.ca_file) with_tls->set_ca_cert_path(*options.ca_file);
      with_tls->enable_server_certificate_verification(true);
      verify_name(*with_tls, place.host);
      client = std::move(with_tls);
    } else {
      client = std::make_unique<httplib::ClientImpl>(place.host, place.port);
    }
    client->set_tcp_nodelay(true);  // else head and body, sent apart, wait 40 ms for each other
    client->set_keep_alive(true);
    client->set_follow_location(false);
  }

  std::unique_ptr<httplib::ClientImpl> client;
};

Connection::Connection(const Options& options) : options_(options) {}
Connection::~Connection() { close(); }

void Connection::close() {
  alarm_.cut();  // cpp-httplib would wait for a farewell
  line_.reset();
}

std::string Connection::open(const std::string& endpoint) {
  if (line_ && endpoint_ == endpoint) return "";
  close();
  const auto place = place_of(endpoint);
  if (!place) return "that is no address";
  if (place->secure) {
    std::string error = problem_with_files(options_);
    if (!error.empty()) return error;
  }
  auto line = std::make_unique<Line>(*place, options_);
  if (!line->client->is_valid()) return "our certificate or key (cert_file, key_file) cannot be read";
  // Before it is connected.
  line->client->set_socket_options([this](socket_t socket) { opens(socket); });
  line_ = std::move(line);
  endpoint_ = endpoint;
  return "";
}

// cpp-httplib connects anew by itself where the other side has closed. There is no way to forbid that but to hand it
// something that cannot be connected.
void Connection::opens(int socket) {
  alarm_.watch(socket);
  ++opened_;
  if (only_over_ == 0) return;
  const int nowhere = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  ::dup3(nowhere, socket, O_CLOEXEC);
  ::close(nowhere);
}

Answer Connection::post(const std::string& endpoint, const Request& request, Clock::time_point until) {
  Answer answer;
  answer.problem = is_stopped() ? "stopped" : open(endpoint);
  if (answer.problem.empty()) answer = talk(request, until, {}, nullptr);
  if (!answer.problem.empty()) answer.problem = endpoint + ": " + answer.problem;
  return answer;
}

Answer Connection::stream(const std::string& endpoint, const Request& request, Clock::time_point begun,
                          std::chrono::milliseconds silence, const Sink& sink) {
  Answer answer;
  answer.problem = is_stopped() ? "stopped" : open(endpoint);
  if (answer.problem.empty()) answer = talk(request, begun, silence, &sink);
  if (!answer.problem.empty()) answer.problem = endpoint + ": " + answer.problem;
  return answer;
}

Answer Connection::talk(const Request& request, Clock::time_point until, std::chrono::milliseconds silence,
                        const Sink* sink) {
  only_over_ = request.over;
  const auto left = std::max(std::chrono::duration_cast<std::chrono::microseconds>(until - Clock::now()),
                             std::chrono::microseconds{1000});
  line_->client->set_connection_timeout(std::min<std::chrono::microseconds>(left, longest_connect));
  line_->client->set_write_timeout(left);
  line_->client->set_read_timeout(left + silence);  // the alarm is stricter

  httplib::Request http;
  http.method = "POST";
  http.path = request.path;
  http.body = request.body;
  http.headers.emplace("Content-Type", "application/json");
  if (request.needs_leader) http.headers.emplace("Grpc-Metadata-hasleader", "true");
  if (!request.token.empty()) http.headers.emplace("Authorization", request.token);

  Answer answer;
  bool is_enough = false;
  http.response_handler = [&](const httplib::Response& head) {
    answer.status = head.status;
    return true;
  };
  http.content_receiver = [&](const char* data, std::size_t size, auto, auto) {
    if (sink && answer.status == 200) {
      alarm_.unset();  // the sink's time is not the member's
      is_enough = !(*sink)(std::string_view(data, size));
      if (!is_enough) alarm_.set(Clock::now() + silence);
      return !is_enough;
    }
    if (answer.body.size() + size > longest_body) {
      answer.outcome = Answer::Outcome::too_long;
      return false;
    }
    answer.body.append(data, size);
    return true;
  };

  httplib::Response response;
  auto error = httplib::Error::Success;
  alarm_.set(until);
  const bool is_well = line_->client->send(http, response, error);
  const bool is_late = alarm_.has_rung();
  alarm_.unset();

  // etcd ends its refusals with a trailer, which older versions of cpp-httplib take for a broken connection.
  const bool is_refusal = answer.status != 0 && answer.status != 200;
  if (answer.outcome == Answer::Outcome::too_long) {
    answer.problem = "its answer is longer than 64 MiB";
  } else if (is_well || is_enough || is_refusal) {
    answer.outcome = Answer::Outcome::answered;
  } else if (request.over != 0 && request.over != opened_) {
    answer.outcome = Answer::Outcome::closed;
    answer.problem = "the connection is closed";
  } else {
    answer.outcome = is_before_sending(error) ? Answer::Outcome::not_sent : Answer::Outcome::unsure;
    answer.problem = !is_late ? words_for(error) : is_stopped() ? "stopped" : "no answer came in time";
  }
  if (!is_well || sink) close();
  return answer;
}

}  // namespace cluster
