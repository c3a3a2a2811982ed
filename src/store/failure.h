// What the store throws when it cannot do what it was asked. Any thread.
// The text is one sentence for the operator, ready to be logged, that says what to do.
#pragma once

#include <stdexcept>
#include <string>
#include <utility>

namespace store {

class Failure : public std::runtime_error {
 public:
  enum class Kind {
    unusable,         // cannot be opened, or is used in a way that it cannot be
    damaged,          // SQLite says that the content is not sound
    newer,            // made by a newer version of this program
    locked_by_other,  // another sidecar owns it
    not_ours,         // a database, but of another program
    altered,          // ours, but its tables are not as we made them
    read_only,        // may be read, not written
    full,             // no space left
    busy,             // another program holds SQLite's lock
    constraint,       // one row contradicts the schema; the file is fine
    io,               // anything else that the system refused
  };

  Failure(Kind kind, const std::string& sentence, std::string reason = {})
      : std::runtime_error(sentence), kind_(kind), reason_(std::move(reason)) {}

  Kind kind() const { return kind_; }
  // Why a file is damaged or a call failed, without name and advice; empty where the sentence is all.
  const std::string& reason() const { return reason_; }

 private:
  Kind kind_;
  std::string reason_;
};

// For a call of the system that failed: "cannot <action> <path>: <reason>; <advice>".
Failure system_failure(const std::string& action, const std::string& path, int error);

// For a call of SQLite that failed with this (extended) result code.
Failure sqlite_failure(const std::string& path, int code, const std::string& reason);

// The two ways out of a damaged file, said alike wherever damage is found.
Failure damaged(const std::string& path, const std::string& reason);

}  // namespace store
