// The yardstick: cpp-httplib as it is meant to be used, with the two settings without which it is
// slow (TCP_NODELAY, long keep-alive) and a thread for every connection of the bench. Its handler
// has no logic. Prints its port.
#include <httplib.h>

#include <cstdio>
#include <string>

int main() {
  httplib::Server server;
  server.set_tcp_nodelay(true);
  server.set_keep_alive_max_count(1'000'000'000);
  server.set_keep_alive_timeout(60);
  server.new_task_queue = [] { return new httplib::ThreadPool(64); };
  server.Post("/v2/room_server", [](const httplib::Request&, httplib::Response& response) {
    response.set_header("Room-Server-Reason", "sticky");
    response.set_content(R"({"janus":"gxy5"})", "application/json");
  });
  const int port = server.bind_to_any_port("127.0.0.1");
  if (port <= 0) {
    std::fputs("bare_httplib: no port to be had\n", stderr);
    return 1;
  }
  std::printf("%d\n", port);
  std::fflush(stdout);
  return server.listen_after_bind() ? 0 : 1;
}
