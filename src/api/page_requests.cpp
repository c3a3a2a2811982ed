#include "api/fields.h"
#include "api/requests.h"
#include "app/load_history.h"
#include "json/writer.h"
#include "page/page.h"

namespace api {
namespace {

// `number`: a member of a reading.
void write_series(json::Writer& json, std::string_view key, const app::LoadHistory::Series& series, auto number) {
  json.key(key).begin_array();
  for (const auto& reading : series.readings) reading ? json.value((*reading).*number) : json.null();
  json.end_array();
}

}  // namespace

http::Response answer_load_history(const Backend& backend, const http::Request&) {
  using Reading = app::LoadHistory::Reading;
  const app::LoadHistory::LastHour hour = backend.load_history.last_hour();
  json::Writer json;
  json.begin_object();
  json.member("room_occupancy", backend.registry.policy()->options().avg_room_occupancy);
  json.key("times").begin_array();
  for (const domain::WallTime time : hour.times) json.value(domain::to_text(time));
  json.end_array().key("gateways").begin_array();
  for (const auto& series : hour.gateways) {
    json.begin_object().member("name", series.gateway);
    write_series(json, "load", series, &Reading::load);
    write_series(json, "users", series, &Reading::users);
    json.end_object();
  }
  json.end_array().end_object();
  return json_response(json);
}

http::Response answer_page(const Backend&, const http::Request&) {
  http::Response response;
  response.content_type = "text/html; charset=utf-8";
  response.body = page::html();
  response.headers = {{"Content-Security-Policy", std::string(page::content_security_policy())},
                      {"X-Content-Type-Options", "nosniff"},
                      {"Referrer-Policy", "no-referrer"},
                      {"Cache-Control", "no-store"}};
  return response;
}

}  // namespace api
