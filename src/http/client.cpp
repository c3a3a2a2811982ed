#include "http/client.h"

#include <algorithm>
#include <charconv>
#include <cstdint>

#include <curl/curl.h>

#include "http/message.h"

namespace http {
namespace {

constexpr std::size_t largest_head = 64 * 1024;

struct Place {
  std::string url;
  std::string unix_socket;  // its path, if it is one
  std::string host_field;
};

// Nothing that a URL would read as a user, a path or a query.
bool is_host(std::string_view text) {
  constexpr std::string_view others = "-._:[]%";
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || others.find(c) != others.npos;
  });
}

std::optional<Place> place_of(std::string_view address) {
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
    const auto digits = address.substr(colon + 1);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
    if (error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
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

// libcurl must be initialised once, before any thread uses it.
void prepare_curl() {
  static const CURLcode done = curl_global_init(CURL_GLOBAL_DEFAULT);
  static_cast<void>(done);
}

// What has come of an answer. What is too much ends the transfer.
struct Received {
  std::string body;
  std::size_t head = 0;
  bool is_too_large = false;

  static std::size_t take_body(char* data, std::size_t, std::size_t size, void* into) {
    auto& received = *static_cast<Received*>(into);
    received.is_too_large = received.body.size() + size > Client::largest_answer;
    if (received.is_too_large) return 0;
    received.body.append(data, size);
    return size;
  }

  static std::size_t take_head(char*, std::size_t, std::size_t size, void* into) {
    auto& received = *static_cast<Received*>(into);
    received.head += size;
    received.is_too_large = received.head > largest_head;
    return received.is_too_large ? 0 : size;
  }
};

// libcurl ends a line of the head that is longer than its buffer.
bool is_endless_line(CURLcode result) {
#if LIBCURL_VERSION_NUM >= 0x080600
  if (result == CURLE_TOO_LARGE) return true;
#endif
  return result == CURLE_OUT_OF_MEMORY;
}

std::string text_of(std::chrono::milliseconds time) {
  const bool is_whole = time.count() % 1000 == 0;
  return is_whole ? std::to_string(time.count() / 1000) + " s" : std::to_string(time.count()) + " ms";
}

std::string problem_text(CURLcode error, const Received& received, std::chrono::milliseconds timeout) {
  switch (error) {
    case CURLE_COULDNT_CONNECT:
    case CURLE_COULDNT_RESOLVE_HOST:
      return "nobody answers there";
    case CURLE_OPERATION_TIMEDOUT:
      if (received.head == 0) return "no answer came in time";
      return "the answer was not complete within " + text_of(timeout);
    case CURLE_GOT_NOTHING:
      return "the connection was closed without an answer";
    case CURLE_SEND_ERROR:
      return "the request was not taken";
    case CURLE_PARTIAL_FILE:
    case CURLE_RECV_ERROR:
      return "the answer was cut off";
    default:
      return curl_easy_strerror(error);
  }
}

std::string as_field(std::string_view name, std::string_view value) {
  return std::string(name) + ": " + std::string(value);
}

}  // namespace

class Client::Inside {
 public:
  Inside(std::string address, std::optional<std::string> token)
      : address_(std::move(address)), token_(std::move(token)), place_(place_of(address_)) {
    prepare_curl();
    handle_.reset(curl_easy_init());
  }

  ClientAnswer request(std::string_view method, std::string_view target, std::string_view body,
                       std::chrono::milliseconds timeout) {
    ClientAnswer answer;
    if (!place_ || !handle_) {
      answer.problem = "\"" + address_ + "\" is no address; give 127.0.0.1:8082 or unix:/path";
      return answer;
    }
    const Fields fields = fields_for(method, !body.empty());
    Received received;
    prepare(std::string(method), std::string(target), body, fields.get(), timeout, received);
    const CURLcode result = curl_easy_perform(handle_.get());
    if (received.is_too_large || is_endless_line(result)) {
      answer.is_too_large = true;
      answer.problem = address_ + ": the answer is too large";
    } else if (result != CURLE_OK) {
      answer.problem = address_ + ": " + problem_text(result, received, timeout);
    } else {
      long status = 0;
      curl_easy_getinfo(handle_.get(), CURLINFO_RESPONSE_CODE, &status);
      answer.status = static_cast<int>(status);
      answer.body = std::move(received.body);
    }
    return answer;
  }

 private:
  using Fields = std::unique_ptr<curl_slist, void (*)(curl_slist*)>;

  Fields fields_for(std::string_view method, bool has_body) const {
    Fields fields{nullptr, curl_slist_free_all};
    const auto add = [&](const std::string& field) {
      curl_slist* const longer = curl_slist_append(fields.get(), field.c_str());
      if (longer == nullptr) return;
      static_cast<void>(fields.release());
      fields.reset(longer);
    };
    add(as_field("Host", place_->host_field));
    add(as_field(client_field, command_client));
    add("Expect:");  // not sent
    if (token_) add(as_field("Authorization", "Bearer " + *token_));
    if (has_body) {
      add("Content-Type: application/json");
    } else if (method == "POST" || method == "PUT") {
      add("Content-Length: 0");
    }
    return fields;
  }

  // All options anew, so that none is left of the request before; the connection is kept.
  void prepare(const std::string& method, const std::string& target, std::string_view body, curl_slist* fields,
               std::chrono::milliseconds timeout, Received& received) {
    CURL* const handle = handle_.get();
    curl_easy_reset(handle);
    curl_easy_setopt(handle, CURLOPT_URL, place_->url.c_str());
    if (!place_->unix_socket.empty()) curl_easy_setopt(handle, CURLOPT_UNIX_SOCKET_PATH, place_->unix_socket.c_str());
    curl_easy_setopt(handle, CURLOPT_REQUEST_TARGET, target.c_str());
    curl_easy_setopt(handle, CURLOPT_CUSTOMREQUEST, method.c_str());
    if (!body.empty()) {
      curl_easy_setopt(handle, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
      curl_easy_setopt(handle, CURLOPT_COPYPOSTFIELDS, body.data());
    }
    curl_easy_setopt(handle, CURLOPT_HTTPHEADER, fields);
    curl_easy_setopt(handle, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
    curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS, std::max(1L, static_cast<long>(timeout.count())));
    curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(handle, CURLOPT_QUICK_EXIT, 1L);  // it must not wait for the look-up of a name
    curl_easy_setopt(handle, CURLOPT_PROXY, "");       // the environment's is for other machines
    curl_easy_setopt(handle, CURLOPT_HEADERFUNCTION, Received::take_head);
    curl_easy_setopt(handle, CURLOPT_HEADERDATA, &received);
    curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, Received::take_body);
    curl_easy_setopt(handle, CURLOPT_WRITEDATA, &received);
  }

  std::string address_;
  std::optional<std::string> token_;
  std::optional<Place> place_;
  std::unique_ptr<CURL, void (*)(CURL*)> handle_{nullptr, curl_easy_cleanup};
};

Client::Client(std::string address, std::optional<std::string> token)
    : inside_(std::make_unique<Inside>(std::move(address), std::move(token))) {}
Client::~Client() = default;

ClientAnswer Client::request(std::string_view method, std::string_view target, std::string_view body,
                             std::chrono::milliseconds timeout) {
  return inside_->request(method, target, body, timeout);
}

}  // namespace http
