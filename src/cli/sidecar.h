// The running sidecar, as commands ask it over its HTTP interface. Main's thread; each call waits
// for the answer. What it refuses, and that it is not to be reached, is thrown as CommandFailed.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "cli/command_line.h"
#include "cli/terminal.h"
#include "config/load.h"
#include "http/client.h"
#include "json/value.h"

namespace cli {

// Nobody answers: it is not running, or somewhere else.
class NotReached : public CommandFailed {
  using CommandFailed::CommandFailed;
};

class Sidecar {
 public:
  // Looking at another sidecar than the one meant costs nothing; steering it may cost meetings.
  enum class Purpose { look, steer };

  // Finds it: --server, else the one that owns the configured database, else http.listen.
  // The token is read from --token-file, else from http.token_file. To steer it, it must serve the configured
  // database, unless --server names it: throws CommandFailed otherwise.
  explicit Sidecar(const CommandLine& line, Purpose purpose = Purpose::look);
  Sidecar(const CommandLine& line, Purpose purpose, const config::Loaded& loaded);

  struct Answer {
    int status = 0;
    json::Value body;
    std::string text;  // the body as it came

    bool is_fine() const { return status >= 200 && status < 300; }
  };

  const std::string& address() const { return address_; }
  // An answer as it came, and the address among its members.
  std::string with_address(const Answer& answer) const;

  // Whatever it answers, as long as that is JSON, and complete within `timeout`.
  Answer ask(std::string_view method, const std::string& target,
             std::chrono::milliseconds timeout = std::chrono::seconds{10}, std::string_view sent = {});

  // Its own message, for people. Options are called as the command line calls them.
  static std::string refusal(const Answer& answer);

  // Throws its refusal, if it is one. A steering command names the sidecar.
  Answer expect(std::string_view method, const std::string& target, std::string_view body = {},
                std::chrono::milliseconds timeout = std::chrono::seconds{10});

  // What no sidecar's list comes to. What answers in its place must not keep a command, or fill its memory.
  static constexpr std::size_t kMostListed = 1'000'000;
  static constexpr std::size_t kLargestList = 256UL * 1024 * 1024;  // bytes, of all pages
  static constexpr std::chrono::seconds kListTime{60};

  // All pages of a list: the elements of the array called `name`. `target` has no query, or one.
  std::vector<json::Value> all_pages(const std::string& target, const std::string& name);

 private:
  void require_database(const std::string& configured);
  std::string at_address(const std::string& what) const;

  const Purpose purpose_;

  std::string address_;
  http::Client client_;
  bool configuration_is_sound_;
};

// Whether the answer to GET /v2/settings is that of a sidecar which serves the database with this path.
bool serves(const json::Value& settings, const std::string& database);

}  // namespace cli
