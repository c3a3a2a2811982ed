// A server with a few routes that serves in a thread of its own, on a free port.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "comes_true.h"
#include "http/refusal.h"
#include "http/server.h"
#include "json/writer.h"

namespace http_test {

using namespace std::chrono_literals;

// Short enough to wait for, long enough for a busy machine.
inline http::ServerOptions quick() {
  http::ServerOptions options;
  options.timeouts = {2s, 300ms, 400ms, 500ms, 2s};
  return options;
}

class TestServer {
 public:
  explicit TestServer(http::ServerOptions options = quick(), const std::string& listen = "127.0.0.1:0")
      : TestServer(std::move(options), http::open_listeners(listen)) {}

  TestServer(http::ServerOptions options, std::vector<http::Listener> listeners)
      : address_(listeners.front().address),
        server_(std::move(options), routes(), std::move(listeners)),
        thread_([this] { server_.serve(); }) {}

  ~TestServer() {
    release();
    stop();
  }

  void stop() {
    server_.stop();
    if (thread_.joinable()) thread_.join();
  }

  http::Server& server() { return server_; }
  const std::string& address() const { return address_; }
  int waiting() const { return waiting_; }
  void release() { released_ = true; }  // /wait answers from now on

 private:
  static http::Response echo(const http::Request& request) {
    json::Writer json;
    json.begin_object().key("args").begin_array();
    for (const auto& arg : request.args) json.value(arg);
    json.end_array().key("query").begin_array();
    for (const char* name : {"a", "e", "x"}) {
      if (const auto value = request.query.value(name)) json.value(name).value(*value);
    }
    json.end_array().member("size", request.body.size());
    json.member("body", request.body.substr(0, 200)).member("id", request.request_id);
    http::Response response;
    response.body = json.end_object().take();
    return response;
  }

  http::Response wait(const http::Request& request) {
    ++waiting_;
    comes_true([this] { return released_.load(); });
    return echo(request);
  }

  std::vector<http::Route> routes() {
    return {
        {"POST", "/v2/room_server", echo},
        {"PUT", "/v2/rooms/{room}/sessions/{session}", echo},
        {"DELETE", "/v2/rooms/{room}/sessions/{session}", echo},
        {"PUT", "/v2/sessions", echo, 8 << 20, false, false, true},
        {"GET", "/v2/rooms", echo},
        {"GET", "/healthz", echo, 64 * 1024, true, true},
        {"GET", "/", echo, 64 * 1024, true},
        {"GET", "/busy", [](const auto&) { return http::refusal(503, "storage_unavailable", "-"); }},
        {"GET", "/throw", [](const auto&) -> http::Response { throw std::runtime_error("secret"); }},
        {"GET", "/throw7", [](const auto&) -> http::Response { throw 7; }},
        {"GET", "/large",
         [](const auto&) {
           http::Response response;
           response.body.assign(4 << 20, 'x');
           return response;
         }},
        {"PUT", "/large",
         [](const auto&) {
           http::Response response;
           response.body.assign(32 << 20, 'x');
           return response;
         },
         8 << 20},
        {"GET", "/wait", [this](const auto& request) { return wait(request); }},
        {"PUT", "/wait", [this](const auto& request) { return wait(request); }, 8 << 20},
    };
  }

  std::atomic<int> waiting_{0};
  std::atomic<bool> released_{false};
  std::string address_;
  http::Server server_;
  std::thread thread_;
};

}  // namespace http_test
