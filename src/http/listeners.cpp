#include "http/listeners.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <random>
#include <stdexcept>
#include <string_view>
#include <thread>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "domain/number.h"
#include "files/descriptor.h"

namespace http {
namespace {

constexpr int backlog = 1024;
constexpr std::string_view unix_prefix = "unix:";

[[noreturn]] void fail(const std::string& what, int error) {
  throw std::runtime_error(what + " (" + std::strerror(error) + ")");
}

struct Address {
  sockaddr_storage storage{};
  socklen_t size = 0;

  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
  template <class T>
  T& as() {
    return reinterpret_cast<T&>(storage);
  }
  template <class T>
  const T& as() const {
    return reinterpret_cast<const T&>(storage);
  }
};

std::optional<Address> unix_address(std::string_view path) {
  Address address;
  auto& name = address.as<sockaddr_un>();
  if (path.empty() || path.front() != '/' || path.size() >= sizeof name.sun_path) {
    return std::nullopt;
  }
  name.sun_family = AF_UNIX;
  path.copy(name.sun_path, path.size());
  address.size = sizeof name;
  return address;
}

std::optional<Address> tcp_address(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == text.npos) return std::nullopt;
  const auto port = domain::number_from<std::uint16_t>(text.substr(colon + 1));
  if (!port) return std::nullopt;

  std::string host(text.substr(0, colon));
  Address address;
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    auto& v6 = address.as<sockaddr_in6>();
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(*port);
    address.size = sizeof v6;
    host = host.substr(1, host.size() - 2);
    if (inet_pton(AF_INET6, host.c_str(), &v6.sin6_addr) != 1) return std::nullopt;
    return address;
  }
  auto& v4 = address.as<sockaddr_in>();
  v4.sin_family = AF_INET;
  v4.sin_port = htons(*port);
  address.size = sizeof v4;
  if (host == "localhost") host = "127.0.0.1";
  if (inet_pton(AF_INET, host.c_str(), &v4.sin_addr) != 1) return std::nullopt;
  return address;
}

bool is_unix_text(std::string_view listen) { return listen.substr(0, unix_prefix.size()) == unix_prefix; }

std::string bound_address(int fd) {
  Address address;
  address.size = sizeof address.storage;
  if (::getsockname(fd, address.get(), &address.size) != 0) {
    fail("The address of a listening socket can't be read", errno);
  }
  char host[INET6_ADDRSTRLEN] = "";
  switch (address.storage.ss_family) {
    case AF_INET: {
      const auto& v4 = address.as<sockaddr_in>();
      inet_ntop(AF_INET, &v4.sin_addr, host, sizeof host);
      return std::string(host) + ":" + std::to_string(ntohs(v4.sin_port));
    }
    case AF_INET6: {
      const auto& v6 = address.as<sockaddr_in6>();
      inet_ntop(AF_INET6, &v6.sin6_addr, host, sizeof host);
      return "[" + std::string(host) + "]:" + std::to_string(ntohs(v6.sin6_port));
    }
    default: {
      const auto& name = address.as<sockaddr_un>();
      const auto room = address.size - offsetof(sockaddr_un, sun_path);
      std::string path(name.sun_path, room);
      if (!path.empty() && path.front() == '\0') path.front() = '@';  // an abstract name
      return "unix:" + path.substr(0, path.find('\0'));
    }
  }
}

files::Descriptor new_socket(int family) {
  files::Descriptor socket(::socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (socket.get() < 0) fail("No socket can be made", errno);
  return socket;
}

Listener open_tcp(const std::string& listen, const Address& address) {
  files::Descriptor socket = new_socket(address.storage.ss_family);
  const int on = 1;
  ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (::bind(socket.get(), address.get(), address.size) != 0 || ::listen(socket.get(), backlog) != 0) {
    const int error = errno;
    const std::string advice =
        error == EADDRINUSE ? "; another program has that port: stop it or change http.listen" : "; check http.listen";
    fail("Can't listen on " + listen + advice, error);
  }
  auto bound = bound_address(socket.get());
  return Listener{socket.release(), false, std::move(bound), 0, 0, false};
}

struct FileId {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;

  bool operator==(const FileId&) const = default;
};

// Nothing: there is none.
std::optional<FileId> id_of_file(const std::string& path) {
  struct stat there = {};
  if (::lstat(path.c_str(), &there) != 0) return std::nullopt;
  return FileId{there.st_dev, there.st_ino};
}

// A free name beside `path`, by which its file is made: "/run/.socket.abcdef". ss(8) shows this name.
std::string name_beside(const std::string& path) {
  constexpr std::string_view letters = "abcdefghijklmnopqrstuvwxyz";
  constexpr std::size_t longest = sizeof sockaddr_un{}.sun_path - 1;
  const auto base = path.rfind('/') + 1;
  std::random_device random;
  std::string ending = ".";
  for (int i = 0; i < 6; ++i) ending += letters[random() % letters.size()];
  std::string name = path.substr(0, base) + '.' + path.substr(base);
  if (name.size() + ending.size() > longest) name.resize(std::max(longest - ending.size(), base + 1));
  return name + ending;
}

[[noreturn]] void fail_as_taken(const std::string& path) {
  throw std::runtime_error("Can't listen on unix:" + path +
                           ": another program listens there; stop it or change http.listen.");
}

// Instances that start at once take turns from the look at a socket file to the new one: without it one removes what another
// has just made. Anybody who may read the folder can keep its lock, so nobody waits for it for long: a file that was deleted
// is to be there again within a second.
void lock_folder(int folder) {
  constexpr std::chrono::milliseconds patience{500};
  const auto until = std::chrono::steady_clock::now() + patience;
  while (::flock(folder, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK && std::chrono::steady_clock::now() < until) {
    std::this_thread::sleep_for(std::chrono::milliseconds{1});
  }
}

// Removes a socket file on which nobody answers; throws if anything else is there.
void clear_the_way(const std::string& path, const Address& address) {
  struct stat there = {};
  if (::lstat(path.c_str(), &there) != 0) return;
  if (!S_ISSOCK(there.st_mode)) {
    throw std::runtime_error("Can't listen on unix:" + path + ": something that is no socket is there; move it away.");
  }
  const files::Descriptor probe = new_socket(AF_UNIX);
  if (::connect(probe.get(), address.get(), address.size) == 0 || errno != ECONNREFUSED) fail_as_taken(path);
  ::unlink(path.c_str());
}

// The file gets its name when the socket listens: until then another instance would take it for left behind.
Listener open_unix(const std::string& path, const Address& address) {
  const files::Descriptor folder(
      ::open(path.substr(0, path.rfind('/') + 1).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  lock_folder(folder.get());
  clear_the_way(path, address);
  const std::string unnamed = name_beside(path);
  const auto bound = unix_address(unnamed);
  if (!bound) throw std::runtime_error("Can't listen on unix:" + path + ": its folder's path is too long; shorten it.");
  files::Descriptor socket = new_socket(AF_UNIX);
  constexpr mode_t mode = 0660;
  ::fchmod(socket.get(), mode);  // before bind: at no moment is the file more open than configured
  const bool listens = ::bind(socket.get(), bound->get(), bound->size) == 0 && ::chmod(unnamed.c_str(), mode) == 0 &&
                       ::listen(socket.get(), backlog) == 0;
  const auto made = id_of_file(unnamed);
  const bool is_named = listens && made && ::link(unnamed.c_str(), path.c_str()) == 0;
  const int error = errno;
  ::unlink(unnamed.c_str());
  if (is_named) return Listener{socket.release(), true, "unix:" + path, made->device, made->inode, false};
  if (listens && error == EEXIST) fail_as_taken(path);
  fail("Can't listen on unix:" + path + "; check that its folder is there and may be written to", error);
}

}  // namespace

std::optional<std::string> listen_problem(const std::string& listen) {
  if (is_unix_text(listen)) {
    if (unix_address(std::string_view(listen).substr(unix_prefix.size()))) return std::nullopt;
    return "expected \"unix:\" and an absolute path of at most 107 bytes";
  }
  if (tcp_address(listen)) return std::nullopt;
  return "expected an address and a port (\"127.0.0.1:8082\", \"[::1]:8082\"), or \"unix:/path\"";
}

std::vector<Listener> open_listeners(const std::string& listen) {
  if (auto problem = listen_problem(listen)) {
    throw std::runtime_error("Can't listen on \"" + listen + "\": " + *problem + ".");
  }
  if (is_unix_text(listen)) {
    const auto path = listen.substr(unix_prefix.size());
    return {open_unix(path, *unix_address(path))};
  }
  return {open_tcp(listen, *tcp_address(listen))};
}

std::vector<Listener> adopt_systemd_listeners() {
  const int count = sd_listen_fds(1);
  if (count < 0) fail("systemd's LISTEN_FDS can't be used", -count);
  std::vector<Listener> listeners;
  for (int fd = SD_LISTEN_FDS_START; fd < SD_LISTEN_FDS_START + count; ++fd) {
    if (sd_is_socket(fd, AF_UNSPEC, SOCK_STREAM, 1) <= 0) {
      throw std::runtime_error(
          "systemd handed over something else than a listening stream socket; "
          "use ListenStream= in the socket unit.");
    }
    ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
    const bool is_unix = sd_is_socket(fd, AF_UNIX, SOCK_STREAM, 1) > 0;
    listeners.push_back(Listener{fd, is_unix, bound_address(fd), 0, 0, true});
  }
  return listeners;
}

bool is_in_place(const Listener& listener) {
  if (listener.inode == 0) return true;
  return id_of_file(listener.address.substr(unix_prefix.size())) == FileId{listener.device, listener.inode};
}

void close_listener(const Listener& listener) {
  if (listener.inode != 0 && is_in_place(listener)) {
    ::unlink(listener.address.substr(unix_prefix.size()).c_str());
  }
  ::close(listener.fd);
}

}  // namespace http
