#include "http/connection_slots.h"

#include <algorithm>
#include <iterator>

#include <sys/socket.h>

namespace http {
namespace {

// Has something arrived that its thread has not read yet?
bool has_unread(const ConnectionSlot& connection) {
  char byte;
  return ::recv(connection.fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

}  // namespace

ConnectionSlots::ConnectionSlots(std::size_t listeners, std::size_t most, std::chrono::milliseconds time_to_ask)
    : time_to_ask_(time_to_ask), shares_(std::max<std::size_t>(listeners, 1)) {
  const std::size_t count = shares_.size();
  for (std::size_t i = 0; i < count; ++i) {
    shares_[i].slots = std::max<std::size_t>(most / count + (i < most % count ? 1 : 0), 1);
  }
}

ConnectionSlots::Admission ConnectionSlots::admit(int fd, std::size_t listener, bool is_unix) {
  Share& share = shares_[listener];
  Admission admission;
  const bool is_full = share.strangers.size() + share.authorised.size() >= share.slots;
  ConnectionSlot* const idle = is_full ? find_idle(share.strangers) : nullptr;
  if (!is_full || displace(share, idle, admission)) {
    admission.connection = add(share.strangers, fd, listener, is_unix);
  } else if (has_reserved_slot(share, admission)) {
    admission.connection = add(share.reserved, fd, listener, is_unix);
    admission.connection->is_reserved = true;
    admission.connection->is_for_probes = true;
  }
  return admission;
}

// From the slots that anybody may use.
bool ConnectionSlots::displace(Share& share, ConnectionSlot* idle, Admission& admission) {
  if (idle == nullptr) return false;
  const bool may_still_ask = !idle->was_answered && idle->wait == ConnectionSlot::Wait::to_receive &&
                             idle->phase != ConnectionSlot::Phase::reading_body;
  if (may_still_ask && has_reserved_slot(share, admission)) {
    idle->is_for_probes = true;
    idle->asks_until = Clock::now() + time_to_ask_;
    move(*idle, share.reserved);
    return true;
  }
  return admission.displaced_another = close(share, idle);
}

bool ConnectionSlots::has_reserved_slot(Share& share, Admission& admission) {
  if (share.reserved.size() < reserved_slots) return true;
  return admission.displaced_another = close(share, find_idle(share.reserved));
}

ConnectionSlot* ConnectionSlots::add(List& list, int fd, std::size_t listener, bool is_unix) {
  ConnectionSlot& connection = list.emplace_back();
  connection.fd = fd;
  connection.is_unix = is_unix;
  connection.listener = listener;
  connection.home = &list;
  connection.self = std::prev(list.end());
  return &connection;
}

void ConnectionSlots::move(ConnectionSlot& connection, List& list) {
  list.splice(list.end(), *connection.home, connection.self);
  connection.home = &list;
}

// The first that only its client keeps waiting. One that sends a body comes after all others.
ConnectionSlot* ConnectionSlots::find_idle(List& list) {
  // Only those whose threads have no processor yet; a bound, since each look is a system call.
  constexpr int most_looks = 64;
  ConnectionSlot* found = nullptr;
  int looks = 0;
  for (ConnectionSlot& connection : list) {
    const auto wait = connection.wait.load();
    if (wait == ConnectionSlot::Wait::none) continue;
    const bool sends_body = connection.phase == ConnectionSlot::Phase::reading_body;
    if (sends_body && found) continue;
    if (wait == ConnectionSlot::Wait::to_receive) {
      if (looks++ == most_looks) break;
      if (has_unread(connection)) continue;
    }
    found = &connection;
    if (!sends_body) break;
  }
  return found;
}

bool ConnectionSlots::close(Share& share, ConnectionSlot* idle) {
  const bool do_threads_keep_up = share.closing.size() < most_closing;
  if (idle == nullptr || !do_threads_keep_up) return false;
  ::shutdown(idle->fd, SHUT_RDWR);
  move(*idle, share.closing);
  return true;
}

std::vector<std::size_t> ConnectionSlots::close_overdue(Clock::time_point now) {
  std::vector<std::size_t> listeners;
  for (Share& share : shares_) {
    for (auto next = share.reserved.begin(); next != share.reserved.end();) {
      ConnectionSlot& connection = *next++;
      if (is_overdue(connection, now) && close(share, &connection)) listeners.push_back(connection.listener);
    }
  }
  return listeners;
}

bool ConnectionSlots::is_overdue(const ConnectionSlot& connection, Clock::time_point now) {
  const bool gives_way = connection.asks_until != Clock::time_point{};
  return gives_way && now >= connection.asks_until && connection.wait == ConnectionSlot::Wait::to_receive &&
         !has_unread(connection);
}

bool ConnectionSlots::any_gives_way() const {
  return std::any_of(shares_.begin(), shares_.end(), [](const Share& share) {
    return std::any_of(share.reserved.begin(), share.reserved.end(),
                       [](const ConnectionSlot& connection) { return connection.asks_until != Clock::time_point{}; });
  });
}

void ConnectionSlots::remove(ConnectionSlot& connection) {
  List& list = *connection.home;
  list.erase(connection.self);
}

void ConnectionSlots::note_answer(ConnectionSlot& connection, bool authorised) {
  Share& share = shares_[connection.listener];
  if (connection.home != &share.strangers) return;
  move(connection, authorised ? share.authorised : share.strangers);
  connection.is_authorised = authorised;
}

void ConnectionSlots::forget_authorisations() {
  for (Share& share : shares_) {
    while (!share.authorised.empty()) {
      share.authorised.front().is_authorised = false;
      move(share.authorised.front(), share.strangers);
    }
  }
}

std::size_t ConnectionSlots::size() const {
  std::size_t size = 0;
  for (const Share& share : shares_) {
    size += share.strangers.size() + share.authorised.size() + share.reserved.size() + share.closing.size();
  }
  return size;
}

std::size_t ConnectionSlots::slots() const {
  std::size_t slots = 0;
  for (const Share& share : shares_) slots += share.slots + reserved_slots;
  return slots;
}

}  // namespace http
