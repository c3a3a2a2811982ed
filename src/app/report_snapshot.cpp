#include "app/report_snapshot.h"

#include <algorithm>
#include <map>
#include <memory>

#include "app/report_session.h"
#include "domain/id.h"

namespace app {
namespace {

// So many sessions are looked at in one transaction; others are answered between two.
constexpr std::size_t slice = 64;
// And so many without a transaction, which others need no lock for, but a processor.
constexpr std::size_t looked_at_once = 1024;

class Snapshot {
 public:
  Snapshot(Registry& registry, const std::vector<SnapshotEntry>& entries, std::chrono::milliseconds age)
      : registry_(registry), entries_(entries) {
    arrived_ = Registry::View(registry_).now().service;
    as_of_ = arrived_ - age;
  }

  SnapshotResult apply() {
    std::vector<std::size_t> open = take_valid();
    result_.is_refused = open.empty() && !entries_.empty();
    if (result_.is_refused) return std::move(result_);
    deadline_ = registry_.deadline();
    enter(std::move(open));
    remove_unlisted();
    others_have_left_ = true;
    std::sort(too_many_.begin(), too_many_.end());
    enter(std::move(too_many_));
    result_.sessions = Registry::View(registry_).ledger().sessions().live();
    std::sort(result_.rejected.begin(), result_.rejected.end(),
              [](const RejectedEntry& a, const RejectedEntry& b) { return a.entry < b.entry; });
    return std::move(result_);
  }

 private:
  void enter(std::vector<std::size_t> open) {
    while (!open.empty()) {
      std::vector<std::size_t> again;
      std::vector<std::shared_ptr<Claim>> claims;
      for (std::size_t at = 0; at < open.size(); at += slice) {
        enter_slice(open, at, again, claims);
        registry_.pause_between_slices();
      }
      open.clear();
      for (std::size_t i = 0; i < again.size(); ++i) {
        const auto outcome = registry_.wait_for(*claims[i], deadline_);
        if (is_over(outcome, deadline_)) {
          refuse(again[i], domain::Refusal::storage_unavailable);
        } else {
          open.push_back(again[i]);
        }
      }
    }
  }

  void reject(std::size_t entry, std::string_view error) { result_.rejected.push_back({entry, error}); }

  void reject_invalid(std::size_t entry, InvalidId what) {
    reject(entry, what == InvalidId::room ? "invalid_room" : "invalid_session");
    registry_.counts().invalid_reports[what].add();
  }

  // A session that is listed is not missing: where its new room cannot be had now it stays where it was.
  void refuse(std::size_t entry, domain::Refusal refusal) {
    reject(entry, code_of(refusal));
    registry_.counts().session_refusals[refusal].add();
    if (refusal == domain::Refusal::room_not_found) return;
    Registry::Transaction transaction(registry_);
    if (refusal == domain::Refusal::too_many_sessions) warn_of_too_many_sessions(transaction);
    transaction.ledger().refresh(*entries_[entry].session, transaction.now().service);
  }

  // The entries that have valid ids, each session's last one only.
  std::vector<std::size_t> take_valid() {
    std::map<std::string_view, std::size_t> last;  // a client could choose ids that collide in a hash
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      if (i % looked_at_once == looked_at_once - 1) registry_.pause_between_slices();
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

  void enter_slice(const std::vector<std::size_t>& open, std::size_t from, std::vector<std::size_t>& again,
                   std::vector<std::shared_ptr<Claim>>& claims) {
    std::vector<std::pair<std::size_t, domain::Refusal>> refused;
    enter_slice_in_transaction(open, from, again, claims, refused);
    for (const auto& [entry, refusal] : refused) refuse(entry, refusal);
  }

  void enter_slice_in_transaction(const std::vector<std::size_t>& open, std::size_t from,
                                  std::vector<std::size_t>& again, std::vector<std::shared_ptr<Claim>>& claims,
                                  std::vector<std::pair<std::size_t, domain::Refusal>>& refused) {
    Registry::Transaction transaction(registry_);
    for (std::size_t at = from; at < std::min(open.size(), from + slice); ++at) {
      const SnapshotEntry& entry = entries_[open[at]];
      // Its own report is newer than the snapshot's.
      const domain::SessionEntry* known = transaction.ledger().sessions().find(*entry.session);
      if (known && known->reported_itself && *known->reported_itself >= as_of_) continue;
      const domain::RoomId room(*entry.room);
      const SessionReport report{room, *entry.session, entry.janus};
      const EntryAttempt attempt =
          enter_session(transaction, report, domain::Sessions::Report::snapshot, claims.size());
      if (attempt.claim) {
        again.push_back(open[at]);
        claims.push_back(attempt.claim);
      } else if (attempt.refused && attempt.refused->refusal == domain::Refusal::too_many_sessions &&
                 !others_have_left_) {
        too_many_.push_back(open[at]);
      } else if (attempt.refused) {
        refused.emplace_back(open[at], attempt.refused->refusal);
      } else {
        if (attempt.entered.entered) ++result_.entered;
        if (attempt.entered.moved_from) keep_if_empty(transaction, *attempt.entered.moved_from);
      }
    }
  }

  // A signaling server that restarts knows nobody yet: an emptied room is not given up at once.
  static void keep_if_empty(Registry::Transaction& transaction, const domain::RoomId& room) {
    const domain::Ledger::Room* entry = transaction.ledger().find(room);
    if (entry && !entry->has_users()) transaction.ledger().keep(room, transaction.now().service);
  }

  void remove_unlisted() {
    std::string after;
    for (bool more = true; more; registry_.pause_between_slices()) {
      Registry::Transaction transaction(registry_);
      const domain::Ledger::Unlisted unlisted = transaction.ledger().remove_unlisted(arrived_, as_of_, after, slice);
      for (const domain::RoomId& room : unlisted.rooms) keep_if_empty(transaction, room);
      result_.left += unlisted.rooms.size();
      more = unlisted.more;
    }
  }

  Registry& registry_;
  const std::vector<SnapshotEntry>& entries_;
  domain::ServiceTime arrived_;
  domain::ServiceTime as_of_;
  Claim::Deadline deadline_{};
  SnapshotResult result_;
  std::vector<std::size_t> too_many_;  // above sessions.max, until the sessions that are not listed have left
  bool others_have_left_ = false;
};

}  // namespace

SnapshotResult report_snapshot(Registry& registry, const std::vector<SnapshotEntry>& entries,
                               std::chrono::milliseconds age) {
  return Snapshot(registry, entries, age).apply();
}

}  // namespace app
