// What the shared store itself costs: CONNECTIONS clients that each have a room created if it is absent, one transaction
// a room, again and again for SECONDS, spread over the members of etcd at the loopback PORTs. The row is as long as a
// sidecar's. One thread; prints how long each took, as one line of JSON. A room that was there already counts as bad.
#include <poll.h>

#include <cstdlib>
#include <deque>
#include <string>
#include <vector>

#include "connection.h"
#include "etcd/base64.h"
#include "quantiles.h"

namespace {

using bench::Clock;
using bench::Connection;
using etcd::to_base64;

std::string request(const std::string& room) {
  const std::string key = to_base64("/bare/room/" + room);
  const std::string value =
      to_base64(R"({"gateway":"gxy10","region":"IL","at":"2026-01-01T00:00:00.000Z","by":"0123456789abcdef",)"
                R"("id":"0123456789abcdef-01234567-)" +
                room + R"("})");
  const std::string body =
      R"({"compare":[{"key":")" + key +
      R"(","result":"EQUAL","target":"CREATE","create_revision":"0"}],"success":[{"request_put":{"key":")" + key +
      R"(","value":")" + value + R"("}}],"failure":[{"request_range":{"key":")" + key + R"("}}]})";
  return "POST /v3/kv/txn HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
         body;
}

[[noreturn]] void give_up() {
  std::fputs("a member has closed its connection\n", stderr);
  std::exit(1);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 5) {
    std::fputs("usage: bare_transaction SECONDS CONNECTIONS PREFIX PORT...\n", stderr);
    return 2;
  }
  const std::string prefix = argv[3];
  std::deque<Connection> connections;
  std::vector<pollfd> polled;
  for (int i = 0; i < std::atoi(argv[2]); ++i) {
    connections.emplace_back(static_cast<std::uint16_t>(std::atoi(argv[4 + i % (argc - 4)])));
    polled.push_back({connections.back().descriptor(), POLLIN, 0});
  }
  std::size_t rooms = 0;
  const auto ask = [&](Connection& connection) {
    if (!connection.ask(request(prefix + "-" + std::to_string(++rooms)))) give_up();
  };

  std::vector<double> took;
  long bad = 0;
  const auto end = Clock::now() + std::chrono::duration<double>(std::atof(argv[1]));
  for (Connection& connection : connections) ask(connection);
  while (Clock::now() < end) {
    poll(polled.data(), polled.size(), 10);
    for (std::size_t i = 0; i < polled.size(); ++i) {
      const auto progress = polled[i].revents == 0 ? Connection::Progress::more : connections[i].receive();
      if (progress == Connection::Progress::broken) give_up();
      if (progress == Connection::Progress::more) continue;
      took.push_back(connections[i].milliseconds());
      if (connections[i].answer().find(R"("succeeded":true)") == std::string::npos) ++bad;
      ask(connections[i]);
    }
  }
  bench::print_quantiles(took, bad);
}
