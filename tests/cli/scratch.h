// A folder of a test's own with a configuration and perhaps a database, and the command line run in
// it. One test, one thread.
#pragma once

#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "cli/run.h"
#include "store/gateways_table.h"
#include "store/rooms_table.h"
#include "temporary_folder.h"

struct Outcome {
  int exit_code = 0;
  std::string out;
  std::string err;
};

inline bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

class Scratch : public TemporaryFolder {
 public:
  Scratch() { configure(""); }

  std::string database() const { return file("rooms.db"); }

  // config.toml with these lines after the database's; http.listen is where nobody listens.
  void configure(const std::string& more, const std::string& listen = "127.0.0.1:1") const {
    write("config.toml", "database.path = \"" + database() + "\"\nhttp.listen = \"" + listen + "\"\n" + more);
  }

  // Gateways gxy1 (id 1) and gxy2 (id 2); room 2171 on gxy1.
  void make_database() const {
    store::Database made(database(), store::OpenMode::read_write);
    for (const auto& [id, name] : {std::pair{1, "gxy1"}, std::pair{2, "gxy2"}}) {
      store::GatewayRow row;
      row.gateway.id = domain::RowId(id);
      row.gateway.name = name;
      store::write_gateway(made, row);
    }
    store::RoomRow row;
    row.room.id = domain::RowId{2171};
    row.room.gateway_uid = "2171";
    row.room.name = "Morning";
    row.room.default_gateway_id = domain::RowId{1};
    store::write_room(made, row);
  }

  std::vector<store::RoomRow> rooms() const {
    store::Database opened(database(), store::OpenMode::read_only);
    std::vector<std::string> skipped;
    return store::read_rooms(opened, skipped);
  }

  std::vector<store::GatewayRow> gateways() const {
    store::Database opened(database(), store::OpenMode::read_only);
    std::vector<std::string> skipped;
    return store::read_gateways(opened, skipped);
  }

  // room-sidecar WORDS… --config …/config.toml
  Outcome run(std::vector<std::string> words, const std::string& input = "") const {
    words.insert(words.begin(), "room-sidecar");
    words.insert(words.end(), {"--config", file("config.toml")});
    return run_bare(words, input);
  }

  static Outcome run_bare(const std::vector<std::string>& words, const std::string& input = "") {
    std::vector<const char*> argv;
    for (const auto& word : words) argv.push_back(word.c_str());
    std::istringstream in(input);
    std::ostringstream out;
    std::ostringstream err;
    const auto serve = [](const cli::ServeArguments&) { return 42; };
    const int code = cli::run(static_cast<int>(argv.size()), argv.data(), serve, in, out, err);
    return {code, out.str(), err.str()};
  }
};
