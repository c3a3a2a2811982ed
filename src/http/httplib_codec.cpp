#include "http/httplib_codec.h"

#include <algorithm>
#include <cstring>

#include <httplib.h>

#include "http/date.h"

namespace http {
namespace {

// A stream that never waits. Newer versions of cpp-httplib ask for more, and call the same otherwise.
template <typename Stream>
class WithoutWaiting : public Stream {
  bool is_readable() const override { return true; }
  bool is_writable() const override { return true; }
};
template <typename Stream>
concept AsksToWait = (requires { &Stream::wait_readable; });
template <AsksToWait Stream>
class WithoutWaiting<Stream> : public Stream {
  bool is_readable() const override { return true; }
  bool wait_readable() const override { return true; }
  bool wait_writable() const override { return true; }
  time_t duration() const override { return 0; }
};

// One exchange as cpp-httplib's stream: it reads the head that we have read, and writes into a text.
class Exchange final : public WithoutWaiting<httplib::Stream> {
 public:
  Exchange(std::string_view head, const HttplibCodec::Answer& answer_, std::string& out)
      : answer(answer_), unread_(head), out_(out) {}

  ssize_t read(char* to, std::size_t size) override {
    const std::size_t got = std::min(size, unread_.size());
    std::memcpy(to, unread_.data(), got);
    unread_.remove_prefix(got);
    return static_cast<ssize_t>(got);
  }
  ssize_t write(const char* from, std::size_t size) override {
    out_.append(from, size);
    return static_cast<ssize_t>(size);
  }
  void get_remote_ip_and_port(std::string&, int&) const override {}
  void get_local_ip_and_port(std::string&, int&) const override {}
  socket_t socket() const override { return INVALID_SOCKET; }

  const HttplibCodec::Answer& answer;
  bool answered = false;
  bool keep = false;

 private:
  std::string_view unread_;
  std::string& out_;
};

// cpp-httplib's handlers know the request only; this is how they find the exchange it belongs to.
thread_local Exchange* current_exchange = nullptr;

}  // namespace

class HttplibCodec::Inside : protected httplib::Server {
 public:
  Inside() {
    // Answers everything, before cpp-httplib looks at routes (it would match the path by std::regex,
    // which recurses once a character) or at a body (which is ours: bounded in time and size).
    set_pre_routing_handler([](const httplib::Request& request, httplib::Response& response) {
      answer(request, response);
      return HandlerResponse::Handled;
    });
    set_post_routing_handler([](const httplib::Request&, httplib::Response& response) {
      // Newer versions send "close" with each error, while our connections stay.
      for (const char* name : {"Keep-Alive", "Accept-Ranges", "Connection"}) response.headers.erase(name);
      if (!current_exchange->keep) response.set_header("Connection", "close");
    });
  }

  void process(Exchange& exchange) {
    current_exchange = &exchange;
    process(*this, exchange);
    current_exchange = nullptr;
  }

 private:
  static void answer(const httplib::Request& request, httplib::Response& response) {
    Parsed parsed{request.method, request.target, request.version, {}};
    for (const auto& [name, value] : request.headers) parsed.fields.emplace_back(name, value);
    Reply reply = current_exchange->answer(parsed);
    current_exchange->answered = true;
    current_exchange->keep = reply.keep;
    response.status = reply.response.status;
    for (const auto& [name, value] : reply.response.headers) response.set_header(name, value);
    response.set_header("Content-Type", reply.response.content_type);
    response.set_header("Date", std::string(http_date()));
    response.body = std::move(reply.response.body);
  }

  // A template, so that only the call which this version of the library has is compiled.
  template <typename Server>
  static void process(Server& server, httplib::Stream& stream) {
    bool closed = false;
    const auto nothing_to_repair = nullptr;
    if constexpr (requires { server.process_request(stream, false, closed, nothing_to_repair); }) {
      server.process_request(stream, false, closed, nothing_to_repair);
    } else {
      server.process_request(stream, "", 0, "", 0, false, closed, nothing_to_repair);
    }
  }
};

HttplibCodec::HttplibCodec() : inside_(std::make_unique<Inside>()) {
  // cpp-httplib makes tables at its first use. Here no thread is there yet to see them half made, and
  // ThreadSanitizer, which cannot look into cpp-httplib, needs no hint that this is safe.
  std::string out;
  const Answer nothing = [](const Parsed&) { return Reply{}; };
  exchange("GET / HTTP/1.1\r\n\r\n", nothing, out);
}
HttplibCodec::~HttplibCodec() = default;

bool HttplibCodec::exchange(std::string_view head, const Answer& answer, std::string& out) const {
  out.clear();
  Exchange exchange(head, answer, out);
  inside_->process(exchange);
  if (!exchange.answered) out.clear();
  return exchange.answered;
}

}  // namespace http
