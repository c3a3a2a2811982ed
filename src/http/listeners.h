// The sockets on which the sidecar listens: opened by configuration or handed over by systemd.
// From one thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace http {

// A listening socket. Its holder ends it by close_listener; a plain value otherwise.
struct Listener {
  int fd = -1;
  bool is_unix = false;
  std::string address;  // as really bound: "127.0.0.1:43123", "[::1]:80", "unix:/path"
  // The socket file that we made, to be unlinked if it is still the same one; 0: not ours.
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  bool is_systemds = false;
};

// Why `listen` is not "127.0.0.1:8082", "localhost:8082", "[::1]:8082" or "unix:/path".
std::optional<std::string> listen_problem(const std::string& listen);

// Throws std::runtime_error with a sentence for operators: port taken, path occupied …
std::vector<Listener> open_listeners(const std::string& listen);

// What systemd hands over (LISTEN_FDS), or nothing; clears these variables. Throws as above if
// something else than a listening stream socket is handed over.
std::vector<Listener> adopt_systemd_listeners();

// Is the socket file that we made still there? True for other listeners.
bool is_in_place(const Listener& listener);

// Closes without shutting down (systemd holds the same socket), and removes the socket file if ours.
void close_listener(const Listener& listener);

}  // namespace http
