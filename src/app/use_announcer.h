// Announces to the other sidecars which rooms are used here, and knows for which of them that is under way. Under the
// registry's lock; nothing fails.
#pragma once

#include <map>
#include <memory>

#include "app/claim.h"
#include "app/claims.h"
#include "domain/ledger.h"
#include "domain/room_id.h"

namespace app {

class Registry;

class UseAnnouncer {
 public:
  // Has the uses announced that have changed since. Later `registry` is asked for a transaction, from another thread.
  void announce(domain::Ledger& ledger, Claims& claims, Registry& registry);
  // While the first announcement of a room is under way: until then another sidecar may take it for empty.
  std::shared_ptr<Completion> announcing(const domain::RoomId& room) const;

 private:
  std::map<domain::RoomId, std::shared_ptr<Completion>> announcing_;
};

}  // namespace app
