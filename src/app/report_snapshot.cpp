#include "app/report_snapshot.h"

#include <algorithm>
#include <map>
#include <memory>

#include "app/report_session.h"
#include "domain/id.h"

namespace app {
namespace {

// So many sessions are looked at in one turn; others are answered between two.
constexpr std::size_t slice = 64;
// And so many without a turn, which others need no lock for, but a processor.
constexpr std::size_t looked_at_once = 1024;

class Snapshot {
 public:
  Snapshot(Desk& desk, const std::vector<SnapshotEntry>& entries, std::chrono::milliseconds age)
      : desk_(desk), entries_(entries) {
    Desk::Turn turn(desk_);
    arrived_ = turn.now().service;
    as_of_ = arrived_ - age;
  }

  SnapshotResult apply() {
    std::vector<std::size_t> open = take_valid();
    result_.is_refused = open.empty() && !entries_.empty();
    if (result_.is_refused) return std::move(result_);
    const auto deadline = desk_.deadline();
    while (!open.empty()) {
      std::vector<std::size_t> again;
      std::vector<std::shared_ptr<Claim>> claims;
      for (std::size_t at = 0; at < open.size(); at += slice) {
        seat_slice(open, at, again, claims);
        desk_.let_others_pass();
      }
      open.clear();
      for (std::size_t i = 0; i < again.size(); ++i) {
        const auto outcome = desk_.wait_for(*claims[i], deadline);
        if (is_over(outcome, deadline)) {
          refuse(again[i], domain::Refusal::storage_unavailable);
        } else {
          open.push_back(again[i]);
        }
      }
    }
    sweep();
    std::sort(result_.rejected.begin(), result_.rejected.end(),
              [](const RejectedEntry& a, const RejectedEntry& b) { return a.entry < b.entry; });
    return std::move(result_);
  }

 private:
  void reject(std::size_t entry, std::string_view error) { result_.rejected.push_back({entry, error}); }

  void reject_invalid(std::size_t entry, InvalidId what) {
    reject(entry, what == InvalidId::room ? "invalid_room" : "invalid_session");
    desk_.counts().invalid_reports[what].add();
  }

  // A session that is listed is not missing: where its new room cannot be had now it stays where it was.
  void refuse(std::size_t entry, domain::Refusal refusal) {
    reject(entry, code_of(refusal));
    desk_.counts().session_refusals[refusal].add();
    if (refusal == domain::Refusal::room_not_found) return;
    Desk::Turn turn(desk_);
    turn.ledger().refresh(*entries_[entry].session, turn.now().service);
  }

  // The entries that have valid ids, each session's last one only.
  std::vector<std::size_t> take_valid() {
    std::map<std::string_view, std::size_t> last;  // a client could choose ids that collide in a hash
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      if (i % looked_at_once == looked_at_once - 1) desk_.let_others_pass();
      const SnapshotEntry& entry = entries_[i];
      if (entry.session && domain::is_valid_id(*entry.session)) {
        last[*entry.session] = i;
      } else {
        reject_invalid(i, has_valid_room(entry) ? InvalidId::session : InvalidId::room);
      }
    }
    std::vector<std::size_t> valid;
    valid.reserve(last.size());
    for (const auto& [session, i] : last) {
      if (has_valid_room(entries_[i])) {
        valid.push_back(i);
      } else {
        reject_invalid(i, InvalidId::room);
      }
    }
    std::sort(valid.begin(), valid.end());
    return valid;
  }

  static bool has_valid_room(const SnapshotEntry& entry) { return entry.room && domain::is_valid_id(*entry.room); }

  void seat_slice(const std::vector<std::size_t>& open, std::size_t from, std::vector<std::size_t>& again,
                  std::vector<std::shared_ptr<Claim>>& claims) {
    std::vector<std::pair<std::size_t, domain::Refusal>> refused;
    seat_slice_in_turn(open, from, again, claims, refused);
    for (const auto& [entry, refusal] : refused) refuse(entry, refusal);
  }

  void seat_slice_in_turn(const std::vector<std::size_t>& open, std::size_t from, std::vector<std::size_t>& again,
                          std::vector<std::shared_ptr<Claim>>& claims,
                          std::vector<std::pair<std::size_t, domain::Refusal>>& refused) {
    Desk::Turn turn(desk_);
    for (std::size_t at = from; at < std::min(open.size(), from + slice); ++at) {
      const SnapshotEntry& entry = entries_[open[at]];
      // Its own word is newer than the snapshot's.
      if (turn.ledger().reported_since(*entry.session, as_of_)) continue;
      const SessionReport report{*entry.room, *entry.session, entry.janus};
      const Seating seating = seat_session(turn, report, domain::Ledger::Report::snapshot, claims.size());
      if (seating.claim) {
        again.push_back(open[at]);
        claims.push_back(seating.claim);
      } else if (seating.refused) {
        refused.emplace_back(open[at], seating.refused->refusal);
      } else {
        if (seating.entered.entered) ++result_.entered;
        if (seating.entered.moved_from) keep_if_empty(turn, *seating.entered.moved_from);
      }
    }
  }

  // A signaling server that restarts knows nobody yet: an emptied room is not given up at once.
  static void keep_if_empty(Desk::Turn& turn, const std::string& room) {
    const domain::Ledger::Room* entry = turn.ledger().find(room);
    if (entry && !entry->has_users()) turn.ledger().keep(room, turn.now().service);
  }

  void sweep() {
    std::string after;
    for (bool more = true; more; desk_.let_others_pass()) {
      Desk::Turn turn(desk_);
      const domain::Ledger::Swept swept = turn.ledger().sweep(arrived_, as_of_, after, slice);
      for (const std::string& room : swept.rooms) keep_if_empty(turn, room);
      result_.left += swept.rooms.size();
      more = swept.more;
      result_.sessions = turn.ledger().live_sessions();
    }
  }

  Desk& desk_;
  const std::vector<SnapshotEntry>& entries_;
  domain::ServiceTime arrived_;
  domain::ServiceTime as_of_;
  SnapshotResult result_;
};

}  // namespace

SnapshotResult report_snapshot(Desk& desk, const std::vector<SnapshotEntry>& entries, std::chrono::milliseconds age) {
  return Snapshot(desk, entries, age).apply();
}

}  // namespace app
