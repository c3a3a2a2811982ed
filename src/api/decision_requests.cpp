#include <optional>
#include <string>

#include "api/fields.h"
#include "api/requests.h"
#include "app/decision_log.h"
#include "domain/number.h"
#include "http/refusal.h"
#include "json/writer.h"

namespace api {
namespace {

std::optional<std::string_view> unless_empty(std::string_view text) {
  return text.empty() ? std::nullopt : std::optional(text);
}

void write_decision(json::Writer& json, std::uint64_t id, const app::DecisionRecord& decision) {
  json.begin_object()
      .member("id", id)
      .member("time", domain::to_text(decision.time))
      .member("room", decision.room)
      .member("country_code", unless_empty(decision.country))
      .member("janus", decision.gateway)
      .member("left", unless_empty(decision.left));
  json.key("reason");
  // For a refusal: only that it was the pin's.
  decision.gateway || decision.reason == domain::Reason::pinned ? json.value(to_text(decision.reason)) : json.null();
  json.key("error");
  decision.refusal ? json.value(code_of(*decision.refusal)) : json.null();
  json.member("regional_match", decision.gateway && decision.regional_match)
      .member("asked_by", to_text(decision.asker))
      .member("request_id", unless_empty(decision.request_id))
      .member("times", decision.times)
      .member("since", domain::to_text(decision.since));
  write_candidates(json, decision.candidates.verdicts());
  json.member("candidates_left_out", static_cast<std::uint64_t>(decision.candidates.left_out())).end_object();
}

}  // namespace

http::Response answer_decisions(const Backend& backend, const http::Request& request) {
  const auto requested = page_in(request.query);
  if (const auto* refused = std::get_if<http::Response>(&requested)) return *refused;
  const auto& [after, limit] = std::get<PageParams>(requested);
  const auto before = domain::number_from<std::uint64_t>(after);  // the last id of the page before
  if (!after.empty() && !before) return refusal(400, "invalid_query", "Send next of the page before as after.");
  const auto room = request.query.value("room");
  if (room) {
    if (auto refused = refuse_room(*room)) return *refused;
  }
  const auto page = backend.registry.decision_log().newest(domain::RoomId(room.value_or("")), limit, before);
  json::Writer json;
  json.begin_object().key("decisions").begin_array();
  for (const auto& [id, record] : page.items) write_decision(json, id, *record);
  json.end_array();
  // As elsewhere, `after` takes it as it is.
  json.key("next");
  page.more ? json.value(std::to_string(page.items.back().id)) : json.null();
  json.end_object();
  return json_response(json);
}

}  // namespace api
