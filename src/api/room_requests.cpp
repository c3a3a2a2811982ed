#include <string>

#include "api/fields.h"
#include "api/refused_room.h"
#include "api/requests.h"
#include "api/room_request.h"
#include "app/answer_room.h"
#include "http/refusal.h"
#include "json/writer.h"

namespace api {

http::Response answer_room_server(const Backend& backend, const http::Request& request) {
  const auto read = parse_room_request(request.body);
  if (const auto* refused = std::get_if<http::Response>(&read)) return *refused;
  const auto& [room, country] = std::get<RoomRequest>(read);
  const auto answer = app::answer_room(backend.registry, room, country);
  if (const auto* refused = std::get_if<app::Refused>(&answer)) return refusal(*refused, room);
  const auto& found = std::get<app::RoomAnswer>(answer);
  http::Response response;
  response.body = "{\"janus\":";
  json::append_string(response.body, found.gateway) += '}';
  response.headers.emplace_back("Room-Server-Reason", to_text(found.reason));
  return response;
}

http::Response answer_explain(const Backend& backend, const http::Request& request) {
  if (auto refused = refuse_room(request.args[0])) return *refused;
  const domain::RoomId room(request.args[0]);
  const std::string_view country = request.query.value("country_code").value_or("");
  const app::Explanation explanation = app::explain_room(backend.registry, room, country);
  const domain::Decision& decision = explanation.decision;
  const bool fails = decision.kind == domain::Decision::Kind::refused;

  json::Writer json;
  json.begin_object();
  if (fails) {
    json.key("janus").null().key("reason").null();
  } else {
    json.member("janus", explanation.gateway).member("reason", to_text(decision.reason));
  }
  json.member("regional_match", decision.regional_match);
  json.key("error");
  fails ? json.value(code_of(decision.refusal)) : json.null();
  write_candidates(json, explanation.candidates);
  json.end_object();
  return json_response(json);
}

void write_candidates(json::Writer& json, const std::vector<domain::Verdict>& candidates) {
  json.key("candidates").begin_array();
  for (const domain::Verdict& candidate : candidates) {
    json.begin_object()
        .member("name", candidate.name)
        .member("load", candidate.load)
        .member("capacity", candidate.capacity)
        .member("verdict", candidate.verdict)
        .end_object();
  }
  json.end_array();
}

}  // namespace api
