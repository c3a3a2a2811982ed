#include "api/fields.h"

#include <algorithm>
#include <iterator>
#include <sstream>
#include <vector>

#include "domain/id.h"
#include "domain/number.h"
#include "domain/suggestion.h"
#include "http/refusal.h"

namespace api {
namespace {

using Names = std::vector<std::string>;

Names names_in(std::string_view text) {
  std::istringstream words{std::string(text)};
  return {std::istream_iterator<std::string>(words), {}};
}

bool holds(const Names& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// Enough to be found again; what is asked may be as long as a body.
std::string shortened(std::string_view name) { return std::string(name.substr(0, 100)); }

// One sentence on what to do with a name that is not known in this place.
std::string correction(std::string_view what, std::string_view name, const Names& known) {
  const std::string shown = shortened(name);
  std::string text = "Correct or leave out the " + std::string(what) + " \"" + shown + '"';
  if (known.empty()) return text + ": this request takes none.";
  text += domain::did_you_mean(shown, known) + ": this request takes";
  for (const auto& one : known) text += (&one == known.data() ? " " : ", ") + one;
  return text + '.';
}

}  // namespace

OrRefusal<json::Value> object_in(std::string_view body, bool required) {
  if (body.empty() && !required) return json::Value(json::Value::Object{});
  std::string problem = "It is empty.";
  std::optional<json::Value> json;
  if (!body.empty()) json = json::Value::parse(body, &problem);
  if (json && json->is_object()) return std::move(*json);
  if (json) problem = "It is another value.";
  return refusal(400, "invalid_json", "Send exactly one JSON object as the body: " + problem);
}

std::optional<std::string> id_in(const json::Value& value) {
  if (const std::string* text = value.string()) return *text;
  if (const std::uint64_t* number = value.unsigned_number()) return std::to_string(*number);
  return std::nullopt;
}

std::optional<http::Response> refuse_unknown_names(const http::Request& request, const KnownNames& known) {
  const Names parameters = names_in(known.query);
  const Names fields = names_in(known.body.value_or(""));
  for (const auto& [name, value] : request.query.pairs()) {
    if (holds(parameters, name)) continue;
    return refusal(400, "invalid_query",
                   holds(fields, name) ? "Send " + name + " in the body, not in the query."
                                       : correction("query parameter", name, parameters));
  }
  if (!known.body) return std::nullopt;
  const auto read = object_in(request.body, false);
  if (const auto* refused = std::get_if<http::Response>(&read)) return *refused;
  for (const auto& [name, value] : *std::get<json::Value>(read).object()) {
    if (holds(fields, name)) continue;
    return refusal(400, "invalid_request",
                   holds(parameters, name) ? "Send " + name + " in the query, not in the body."
                                           : correction("field", name, fields));
  }
  return std::nullopt;
}

std::optional<http::Response> refuse_room(std::string_view room) {
  if (domain::is_valid_id(room)) return std::nullopt;
  return refusal(400, "invalid_room",
                 "Send the Janus room id as \"room\": 1 to 255 bytes of UTF-8 without control "
                 "characters, or an integer from 0 to 2^64-1.");
}

std::optional<http::Response> refuse_session(std::string_view session) {
  if (domain::is_valid_id(session)) return std::nullopt;
  return refusal(400, "invalid_session", "Send a session id of 1 to 255 bytes of UTF-8 without control characters.");
}

OrRefusal<bool> flag_in(const http::Query& query, std::string_view name) {
  const std::string_view flag = query.value(name).value_or("false");
  if (flag == "true" || flag == "false") return flag == "true";
  const std::string shown(name);
  return refusal(400, "invalid_query", "Send " + shown + "=true, " + shown + "=false, or none.");
}

OrRefusal<PageParams> page_in(const http::Query& query) {
  PageParams page{query.value("after").value_or(""), 100};
  if (const auto limit = query.value("limit")) {
    page.limit = domain::number_from<std::size_t>(*limit).value_or(0);
    if (page.limit < 1 || page.limit > 1000) {
      return refusal(400, "invalid_query", "Send a limit from 1 to 1000, or none.");
    }
  }
  return page;
}

http::Response unknown_gateway(const domain::Catalogue& catalogue, std::string_view gateway) {
  const std::string shown = shortened(gateway);
  Names known;
  for (const auto& one : catalogue.gateways()) {
    if (!one.removed) known.push_back(one.name);
  }
  return refusal(404, "gateway_not_found",
                 "Name a gateway that GET /v2/gateways lists; there is no \"" + shown + '"' +
                     domain::did_you_mean(shown, known) + '.');
}

http::Response json_response(json::Writer& json) {
  http::Response response;
  response.body = json.take();
  return response;
}

http::Response refusal(domain::Refusal why) {
  const std::string_view code = code_of(why);
  if (why == domain::Refusal::room_not_found) {
    return refusal(404, code, "Configure the room, import it, or enable it: it is not known here.");
  }
  if (why == domain::Refusal::too_many_sessions) {
    return refusal(503, code, "Report fewer sessions, or raise sessions.max: its limit is reached.");
  }
  return refusal(503, code, "Try again; if that lasts, look at the log and at the disk of the database.");
}

}  // namespace api
