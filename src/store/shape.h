// Are our tables as the migrations make them? SQL that others left in the file (triggers, views, generated columns,
// checks, indexes over expressions) would run whenever we write or look, in root's commands, too.
// Private to store/. The connection's thread. What SQLite refuses is thrown as Failure.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "store/migrations.h"

namespace store {

class Connection;

// What differs from the shape of that version, as a sentence that says what to do; nothing if nothing does. Tables,
// views and plain indexes of others' own are no affair of ours.
std::optional<std::string> difference_of_shape(Connection& connection, int version,
                                               std::span<const Migration> migrations);

// The version whose tables these are, for a file that has lost its number; 0 if it is none's.
int version_by_shape(Connection& connection, std::span<const Migration> migrations);

// Has the newest version a table of that name? In any case of letters, as SQLite compares names.
bool is_table_of_ours(const std::string& name);

}  // namespace store
