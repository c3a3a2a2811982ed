// The gateways' half of the catalogue sync. Private to app/. One thread at a time; problems are findings.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>

#include "app/catalogue_sync.h"
#include "app/sync_entry.h"
#include "domain/row_ids.h"

namespace app {

class GatewaySync {
 public:
  GatewaySync(const Configured& configured, SyncPlan& plan, SyncFindings& findings);

  // Adds and updates, and spells out the default list of available servers.
  void update();
  // Removes what stood in [[gateways]], stands there no more, is not among `assigned` and no room's default.
  // Returns how many have left the configuration, those included that stay for being in use.
  std::size_t remove_unused(const std::set<std::string>& assigned, domain::WallTime now);
  // Do the lists, regions, pins and standbys name gateways that are fit for it?
  void check_names();
  // Without [[gateways]]: names that are most likely slips of the pen, as nothing else has one of their kind.
  void warn_of_odd_names();

  // Adds what the configuration names, as some that was accepted.
  void add_accepted(std::set<std::string>& accepted) const;
  // Did the configuration name it when it was last accepted?
  bool was_accepted(const std::string& name) const;

  // Null if there is none. Valid until the next addition.
  const store::GatewayRow* find(const std::string& name) const;
  // The id of the row that had this name when it was last accepted, if SQL gave that row another name, and this name
  // to another row.
  std::optional<domain::RowId> renamed_row(const std::string& name) const;
  // What the row is called now that had this name when it was last accepted: `gateway "x"`. Nothing if it is gone.
  std::optional<std::string> now_called(const std::string& name) const;
  // The entry of that name in [[gateways]]; null if there is none.
  const domain::ConfiguredGateway* entry(const std::string& name) const;

 private:
  using Mention = std::function<void(const std::string& name, const std::string& where, const std::string& setting)>;

  void each_mention(const Mention& mention) const;
  // Every gateway that the configuration names, and where it does so first; in [[gateways]], if it does there.
  std::map<std::string, std::string> find_named() const;
  void find_renamed_rows();
  std::optional<std::string> name_of_row(domain::RowId id) const;
  void add_configured(domain::RowIds& ids);
  void add_mentioned(domain::RowIds& ids);
  void update_entry(const domain::ConfiguredGateway& wanted, std::size_t index);
  void add(const std::string& name, domain::RowId id);
  std::set<std::string> names_in_use() const;

  const Configured& configured_;
  SyncPlan& plan_;
  SyncFindings& findings_;
  std::unordered_map<std::string, std::size_t> index_;
  std::unordered_map<std::string, const domain::ConfiguredGateway*> entries_;
  std::set<std::string> removed_;                       // by this sync
  const std::map<std::string, std::string> mentioned_;  // as find_named() says
  std::map<std::string, domain::RowId> renamed_;        // as renamed_row() says
  std::set<std::string> reported_;                      // their types contradict the configuration
};

}  // namespace app
