#include "http/server.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <deque>
#include <list>
#include <system_error>
#include <thread>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "http/connection.h"
#include "http/options.h"
#include "http/shed_connections.h"
#include "http/socket_files.h"
#include "locks/mutex.h"

namespace http {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
using Phase = ConnectionSlot::Phase;

constexpr int accepted_at_once = 64;   // then stop() and the other listeners get a look
constexpr auto between_looks = 100ms;  // for connections that are overdue
constexpr auto lame_duck = 1s;         // how long a kept connection may take to receive "close"
constexpr auto silent_grace = 250ms;   // an accepted client may be about to ask
// Reckoned from stop(), after which serve() returns within 4 s:
constexpr auto half_sent_grace = 3s;        // a begun request that is still coming in
constexpr auto in_progress_grace = 3750ms;  // one that is being answered

static_assert(2 * (ConnectionSlots::reserved_slots + ConnectionSlots::most_closing) + ShedConnections::most_closing <=
              closing_connections);

void set_up(const ConnectionSlot& connection, const Timeouts& timeouts) {
  const int fd = connection.fd;
  const int on = 1;
  if (!connection.is_unix) ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  const auto first_byte = connection.is_reserved ? timeouts.reserved : timeouts.first_byte;
  timeval limit{};
  limit.tv_sec = static_cast<time_t>(first_byte.count() / 1000);
  limit.tv_usec = static_cast<suseconds_t>(first_byte.count() % 1000 * 1000);
  ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
}

std::vector<LoadShedding::Listener> slots_of(const std::vector<Listener>& listeners, std::size_t most) {
  const ConnectionSlots connections(listeners.size(), most, {});
  std::vector<LoadShedding::Listener> result;
  result.reserve(listeners.size());
  for (const Listener& listener : listeners) result.push_back({listener.address, connections.share(result.size())});
  return result;
}

}  // namespace

class Server::Inside {
 public:
  Inside(ServerOptions options, std::vector<Route> routes, std::vector<Listener> listeners);
  ~Inside();

  void serve();
  void stop();
  void replace_token(std::optional<std::string> token);
  std::uint64_t heartbeats() const { return heartbeats_; }
  std::size_t connections() const;
  const LoadShedding& shedding() const { return context_.shedding; }
  std::vector<RouteReading> requests() const;

 private:
  void wait_and_accept(std::chrono::milliseconds longest);
  bool close_overdue();
  void accept_from(std::size_t listener);
  void admit(int fd, std::size_t listener);
  bool get_thread_for(ConnectionSlot& connection) REQUIRES(mutex_);
  void note_answer(ConnectionSlot& connection, const std::optional<TokenInForce::Token>& authorised_by);
  void close_listeners();
  bool any_kept();

  void work();
  void see_out(Clock::time_point stopped);
  void stop_reading(Phase phase);
  bool wait_until_empty(Clock::time_point until);

  std::vector<Listener> listeners_;
  ServerContext context_;
  int wake_;
  std::atomic<std::uint64_t> heartbeats_{0};
  ShedConnections shed_;        // the accepting thread's
  SocketFiles socket_files_;    // the accepting thread's
  bool any_gives_way_ = false;  // the accepting thread's: a connection may become overdue

  mutable locks::Mutex mutex_;
  locks::ConditionVariable work_to_do_;
  locks::ConditionVariable nobody_here_;
  ConnectionSlots connections_ GUARDED_BY(mutex_);          // a ConnectionSlot's atomics are free
  std::deque<ConnectionSlot*> waiting_ GUARDED_BY(mutex_);  // admitted, without a thread yet
  std::size_t free_threads_ GUARDED_BY(mutex_) = 0;         // also those that have not begun to run
  bool done_ GUARDED_BY(mutex_) = false;
  std::list<std::thread> threads_;  // the accepting thread's
};

Server::Inside::Inside(ServerOptions options, std::vector<Route> routes, std::vector<Listener> listeners)
    : listeners_(std::move(listeners)),
      context_{
          RouteTable(std::move(routes)),
          options.timeouts,
          std::move(options.on_exception),
          TokenInForce(std::move(options.token)),
          {},
          [this](ConnectionSlot& connection, const auto& authorised_by) { note_answer(connection, authorised_by); },
          {},
          LoadShedding(slots_of(listeners_, options.max_connections))},
      wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      connections_(listeners_.size(), options.max_connections, options.timeouts.reserved) {
  if (wake_ < 0) {
    const int error = errno;
    close_listeners();
    throw std::system_error(error, std::generic_category(), "eventfd");
  }
}

Server::Inside::~Inside() {
  close_listeners();
  ::close(wake_);
}

std::size_t Server::Inside::connections() const {
  const locks::MutexLock lock(mutex_);
  return connections_.size();
}

std::vector<RouteReading> Server::Inside::requests() const {
  std::vector<RouteReading> readings;
  for (std::size_t i = 0; i <= context_.routes.size(); ++i) {
    readings.push_back(context_.counts.read(i));
    if (i == context_.routes.size()) break;
    readings.back().method = context_.routes.route(i).method;
    readings.back().pattern = context_.routes.route(i).pattern;
  }
  return readings;
}

void Server::Inside::stop() {
  context_.stopping = true;
  const std::uint64_t one = 1;
  if (::write(wake_, &one, sizeof one) < 0) return;  // full: it will wake anyhow
}

void Server::Inside::serve() {
  while (!context_.stopping) wait_and_accept(1s);
  const auto stopped = Clock::now();
  do {
    wait_and_accept(5ms);
  } while (any_kept() && Clock::now() < stopped + lame_duck);
  close_listeners();
  see_out(stopped);
}

void Server::Inside::wait_and_accept(std::chrono::milliseconds longest) {
  std::vector<pollfd> watched;
  for (const auto& listener : listeners_) watched.push_back({listener.fd, POLLIN, 0});
  watched.push_back({wake_, POLLIN, 0});
  if (shed_.any()) longest = std::min(longest, 10ms);
  if (any_gives_way_) longest = std::min(longest, between_looks);
  if (SocketFiles::any(listeners_)) longest = std::min(longest, SocketFiles::between_looks);
  ::poll(watched.data(), watched.size(), static_cast<int>(longest.count()));
  ++heartbeats_;
  eventfd_t count;
  if (watched.back().revents != 0) ::eventfd_read(wake_, &count);  // or it would stay readable for ever
  for (std::size_t i = 0; i < listeners_.size(); ++i) {
    if (watched[i].revents != 0) accept_from(i);
  }
  shed_.close_the_finished();
  any_gives_way_ = close_overdue();
  if (!context_.stopping) socket_files_.keep(listeners_);
}

// True: others may become overdue.
bool Server::Inside::close_overdue() {
  const locks::MutexLock lock(mutex_);
  for (const std::size_t listener : connections_.close_overdue(Clock::now())) {
    context_.shedding.displaced_connection(listener);
  }
  return connections_.any_gives_way();
}

void Server::Inside::accept_from(std::size_t listener) {
  for (int i = 0; i < accepted_at_once; ++i) {
    const int fd = ::accept4(listeners_[listener].fd, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd >= 0) {
      admit(fd, listener);
    } else if (errno != EINTR && errno != ECONNABORTED) {
      // Out of descriptors or memory: poll would report the listener again at once.
      if (errno != EAGAIN) std::this_thread::sleep_for(10ms);
      return;
    }
  }
}

void Server::Inside::admit(int fd, std::size_t listener) {
  locks::MutexLock lock(mutex_);
  const auto admission = connections_.admit(fd, listener, listeners_[listener].is_unix);
  if (admission.displaced_another) context_.shedding.displaced_connection(listener);
  if (ConnectionSlot* const connection = admission.connection) {
    set_up(*connection, context_.timeouts);
    if (get_thread_for(*connection)) return;
    connections_.remove(*connection);
  }
  lock.unlock();
  context_.shedding.refused_connection(listener);
  shed_.shed(fd);
}

// False: there is none, nor will there be.
bool Server::Inside::get_thread_for(ConnectionSlot& connection) {
  if (waiting_.size() < free_threads_) {
    work_to_do_.notify_one();
  } else if (threads_.size() < connections_.slots()) {
    try {
      threads_.emplace_back([this] { work(); });
      ++free_threads_;
    } catch (const std::system_error&) {  // no more threads to be had
      return false;
    }
  }  // else that of a connection which has given way is about to be free
  waiting_.push_back(&connection);
  return true;
}

// What happens at each request must not take a lock.
void Server::Inside::note_answer(ConnectionSlot& connection, const std::optional<TokenInForce::Token>& authorised_by) {
  if (connection.is_authorised && authorised_by) return;
  const locks::MutexLock lock(mutex_);
  connections_.note_answer(connection, authorised_by && *authorised_by == context_.token.get());
}

void Server::Inside::replace_token(std::optional<std::string> token) {
  const auto before = context_.token.get();
  const bool is_same = before ? token == *before : !token;
  if (is_same) return;
  context_.token.replace(std::move(token));
  const locks::MutexLock lock(mutex_);
  connections_.forget_authorisations();
}

void Server::Inside::work() {
  locks::MutexLock lock(mutex_);
  for (;; ++free_threads_) {
    work_to_do_.wait(lock, [&]() REQUIRES(mutex_) { return done_ || !waiting_.empty(); });
    --free_threads_;
    if (waiting_.empty()) return;
    ConnectionSlot* const mine = waiting_.front();
    waiting_.pop_front();
    lock.unlock();
    try {
      Connection(*mine, context_).run();
    } catch (const std::exception&) {
      // Out of memory: this client's loss.
    }
    lock.lock();
    ::close(mine->fd);  // under the lock: see_out must not shut down a number that is in new hands
    connections_.remove(*mine);
    if (connections_.size() == 0) nobody_here_.notify_all();
  }
}

bool Server::Inside::any_kept() {
  bool any = false;
  const locks::MutexLock lock(mutex_);
  connections_.for_each([&](const ConnectionSlot& connection) {
    any = any || (connection.was_answered && connection.phase != Phase::closing);
  });
  return any;
}

void Server::Inside::close_listeners() {
  for (const auto& listener : listeners_) close_listener(listener);
  listeners_.clear();
}

// What has arrived by then can still be read, and is answered.
void Server::Inside::stop_reading(Phase phase) {
  const locks::MutexLock lock(mutex_);
  connections_.for_each([&](ConnectionSlot& connection) {
    if (connection.phase != phase) return;
    connection.reading_ended = true;
    ::shutdown(connection.fd, SHUT_RD);
  });
}

bool Server::Inside::wait_until_empty(Clock::time_point until) {
  locks::MutexLock lock(mutex_);
  return nobody_here_.wait_until(lock, until, [&]() REQUIRES(mutex_) { return connections_.size() == 0; });
}

void Server::Inside::see_out(Clock::time_point stopped) {
  const auto start = Clock::now();
  const auto last = stopped + in_progress_grace;
  {
    const locks::MutexLock lock(mutex_);
    connections_.for_each([](ConnectionSlot& connection) {
      if (connection.phase != Phase::idle || !connection.was_answered) return;
      connection.reading_ended = true;
      ::shutdown(connection.fd, SHUT_RD);
    });
  }
  bool empty = wait_until_empty(start + silent_grace);
  // A connection may turn idle, or half a request come in, at any of these moments: hence each time.
  for (auto next = start + silent_grace; !empty && next < last; next += silent_grace) {
    stop_reading(Phase::idle);
    if (next >= stopped + half_sent_grace) {
      stop_reading(Phase::reading);
      stop_reading(Phase::reading_body);
    }
    empty = wait_until_empty(next + silent_grace);
  }
  {
    const locks::MutexLock lock(mutex_);
    connections_.for_each([](const ConnectionSlot& connection) { ::shutdown(connection.fd, SHUT_RDWR); });
    done_ = true;
    work_to_do_.notify_all();
  }
  for (auto& thread : threads_) thread.join();
  threads_.clear();
  shed_.close_all();
}

Server::Server(ServerOptions options, std::vector<Route> routes, std::vector<Listener> listeners)
    : inside_(std::make_unique<Inside>(std::move(options), std::move(routes), std::move(listeners))) {}

Server::~Server() = default;

void Server::serve() { inside_->serve(); }
void Server::stop() { inside_->stop(); }
void Server::replace_token(std::optional<std::string> token) { inside_->replace_token(std::move(token)); }
std::uint64_t Server::heartbeats() const { return inside_->heartbeats(); }
std::size_t Server::connections() const { return inside_->connections(); }
const LoadShedding& Server::shedding() const { return inside_->shedding(); }
std::vector<RouteReading> Server::requests() const { return inside_->requests(); }

}  // namespace http
