// The users' sessions: which room each is in, which gateway it reports, and since when it is silent. Links itself into
// the rooms that it is given (domain/rooms_in_use.h), which the ledger owns. Time comes in as an argument and must not
// go backwards. Not thread-safe: the ledger's owner holds the lock. Nothing fails.
#pragma once

#include <cstddef>
#include <functional>
#include <list>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "domain/room_id.h"
#include "domain/rooms_in_use.h"

namespace domain {

struct SessionEntry {
  std::string id;
  RoomsInUse::value_type* room;
  ServiceTime refreshed;
  std::optional<ServiceTime> reported_itself;
  std::optional<GatewayId> gateway;
  bool difference_reported = false;
  bool live = true;  // false: silent for too long, and to be removed
  WallTime entered_at;
  SessionEntry* before = nullptr;  // others in the room
  SessionEntry* after = nullptr;
};

class Sessions {
 public:
  using Room = RoomsInUse::value_type;
  // Whether the session reported itself, or a snapshot named it.
  enum class Report { own, snapshot };

  // `users_changed` is called for a room whenever its number of live sessions has changed.
  explicit Sessions(std::function<void(Room&)> users_changed) : users_changed_(std::move(users_changed)) {}
  Sessions(const Sessions&) = delete;
  Sessions& operator=(const Sessions&) = delete;

  // --- one session
  const SessionEntry* find(std::string_view session) const;
  struct Entry {
    SessionEntry* session;
    bool entered = false;    // it was in no room, or silent for too long
    Room* left = nullptr;    // the other room that it was in, live or silent
    bool is_changed = true;  // what is written of it
  };
  // The session is in the room, and reports that it is on `gateway`, or nothing of that.
  Entry enter(std::string_view session, Room& room, std::optional<GatewayId> gateway, Report report, Moment now);
  // Adds an unknown session as the database remembers it.
  void restore(const Session& row, Room& room, std::optional<GatewayId> gateway, Moment now);
  // It is still there, wherever that is; without effect on one that is not.
  void refresh(std::string_view session, ServiceTime now);
  // It reports that it is elsewhere than its room: true the first time.
  bool mark_first_difference(std::string_view session);
  // Returns the room that it was in, which may be blank now.
  Room& erase(const SessionEntry& session);

  // --- all of them
  // Those silent for `dead_after` are no longer live, at most `limit` of them at once. True: more are silent for as
  // long.
  bool expire(ServiceTime now, Duration dead_after, std::size_t limit);
  // A session that is no longer live, or nothing.
  const SessionEntry* first_expired() const { return silent_.empty() ? nullptr : &silent_.front(); }
  std::size_t live() const { return live_.size(); }
  std::size_t silent() const { return silent_.size(); }
  std::size_t all() const { return by_id_.size(); }
  // In order of their ids, from the first behind `after`: until `look` returns false, which may erase the session that
  // it gets. True: there are more.
  bool for_each_behind(std::string_view after, const std::function<bool(const SessionEntry&)>& look);

 private:
  using Entries = std::list<SessionEntry>;

  SessionEntry& add(SessionEntry session, Room& room);
  static void link(SessionEntry& session, Room& room);
  static void unlink(SessionEntry& session);
  static void count_vote(const SessionEntry& session, int sign);
  void count(const SessionEntry& session, int sign);

  std::function<void(Room&)> users_changed_;
  Entries live_;  // least recently refreshed first
  Entries silent_;
  // By order: clients choose session ids, and could choose them so that they collide in a hash.
  std::map<std::string_view, Entries::iterator> by_id_;
};

}  // namespace domain
