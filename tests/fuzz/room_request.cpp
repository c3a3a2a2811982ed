// The body of POST /v2/room_server, read by the sidecar and by a library.
#include <optional>
#include <string>
#include <variant>

#include "api/room_request.h"
#include "domain/decision.h"
#include "fuzz/expect.h"
#include "fuzz/json_tree.h"
#include "json/value.h"

namespace {

using fuzz::expect;
using fuzz::Tree;

std::optional<std::string> country_in(const Tree& tree) {
  if (!tree.contains("geo") || tree["geo"].is_null()) return "";
  if (!tree["geo"].is_object()) return std::nullopt;
  if (!tree["geo"].contains("country_code") || tree["geo"]["country_code"].is_null()) return "";
  if (!fuzz::is_text(tree["geo"]["country_code"])) return std::nullopt;
  return tree["geo"]["country_code"].get<std::string>();
}

// The code that the contract has for this body; "" if it is fine.
std::string fault_of(const Tree& tree) {
  if (tree.is_discarded() || !tree.is_object()) return "invalid_json";
  if (!fuzz::is_id(fuzz::id_in(tree, "room").value_or(""))) return "invalid_room";
  return country_in(tree) ? "" : "invalid_country";
}

void check_country(const std::string& country) {
  const std::string logged = domain::country_as_logged(country);
  expect(logged.size() <= 16, "a country of at most 16 bytes in the log");
  for (const char c : logged) expect(c < 'a' || c > 'z', "a country in upper case");
  expect(domain::country_as_logged(logged) == logged, "a logged country that stays as it is");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto body = fuzz::as_text(data, size);
  const Tree tree = fuzz::tree_of(body);
  const auto document = json::Value::parse(body);
  expect(document.has_value() != tree.is_discarded(), "one mind about what is JSON");
  if (document) fuzz::expect_same(*document, tree);
  const auto read = api::parse_room_request(body);
  const std::string fault = fault_of(tree);
  if (const auto* refused = std::get_if<http::Response>(&read)) {
    expect(refused->status == 400, "400 for a bad body");
    const auto reported = json::Value::parse(refused->body);
    expect(reported && reported->find("error") && reported->find("error")->string(), "a refusal with its code");
    expect(*reported->find("error")->string() == fault, "the fault that the contract names");
    expect(fuzz::is_one_line(refused->body), "a refusal in one line of UTF-8");
    return 0;
  }
  const auto& request = std::get<api::RoomRequest>(read);
  expect(fault.empty(), "a refusal");
  expect(request.room.text() == fuzz::id_in(tree, "room") && request.country == country_in(tree),
         "what the library reads");
  check_country(request.country);

  const std::string written = document->dump();
  const auto again = json::Value::parse(written);
  expect(again && again->dump() == written, "JSON that is written as it was read");
  return 0;
}
