// Looks at a -wal before SQLite does, which takes the first bad frame for its end, and any -wal for one of the file
// beside it. Private to store/. Any thread, while this process has the database not open.
#pragma once

#include <string>

namespace store {

// Throws Failure (damaged) if commits stand behind damage in the -wal of that database, or if the -wal belongs to
// another state of the file: one of the two was replaced, or they were copied at different moments. Not every such pair
// is found, but none is refused whose two belong together.
void refuse_damaged_log(const std::string& database_path);

// The same, unless somebody serves the database: then file and -wal change while they are looked at.
void refuse_damaged_log_unless_served(const std::string& database_path);

}  // namespace store
