// The shapes that the database file has had, and the way from each to the newest.
// embedded_migrations(): any thread; the others: the connection's thread. Failures are thrown.
#pragma once

#include <span>
#include <string>

namespace store {

class Connection;

struct Migration {
  int version = 0;  // PRAGMA user_version after it
  const char* sql = "";
};

// schema/*.sql in the order of their numbers, 1, 2, …
std::span<const Migration> embedded_migrations();

int newest_version(std::span<const Migration> migrations);

struct FoundVersion {
  enum class Origin {
    blank,    // nothing is in it yet
    ours,     // of this version
    newer,    // of a version that this program does not know
    dumped,   // ours by its tables, which a dump left without the marks; of the version that they have
    foreign,  // of another program
  };
  Origin origin;
  int version = 0;
};
FoundVersion find_version(Connection& connection, std::span<const Migration> migrations);

// The marks of which a database that was filled from a dump is bare, and how to make them.
std::string advice_on_dump(const std::string& path, int version);

// The version of the database that is served, 0 if nothing is in it yet. Refuses one of another program or of a
// newer version.
int version_of_ours(Connection& connection, const std::string& path, std::span<const Migration> migrations);

// Runs what is missing in one transaction. An older file is first copied to `<path>.v<N>`, within
// that transaction, so that the copy is what the migration began with.
void migrate(Connection& connection, const std::string& path, std::span<const Migration> migrations);

}  // namespace store
