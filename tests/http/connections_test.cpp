// The slots of connections, and which connection gives way.
#include <list>
#include <string_view>
#include <vector>

#include <sys/socket.h>
#include <unistd.h>

#include "catch.h"
#include "http/connection_slots.h"
#include "http/minimum_rate.h"

using http::ConnectionSlot;
using http::ConnectionSlots;

namespace {

using namespace std::chrono_literals;

// ConnectionSlots with both ends of real sockets.
class Sockets {
 public:
  Sockets() = default;
  Sockets(const Sockets&) = delete;
  Sockets& operator=(const Sockets&) = delete;
  ~Sockets() {
    for (const int fd : all_) ::close(fd);
  }

  ConnectionSlots::Admission admit(ConnectionSlots& connections, std::size_t listener = 0) {
    int ends[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
    all_.insert(all_.end(), {ends[0], ends[1]});
    return connections.admit(ends[0], listener, true);
  }
  // Sends bytes as the connection's client.
  void say(const ConnectionSlot& connection, std::string_view text) {
    for (std::size_t i = 0; i < all_.size(); i += 2) {
      if (all_[i] == connection.fd) ::send(all_[i + 1], text.data(), text.size(), MSG_NOSIGNAL);
    }
  }

 private:
  std::vector<int> all_;
};

bool was_shut_down(const ConnectionSlot& connection) {
  char byte;
  return ::recv(connection.fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

}  // namespace

TEST_CASE("the longest idle connection without an authorised answer gives way") {
  Sockets sockets;
  ConnectionSlots connections(1, 3, 500ms);
  ConnectionSlot& first = *sockets.admit(connections).connection;
  ConnectionSlot& second = *sockets.admit(connections).connection;
  ConnectionSlot& third = *sockets.admit(connections).connection;
  connections.note_answer(third, false);
  connections.note_answer(first, true);
  connections.note_answer(second, false);  // has been idle since now, and the third for longer
  third.was_answered = true;
  const auto new_one = sockets.admit(connections);
  REQUIRE(new_one.connection);
  CHECK(new_one.displaced_another);
  CHECK_FALSE(new_one.connection->is_reserved);
  CHECK(was_shut_down(third));
  CHECK_FALSE(was_shut_down(first));
  CHECK_FALSE(was_shut_down(second));
  CHECK(connections.size() == 4);  // until the third's thread is done with it
  connections.remove(third);
  CHECK(connections.size() == 3);
}

TEST_CASE("a connection without any answer goes on in a reserved slot, where the longest idle one gives way") {
  Sockets sockets;
  ConnectionSlots connections(1, 1, 500ms);
  std::vector<ConnectionSlot*> silent;
  for (std::size_t i = 0; i <= ConnectionSlots::reserved_slots; ++i) {
    const auto admission = sockets.admit(connections);
    REQUIRE(admission.connection);
    CHECK_FALSE(admission.connection->is_for_probes);
    CHECK_FALSE(admission.displaced_another);
    silent.push_back(admission.connection);
  }
  for (std::size_t i = 0; i < silent.size(); ++i) {
    CHECK(silent[i]->is_for_probes == (i < ConnectionSlots::reserved_slots));
    CHECK_FALSE(silent[i]->is_reserved);  // no client gets a 503
    CHECK_FALSE(was_shut_down(*silent[i]));
  }
  sockets.say(*silent[0], "G");
  CHECK(sockets.admit(connections).displaced_another);
  CHECK(was_shut_down(*silent[1]));
  char byte;
  CHECK(::recv(silent[0]->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 1);
  CHECK(silent[0]->home != silent[1]->home);
}

TEST_CASE("a connection moved to a reserved slot has a moment to ask") {
  Sockets sockets;
  ConnectionSlots connections(1, 2, 500ms);
  ConnectionSlot& silent = *sockets.admit(connections).connection;
  ConnectionSlot& asking = *sockets.admit(connections).connection;
  CHECK_FALSE(connections.any_gives_way());
  for (int i = 0; i < 2; ++i) sockets.admit(connections);
  REQUIRE(silent.is_for_probes);
  REQUIRE(asking.is_for_probes);
  CHECK(connections.any_gives_way());
  sockets.say(asking, "G");
  const auto now = ConnectionSlots::Clock::now();
  CHECK(connections.close_overdue(now - 1s).empty());
  CHECK_FALSE(was_shut_down(silent));
  CHECK(connections.close_overdue(now + 1s) == std::vector<std::size_t>{0});
  CHECK(was_shut_down(silent));
  CHECK(connections.close_overdue(now + 1s).empty());
}

TEST_CASE("no connection gives way while it is worked for, or after its request has arrived") {
  Sockets sockets;
  ConnectionSlots connections(1, 3, 500ms);
  ConnectionSlot& worked_for = *sockets.admit(connections).connection;
  ConnectionSlot& asking = *sockets.admit(connections).connection;
  ConnectionSlot& uploading = *sockets.admit(connections).connection;
  worked_for.wait = ConnectionSlot::Wait::none;
  sockets.say(asking, "G");
  uploading.phase = ConnectionSlot::Phase::reading_body;
  CHECK(sockets.admit(connections).displaced_another);
  CHECK(was_shut_down(uploading));
  CHECK_FALSE(sockets.admit(connections).displaced_another);  // the first new one goes on in a reserved slot
  CHECK_FALSE(was_shut_down(worked_for));
  CHECK(asking.home != nullptr);
  asking.wait = ConnectionSlot::Wait::to_send;  // it asks on and takes no answer
  CHECK(sockets.admit(connections).displaced_another);
  char byte;
  CHECK(::recv(asking.fd, &byte, 1, MSG_DONTWAIT) == 1);
  CHECK(was_shut_down(asking));
}

TEST_CASE("a connection that sends a body gives way after those that send nothing") {
  Sockets sockets;
  ConnectionSlots connections(1, 2, 500ms);
  ConnectionSlot& uploading = *sockets.admit(connections).connection;
  uploading.phase = ConnectionSlot::Phase::reading_body;
  ConnectionSlot& silent = *sockets.admit(connections).connection;
  CHECK_FALSE(sockets.admit(connections).displaced_another);
  CHECK(silent.is_for_probes);
  CHECK_FALSE(was_shut_down(uploading));
}

TEST_CASE("a new connection gets a reserved slot where all are authorised, and there the longest idle gives way") {
  Sockets sockets;
  ConnectionSlots connections(1, 1, 500ms);
  connections.note_answer(*sockets.admit(connections).connection, true);
  std::vector<ConnectionSlot*> reserved;
  for (std::size_t i = 0; i < ConnectionSlots::reserved_slots; ++i) {
    const auto admission = sockets.admit(connections);
    REQUIRE(admission.connection);
    CHECK(admission.connection->is_reserved);
    CHECK_FALSE(admission.displaced_another);
    reserved.push_back(admission.connection);
  }
  CHECK(sockets.admit(connections).displaced_another);
  CHECK(was_shut_down(*reserved.front()));
  connections.for_each([](ConnectionSlot& connection) { connection.wait = ConnectionSlot::Wait::none; });
  CHECK(sockets.admit(connections).connection == nullptr);
  CHECK(connections.slots() == 1 + ConnectionSlots::reserved_slots);
}

TEST_CASE("each listener has a share of its own, of at least one slot") {
  Sockets sockets;
  ConnectionSlots connections(2, 3, 500ms);
  CHECK(connections.share(0) == 2);
  CHECK(connections.share(1) == 1);
  for (int i = 0; i < 2; ++i) connections.note_answer(*sockets.admit(connections, 0).connection, true);
  CHECK(sockets.admit(connections, 0).connection->is_reserved);
  CHECK_FALSE(sockets.admit(connections, 1).connection->is_reserved);
  CHECK(ConnectionSlots(3, 1, 500ms).share(2) == 1);
}

TEST_CASE("every connection is unauthorised after the token has changed") {
  Sockets sockets;
  ConnectionSlots connections(1, 1, 500ms);
  ConnectionSlot& kept = *sockets.admit(connections).connection;
  kept.was_answered = true;
  connections.note_answer(kept, true);
  CHECK(kept.is_authorised);
  connections.forget_authorisations();
  CHECK_FALSE(kept.is_authorised);
  CHECK(sockets.admit(connections).displaced_another);
  CHECK(was_shut_down(kept));
}

TEST_CASE("new connections displace no more than can be closed meanwhile") {
  Sockets sockets;
  ConnectionSlots connections(1, 2, 500ms);
  for (int i = 0; i < 200; ++i) sockets.admit(connections);
  CHECK(connections.size() == 2 + ConnectionSlots::most_closing + ConnectionSlots::reserved_slots);
}

TEST_CASE("the minimum rate is 64 KiB in each window") {
  const http::MinimumRate::Clock::time_point start{};
  http::MinimumRate rate(1s, start);
  CHECK(rate.until() == start + 1s);
  rate.add(65535, start + 900ms);
  CHECK(rate.until() == start + 1s);
  rate.add(1, start + 990ms);
  CHECK(rate.until() == start + 1990ms);
}
