// Which troubles of the sources the log has yet to be told of, and when all are over. What lasts for a round only, as at
// the start, is none. A plain value; nothing fails.
#pragma once

#include <string>
#include <vector>

namespace health {

class SourceProblems {
 public:
  struct News {
    std::vector<std::string> problems{};
    bool are_over = false;  // all that were told of
  };
  // A round's troubles, each in words.
  News of(std::vector<std::string> problems);

 private:
  std::vector<std::string> seen_;      // in the last round
  std::vector<std::string> reported_;  // those of them that were told of
  bool is_any_logged_ = false;         // since there was last a round without any
};

}  // namespace health
