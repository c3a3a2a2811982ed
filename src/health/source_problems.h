// Which problems of the sources are still to be logged, and when all are over. What lasts for a round only, as at
// the start, is none. A plain value; nothing fails.
#pragma once

#include <string>
#include <vector>

namespace health {

class SourceProblems {
 public:
  struct News {
    std::vector<std::string> problems{};
    bool are_over = false;  // all that were logged
  };
  // A round's problems, each in words.
  News of(std::vector<std::string> problems);

 private:
  std::vector<std::string> seen_;      // in the last round
  std::vector<std::string> reported_;  // those of them that were logged
  bool is_any_logged_ = false;         // since there was last a round without any
};

}  // namespace health
