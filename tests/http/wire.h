// A client that sends exactly the given bytes, for requests that no library would send.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

namespace http_test {

struct WireAnswer {
  int status = 0;    // 0: the connection ended, or nothing came in time
  std::string head;  // with its status line
  std::string body;

  std::string field(std::string_view name) const;  // "" if there is none
  std::string error() const;                       // the code in an error's body
};

class Wire {
 public:
  explicit Wire(const std::string& address);  // "127.0.0.1:1234", "[::1]:1234" or "unix:/path"
  Wire(Wire&& other) noexcept : fd_(other.fd_), received_(std::move(other.received_)) { other.fd_ = -1; }
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;
  ~Wire();

  bool connected() const { return fd_ >= 0; }
  bool say(std::string_view bytes);
  void half_close();
  void reset();
  // The next answer, by its Content-Length; of one to HEAD only the head.
  WireAnswer read_answer(bool to_head = false, std::chrono::milliseconds within = std::chrono::seconds{5});
  // Has the other side closed, without another byte?
  bool ends_within(std::chrono::milliseconds within);
  // Has the other side read all sent bytes? IPv4 only. Source: proc_pid_net(5), its column rx_queue.
  bool was_read() const;

 private:
  bool receive(std::chrono::steady_clock::time_point until);

  int fd_ = -1;
  std::string received_;
};

}  // namespace http_test
