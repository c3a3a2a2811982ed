// Assignments, sessions, and how many rooms each gateway has. The one authority; the
// database is its record. Not thread-safe: its owner holds one lock around it (app/registry.h). Time comes
// in as an argument and must not go backwards. Nothing fails; misuse is asserted.
//
// What happens here and must be written is collected as Changes, for the owner to take away under the
// same lock. The booking of an assignment is not among them: that goes through a claim (app/claims.h).
#pragma once

#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "domain/assignment.h"
#include "domain/change.h"
#include "domain/occupancy.h"
#include "domain/placement.h"
#include "domain/time.h"

namespace domain {

struct Moment {
  ServiceTime service;
  WallTime wall;
};

class Ledger {
  struct SessionEntry;

 public:
  // An assignment as the ledger holds it.
  struct Held {
    GatewayNumber gateway;
    std::string region;
    WallTime assigned_at;
    WallTime last_used_at;
  };
  // How many live sessions of a room report that they are on a gateway.
  struct Vote {
    GatewayNumber gateway;
    std::uint32_t sessions;
  };
  // A room in use: assigned, or with sessions, or both.
  struct Room {
    std::optional<Held> held;
    bool pending = false;             // booked, but not yet granted: wait for its claim
    bool touched = false;             // last_used_at is newer than the file's
    std::size_t users = 0;            // live sessions
    std::size_t users_elsewhere = 0;  // at other sidecars, as they announced
    std::size_t sessions = 0;         // live and silent ones
    SessionEntry* first_session = nullptr;
    std::vector<Vote> votes;        // in no order
    std::int64_t excess_users = 0;  // as it is counted for the gateway that holds the room
    // While set, an empty room keeps its assignment until join_grace after it.
    std::optional<ServiceTime> grace_since;
    std::unique_ptr<Held> before;                // what a pending booking replaces
    bool moved = false;                          // to another gateway, and no answer has named it yet
    std::optional<ServiceTime> elsewhere_until;  // another sidecar used it when that was last asked

    // By its sessions. Ledger::is_occupied also looks at the gateways' room lists.
    bool has_users() const { return users > 0; }
    std::size_t all_users() const { return users + users_elsewhere; }
    // What holds the room in the file too: while a booking is pending, what it is to replace.
    const Held* granted() const { return pending ? before.get() : held ? &*held : nullptr; }

   private:
    friend class Ledger;
    // What was announced to the other sidecars, or is being announced, and when; out of date if that began anew.
    Use announced_use = Use::none;
    std::uint32_t announcing_epoch = 0;
    std::size_t announced_users = 0;
    ServiceTime announced_at{};
  };
  using Rooms = std::map<std::string, Room, std::less<>>;

  Ledger() = default;
  Ledger(const Ledger&) = delete;
  Ledger& operator=(const Ledger&) = delete;

  // --- gateways
  GatewayNumber number_of(std::string_view gateway);  // made up at first mention, then for good
  const std::string& name_of(GatewayNumber gateway) const { return *names_[gateway]; }
  std::span<const std::int64_t> rooms_by_gateway() const { return rooms_of_; }
  // Has the users above that average counted in each assigned room from now on, or (nothing) not. True: the rooms are
  // to be counted anew, by recount_excess_users().
  bool count_excess_users(std::optional<std::int64_t> average);
  // Counts at most `limit` of the rooms behind `after` anew, and moves that on; false once there are no more.
  bool recount_excess_users(std::string& after, std::size_t limit);
  // Those users by gateway; none if they are not counted.
  std::span<const std::int64_t> excess_users_by_gateway() const {
    return average_ ? std::span<const std::int64_t>(excess_users_of_) : std::span<const std::int64_t>{};
  }

  // --- rooms
  const Room* find(std::string_view room) const;
  const Rooms& rooms() const { return rooms_; }
  Assignment assignment(const std::string& room, const Held& held) const;
  // Is somebody in the room, by its sessions or by the gateways' room lists?
  bool is_occupied(std::string_view room, ServiceTime now) const;
  // The gateways' room lists from now on; nothing: they are not asked.
  void set_occupancy(std::shared_ptr<const Occupancy> occupancy) { occupancy_ = std::move(occupancy); }
  const std::shared_ptr<const Occupancy>& occupancy() const { return occupancy_; }

  // Takes over what the database remembers: each session is fresh, each assignment just answered.
  void restore(const std::vector<Assignment>& assignments, const std::vector<Session>& sessions,
               const std::vector<Failover>& failovers, Moment now);

  // Books a gateway for a room, at full load at once; pending until confirmed or withdrawn.
  void book(std::string_view room, GatewayNumber gateway, std::string_view region, Moment now);
  // What the pending booking replaces is out of date: if it fails the room has no assignment.
  void forget_replaced(std::string_view room);
  // The claim was granted, to `holder`.
  void confirm(std::string_view room, GatewayNumber holder);
  // The claim failed: the room is again as it was before.
  void withdraw(std::string_view room);

  // The room was answered: somebody is on the way to it.
  void answered(std::string_view room, Moment now);
  // The assignment was used now.
  void touch(std::string_view room, WallTime now);
  // May the assignment of the room end, as far as is known here? Not if it is occupied, pending, or within its
  // grace.
  bool may_end(std::string_view room, ServiceTime now, Duration join_grace) const;
  // Has the room's row written as it is, in case the file has it otherwise.
  void note(std::string_view room);
  // Ends the assignment, also of an occupied room. False if there is none or it is pending.
  bool end_assignment(std::string_view room);
  // The empty room keeps its assignment for a whole join_grace from now on.
  void keep(std::string_view room, ServiceTime now);

  // --- when scale mode begins
  // The rooms behind that one may still be assigned elsewhere than where their users are: legacy mode left them so
  // (app/change_policy.h). Nothing: there are none.
  void set_as_legacy_left(std::optional<std::string> behind) { as_legacy_left_ = std::move(behind); }
  bool is_any_as_legacy_left() const { return as_legacy_left_.has_value(); }
  bool is_as_legacy_left(std::string_view room) const { return as_legacy_left_ && room > *as_legacy_left_; }

  // --- what other sidecars do
  // From now on (or no longer) it is noted when the use of an assigned room changes.
  void announce_uses(bool on);
  bool announces_uses() const { return announces_uses_; }
  std::vector<RoomUse> take_uses() { return std::exchange(uses_, {}); }
  Use announced_use(const Room& room) const {
    return room.announcing_epoch == announcing_epoch_ ? room.announced_use : Use::none;
  }
  Use announced_use(std::string_view room) const;
  // The use is announced by other means; returns what is to be announced.
  RoomUse set_announced_use(std::string_view room, Use use);
  // Rooms whose announced number of users is out of date, and older than a second. Looks at no more
  // than `limit` rooms behind `after`, which is moved on; false once there are no more.
  bool take_recounts(ServiceTime now, std::string& after, std::size_t limit, std::vector<RoomUse>& recounts);
  // So many are in the room at other sidecars.
  void set_users_elsewhere(std::string_view room, std::size_t users);
  // The room stays although nobody is in it any more.
  void note_emptied(std::string_view room);
  // The room's row as it is there. Without effect on one that is pending: its claim decides.
  void follow(const Assignment& row);
  // It has ended there.
  void unfollow(std::string_view room);
  // The gateway that a room returns to if it is asked for again soon; nothing: wherever it fits.
  void set_tombstone(const std::string& room, std::optional<std::string_view> gateway);
  void forget_tombstones() { tombstones_.clear(); }
  std::optional<GatewayNumber> tombstone_gateway(std::string_view room) const;
  // Another sidecar uses it, which is believed until then.
  void note_elsewhere(std::string_view room, ServiceTime until);
  bool is_used_elsewhere(std::string_view room, ServiceTime now) const;

  // --- failovers: gateways that rooms are moved away from
  struct Evacuation {
    std::optional<GatewayNumber> standby;  // which takes all of them
    std::int64_t moved = 0;                // rooms, since it began or since the start
    std::set<GatewayNumber> taken_by;
    bool is_complete_logged = false;
  };
  const std::map<GatewayNumber, Evacuation>& evacuations() const { return evacuations_; }
  // Begins it, or gives it another standby.
  void begin_evacuation(GatewayNumber gateway, std::optional<GatewayNumber> standby);
  // A room was moved from there. `seen`: a user's answer names the new gateway.
  void note_move(std::string_view room, GatewayNumber from, bool seen);
  void mark_evacuation_complete(GatewayNumber gateway) { evacuations_.at(gateway).is_complete_logged = true; }
  void end_evacuation(GatewayNumber gateway);

  // --- sessions
  struct Entered {
    bool entered = false;                   // it was in no room, or dead
    std::optional<std::string> moved_from;  // it was in another room
  };
  enum class Report { own, snapshot };
  // The session is in the room, and reports that it is on `reported` (a known gateway's name, or nothing).
  Entered enter(std::string_view session, std::string_view room, std::optional<std::string_view> reported,
                Report report, Moment now);
  // It reports that it is elsewhere than its room: true the first time.
  bool mark_first_difference(std::string_view session);
  // The session is still there, wherever that is; without effect on one that is not.
  void refresh(std::string_view session, ServiceTime now);
  // The session left the room; false if it is not there.
  bool leave(std::string_view session, std::string_view room);
  // Did the session report itself at or after that time?
  bool reported_since(std::string_view session, ServiceTime time) const;
  // Lets the sessions go that nothing has refreshed since `listed` and that have not reported themselves
  // since `own`. Looks at sessions behind `after`, which it moves on, and lets at most `limit` of them go.
  struct Unlisted {
    std::vector<std::string> rooms;  // that they left, each once a session
    bool more = false;               // sessions are to be looked at
  };
  Unlisted remove_unlisted(ServiceTime listed, ServiceTime own, std::string& after, std::size_t limit);
  // Sessions silent for dead_after are no longer live, at most `limit` of them at once. To be called before anything
  // that counts users. True: more are silent for as long.
  bool expire(ServiceTime now, Duration dead_after, std::size_t limit);
  // Forgets at most `limit` of the sessions that died of silence; returns the rooms they were in, each once a session.
  std::vector<std::string> remove_expired(std::size_t limit);
  std::size_t live_sessions() const { return live_.size(); }
  std::size_t silent_sessions() const { return dead_.size(); }
  std::size_t all_sessions() const { return sessions_.size(); }
  bool knows_session(std::string_view session) const { return sessions_.count(session) > 0; }
  // Forgets at most `limit` sessions of the room; returns how many.
  std::size_t forget_sessions(std::string_view room, std::size_t limit);
  // The gateway that most of the room's live sessions reported; nothing if none did.
  std::optional<GatewayNumber> reported_gateway(std::string_view room) const;
  // Has live sessions written, when scale mode begins: at most `limit` behind `after`, which is moved on. False once
  // there are no more.
  bool note_sessions(std::string& after, std::size_t limit);

  // --- for the file
  std::vector<Change> take_changes() { return std::exchange(changes_, {}); }
  // Rooms whose last_used_at is newer than the file's. Call take_last_used() for each of them soon; until
  // then it is not named again.
  std::vector<std::string> take_touched() { return std::exchange(touched_, {}); }
  // That time, taken as written; nothing if there is nothing to write.
  std::optional<WallTime> take_last_used(const std::string& room);

 private:
  struct SessionEntry {  // a session
    std::string id;
    Rooms::value_type* room;
    ServiceTime refreshed;
    std::optional<ServiceTime> reported_itself;
    std::optional<GatewayNumber> gateway;
    bool difference_reported = false;
    bool live = true;
    WallTime entered_at;
    SessionEntry* before = nullptr;  // others in the room
    SessionEntry* after = nullptr;
  };
  using SessionEntries = std::list<SessionEntry>;

  Rooms::value_type& room_entry(std::string_view room);
  void drop_if_blank(Rooms::iterator room);
  void set_held(Room& room, std::optional<Held> held);
  static void link(SessionEntry& session_entry, Rooms::value_type& room);
  static void unlink(SessionEntry& session_entry);
  void count(const SessionEntry& session_entry, int sign);
  static void count_vote(const SessionEntry& session_entry, int sign);
  void set_excess_users(Room& room, std::int64_t excess_users);
  std::int64_t excess_users(const Room& room) const;
  void enqueue_assignment(const Rooms::value_type& room);
  void enqueue_use(Rooms::value_type& room, Use use);
  RoomUse mark_announced(Rooms::value_type& room, Use use);
  void erase_session(SessionEntries::iterator session_entry);
  Session session(const SessionEntry& session_entry) const;

  std::unordered_map<std::string, GatewayNumber> numbers_;
  std::vector<const std::string*> names_;
  std::vector<std::int64_t> rooms_of_;
  std::vector<std::int64_t> excess_users_of_;
  std::optional<std::int64_t> average_;
  std::map<GatewayNumber, Evacuation> evacuations_;
  Rooms rooms_;
  std::shared_ptr<const Occupancy> occupancy_;
  SessionEntries live_;  // least recently refreshed first
  SessionEntries dead_;
  // By order: clients choose session ids, and could choose them so that they collide in a hash.
  std::map<std::string_view, SessionEntries::iterator> sessions_;
  std::vector<std::string> touched_;
  std::optional<std::string> as_legacy_left_;
  bool announces_uses_ = false;
  std::uint32_t announcing_epoch_ = 1;  // another each time it begins or ends
  std::vector<RoomUse> uses_;
  std::set<std::string, std::less<>> to_recount_;  // rooms in use whose number of users has changed
  std::map<std::string, GatewayNumber, std::less<>> tombstones_;
  std::vector<Change> changes_;
};

}  // namespace domain
