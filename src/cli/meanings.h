// What is said of decisions and of where a room would go: by the table of terms, as the page does. Pure; any thread.
// Does not fail. Whatever comes from outside is made printable.
#pragma once

#include <string>

#include "json/value.h"

namespace cli {

// Why an answer with candidates, or a decision, names that gateway or that error: ": it is there already". "" for a
// word that is not known: a newer sidecar may have more.
std::string because(const json::Value& answer);

// For a decision: an operator ended the assignment, and nobody was refused.
bool is_release(const json::Value& decision);
// "placed on gxy2 (assigned)"; the word is that of the interface.
std::string what_happened(const json::Value& decision);

// The table of an answer's candidates; "" if there are none.
std::string candidates_of(const json::Value& answer);

}  // namespace cli
