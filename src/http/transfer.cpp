#include "http/transfer.h"

#include <curl/curl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <exception>
#include <utility>

#include "files/read_file.h"
#include "http/certificate_name.h"

namespace http {
namespace {

using TooLarge = TransferAnswer::TooLarge;

constexpr std::size_t largest_head = 64 * 1024;
// libcurl's own loop (curl_easy_perform) waits no longer, whatever it waits for.
constexpr std::chrono::seconds longest_wait{1};

// libcurl must be initialised once, before any thread uses it.
void prepare_curl() {
  static const CURLcode done = curl_global_init(CURL_GLOBAL_DEFAULT);
  static_cast<void>(done);
}

// libcurl ends a line of the head that is longer than its buffer.
bool is_endless_line(CURLcode result) {
#if LIBCURL_VERSION_NUM >= 0x080600
  if (result == CURLE_TOO_LARGE) return true;
#endif
  return result == CURLE_OUT_OF_MEMORY;
}

// As it is written there: libcurl takes 127.1 for 127.0.0.1.
std::string host_of(std::string_view url) {
  url.remove_prefix(std::min(url.find("://") + 3, url.size()));
  url = url.substr(0, url.find('/'));
  const auto colon = url.rfind(':');
  if (colon != url.npos && url.find(']', colon) == url.npos) url = url.substr(0, colon);
  if (url.size() > 2 && url.front() == '[' && url.back() == ']') url = url.substr(1, url.size() - 2);
  return std::string(url);
}

// Why OpenSSL must not be given one of the files; empty if it may.
std::string problem_with_files(const TlsFiles& tls) {
  for (const auto& [name, path] :
       {std::pair{"ca_file", &tls.ca_file}, {"cert_file", &tls.cert_file}, {"key_file", &tls.key_file}}) {
    const std::string error = *path ? files::problem_with_plain_file(**path) : "";
    if (!error.empty()) return std::string(name) + " " + **path + " cannot be read (" + error + ")";
  }
  return "";
}

std::string text_of(std::chrono::milliseconds time) {
  const bool is_whole = time.count() % 1000 == 0;
  return is_whole ? std::to_string(time.count() / 1000) + " s" : std::to_string(time.count()) + " ms";
}

}  // namespace

struct Transfers::Multi {
  Multi() { prepare_curl(); }
  std::unique_ptr<CURLM, CURLMcode (*)(CURLM*)> handle{curl_multi_init(), curl_multi_cleanup};
};

class Transfers::Transfer {
 public:
  Transfer(Transfers& transfers, TransferRequest request, Answered callback)
      : answered(std::move(callback)), transfers_(transfers), request_(std::move(request)) {
    set_request();
    set_bounds();
    set_connection();
    if (transfers_.options_.tls) set_tls(*transfers_.options_.tls);
  }
  ~Transfer() { curl_multi_remove_handle(transfers_.multi_->handle.get(), handle_.get()); }
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;

  const Answered answered;

  CURL* handle() const { return handle_.get(); }

  // Once. Throws what the sink has thrown.
  TransferAnswer answer(CURLcode result) {
    if (thrown_) std::rethrow_exception(thrown_);
    if (is_endless_line(result)) too_large_ = TooLarge::head;
    TransferAnswer answer{status(), std::move(body_), "", was_sent_, too_large_};
    if (!has_enough_) answer.problem = problem(result);
    return answer;
  }

 private:
  template <typename Value>
  void set(CURLoption option, Value value) {
    curl_easy_setopt(handle_.get(), option, value);
  }

  void set_request() {
    set(CURLOPT_URL, request_.url.c_str());
    set(CURLOPT_CUSTOMREQUEST, request_.method.c_str());
    if (!request_.target.empty()) set(CURLOPT_REQUEST_TARGET, request_.target.c_str());
    if (!request_.unix_socket.empty()) set(CURLOPT_UNIX_SOCKET_PATH, request_.unix_socket.c_str());
    for (const std::string& field : request_.fields) add_field(field.c_str());
    if (request_.method != "GET") {
      add_field("Content-Type: application/json");
      add_field("Expect:");  // not sent
      set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request_.body.size()));
      set(CURLOPT_POSTFIELDS, request_.body.c_str());
    }
    set(CURLOPT_HTTPHEADER, fields_.get());
    set(CURLOPT_USERAGENT, "room-sidecar");
  }

  void set_bounds() {
    set(CURLOPT_TIMEOUT_MS, static_cast<long>(request_.timeout.count()));
    set(CURLOPT_QUICK_EXIT, 1L);  // else the end of one waits for its name to be looked up, and all others with it
    set(CURLOPT_HEADERFUNCTION, take_head);
    set(CURLOPT_HEADERDATA, this);
    set(CURLOPT_WRITEFUNCTION, take_body);
    set(CURLOPT_WRITEDATA, this);
  }

  void set_connection() {
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_PROXY, "");  // the environment's is for other servers
    set(CURLOPT_PROTOCOLS_STR, "http,https");
    set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
    if (!transfers_.options_.keeps_addresses) set(CURLOPT_DNS_CACHE_TIMEOUT, 0L);
    set(CURLOPT_OPENSOCKETFUNCTION, open_socket);
    set(CURLOPT_OPENSOCKETDATA, this);
    set(CURLOPT_CLOSESOCKETFUNCTION, close_socket);
    set(CURLOPT_CLOSESOCKETDATA, &transfers_);  // a connection outlives its transfers
    set(CURLOPT_PREREQFUNCTION, note_sending);
    set(CURLOPT_PREREQDATA, this);
  }

  void set_tls(const TlsFiles& tls) {
    if (tls.ca_file) {
      set(CURLOPT_CAINFO, tls.ca_file->c_str());
      set(CURLOPT_CAPATH, nullptr);  // not the system's besides
    }
    if (tls.cert_file) set(CURLOPT_SSLCERT, tls.cert_file->c_str());
    if (tls.key_file) set(CURLOPT_SSLKEY, tls.key_file->c_str());
    set(CURLOPT_CA_CACHE_TIMEOUT, 0L);
    set(CURLOPT_SSL_SESSIONID_CACHE, 0L);  // a session that is taken up again shows no certificate
    set(CURLOPT_SSL_CTX_FUNCTION, verify_name);
    set(CURLOPT_SSL_CTX_DATA, this);
  }

  void add_field(const char* field) {
    curl_slist* const longer = curl_slist_append(fields_.get(), field);
    if (longer == nullptr) return;
    static_cast<void>(fields_.release());
    fields_.reset(longer);
  }

  int status() const {
    long status = 0;
    curl_easy_getinfo(handle_.get(), CURLINFO_RESPONSE_CODE, &status);
    return static_cast<int>(status);
  }

  std::string problem(CURLcode result) const {
    if (too_large_ != TooLarge::nothing) return "the answer is too large";
    if (!problem_with_files_.empty()) return problem_with_files_;
    switch (result) {
      case CURLE_OK:
        return "";
      case CURLE_ABORTED_BY_CALLBACK:
        return "stopped";
      case CURLE_URL_MALFORMAT:
        return "this is no address";
      case CURLE_COULDNT_CONNECT:
      case CURLE_COULDNT_RESOLVE_HOST:
        return "there is no answer";
      case CURLE_OPERATION_TIMEDOUT:
        if (head_ == 0 || request_.timeout.count() == 0) return "no answer came in time";
        return "the answer was not complete within " + text_of(request_.timeout);
      case CURLE_GOT_NOTHING:
        return "the connection was closed without an answer";
      case CURLE_SEND_ERROR:
        return "the request was not taken";
      case CURLE_PARTIAL_FILE:
      case CURLE_RECV_ERROR:
        return "the answer was cut off";
      case CURLE_SSL_CONNECT_ERROR:
        return "TLS failed";
      case CURLE_SSL_CACERT_BADFILE:
        return "the authorities' certificates (ca_file) cannot be read";
      case CURLE_SSL_CERTPROBLEM:
        return "our certificate or key (cert_file, key_file) cannot be read";
      case CURLE_PEER_FAILED_VERIFICATION:
        return "its certificate does not name that host, or is not signed by a known authority";
      default:
        return curl_easy_strerror(result);
    }
  }

  static std::size_t take_head(char*, std::size_t, std::size_t size, void* transfer) {
    auto& self = *static_cast<Transfer*>(transfer);
    self.head_ += size;
    if (self.head_ <= largest_head) return size;
    self.too_large_ = TooLarge::head;
    return 0;  // ends the transfer
  }

  static std::size_t take_body(char* data, std::size_t, std::size_t size, void* transfer) {
    auto& self = *static_cast<Transfer*>(transfer);
    try {
      return self.take(std::string_view(data, size)) ? size : 0;
    } catch (...) {
      self.thrown_ = std::current_exception();  // libcurl knows no exceptions
      return 0;
    }
  }

  bool take(std::string_view piece) {
    if (request_.sink && status() == 200) {
      has_enough_ = !request_.sink(piece);
      return !has_enough_;
    }
    if (body_.size() + piece.size() > request_.largest_answer) {
      too_large_ = TooLarge::body;
      return false;
    }
    body_.append(piece);
    return true;
  }

  // libcurl connects anew by itself where a kept connection is closed, also after the request was sent there.
  static curl_socket_t open_socket(void* transfer, curlsocktype, curl_sockaddr* address) {
    auto& self = *static_cast<Transfer*>(transfer);
    const TransferOptions& options = self.transfers_.options_;
    ++self.transfers_.opened_;
    if (self.request_.only_if_kept || (self.was_sent_ && !options.sends_again)) return CURL_SOCKET_BAD;
    if (options.tls && self.request_.url.starts_with("https:")) {
      self.problem_with_files_ = problem_with_files(*options.tls);
      if (!self.problem_with_files_.empty()) return CURL_SOCKET_BAD;
    }
    const int socket = ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
    if (socket != -1 && options.longest_connect.count() > 0) {
      self.transfers_.connecting_[socket] = Clock::now() + options.longest_connect;
    }
    return socket;
  }

  static int note_sending(void* transfer, char*, char*, int, int) {
    static_cast<Transfer*>(transfer)->was_sent_ = true;
    return CURL_PREREQFUNC_OK;
  }

  // By OpenSSL, besides libcurl, which is content with a CN where there is no subjectAltName.
  static CURLcode verify_name(CURL*, void* context, void* transfer) {
    const std::string host = host_of(static_cast<Transfer*>(transfer)->request_.url);
    return require_name(*static_cast<ssl_ctx_st*>(context), host) ? CURLE_OK : CURLE_SSL_CONNECT_ERROR;
  }

  Transfers& transfers_;
  const TransferRequest request_;
  std::string body_;
  std::size_t head_ = 0;
  bool has_enough_ = false;
  bool was_sent_ = false;
  TooLarge too_large_ = TooLarge::nothing;
  std::string problem_with_files_;
  std::exception_ptr thrown_;
  std::unique_ptr<curl_slist, void (*)(curl_slist*)> fields_{nullptr, curl_slist_free_all};
  std::unique_ptr<CURL, void (*)(CURL*)> handle_{curl_easy_init(), curl_easy_cleanup};
};

Transfers::Transfers(TransferOptions options) : options_(std::move(options)), multi_(std::make_unique<Multi>()) {
  curl_multi_setopt(multi_->handle.get(), CURLMOPT_MAXCONNECTS, options_.kept_connections);
}

Transfers::~Transfers() = default;

void Transfers::begin(TransferRequest request, Answered answered) {
  in_progress_.push_back(std::make_unique<Transfer>(*this, std::move(request), std::move(answered)));
  CURL* const handle = in_progress_.back()->handle();
  if (curl_multi_add_handle(multi_->handle.get(), handle) != CURLM_OK) finish(handle, CURLE_FAILED_INIT);
}

bool Transfers::run() {
  while (!in_progress_.empty() && !stopped_) go_on(Clock::time_point::max());
  return !stopped_;
}

TransferAnswer Transfers::exchange(TransferRequest request, const Clock::time_point& until) {
  TransferAnswer answer;
  begin(std::move(request), [&](TransferAnswer came) { answer = std::move(came); });
  while (!in_progress_.empty()) {
    if (stopped_) {
      finish(in_progress_.front()->handle(), CURLE_ABORTED_BY_CALLBACK);
    } else if (Clock::now() >= until) {
      finish(in_progress_.front()->handle(), CURLE_OPERATION_TIMEDOUT);
    } else {
      go_on(until);
    }
  }
  return answer;
}

bool Transfers::sleep_until(Clock::time_point until) {
  while (!stopped_ && Clock::now() < until) wait_until(until);
  return !stopped_;
}

void Transfers::stop() {
  stopped_ = true;
  curl_multi_wakeup(multi_->handle.get());
}

void Transfers::go_on(Clock::time_point until) {
  const auto now = Clock::now();
  until = std::min(until, std::exchange(has_closed_, false) ? now : now + longest_wait);
  for (const auto& [socket, limit] : connecting_) until = std::min(until, limit);
  wait_until(until);
  std::erase_if(connecting_, [](const auto& connecting) {
    if (Clock::now() < connecting.second) return false;
    sockaddr_storage peer{};
    socklen_t size = sizeof peer;
    const bool is_connected = ::getpeername(connecting.first, reinterpret_cast<sockaddr*>(&peer), &size) == 0;
    if (!is_connected) ::shutdown(connecting.first, SHUT_RDWR);  // libcurl then tries the host's next address
    return true;
  });
  int running = 0;
  curl_multi_perform(multi_->handle.get(), &running);
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi_->handle.get(), &left)) {
    if (message->msg == CURLMSG_DONE) finish(message->easy_handle, message->data.result);
  }
}

void Transfers::wait_until(Clock::time_point until) {
  using Milliseconds = std::chrono::milliseconds;
  constexpr Milliseconds none{0}, longest = std::chrono::hours{1};
  const auto left = std::clamp(std::chrono::ceil<Milliseconds>(until - Clock::now()), none, longest);
  curl_multi_poll(multi_->handle.get(), nullptr, 0, static_cast<int>(left.count()), nullptr);
}

void Transfers::finish(void* handle, int result) {
  const auto here = std::find_if(in_progress_.begin(), in_progress_.end(),
                                 [&](const auto& transfer) { return transfer->handle() == handle; });
  std::unique_ptr<Transfer> transfer = std::move(*here);
  in_progress_.erase(here);
  TransferAnswer answer = transfer->answer(static_cast<CURLcode>(result));
  const Answered answered = transfer->answered;
  transfer.reset();  // its connection is free, or closed
  answered(std::move(answer));
}

int Transfers::close_socket(void* transfers, int socket) {
  auto& self = *static_cast<Transfers*>(transfers);
  self.connecting_.erase(socket);
  self.has_closed_ = true;
  return ::close(socket);
}

}  // namespace http
