// The HTTP interface's server: accepts connections, gives each a thread, and leads every request that
// may pass to its route. serve() runs in the thread that calls it; everything else is for any thread.
// Bad requests are answered here and never throw; constructing throws if no descriptor is left.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/listeners.h"
#include "http/load_shedding.h"
#include "http/message.h"
#include "http/request_counts.h"
#include "http/timeouts.h"

namespace http {

struct ServerOptions {
  std::size_t max_connections = 512;  // in equal shares for each listener, see http/connection_slots.h
  Timeouts timeouts;
  std::optional<std::string> token;
  // Called when a route throws, from that request's thread; the client learns nothing of it.
  std::function<void(const Route&, std::string_view what)> on_exception;
};

class Server {
 public:
  // Takes the listeners over and closes them when it stops accepting.
  Server(ServerOptions options, std::vector<Route> routes, std::vector<Listener> listeners);
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  ~Server();  // after serve() has returned, or if it was never called

  // Until stop(). Then, so that a restart loses no request: answers have "Connection: close", but
  // accepting goes on until no kept connection is left (1 s at most); what is under way is finished.
  // Returns within 4 s of stop() if no route takes longer.
  void serve();
  void stop();  // idempotent; before serve(), too

  void replace_token(std::optional<std::string> token);

  // Grows at least once a second while serve() accepts.
  std::uint64_t heartbeats() const;
  std::size_t connections() const;             // open now
  const LoadShedding& shedding() const;        // since the start
  std::vector<RouteReading> requests() const;  // by route, since the start; the last: to none

 private:
  class Inside;
  std::unique_ptr<Inside> inside_;
};

}  // namespace http
