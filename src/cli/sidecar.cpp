#include "cli/sidecar.h"

#include "cli/answer_fields.h"
#include "cli/configured.h"
#include "cli/table.h"
#include "cli/target.h"
#include "cli/terminal.h"
#include "http/access.h"
#include "store/owner.h"

namespace cli {
namespace {

// The address that the running sidecar has noted; it knows its port also where port 0 is configured
// or systemd handed the socket over.
std::string noted_address(const std::string& database_path) {
  try {
    const auto note = store::read_owner_note(database_path);
    return note ? note->address : "";
  } catch (const std::exception&) {
    return "";  // not ours to read; the configured address is tried instead
  }
}

std::string address_of(const CommandLine& line, const config::Configuration& configuration) {
  if (line.server) return *line.server;
  auto noted = noted_address(configuration.store.path);
  if (!noted.empty()) return noted;
  const auto& listen = configuration.http.listen;
  const bool has_port = listen.size() < 2 || listen.compare(listen.size() - 2, 2, ":0") != 0;
  if (has_port) return listen;
  throw CommandFailed("no sidecar runs on " + configuration.store.path +
                      "; start it, or name its address with --server");
}

std::optional<std::string> token_of(const CommandLine& line, const config::Loaded& loaded) {
  const auto& path = line.token_file ? line.token_file : loaded.configuration.http.token_file;
  if (!path) return std::nullopt;
  auto file = http::read_token_file(*path);
  if (!file.token && line.token_file) throw CommandFailed(file.problem, kWrongInput);
  if (!file.token) {
    throw CommandFailed(config::place_of(loaded, "http.token_file") + ": " + file.problem);
  }
  return std::move(file.token);
}

}  // namespace

Sidecar::Sidecar(const CommandLine& line) : Sidecar(line, load_for_asking(line)) {}

Sidecar::Sidecar(const CommandLine& line, const config::Loaded& loaded)
    : address_(address_of(line, loaded.configuration)),
      client_(address_, token_of(line, loaded)),
      configuration_is_sound_(loaded.ok()) {}

Sidecar::Answer Sidecar::ask(std::string_view method, const std::string& target, std::chrono::milliseconds timeout,
                             std::string_view sent) {
  auto answer = client_.request(method, target, sent, timeout);
  if (!answer.reached()) {
    throw CommandFailed(
        "no sidecar can be reached at " + printable(answer.problem) +
        (configuration_is_sound_ ? "; is it running?" : "; the configuration has errors, see room-sidecar check"));
  }
  auto body = http::Json::parse(answer.body);
  if (!body || !body->is_object()) {
    throw CommandFailed("what answers at " + printable(address_) + " is no room-sidecar (status " +
                        std::to_string(answer.status) + "); correct the address");
  }
  while (!answer.body.empty() && answer.body.back() == '\n') answer.body.pop_back();
  return {answer.status, std::move(*body), std::move(answer.body)};
}

Sidecar::Answer Sidecar::expect(std::string_view method, const std::string& target, std::string_view body) {
  auto answer = ask(method, target, std::chrono::seconds{10}, body);
  if (!answer.is_fine()) throw CommandFailed(refusal(answer));
  return answer;
}

std::string Sidecar::refusal(const Answer& answer) {
  const auto message = printable(text_at(answer.body, "message"));
  const auto code = printable(text_at(answer.body, "error"));
  return (message.empty() ? "the sidecar refused with status " + std::to_string(answer.status) : message) +
         (code.empty() ? "" : " (" + code + ')');
}

std::vector<http::Json> Sidecar::all_pages(const std::string& target, const std::string& name) {
  const auto first = target + (target.find('?') == std::string::npos ? '?' : '&') + "limit=1000";
  std::vector<http::Json> all;
  std::string after;
  for (;;) {
    const auto page = expect("GET", after.empty() ? first : first + "&after=" + percent_encoded(after));
    for (auto& item : items_at(page.body, name)) all.push_back(std::move(item));
    auto next = text_at(page.body, "next");
    if (next.empty()) return all;
    if (next <= after) throw CommandFailed("the sidecar's list does not come to an end");
    after = std::move(next);
  }
}

}  // namespace cli
