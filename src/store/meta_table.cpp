#include "store/meta_table.h"

#include "store/statement.h"

namespace store {

std::optional<std::string> read_meta(Database& database, const std::string& key) {
  Statement select(database, "SELECT value FROM meta WHERE key = ?");
  if (!select.bind(key).step()) return std::nullopt;
  return select.text(0);
}

void write_meta(Database& database, const std::string& key, const std::string& value) {
  Statement write(database,
                  "INSERT INTO meta (key, value) VALUES (?, ?) "
                  "ON CONFLICT (key) DO UPDATE SET value = excluded.value");
  write.bind(key).bind(value).run_for_row();
}

}  // namespace store
