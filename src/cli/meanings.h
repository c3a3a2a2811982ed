// What the sidecar's words for decisions mean, for people: the same words as in src/page/words.js. Pure; any thread.
#pragma once

#include <string>

#include "json/value.h"

namespace cli {

// "" for words that are not known: a newer sidecar may have more.
std::string meaning_of_error(const std::string& word);
// For the reason in an answer with candidates, or in a decision: more is known there.
std::string meaning_of_choice(const json::Value& answer);
// For the error in an answer with candidates, or in a decision: more is known there.
std::string meaning_of_refusal(const json::Value& answer);
// For a decision: an operator ended the assignment, and nobody was refused.
bool is_release(const json::Value& decision);
// The word itself if it is not known.
std::string meaning_of_asker(const std::string& word);

// The table of an answer's candidates; "" if there are none.
std::string candidates_of(const json::Value& answer);

}  // namespace cli
