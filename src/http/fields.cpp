#include "http/fields.h"

#include <charconv>

#include "domain/id.h"
#include "http/refusal.h"

namespace http {

OrRefusal<Json> object_in(std::string_view body, bool required) {
  if (body.empty() && !required) return Json(Json::Object{});
  std::string problem = "It is empty.";
  std::optional<Json> json;
  if (!body.empty()) json = Json::parse(body, &problem);
  if (json && json->is_object()) return std::move(*json);
  if (json) problem = "It is another value.";
  return refusal(400, "invalid_json", "Send exactly one JSON object as the body: " + problem);
}

std::optional<std::string> id_in(const Json& value) {
  if (const std::string* text = value.string()) return *text;
  if (const std::uint64_t* number = value.unsigned_number()) return std::to_string(*number);
  return std::nullopt;
}

std::optional<Response> refuse_room(std::string_view room) {
  if (domain::is_valid_id(room)) return std::nullopt;
  return refusal(400, "invalid_room",
                 "Send the Janus room id as \"room\": 1 to 255 bytes of UTF-8 without control "
                 "characters, or an integer from 0 to 2^64-1.");
}

std::optional<Response> refuse_session(std::string_view session) {
  if (domain::is_valid_id(session)) return std::nullopt;
  return refusal(400, "invalid_session", "Send a session id of 1 to 255 bytes of UTF-8 without control characters.");
}

OrRefusal<PageWish> page_in(const Query& query) {
  PageWish page{query.value("after").value_or(""), 100};
  if (const auto limit = query.value("limit")) {
    const auto [end, error] = std::from_chars(limit->data(), limit->data() + limit->size(), page.limit);
    if (error != std::errc{} || end != limit->data() + limit->size() || page.limit < 1 || page.limit > 1000) {
      return refusal(400, "invalid_query", "Send a limit from 1 to 1000, or none.");
    }
  }
  return page;
}

Response json_response(JsonWriter& json) {
  Response response;
  response.body = json.take();
  return response;
}

Response refusal(domain::Refusal why) {
  const std::string_view code = code_of(why);
  if (why == domain::Refusal::room_not_found) {
    return refusal(404, code, "Configure the room, import it, or enable it: it is not known here.");
  }
  return refusal(503, code, "Try again; if it lasts, look into the log and at the disk of the database.");
}

}  // namespace http
