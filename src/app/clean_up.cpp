#include "app/clean_up.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "app/end_assignment.h"
#include "app/for_each_room.h"
#include "logging/log.h"
#include "store/journal.h"

namespace app {
namespace {

constexpr std::size_t slice = 512;          // rooms looked at in one transaction
constexpr std::size_t removed_slice = 64;   // sessions forgotten in one transaction: some 3 us each
constexpr std::size_t written_slice = 128;  // rooms handed to the journal in one transaction: some 5 us each

// Mass silence: if many fall silent in one cleaning, the signaling server is gone, not its users.
bool is_mass_silence(std::size_t silent, std::size_t all) { return silent >= 10 && silent * 2 > all; }

void remove_expired_sessions(Registry& registry) {
  expire_sessions(registry);
  std::size_t silent = 0;
  std::size_t live = 0;
  {
    const Registry::View view(registry);
    silent = view.ledger().sessions().silent();
    live = view.ledger().sessions().live();
  }
  const bool mass = is_mass_silence(silent, silent + live);
  for (std::size_t left = silent; left > 0; registry.pause_between_slices()) {
    Registry::Transaction transaction(registry);
    const auto rooms = transaction.ledger().remove_expired(std::min(left, removed_slice));
    for (const domain::RoomId& room : rooms) {
      // Also one that others are in: when they leave, the silent ones are still there.
      if (mass) transaction.ledger().keep(room, transaction.now().service);
    }
    left = rooms.empty() ? 0 : left - rooms.size();
  }
  if (mass) {
    logging::warn(
        "Most sessions fell silent at once; their rooms keep their gateways for join_grace",
        {{"silent_sessions", static_cast<std::int64_t>(silent)}, {"live_sessions", static_cast<std::int64_t>(live)}});
  }
}

}  // namespace

void expire_sessions(Registry& registry) {
  while (Registry::Transaction(registry).is_behind()) registry.pause_between_slices();
}

std::size_t clean_up(Registry& registry) {
  remove_expired_sessions(registry);
  std::size_t cleaned = 0;
  std::vector<Removal> removals;
  // In legacy mode the table is ignored, and stays.
  if (registry.policy()->options().scale) {
    for_each_room(registry, slice, [&](Registry::Transaction& transaction, const auto& room) {
      if (!transaction.options().scale || !room.second.held || room.second.has_users()) return;
      Removal removal = end_if_unused(transaction, room.first, RemovedBy::cleaning);
      if (removal.now) ++cleaned;
      if (removal.completion) removals.push_back(std::move(removal));
    });
  }
  const auto deadline = registry.deadline();
  for (const Removal& removal : removals) cleaned += removal.is_done_by(deadline);
  if (cleaned > 0) {
    logging::info("Cleaned inactive room server assignments",
                  {{"cleaned_assignments", static_cast<std::int64_t>(cleaned)}});
  }
  return cleaned;
}

void write_last_used(Registry& registry, store::Journal& journal) {
  std::vector<domain::RoomId> touched = Registry::Transaction(registry).ledger().take_touched();
  for (std::size_t at = 0; at < touched.size(); at += written_slice) {
    if (at > 0) registry.pause_between_slices();
    Registry::Transaction transaction(registry);
    for (std::size_t i = at; i < std::min(touched.size(), at + written_slice); ++i) {
      const auto time = transaction.ledger().take_last_used(touched[i]);
      // In legacy mode the table stays as it is.
      if (time && transaction.options().scale) journal.note_last_used(std::move(touched[i]), *time);
    }
  }
}

}  // namespace app
