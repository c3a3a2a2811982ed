// HTTP/1.1 requests to other servers: many at once, none delaying another, over connections that are kept. The only
// place that knows libcurl. No proxy, no redirect; nothing waits for a name that is looked up.
// One thread at a time; stop() and is_stopped() are for any. The process has to ignore SIGPIPE. That nobody answers is
// a value.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace http {

// Read for each connection.
struct TlsFiles {
  std::optional<std::string> ca_file{};  // else the system's
  std::optional<std::string> cert_file{};
  std::optional<std::string> key_file{};
};

struct TransferOptions {
  long kept_connections = 1;
  // A kept connection may be closed before anything of the answer came: is the request sent again, over a new one?
  bool sends_again = true;
  bool keeps_addresses = true;                   // of names that were looked up, for a minute
  std::chrono::milliseconds longest_connect{0};  // to each address of a host; 0: as long as the request has
  std::optional<TlsFiles> tls{};                 // with them, a server's name has to stand in subjectAltName
};

struct TransferRequest {
  using Sink = std::function<bool(std::string_view piece)>;

  std::string url{};
  std::string method = "GET";
  std::string target{};                  // sent as it stands, in the place of the URL's path
  std::string unix_socket{};             // its path, in the place of the URL's host
  std::vector<std::string> fields{};     // "Name: value"
  std::string body{};                    // JSON; not of GET
  std::size_t largest_answer = 0;        // without its head, which has 64 KiB at most
  std::chrono::milliseconds timeout{0};  // until the whole answer is there; 0: none
  bool only_if_kept = false;             // over a kept connection, or not at all
  Sink sink{};  // gets the pieces of a body with status 200, in the place of the answer; false: that is enough
};

struct TransferAnswer {
  enum class TooLarge { nothing, head, body };

  int status = 0;  // 0: none came
  std::string body{};
  std::string problem{};  // in words, unless the answer is whole
  bool was_sent = false;  // the request, or a part of it; else surely nothing was done
  TooLarge too_large = TooLarge::nothing;

  bool is_ok() const { return status == 200 && problem.empty(); }
};

class Transfers {
 public:
  using Clock = std::chrono::steady_clock;
  using Answered = std::function<void(TransferAnswer answer)>;

  explicit Transfers(TransferOptions options = {});
  ~Transfers();
  Transfers(const Transfers&) = delete;
  Transfers& operator=(const Transfers&) = delete;

  // Begins one. `answered` is called once, and may begin others; not at all after stop().
  void begin(TransferRequest request, Answered answered);
  // Waits until all are answered. False as soon as it is stopped.
  bool run();

  // Waits for the answer of this one, the only one; no longer than `until`, which the sink may move.
  TransferAnswer exchange(TransferRequest request, const Clock::time_point& until = Clock::time_point::max());

  // Sockets that were opened, or were to be: a new connection has a new number.
  std::uint64_t opened() const { return opened_; }

  // False as soon as it is stopped.
  bool sleep_until(Clock::time_point until);

  // What is under way ends at once, and so does whatever is begun later.
  void stop();
  bool is_stopped() const { return stopped_; }

 private:
  class Transfer;
  struct Multi;

  void go_on(Clock::time_point until);
  void wait_until(Clock::time_point until);
  void finish(void* handle, int result);
  static int close_socket(void* transfers, int socket);

  const TransferOptions options_;
  std::atomic<bool> stopped_{false};
  std::uint64_t opened_ = 0;
  std::map<int, Clock::time_point> connecting_;  // sockets, and until when each may
  bool has_closed_ = false;                      // a socket; 7.88 does not wake up to try the host's next address
  std::unique_ptr<Multi> multi_;                 // closes sockets at its end
  std::list<std::unique_ptr<Transfer>> in_progress_;
};

}  // namespace http
