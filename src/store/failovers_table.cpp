#include "store/failovers_table.h"

#include "domain/id.h"
#include "store/statement.h"

namespace store {

std::vector<domain::Failover> read_failovers(Database& database, std::vector<std::string>& skipped) {
  Statement select(database, "SELECT gateway_name, standby FROM failovers ORDER BY gateway_name");
  std::vector<domain::Failover> rows;
  while (select.step()) {
    domain::Failover row{select.text(0), select.optional_text(1)};
    if (!domain::is_valid_id(row.gateway_name) || (row.standby && !domain::is_valid_id(*row.standby))) {
      skipped.push_back("a row of table failovers names an impossible gateway; delete the row");
      continue;
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

void write_failover(Database& database, const domain::Failover& failover) {
  Statement write(database,
                  "INSERT INTO failovers (gateway_name, standby) VALUES (?, ?) "
                  "ON CONFLICT (gateway_name) DO UPDATE SET standby = excluded.standby");
  write.bind(failover.gateway_name).bind(failover.standby).run_for_row();
}

void erase_failover(Database& database, const std::string& gateway_name) {
  Statement erase(database, "DELETE FROM failovers WHERE gateway_name = ?");
  erase.bind(gateway_name).run();
}

}  // namespace store
