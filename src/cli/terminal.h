// Where a command reads and writes, and how it ends. Main's thread.
#pragma once

#include <istream>
#include <ostream>
#include <stdexcept>
#include <string>

namespace cli {

struct Terminal {
  std::istream& in;
  std::ostream& out;
  std::ostream& err;
};

inline constexpr int kFine = 0;
inline constexpr int kFailed = 1;      // while running: not reachable, refused, file unusable
inline constexpr int kWrongInput = 2;  // wrong usage or configuration

// Thrown by commands to end; run() prints the sentence and gives the exit code to the shell.
class CommandFailed : public std::runtime_error {
 public:
  explicit CommandFailed(const std::string& sentence, int exit_code = kFailed)
      : std::runtime_error(sentence), exit_code_(exit_code) {}

  int exit_code() const { return exit_code_; }

 private:
  int exit_code_;
};

}  // namespace cli
