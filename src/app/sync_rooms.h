// The rooms' half of the catalogue sync. Private to app/. One thread at a time; problems are findings.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <unordered_map>

#include "app/catalogue_sync.h"
#include "app/sync_gateways.h"

namespace app {

class RoomSync {
 public:
  // `gateways` must be up to date: rooms name them.
  RoomSync(const Configured& configured, const GatewaySync& gateways, SyncPlan& plan, SyncFindings& findings);

  // Adds and updates, and marks removed what stood in [[rooms]] and stands there no more; returns how many that are.
  std::size_t update(domain::WallTime now);
  // Warns of pins for rooms that are refused anyway.
  void check_pins();
  // What the configuration names, as some that was accepted.
  void add_accepted(std::set<std::string>& accepted) const;

 private:
  void add_configured();
  void add(const domain::RoomId& uid, domain::RowId id);
  void update_entry(const domain::ConfiguredRoom& wanted, std::size_t index);
  std::size_t remove_left(domain::WallTime now);
  // `synced`: what it was; it stays if the gateway's row is gone.
  std::optional<domain::RowId> default_id(const domain::ConfiguredRoom& wanted, const store::RoomRow::Synced& synced);
  void note_unfit(const domain::ConfiguredRoom& room, const std::string& why);
  void warn_of_unfit();

  const Configured& configured_;
  const GatewaySync& gateways_;
  SyncPlan& plan_;
  SyncFindings& findings_;
  std::unordered_map<domain::RoomId, std::size_t> index_;

  struct Unfit {
    const domain::ConfiguredRoom* first;
    std::string why;
    std::size_t others = 0;
  };
  std::map<std::string, Unfit> unfit_;  // their rooms, by default gateways that SQL has made so
};

}  // namespace app
