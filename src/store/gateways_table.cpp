#include "store/gateways_table.h"

#include <utility>

#include "domain/id.h"
#include "store/column_time.h"
#include "store/statement.h"

namespace store {
namespace {

GatewayRow row_of(const Statement& select) {
  GatewayRow row;
  row.gateway.id = select.row_id(0);
  row.gateway.name = select.text(1);
  row.gateway.url = select.text(2);
  row.gateway.type = select.text(3);
  row.gateway.capacity = select.optional_integer(4);
  row.gateway.disabled = select.flag(5);
  row.gateway.draining = select.flag(6);
  row.removed_at = removal_time(select.optional_text(7));
  row.gateway.removed = row.removed_at.has_value();
  row.from_config = select.flag(8);
  if (row.from_config) {
    row.synced = GatewayRow::Synced{select.optional_text(9), select.optional_text(10), select.optional_integer(11),
                                    select.optional_flag(12), select.optional_text(13)};
  }
  row.gateway.evacuating = select.flag(14);
  row.gateway.admin_url = select.text(15);
  return row;
}

}  // namespace

std::vector<GatewayRow> read_gateways(Database& database, std::vector<std::string>& skipped,
                                      std::vector<domain::RowId>* skipped_ids) {
  Statement select(database,
                   "SELECT id, name, url, type, capacity, disabled, draining, removed_at, "
                   "from_config, synced_url, synced_type, synced_capacity, synced_disabled, "
                   "synced_admin_url, emptying, admin_url "
                   "FROM gateways ORDER BY id");
  std::vector<GatewayRow> rows;
  while (select.step()) {
    GatewayRow row = row_of(select);
    if (!domain::is_gateway_name(row.gateway.name)) {
      skipped.push_back("the gateway with id " + to_text(row.gateway.id) +
                        " in table gateways has a name that cannot be used; change it to " +
                        std::string(domain::gateway_name_rule).substr(2));
      if (skipped_ids) skipped_ids->push_back(row.gateway.id);
      continue;
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

void write_gateway(Database& database, const GatewayRow& row) {
  Statement write(database,
                  "INSERT INTO gateways (id, name, url, type, capacity, disabled, draining, removed_at, "
                  "from_config, synced_url, synced_type, synced_capacity, synced_disabled, synced_admin_url, "
                  "emptying, admin_url) "
                  "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
                  "ON CONFLICT (id) DO UPDATE SET name = excluded.name, url = excluded.url, "
                  "type = excluded.type, capacity = excluded.capacity, disabled = excluded.disabled, "
                  "draining = excluded.draining, removed_at = excluded.removed_at, "
                  "from_config = excluded.from_config, synced_url = excluded.synced_url, "
                  "synced_type = excluded.synced_type, synced_capacity = excluded.synced_capacity, "
                  "synced_disabled = excluded.synced_disabled, "
                  "synced_admin_url = excluded.synced_admin_url, emptying = excluded.emptying, "
                  "admin_url = excluded.admin_url");
  const domain::Gateway& gateway = row.gateway;
  write.bind(gateway.id).bind(gateway.name).bind(gateway.url).bind(gateway.type);
  write.bind(gateway.capacity).bind(gateway.disabled).bind(gateway.draining);
  write.bind(text_of(row.removed_at)).bind(row.from_config);
  const auto synced = row.synced.value_or(GatewayRow::Synced{});
  write.bind(synced.url).bind(synced.type).bind(synced.capacity).bind(synced.disabled).bind(synced.admin_url);
  write.bind(gateway.evacuating).bind(gateway.admin_url);
  write.run_for_row();
}

bool set_draining(Database& database, const std::string& name, domain::Draining draining) {
  using domain::Draining;
  Statement update(database, "UPDATE gateways SET draining = ?, emptying = ? WHERE name = ?");
  update.bind(draining != Draining::no).bind(draining == Draining::and_evacuating).bind(name);
  return update.run() > 0;
}

}  // namespace store
