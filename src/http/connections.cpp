#include "http/connections.h"

#include <algorithm>
#include <iterator>

#include <sys/socket.h>

namespace http {
namespace {

// Has something arrived that its thread has not read yet?
bool has_unread(const Connection& connection) {
  char byte;
  return ::recv(connection.fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

}  // namespace

Connections::Connections(std::size_t listeners, std::size_t most) : shares_(std::max<std::size_t>(listeners, 1)) {
  const std::size_t count = shares_.size();
  for (std::size_t i = 0; i < count; ++i) {
    shares_[i].slots = std::max<std::size_t>(most / count + (i < most % count ? 1 : 0), 1);
  }
}

Connections::Admission Connections::admit(int fd, std::size_t listener, bool is_unix) {
  Share& share = shares_[listener];
  const bool is_full = share.strangers.size() + share.authorised.size() >= share.slots;
  if (!is_full) return {add(share.strangers, fd, listener, is_unix), false};
  if (free_a_slot(share, share.strangers)) return {add(share.strangers, fd, listener, is_unix), true};
  const bool has_reserved = share.reserved.size() < reserved_slots;
  if (!has_reserved && !free_a_slot(share, share.reserved)) return {};
  Connection* const connection = add(share.reserved, fd, listener, is_unix);
  connection->is_reserved = true;
  return {connection, !has_reserved};
}

Connection* Connections::add(List& list, int fd, std::size_t listener, bool is_unix) {
  Connection& connection = list.emplace_back();
  connection.fd = fd;
  connection.is_unix = is_unix;
  connection.listener = listener;
  connection.home = &list;
  connection.self = std::prev(list.end());
  return &connection;
}

void Connections::move(Connection& connection, List& list) {
  list.splice(list.end(), *connection.home, connection.self);
  connection.home = &list;
}

// The first that only its client keeps waiting gives way. One that sends a body goes after all others.
bool Connections::free_a_slot(Share& share, List& list) {
  // Only those whose threads have no processor yet; a bound, since each look is a system call.
  constexpr int most_looks = 64;
  if (share.leaving.size() >= most_leaving) return false;  // their threads do not keep up
  Connection* found = nullptr;
  int looks = 0;
  for (Connection& connection : list) {
    const auto wait = connection.wait.load();
    if (wait == Connection::Wait::none) continue;
    const bool sends_body = connection.phase == Connection::Phase::reading_body;
    if (sends_body && found) continue;
    if (wait == Connection::Wait::to_receive) {
      if (looks++ == most_looks) break;
      if (has_unread(connection)) continue;
    }
    found = &connection;
    if (!sends_body) break;
  }
  if (!found) return false;
  ::shutdown(found->fd, SHUT_RDWR);
  move(*found, share.leaving);
  return true;
}

void Connections::remove(Connection& connection) {
  List& list = *connection.home;
  list.erase(connection.self);
}

void Connections::note_answer(Connection& connection, bool authorised) {
  Share& share = shares_[connection.listener];
  if (connection.home != &share.strangers) return;
  move(connection, authorised ? share.authorised : share.strangers);
  connection.is_authorised = authorised;
}

void Connections::forget_authorisations() {
  for (Share& share : shares_) {
    while (!share.authorised.empty()) {
      share.authorised.front().is_authorised = false;
      move(share.authorised.front(), share.strangers);
    }
  }
}

std::size_t Connections::size() const {
  std::size_t size = 0;
  for (const Share& share : shares_) {
    size += share.strangers.size() + share.authorised.size() + share.reserved.size() + share.leaving.size();
  }
  return size;
}

std::size_t Connections::slots() const {
  std::size_t slots = 0;
  for (const Share& share : shares_) slots += share.slots + reserved_slots;
  return slots;
}

}  // namespace http
