// The problems that loading finds, and where each setting was written. One loading, one thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "config/value.h"

namespace config {

struct Problem {
  bool is_error = true;  // else a warning: `serve` starts all the same
  std::string text;      // complete: "config.toml:12: balancing.max_server_capacity: \"abc\" is not …"
};

// One of the sources of settings, the weakest first.
struct Origin {
  enum class Rank { config_file, env_file, environment };

  Rank rank = Rank::config_file;
  std::string name;  // "config.toml", ".env", "environment"

  // "config.toml:12"; only the name where there are no lines (the environment, line 0).
  std::string at(std::size_t line) const;
};

// Collects problems and hands them out in the order in which an operator meets them in the files.
class Report {
 public:
  void error(const Origin& origin, std::size_t line, std::string_view text);
  void warning(const Origin& origin, std::size_t line, std::string_view text);
  std::vector<Problem> take();

 private:
  struct Item {
    Origin::Rank rank;
    std::size_t line;
    Problem problem;
  };
  std::vector<Item> items_;
};

// One setting in one source: what to call it in messages, and what it should have been. The views
// outlive it (they are the settings table's and the caller's).
struct Spot {
  Report& report;
  const Origin& origin;
  std::string name;           // as its source calls it: the key, or the variable
  std::string_view expected;  // completes "… is not ": "a whole number of users above 0"

  std::string where(const Value& value) const { return origin.at(value.line); }

  // WHERE: NAME: VALUE is not EXPECTED
  void refuse(const Value& value) const;
  void refuse(const Value& value, std::string_view instead_expected) const;
  // WHERE: NAME: TEXT
  void complain(std::size_t line, std::string_view text) const;
  void warn(std::size_t line, std::string_view text) const;

  // The same setting's part, or another one in the same place.
  Spot named(std::string other_name, std::string_view other_expected) const;
};

}  // namespace config
