// The running sidecar, as commands ask it over its HTTP interface. Main's thread; each call waits
// for the answer. What it refuses, and that it is not to be reached, is thrown as CommandFailed.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "cli/command_line.h"
#include "config/load.h"
#include "http/client.h"
#include "http/json.h"

namespace cli {

class Sidecar {
 public:
  // Finds it: --server, else the one that owns the configured database, else http.listen.
  // The token is read from --token-file, else from http.token_file.
  explicit Sidecar(const CommandLine& line);

  const std::string& address() const { return address_; }

  struct Answer {
    int status = 0;
    http::Json body;
    std::string text;  // the body as it came

    bool is_fine() const { return status >= 200 && status < 300; }
  };

  // Whatever it answers, as long as that is JSON.
  Answer ask(std::string_view method, const std::string& target,
             std::chrono::milliseconds timeout = std::chrono::seconds{10}, std::string_view sent = {});

  // Its own message, for people.
  static std::string refusal(const Answer& answer);

  // Throws its refusal, if it is one.
  Answer expect(std::string_view method, const std::string& target, std::string_view body = {});

  // All pages of a list: the elements of the array called `name`. `target` has no query, or one.
  std::vector<http::Json> all_pages(const std::string& target, const std::string& name);

 private:
  Sidecar(const CommandLine& line, const config::Loaded& loaded);

  std::string address_;
  http::Client client_;
  bool configuration_is_sound_;
};

}  // namespace cli
