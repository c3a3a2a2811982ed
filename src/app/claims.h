// The granting of a claim: one room, one gateway. The seam between deciding and whoever has the last
// word: the local journal (app/journal_claims.h), or a store that many sidecars share.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "domain/assignment.h"

namespace app {

class Claims {
 public:
  // The gateway that holds the room from now on, durably; nothing if that could not be made sure.
  using Settled = std::function<void(std::optional<std::string> holder)>;

  virtual ~Claims() = default;
  // Asks for wished.room_id to be held by wished.gateway_name. Called under the desk's lock, so it must
  // not block. `settled` is called once, later, from another thread.
  virtual void claim(const domain::Assignment& wished, Settled settled) = 0;
};

}  // namespace app
