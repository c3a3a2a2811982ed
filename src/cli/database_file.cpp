#include "cli/database_file.h"

#include <chrono>

#include "store/as_file_owner.h"
#include "store/failure.h"
#include "store/files.h"

namespace cli {
namespace {

// Above what a sidecar's longest batch or an operator's shell needs, below an operator's patience.
constexpr std::chrono::seconds kPatience{5};

}  // namespace

Tables read_tables(store::Database& database) {
  Tables tables;
  tables.gateways = store::read_gateways(database, tables.skipped);
  tables.rooms = store::read_rooms(database, tables.skipped);
  return tables;
}

void read_database(const std::string& path, const std::function<void(store::Database&)>& command) {
  const store::AsFileOwner as_owner(path);
  store::Database database(path, store::OpenMode::read_only);
  database.read_transaction([&] { command(database); });
}

void change_database(const std::string& path, const std::function<void(store::Database&)>& command) {
  require_database(path);
  const store::AsFileOwner as_owner(path);
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  for (;;) {
    try {
      // SQLite itself waits a second for the lock, so this does not spin.
      store::Database database(path, store::OpenMode::existing);
      if (!database.writable()) throw CommandFailed(database.why_not_writable());
      database.transaction([&] { command(database); });
      return;
    } catch (const store::Failure& failure) {
      if (failure.kind() != store::Failure::Kind::busy) throw;
      if (std::chrono::steady_clock::now() >= deadline) throw;
    }
  }
}

void require_database(const std::string& path) {
  if (store::exists(store::resolved(path))) return;
  throw CommandFailed("there is no database at " + path +
                      "; start the sidecar once, which makes it, or correct database.path");
}

}  // namespace cli
