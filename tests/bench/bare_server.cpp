// The other yardstick: the same handler without logic, behind the sidecar's own server. The difference
// to the sidecar is the cost of the sidecar's logic. Prints its port.
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include "http/listeners.h"
#include "http/server.h"

int main() {
  std::vector<http::Listener> listeners = http::open_listeners("127.0.0.1:0");
  const std::string address = listeners.front().address;
  std::vector<http::Route> routes;
  routes.push_back({"POST", "/v2/room_server", [](const http::Request&) {
                      http::Response response;
                      response.body = R"({"janus":"gxy5"})";
                      response.headers.emplace_back("Room-Server-Reason", "sticky");
                      return response;
                    }});
  http::Server server({}, std::move(routes), std::move(listeners));
  std::printf("%s\n", address.substr(address.rfind(':') + 1).c_str());
  std::fflush(stdout);
  server.serve();
}
