// The table `gateways`. The connection's thread. What SQLite refuses is thrown as Failure; a row
// that cannot be used, since it was edited by hand, is left out and named in `skipped`.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "domain/catalogue.h"
#include "domain/time.h"
#include "store/database.h"

namespace store {

struct GatewayRow {
  // What the configuration said when it was last synced; nothing where it said nothing.
  struct Synced {
    std::optional<std::string> url;
    std::optional<std::string> type;
    std::optional<std::int64_t> capacity;
    std::optional<bool> disabled;
    std::optional<std::string> admin_url;

    bool operator==(const Synced&) const = default;
  };

  domain::Gateway gateway;  // `removed` follows removed_at: read from it, not looked at when written
  std::optional<domain::WallTime> removed_at;
  bool from_config = false;  // did it stand in [[gateways]] when that was last synced?
  std::optional<Synced> synced;

  bool operator==(const GatewayRow&) const = default;
};

// All rows by id, removed ones too. `skipped_ids`: the ids of rows that are left out, which no new row may get.
std::vector<GatewayRow> read_gateways(Database& database, std::vector<std::string>& skipped,
                                      std::vector<domain::RowId>* skipped_ids = nullptr);

// Inserts it, or replaces the row with that id. Throws (constraint) if another row bears its name.
void write_gateway(Database& database, const GatewayRow& row);

// False if there is no such gateway.
bool set_draining(Database& database, const std::string& name, domain::Draining draining);

}  // namespace store
