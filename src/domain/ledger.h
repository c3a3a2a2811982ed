// The one authority on rooms in use: the rules across their assignments, sessions, evacuations and announced uses. The
// database is its record. Not thread-safe: its owner holds one lock around it (app/registry.h). Time comes
// in as an argument and must not go backwards. Nothing fails; misuse is asserted.
//
// What happens here and must be written is collected as Changes, for the owner to take away under the
// same lock. The booking of an assignment is not among them: that goes through a claim (app/claims.h).
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "domain/assignment.h"
#include "domain/assignments.h"
#include "domain/change.h"
#include "domain/evacuations.h"
#include "domain/gateway_numbers.h"
#include "domain/occupancy.h"
#include "domain/room_id.h"
#include "domain/rooms_in_use.h"
#include "domain/sessions.h"
#include "domain/time.h"
#include "domain/use_announcements.h"

namespace domain {

class Ledger {
 public:
  using Room = RoomInUse;

  Ledger();
  Ledger(const Ledger&) = delete;
  Ledger& operator=(const Ledger&) = delete;

  // --- gateways
  GatewayNumbers& gateways() { return gateways_; }
  const GatewayNumbers& gateways() const { return gateways_; }
  GatewayId number_of(std::string_view gateway) { return gateways_.number(gateway); }
  const std::string& name_of(GatewayId gateway) const { return gateways_.name_of(gateway); }
  // By GatewayId; those behind the end have none.
  std::span<const std::int64_t> rooms_by_gateway() const { return assignments_.rooms_by_gateway(); }
  std::int64_t rooms_on(GatewayId gateway) const { return value_of(rooms_by_gateway(), gateway, std::int64_t{0}); }
  std::span<const std::int64_t> excess_users_by_gateway() const { return assignments_.excess_users_by_gateway(); }
  // As Assignments::count_excess_users(); then recount_excess_users() is to be called until it returns false. That
  // looks at no more than `limit` rooms behind `after`, and moves that on.
  bool count_excess_users(std::optional<std::int64_t> average) { return assignments_.count_excess_users(average); }
  bool recount_excess_users(RoomId& after, std::size_t limit);

  // --- rooms
  const Room* find(const RoomId& room) const;
  const RoomsInUse& rooms() const { return rooms_; }
  Assignment assignment(const RoomId& room, const Held& held) const;
  // Is somebody in the room, by its sessions or by the gateways' room lists?
  bool is_occupied(const RoomId& room, ServiceTime now) const;
  // The gateways' room lists from now on; nothing: they are not asked.
  void set_occupancy(std::shared_ptr<const Occupancy> occupancy) { occupancy_ = std::move(occupancy); }
  const std::shared_ptr<const Occupancy>& occupancy() const { return occupancy_; }

  // Takes over what the database remembers: each session is fresh, each assignment just answered.
  void restore(const std::vector<Assignment>& assignments, const std::vector<Session>& sessions,
               const std::vector<Failover>& failovers, Moment now);

  // Books a gateway for a room, at full load at once; pending until confirmed or withdrawn.
  void book(const RoomId& room, GatewayId gateway, std::string_view region, Moment now);
  // What the pending booking replaces is out of date: if it fails the room has no assignment.
  void forget_replaced(const RoomId& room);
  // The claim was granted, to `holder`.
  void confirm(const RoomId& room, GatewayId holder);
  // The claim failed: the room is again as it was before.
  void withdraw(const RoomId& room);

  // The room was answered: somebody is on the way to it.
  void answered(const RoomId& room, Moment now);
  // The assignment was used now.
  void touch(const RoomId& room, WallTime now);
  // May the assignment of the room end, as far as is known here? Not if it is occupied, pending, or within its
  // grace.
  bool may_end(const RoomId& room, ServiceTime now, Duration join_grace) const;
  // Has the room's row written as it is, in case the file has it otherwise.
  void note(const RoomId& room);
  // Ends the assignment, also of an occupied room. False if there is none or it is pending.
  bool end_assignment(const RoomId& room);
  // The empty room keeps its assignment for a whole join_grace from now on.
  void keep(const RoomId& room, ServiceTime now);

  // --- when scale mode begins
  // The rooms behind that one may still be assigned elsewhere than where their users are: legacy mode left them so
  // (app/change_policy.h). Nothing: there are none.
  void set_as_legacy_left(std::optional<RoomId> behind) { as_legacy_left_ = std::move(behind); }
  bool is_any_as_legacy_left() const { return as_legacy_left_.has_value(); }
  bool is_as_legacy_left(const RoomId& room) const { return as_legacy_left_ && room > *as_legacy_left_; }

  // --- what other sidecars do
  // From now on (or no longer) it is noted when the use of an assigned room changes.
  void announce_uses(bool on);
  bool announces_uses() const { return uses_.is_on(); }
  std::vector<RoomUse> take_uses() { return uses_.take(); }
  Use announced_use(const Room& room) const { return uses_.announced(room); }
  Use announced_use(const RoomId& room) const;
  // The use is announced by other means; returns what is to be announced.
  RoomUse set_announced_use(const RoomId& room, Use use);
  // As UseAnnouncements::take_recounts().
  bool take_recounts(ServiceTime now, RoomId& after, std::size_t limit, std::vector<RoomUse>& recounts) {
    return uses_.take_recounts(rooms_, now, after, limit, recounts);
  }
  // So many are in the room at other sidecars.
  void set_users_elsewhere(const RoomId& room, std::size_t users);
  // The room stays although nobody is in it any more.
  void note_emptied(const RoomId& room);
  // The room's row as it is there. Without effect on one that is pending: its claim decides.
  void follow(const Assignment& row);
  // It has ended there.
  void unfollow(const RoomId& room);
  // The gateway that a room returns to if it is asked for again soon; nothing: wherever it fits.
  void set_tombstone(const RoomId& room, std::optional<std::string_view> gateway);
  void forget_tombstones() { tombstones_.clear(); }
  std::optional<GatewayId> tombstone_gateway(const RoomId& room) const;
  // Another sidecar uses it, which is believed until then.
  void note_elsewhere(const RoomId& room, ServiceTime until);
  bool is_used_elsewhere(const RoomId& room, ServiceTime now) const;

  // --- gateways that rooms are moved away from
  const Evacuations& evacuations() const { return evacuations_; }
  // Begins it, or gives it another standby.
  void begin_evacuation(GatewayId gateway, std::optional<GatewayId> standby);
  // A room was moved from there. `seen`: a user's answer names the new gateway.
  void note_move(const RoomId& room, GatewayId from, bool seen);
  void mark_evacuation_complete(GatewayId gateway) { evacuations_.mark_complete(gateway); }
  void end_evacuation(GatewayId gateway);

  // --- sessions
  const Sessions& sessions() const { return sessions_; }
  struct Entered {
    bool entered = false;              // it was in no room, or dead
    std::optional<RoomId> moved_from;  // it was in another room
  };
  // The session is in the room, and reports that it is on `reported` (a known gateway's name, or nothing).
  Entered enter(std::string_view session, const RoomId& room, std::optional<std::string_view> reported,
                Sessions::Report report, Moment now);
  bool mark_first_difference(std::string_view session) { return sessions_.mark_first_difference(session); }
  void refresh(std::string_view session, ServiceTime now) { sessions_.refresh(session, now); }
  // The session left the room; false if it is not there.
  bool leave(std::string_view session, const RoomId& room);
  // Lets the sessions go that nothing has refreshed since `listed` and that have not reported themselves
  // since `own`. Looks at sessions behind `after`, which it moves on, and lets at most `limit` of them go.
  struct Unlisted {
    std::vector<RoomId> rooms;  // that they left, each once a session
    bool more = false;          // sessions are to be looked at
  };
  Unlisted remove_unlisted(ServiceTime listed, ServiceTime own, std::string& after, std::size_t limit);
  // As Sessions::expire(). To be called before anything that counts users.
  bool expire(ServiceTime now, Duration dead_after, std::size_t limit) {
    return sessions_.expire(now, dead_after, limit);
  }
  // Forgets at most `limit` of the sessions that died of silence; returns the rooms they were in, each once a session.
  std::vector<RoomId> remove_expired(std::size_t limit);
  // Forgets at most `limit` sessions of the room; returns how many.
  std::size_t forget_sessions(const RoomId& room, std::size_t limit);
  // The gateway that most of the room's live sessions reported; nothing if none did.
  std::optional<GatewayId> reported_gateway(const RoomId& room) const;
  // Has live sessions written, when scale mode begins: at most `limit` behind `after`, which is moved on. False once
  // there are no more.
  bool note_sessions(std::string& after, std::size_t limit);

  // --- for the file
  std::vector<Change> take_changes() { return std::exchange(changes_, {}); }
  // Rooms whose last_used_at is newer than the file's. Call take_last_used() for each of them soon; until
  // then it is not named again.
  std::vector<RoomId> take_touched() { return std::exchange(touched_, {}); }
  // That time, taken as written; nothing if there is nothing to write.
  std::optional<WallTime> take_last_used(const RoomId& room);

 private:
  RoomsInUse::value_type& room_entry(const RoomId& room);
  void drop_if_blank(const RoomId& room);
  void drop_if_blank(RoomsInUse::iterator room);
  void users_changed(RoomsInUse::value_type& room);
  void enqueue_assignment(const RoomsInUse::value_type& room);
  void erase_session(const SessionEntry& session);
  Session row_of(const SessionEntry& session) const;

  GatewayNumbers gateways_;
  RoomsInUse rooms_;
  Assignments assignments_;
  Sessions sessions_;
  Evacuations evacuations_;
  UseAnnouncements uses_;
  std::map<RoomId, GatewayId> tombstones_;
  std::shared_ptr<const Occupancy> occupancy_;
  std::optional<RoomId> as_legacy_left_;
  std::vector<RoomId> touched_;
  std::vector<Change> changes_;
};

}  // namespace domain
