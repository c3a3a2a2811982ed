// The open connections of a server, and which of them gets one of its slots. Each listener has a share of its own. If
// that is used up, the longest idle connection without a complete authorised answer gives way to a new one. If there is
// none, the new one gets one of a few reserved slots, in which only probes and commands are answered. A connection that
// gives way before it had any answer goes on in a reserved slot for a moment: its request may be on its way.
// Not thread-safe, but for what a ConnectionSlot's own thread sets in it. Nothing fails: no slot is a value.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <list>
#include <vector>

namespace http {

struct ConnectionSlot {
  enum class Phase { idle, reading, reading_body, answering, closing };
  // What its client keeps waiting; `none`: something of ours is under way.
  enum class Wait { none, to_receive, to_send };

  int fd = -1;
  bool is_unix = false;
  bool is_reserved = false;  // its slot was, when it came
  std::size_t listener = 0;
  // Set by its own thread.
  std::atomic<Phase> phase{Phase::idle};
  std::atomic<bool> was_answered{false};
  std::atomic<Wait> wait{Wait::to_receive};
  // Set by the server.
  std::atomic<bool> is_for_probes{false};  // its slot is reserved: for them and for commands
  std::atomic<bool> is_authorised{false};  // it has had a complete authorised answer
  std::atomic<bool> reading_ended{false};  // the server stops: what is missing is not the client's fault

  // Where ConnectionSlots keeps it.
  std::chrono::steady_clock::time_point asks_until{};  // once it has given way and goes on in a reserved slot
  std::list<ConnectionSlot>* home = nullptr;
  std::list<ConnectionSlot>::iterator self{};
};

class ConnectionSlots {
 public:
  using Clock = std::chrono::steady_clock;
  // For each listener, above its share.
  static constexpr std::size_t reserved_slots = 8;
  static constexpr std::size_t most_closing = 128;  // that have given way and are not closed yet

  struct Admission {
    ConnectionSlot* connection = nullptr;  // null: there is no slot
    bool displaced_another = false;        // from all slots: it is shut down, and is removed by its own thread
  };

  // `most` connections at once, in equal shares, of at least one. `time_to_ask`: of one that goes on in a reserved slot.
  ConnectionSlots(std::size_t listeners, std::size_t most, std::chrono::milliseconds time_to_ask);
  ConnectionSlots(const ConnectionSlots&) = delete;
  ConnectionSlots& operator=(const ConnectionSlots&) = delete;

  Admission admit(int fd, std::size_t listener, bool is_unix);
  // Shuts those down that have not asked in time in a reserved slot. Returns the listener of each.
  std::vector<std::size_t> close_overdue(Clock::time_point now);
  // Is there one that may become overdue?
  bool any_gives_way() const;
  void remove(ConnectionSlot& connection);
  // It has had a complete answer.
  void note_answer(ConnectionSlot& connection, bool authorised);
  // The token has changed: nobody has shown the new one.
  void forget_authorisations();

  std::size_t size() const;
  std::size_t slots() const;  // of all listeners, reserved ones too
  std::size_t share(std::size_t listener) const { return shares_[listener].slots; }

  template <typename Visit>
  void for_each(Visit visit) {
    for (Share& share : shares_) {
      for (auto* list : {&share.strangers, &share.authorised, &share.reserved, &share.closing}) {
        for (ConnectionSlot& connection : *list) visit(connection);
      }
    }
  }

 private:
  using List = std::list<ConnectionSlot>;

  struct Share {
    std::size_t slots = 0;
    List strangers;  // without a complete authorised answer; the longest idle one first
    List authorised;
    List reserved;
    List closing;  // have given way
  };

  static ConnectionSlot* add(List& list, int fd, std::size_t listener, bool is_unix);
  static void move(ConnectionSlot& connection, List& list);
  static ConnectionSlot* find_idle(List& list);
  static bool is_overdue(const ConnectionSlot& connection, Clock::time_point now);
  bool displace(Share& share, ConnectionSlot* idle, Admission& admission);
  static bool has_reserved_slot(Share& share, Admission& admission);
  static bool close(Share& share, ConnectionSlot* idle);

  const std::chrono::milliseconds time_to_ask_;
  std::vector<Share> shares_;
};

}  // namespace http
