#include "api/fields.h"
#include "api/requests.h"
#include "app/catalogue_keeper.h"
#include "app/release_room.h"
#include "http/refusal.h"
#include "json/value.h"
#include "json/writer.h"

namespace api {
namespace {

http::Response set_draining(const Backend& backend, const std::string& gateway, domain::Draining draining) {
  switch (backend.keeper.set_draining(gateway, draining)) {
    case app::CatalogueKeeper::Drained::done:
      break;
    case app::CatalogueKeeper::Drained::no_such_gateway:
      return unknown_gateway(backend.registry.policy()->catalogue(), gateway);
    case app::CatalogueKeeper::Drained::storage_unavailable:
      return refusal(domain::Refusal::storage_unavailable);
  }
  json::Writer json;
  json.begin_object()
      .member("name", gateway)
      .member("draining", draining != domain::Draining::no)
      .member("move", draining == domain::Draining::and_evacuating)
      .end_object();
  return json_response(json);
}

void write_outcome(json::Writer& json, const app::ReloadReport& report) {
  json.member("gateways", report.gateways).member("rooms", report.rooms);
  json.key("changed").begin_array();
  for (const app::SettingChange& change : report.changed) {
    json.begin_object().member("key", change.key).member("variable", change.variable);
    json.member("before", change.before).member("after", change.after).member("origin", change.origin).end_object();
  }
  json.end_array();
}

}  // namespace

http::Response answer_drain(const Backend& backend, const http::Request& request) {
  const auto read = object_in(request.body, false);
  if (const auto* refused = std::get_if<http::Response>(&read)) return *refused;
  const json::Value* move = std::get<json::Value>(read).find("move");
  const bool* is_move = move ? move->boolean() : nullptr;
  if (move && !is_move && !move->is_null()) {
    return refusal(400, "invalid_json", "Send move as true or false, or leave it out.");
  }
  return set_draining(backend, request.args[0],
                      is_move && *is_move ? domain::Draining::and_evacuating : domain::Draining::yes);
}

http::Response answer_undrain(const Backend& backend, const http::Request& request) {
  return set_draining(backend, request.args[0], domain::Draining::no);
}

http::Response answer_release(const Backend& backend, const http::Request& request) {
  if (auto refused = refuse_room(request.args[0])) return *refused;
  const domain::RoomId room(request.args[0]);
  const auto force = flag_in(request.query, "force");
  if (const auto* refused = std::get_if<http::Response>(&force)) return *refused;
  http::Response response;
  switch (app::release_room(backend.registry, room, std::get<bool>(force))) {
    case app::Released::done:
      response.body = "{\"released\":true}";
      return response;
    case app::Released::no_assignment:
      return refusal(404, "assignment_not_found", "There is nothing to release: the room has no assignment.");
    case app::Released::occupied:
      return refusal(409, "room_occupied",
                     "Wait until the room is empty, or release it with force=true, which may split its users.");
    case app::Released::storage_unavailable:
      break;
  }
  return refusal(domain::Refusal::storage_unavailable);
}

http::Response answer_reload(const Backend& backend, const http::Request& request) {
  const auto allow_removals = flag_in(request.query, "allow_removals");
  if (const auto* refused = std::get_if<http::Response>(&allow_removals)) return *refused;
  const app::ReloadReport result = backend.reload(std::get<bool>(allow_removals));
  json::Writer json;
  json.begin_object();
  if (result.problems.empty()) {
    json.member("applied", true).member("warnings", result.warnings);
  } else {
    json.member("error", "configuration_refused");
    json.member("message", "Correct the listed problems; the old configuration stays in force.");
    json.member("problems", result.problems);
  }
  json.member("mode", result.scale ? "scale" : "legacy").member("mode_origin", result.mode_origin);
  if (result.problems.empty()) write_outcome(json, result);
  json.end_object();
  http::Response response = json_response(json);
  if (!result.problems.empty()) response.status = 409;
  return response;
}

http::Response answer_healthz(const Backend&, const http::Request&) {
  http::Response response;
  response.body = "{\"status\":\"ok\"}";
  return response;
}

http::Response answer_readyz(const Backend& backend, const http::Request&) {
  const Readiness readiness = backend.readiness();
  json::Writer json;
  json.begin_object();
  if (!readiness.can_answer) {
    json.member("error", "not_ready").member("message", "Ask another sidecar, or try again.");
    json.member("status", "unavailable");
  } else {
    json.member("status", readiness.reasons.empty() ? "ok" : "degraded");
  }
  json.member("reasons", readiness.reasons).end_object();
  http::Response response = json_response(json);
  if (!readiness.can_answer) response.status = 503;
  return response;
}

http::Response answer_metrics(const Backend& backend, const http::Request&) {
  http::Response response;
  response.content_type = "text/plain; version=0.0.4; charset=utf-8";
  response.body = backend.metrics();
  return response;
}

}  // namespace api
