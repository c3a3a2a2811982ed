#include "api/room_request.h"

#include "http/refusal.h"
#include "json/value.h"

namespace api {
namespace {

// Nothing if it is given, and no string.
std::optional<std::string> country_in(const json::Value& body) {
  const json::Value* geo = body.find("geo");
  if (!geo || geo->is_null()) return "";
  if (!geo->is_object()) return std::nullopt;
  const json::Value* code = geo->find("country_code");
  if (!code || code->is_null()) return "";
  if (const std::string* text = code->string()) return *text;
  return std::nullopt;
}

}  // namespace

OrRefusal<RoomRequest> parse_room_request(std::string_view body) {
  const auto read = object_in(body, true);
  if (const auto* refused = std::get_if<http::Response>(&read)) return *refused;
  const json::Value& requested = std::get<json::Value>(read);

  const json::Value* given = requested.find("room");
  std::string room = given ? id_in(*given).value_or("") : "";
  if (auto refused = refuse_room(room)) return *std::move(refused);
  auto country = country_in(requested);
  if (!country) {
    return refusal(400, "invalid_country", "Send geo.country_code as a string, or leave it out.");
  }
  return RoomRequest{domain::RoomId(std::move(room)), *std::move(country)};
}

}  // namespace api
