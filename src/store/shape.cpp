#include "store/shape.h"

#include <sqlite3.h>

#include <algorithm>
#include <cctype>
#include <map>
#include <string_view>
#include <vector>

#include "domain/printable.h"
#include "store/connection.h"

namespace store {
namespace {

struct Object {
  std::string type, name, table, sql;  // name and table in lower case
  std::string shown;                   // the name as it was given
};

using Tokens = std::vector<std::string>;

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

bool is_of_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || (c & 0x80) != 0; }

// Without comments, blanks and the quotes of names, which differ when a table was dumped or built anew.
Tokens tokens_of(std::string_view sql) {
  Tokens tokens;
  for (std::size_t at = 0; at < sql.size();) {
    const char c = sql[at];
    if (std::isspace(static_cast<unsigned char>(c)) != 0) {
      ++at;
    } else if (sql.compare(at, 2, "--") == 0) {
      at = std::min(sql.find('\n', at), sql.size());
    } else if (sql.compare(at, 2, "/*") == 0) {
      const auto end = sql.find("*/", at + 2);
      at = end == sql.npos ? sql.size() : end + 2;
    } else if (c == '"' || c == '`' || c == '[' || c == '\'') {
      const auto end = std::min(sql.find(c == '[' ? ']' : c, at + 1), sql.size());
      const std::string inside(sql.substr(at + 1, end - at - 1));
      tokens.push_back(c == '\'' ? "'" + inside + "'" : lower(inside));
      at = end + 1;
    } else {
      const auto begin = at++;
      while (is_of_word(c) && at < sql.size() && is_of_word(sql[at])) ++at;
      tokens.push_back(lower(std::string(sql.substr(begin, at - begin))));
    }
  }
  return tokens;
}

std::vector<Object> objects_in(Connection& connection) {
  std::vector<Object> objects;
  SQLite::Statement& select = connection.prepared("SELECT type, name, tbl_name, coalesce(sql, '') FROM sqlite_schema");
  translated(connection.path(), [&] {
    while (select.executeStep()) {
      const std::string name = select.getColumn(1);
      objects.push_back({select.getColumn(0), lower(name), lower(select.getColumn(2)), select.getColumn(3).getString(),
                         domain::printable(name)});
    }
    select.reset();
  });
  return objects;
}

std::map<std::string, Tokens> tables_of(int version, std::span<const Migration> migrations) {
  Connection made(":memory:", ":memory:", SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX);
  for (const Migration& migration : migrations) {
    if (migration.version <= version) made.execute(migration.sql);
  }
  std::map<std::string, Tokens> tables;
  for (const Object& object : objects_in(made)) {
    if (object.type == "table") tables.emplace(object.name, tokens_of(object.sql));
  }
  return tables;
}

std::string called(const Object& object) { return object.type + " " + object.shown; }

// As an identifier of SQL.
std::string in_quotes(const std::string& name) {
  std::string text = "\"";
  for (const char c : name) text += c == '"' ? "\"\"" : std::string(1, c);
  return text + '"';
}

// Such an index, and no other, is known to refuse no row and to run nothing.
bool is_plain(Connection& connection, const std::string& index) {
  SQLite::Statement& select = connection.prepared(
      "SELECT (SELECT count(*) FROM sqlite_schema s, pragma_index_list(s.tbl_name) l "
      "        WHERE s.type = 'index' AND lower(s.name) = ?1 AND l.name = s.name AND NOT l.\"unique\" AND NOT "
      "l.partial) "
      "   AND NOT EXISTS (SELECT 1 FROM pragma_index_xinfo(?1) WHERE cid = -2 OR coll <> 'BINARY')");
  return translated(connection.path(), [&] {
    select.bind(1, index);
    const bool is = select.executeStep() && select.getColumn(0).getInt() != 0;
    select.reset();
    return is;
  });
}

// What to do about an object of others at one of our tables; nothing if it may stay.
std::optional<std::string> quarrel_with(Connection& connection, const Object& object,
                                        const std::map<std::string, Tokens>& tables) {
  const bool has_our_name = tables.count(object.name) > 0;
  if (!has_our_name && tables.count(object.table) == 0) return std::nullopt;
  const auto undo = "remove it with `DROP " + object.type + " " + in_quotes(object.shown) + "`";
  if (object.type == "table") {
    if (tokens_of(object.sql) == tables.at(object.name)) return std::nullopt;
    return called(object) + " is not as room-sidecar made it; undo that change";
  }
  if (object.type == "index" && (object.sql.empty() || is_plain(connection, object.name))) return std::nullopt;
  if (has_our_name) return called(object) + " is where a table of room-sidecar belongs; " + undo;
  return "table " + domain::printable(object.table) + " has the " + called(object) +
         ", which could refuse or change rows; " + undo;
}

}  // namespace

std::optional<std::string> difference_of_shape(Connection& connection, int version,
                                               std::span<const Migration> migrations) {
  auto tables = tables_of(version, migrations);
  const auto objects = objects_in(connection);
  for (const Object& object : objects) {
    if (auto sentence = quarrel_with(connection, object, tables)) return sentence;
  }
  for (const Object& object : objects) tables.erase(object.name);
  if (tables.empty()) return std::nullopt;
  return "table " + tables.begin()->first + " is missing; restore a backup";
}

int version_by_shape(Connection& connection, std::span<const Migration> migrations) {
  for (auto at = migrations.rbegin(); at != migrations.rend(); ++at) {
    if (!difference_of_shape(connection, at->version, migrations)) return at->version;
  }
  return 0;
}

bool is_table_of_ours(const std::string& name) {
  static const auto tables = tables_of(newest_version(embedded_migrations()), embedded_migrations());
  return tables.count(lower(name)) > 0;
}

}  // namespace store
