// Settings and catalogue as one: what holds from one reload or edit to the next. Immutable once built;
// any thread may read it, and a decision under the ledger's lock uses one from start to end.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>

#include "domain/catalogue.h"
#include "domain/options.h"
#include "domain/placement.h"
#include "domain/room_id.h"

namespace domain {

class Policy {
 public:
  // Numbers every gateway that it names.
  // Options::available_servers already names the default list if the configuration names gateways.
  Policy(Options options, std::shared_ptr<const Catalogue> catalogue, GatewayNumbers& gateways);

  const Options& options() const { return options_; }
  const Catalogue& catalogue() const { return *catalogue_; }
  const Placement& placement() const { return placement_; }

  // The name of the gateway that the room is pinned to, or nothing.
  const std::string* pin(const RoomId& room) const;
  // May this room be asked for? In scale mode unknown_rooms = "accept" takes any that is not known.
  bool admits(const RoomId& room) const;
  // Are the rooms there to be moved away, by an operator's command?
  bool is_emptied(GatewayId gateway) const { return emptied_.count(gateway) > 0; }
  // Legacy mode's answer: the pin or the default gateway, if it may be answered with.
  const Gateway* legacy_gateway(const Room& room) const;

 private:
  Options options_;
  std::shared_ptr<const Catalogue> catalogue_;
  Placement placement_;
  std::unordered_map<std::string_view, const Pin*> pins_;
  std::set<GatewayId> emptied_;
};

}  // namespace domain
