// The database file as commands use it, also beside a running sidecar. Main's thread.
// Throws CommandFailed or store::Failure.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "cli/terminal.h"
#include "store/database.h"
#include "store/gateways_table.h"
#include "store/rooms_table.h"

namespace cli {

struct Tables {
  std::vector<store::GatewayRow> gateways;
  std::vector<store::RoomRow> rooms;
  std::vector<std::string> skipped;  // a sentence for each row that could not be used
};

Tables read_tables(store::Database& database);

// Reads the file as it is at one moment, and leaves it as it is. As its folder's owner if that is root's command.
void read_database(const std::string& path, const std::function<void(store::Database&)>& command);

// Changes the existing file in one transaction, as its folder's owner if that is root's command. While
// another program holds SQLite's lock it is tried again for 5 s: `command` may be called repeatedly.
void change_database(const std::string& path, const std::function<void(store::Database&)>& command);

// Throws unless there is such a file: commands make none.
void require_database(const std::string& path);

}  // namespace cli
