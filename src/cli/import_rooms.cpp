#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <iterator>

#include "cli/commands.h"
#include "cli/configured.h"
#include "cli/database_file.h"
#include "cli/import_plan.h"
#include "cli/room_list_file.h"
#include "cli/table.h"
#include "files/read_file.h"
#include "store/failure.h"

namespace cli {
namespace {

// 100 000 rooms take about 5 MiB; more than this is another file than the one meant.
constexpr std::size_t kMostBytes = 64u * 1024 * 1024;

std::string read_all(std::istream& from, const std::string& name) {
  std::string text;
  char buffer[64 * 1024];
  while (from.read(buffer, sizeof buffer), from.gcount() > 0) {
    text.append(buffer, static_cast<std::size_t>(from.gcount()));
    if (text.size() > kMostBytes) {
      throw CommandFailed(name + " is longer than 64 MiB; name a list of rooms", kWrongInput);
    }
  }
  if (from.bad()) throw CommandFailed(name + " could not be read: " + std::strerror(errno));
  return text;
}

std::string read_list(const CommandLine& line, Terminal& terminal) {
  if (line.subject == "-") return read_all(terminal.in, "standard input");
  auto file = files::read_file(line.subject, files::Writer::may_take_its_time);
  if (file.text) return std::move(*file.text);
  throw CommandFailed("cannot read " + printable(line.subject) + ": " + file.problem, kWrongInput);
}

[[noreturn]] void refuse(const std::vector<PlacedProblem>& problems, const std::string& name, Terminal& terminal) {
  for (const auto& problem : problems) {
    terminal.err << "error: " << name << ": " << problem.text << '\n';
  }
  throw CommandFailed(std::to_string(problems.size()) + (problems.size() == 1 ? " problem" : " problems") + " in " +
                          name + "; nothing was imported",
                      kWrongInput);
}

// Those of the list, and what the database has against its other entries, so that all can be mended
// at once.
std::vector<PlacedProblem> all_problems(RoomList list, const std::string& database_path, bool create_gateways) {
  try {
    if (list.entries.empty() || !std::filesystem::exists(database_path)) return list.problems;
    read_database(database_path, [&](store::Database& database) {
      const auto tables = read_tables(database);
      auto plan = plan_import(list.entries, tables.gateways, tables.rooms, create_gateways);
      std::move(plan.problems.begin(), plan.problems.end(), std::back_inserter(list.problems));
    });
  } catch (const store::Failure&) {  // the import itself will report it
  } catch (const std::filesystem::filesystem_error&) {
  }
  std::stable_sort(list.problems.begin(), list.problems.end(),
                   [](const auto& a, const auto& b) { return a.line < b.line; });
  return std::move(list.problems);
}

// New rows get new ids; a row that could not be read may bear one of them, and would be replaced.
void require_readable_rows(const Tables& tables, const ImportPlan& plan) {
  if (tables.skipped.empty() || (plan.added == 0 && plan.gateways.empty())) return;
  throw CommandFailed(tables.skipped.front() + "; repair such rows first, nothing was imported");
}

}  // namespace

int rooms_import(const CommandLine& line, Terminal& terminal) {
  const auto configuration = sound_configuration(line, terminal);
  const auto name = line.subject == "-" ? std::string("standard input") : printable(line.subject);
  const auto list = parse_room_list(read_list(line, terminal), line.janus_is_default);
  if (!list.problems.empty()) {
    refuse(all_problems(list, configuration.store.path, line.create_gateways), name, terminal);
  }

  ImportPlan plan;
  change_database(configuration.store.path, [&](store::Database& database) {
    const auto tables = read_tables(database);
    plan = plan_import(list.entries, tables.gateways, tables.rooms, line.create_gateways);
    if (!plan.problems.empty()) refuse(plan.problems, name, terminal);
    require_readable_rows(tables, plan);
    for (const auto& row : plan.gateways) store::write_gateway(database, row);
    for (const auto& row : plan.rooms) store::write_room(database, row);
  });
  for (const auto& warning : plan.warnings) {
    terminal.err << "warning: " << name << ": " << warning << '\n';
  }
  for (const auto& row : plan.gateways) {
    terminal.out << "Gateway " << printable(row.gateway.name) << " is new.\n";
  }
  terminal.out << "Rooms: " << plan.added << " added, " << plan.updated << " updated, " << plan.unchanged
               << " unchanged.\n";
  return kFine;
}

}  // namespace cli
