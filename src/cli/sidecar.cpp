#include "cli/sidecar.h"

#include <algorithm>

#include "cli/answer_fields.h"
#include "cli/configured.h"
#include "cli/table.h"
#include "cli/target.h"
#include "cli/terminal.h"
#include "config/listen_address.h"
#include "http/access.h"
#include "json/writer.h"
#include "store/database_id.h"
#include "store/owner.h"

namespace cli {
namespace {

// The address that the running sidecar has noted; it knows its port also where port 0 is configured
// or systemd handed the socket over. The note's writer must not have the token sent to another machine.
std::string noted_address(const std::string& database_path) {
  try {
    const auto note = store::read_owner_note(database_path);
    return note && config::is_local_only(note->address) ? note->address : "";
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
  throw NotReached("no sidecar runs on " + configuration.store.path + "; start it, or name its address with --server");
}

std::optional<std::string> token_of(const CommandLine& line, const config::Loaded& loaded) {
  const auto& path = line.token_file ? line.token_file : loaded.configuration.http.token_file;
  if (!path) return std::nullopt;
  auto file = http::read_token_file(*path);
  if (!file.token && line.token_file) throw CommandFailed(file.problem, kWrongInput);
  if (!file.token) {
    throw CommandFailed(config::place_of(loaded, "http.token_file") + ": " + file.problem, kWrongInput);
  }
  return std::move(file.token);
}

// What the interface's messages call things, and what the command line calls them.
constexpr std::pair<std::string_view, std::string_view> kCalled[] = {
    {"force=true", "--force"},
    {"allow_removals=true", "--allow-removals"},
    {"GET /v2/gateways lists", "room-sidecar status lists"},
    {"Send the token as 'Authorization: Bearer <token>'.", "Name the file that holds the token with --token-file."},
};

std::string as_options(std::string message) {
  for (const auto& [theirs, ours] : kCalled) {
    for (auto at = message.find(theirs); at != message.npos; at = message.find(theirs, at + ours.size())) {
      message.replace(at, theirs.size(), ours);
    }
  }
  return message;
}

store::DatabaseId served_by(const json::Value& settings) {
  store::DatabaseId id;
  if (const auto* database = settings.find("database")) {
    id.path = text_at(*database, "path");
    id.real_path = text_at(*database, "real_path");
    if (auto file = text_at(*database, "file"); !file.empty()) id.file = std::move(file);
  }
  return id;
}

}  // namespace

bool serves(const json::Value& settings, const std::string& database) {
  return store::is_same_database(served_by(settings), store::database_id(database));
}

Sidecar::Sidecar(const CommandLine& line, Purpose purpose) : Sidecar(line, purpose, load_for_asking(line)) {}

Sidecar::Sidecar(const CommandLine& line, Purpose purpose, const config::Loaded& loaded)
    : purpose_(purpose),
      address_(address_of(line, loaded.configuration)),
      client_(address_, token_of(line, loaded)),
      configuration_is_sound_(loaded.ok()) {
  if (purpose == Purpose::steer && !line.server) require_database(loaded.configuration.store.path);
}

void Sidecar::require_database(const std::string& configured) {
  const auto answer = ask("GET", "/v2/settings");
  if (answer.status == 404) {
    throw CommandFailed(
        "the sidecar at " + printable(address_) +
        " is too old to say which database it serves, so nothing was changed there; name it with --server");
  }
  if (!answer.is_fine()) throw CommandFailed(at_address(refusal(answer)));
  if (serves(answer.body, configured)) return;
  throw CommandFailed(
      "the sidecar at " + printable(address_) + " serves the database " + printable(served_by(answer.body).path) +
      ", but this configuration names " + printable(store::database_id(configured).path) +
      (configuration_is_sound_ ? "" : " and has errors (see room-sidecar check)") +
      ", so nothing was changed there; name that sidecar's configuration, or the sidecar itself with --server");
}

Sidecar::Answer Sidecar::ask(std::string_view method, const std::string& target, std::chrono::milliseconds timeout,
                             std::string_view sent) {
  auto answer = client_.request(method, target, sent, timeout);
  if (answer.is_too_large) {
    throw CommandFailed("what answers at " + printable(address_) +
                        " is no room-sidecar (its answer is too large); correct the address");
  }
  if (!answer.reached()) {
    throw NotReached(
        "no sidecar can be reached at " + printable(answer.problem) +
        (configuration_is_sound_ ? "; is it running?" : "; the configuration has errors, see room-sidecar check"));
  }
  auto body = json::Value::parse(answer.body);
  if (!body || !body->is_object()) {
    throw CommandFailed("what answers at " + printable(address_) + " is no room-sidecar (status " +
                        std::to_string(answer.status) + "); correct the address");
  }
  while (!answer.body.empty() && answer.body.back() == '\n') answer.body.pop_back();
  return {answer.status, std::move(*body), std::move(answer.body)};
}

Sidecar::Answer Sidecar::expect(std::string_view method, const std::string& target, std::string_view body,
                                std::chrono::milliseconds timeout) {
  auto answer = ask(method, target, timeout, body);
  if (answer.is_fine()) return answer;
  throw CommandFailed(purpose_ == Purpose::steer ? at_address(refusal(answer)) : refusal(answer));
}

std::string Sidecar::refusal(const Answer& answer) {
  const auto message = as_options(printable(text_at(answer.body, "message")));
  const auto code = printable(text_at(answer.body, "error"));
  return (message.empty() ? "the sidecar refused with status " + std::to_string(answer.status) : message) +
         (code.empty() ? "" : " (" + code + ')');
}

std::string Sidecar::with_address(const Answer& answer) const {
  std::string text = answer.text;
  text.pop_back();  // the bracket
  if (text.back() != '{') text += ',';
  json::append_string(text += "\"address\":", address_);
  return text + '}';
}

std::string Sidecar::at_address(const std::string& what) const {
  return "the sidecar at " + printable(address_) + ": " + what;
}

std::vector<json::Value> Sidecar::all_pages(const std::string& target, const std::string& name) {
  const auto first = target + (target.find('?') == std::string::npos ? '?' : '&') + "limit=1000";
  std::vector<json::Value> all;
  std::string after;
  std::size_t size = 0;
  std::chrono::milliseconds timeout = std::chrono::seconds{10};
  const auto deadline = std::chrono::steady_clock::now() + kListTime;
  for (;;) {
    const auto page = expect("GET", after.empty() ? first : first + "&after=" + percent_encoded(after), {}, timeout);
    for (auto& item : items_at(page.body, name)) all.push_back(std::move(item));
    size += page.text.size();
    auto next = text_at(page.body, "next");
    if (next.empty()) return all;
    const bool is_endless = next <= after || all.size() > kMostListed || size > kLargestList;
    if (is_endless) throw CommandFailed(at_address("its list does not end"));
    after = std::move(next);
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    if (left.count() <= 0) {
      const std::string limit = std::to_string(kListTime.count());
      throw CommandFailed(at_address("its list was not complete within " + limit + " s"));
    }
    timeout = std::min(timeout, left);
  }
}

}  // namespace cli
