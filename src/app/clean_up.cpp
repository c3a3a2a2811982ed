#include "app/clean_up.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "app/event_log.h"
#include "store/journal.h"

namespace app {
namespace {

constexpr std::size_t slice = 512;          // rooms looked at in one turn
constexpr std::size_t buried_slice = 64;    // sessions forgotten in one turn: some 3 us each
constexpr std::size_t written_slice = 128;  // rooms handed to the journal in one turn: some 5 us each

// If many fall silent in one cleaning it is the signaling server that is gone, not its users.
bool is_mass_silence(std::size_t silent, std::size_t all) { return silent >= 10 && silent * 2 > all; }

void bury_the_silent(Desk& desk) {
  expire_sessions(desk);
  std::size_t silent = 0;
  std::size_t live = 0;
  {
    Desk::Turn turn(desk);
    silent = turn.ledger().silent_sessions();
    live = turn.ledger().live_sessions();
  }
  const bool mass = is_mass_silence(silent, silent + live);
  for (std::size_t left = silent; left > 0; desk.let_others_pass()) {
    Desk::Turn turn(desk);
    const auto rooms = turn.ledger().bury(std::min(left, buried_slice));
    for (const std::string& room : rooms) {
      // Also one that others are in: when they leave, the silent ones are still there.
      if (mass) turn.ledger().keep(room, turn.now().service);
    }
    left = rooms.empty() ? 0 : left - rooms.size();
  }
  if (mass) {
    log_warn(
        "Most sessions fell silent at once; their rooms keep their gateways for join_grace",
        {{"silent_sessions", static_cast<std::int64_t>(silent)}, {"live_sessions", static_cast<std::int64_t>(live)}});
  }
}

}  // namespace

void expire_sessions(Desk& desk) {
  while (Desk::Turn(desk).is_behind()) desk.let_others_pass();
}

std::size_t clean_up(Desk& desk) {
  bury_the_silent(desk);
  std::size_t cleaned = 0;
  std::vector<Ending> endings;
  std::string after;
  for (bool more = true; more; desk.let_others_pass()) {
    Desk::Turn turn(desk);
    if (!turn.options().scale) break;  // the table is ignored, and stays
    domain::Ledger& ledger = turn.ledger();
    std::vector<std::string> unoccupied;
    std::size_t looked = 0;
    auto room = ledger.rooms().upper_bound(after);
    for (; room != ledger.rooms().end() && looked < slice; ++room, ++looked) {
      if (room->second.held && !room->second.has_users()) unoccupied.push_back(room->first);
      after = room->first;
    }
    more = room != ledger.rooms().end();
    for (const std::string& name : unoccupied) {
      Ending ending = turn.end_if_unused(name, RemovedBy::cleaning);
      if (ending.now) ++cleaned;
      if (ending.under_way) endings.push_back(std::move(ending));
    }
  }
  const auto deadline = desk.deadline();
  for (const Ending& ending : endings) cleaned += ending.is_done_by(deadline);
  if (cleaned > 0) {
    log_info("Cleaned inactive room server assignments", {{"cleaned_assignments", static_cast<std::int64_t>(cleaned)}});
  }
  return cleaned;
}

void write_last_used(Desk& desk, store::Journal& journal) {
  std::vector<std::string> touched = Desk::Turn(desk).ledger().take_touched();
  for (std::size_t at = 0; at < touched.size(); at += written_slice) {
    if (at > 0) desk.let_others_pass();
    Desk::Turn turn(desk);
    for (std::size_t i = at; i < std::min(touched.size(), at + written_slice); ++i) {
      const auto time = turn.ledger().take_last_used(touched[i]);
      // In legacy mode the table stays as it is.
      if (time && turn.options().scale) journal.note_last_used(std::move(touched[i]), *time);
    }
  }
}

}  // namespace app
