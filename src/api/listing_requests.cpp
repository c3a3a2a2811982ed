#include <map>
#include <vector>

#include "api/fields.h"
#include "api/requests.h"
#include "app/listings.h"
#include "json/writer.h"

namespace api {
namespace {

std::optional<std::string> text_of(const std::optional<domain::WallTime>& time) {
  return time ? std::optional(domain::to_text(*time)) : std::nullopt;
}

void write_room(json::Writer& json, const app::RoomListing& room) {
  json.begin_object()
      .member("room", room.room)
      .member("name", room.name)
      .member("default_gateway", room.default_gateway)
      .member("janus", room.janus)
      .member("users", static_cast<std::uint64_t>(room.users))
      .member("assigned_at", text_of(room.assigned_at))
      .member("last_used_at", text_of(room.last_used_at))
      .end_object();
}

// The last one of a page, where there are more.
std::optional<std::string_view> next_after(bool more, std::string_view last) {
  return more ? std::optional(last) : std::nullopt;
}

// One that was removed, or whose row was deleted, may still have rooms.
bool is_known(const Backend& backend, const domain::Catalogue& catalogue, std::string_view name) {
  const domain::Gateway* gateway = catalogue.gateway(name);
  return (gateway && !gateway->removed) || !app::list_assignments(backend.registry, "", 1, name).items.empty();
}

}  // namespace

http::Response answer_gateways(const Backend& backend, const http::Request&) {
  json::Writer json;
  json.begin_object().key("gateways").begin_array();
  for (const app::GatewayListing& gateway : app::list_gateways(backend.registry)) {
    json.begin_object()
        .member("name", gateway.name)
        .member("url", gateway.url)
        .member("type", gateway.type)
        .member("state", to_text(gateway.state))
        .member("available", gateway.available)
        .member("disabled", gateway.disabled)
        .member("draining", gateway.draining)
        .member("regions", gateway.regions)
        .member("rooms", gateway.rooms)
        .member("users", gateway.users)
        .member("load", gateway.load)
        .member("capacity", gateway.capacity)
        .end_object();
  }
  json.end_array().end_object();
  return json_response(json);
}

http::Response answer_rooms(const Backend& backend, const http::Request& request) {
  const auto requested = page_in(request.query);
  if (const auto* refused = std::get_if<http::Response>(&requested)) return *refused;
  const auto& [after, limit] = std::get<PageParams>(requested);
  const auto page = app::list_rooms(backend.registry, domain::RoomId(after), limit);
  json::Writer json;
  json.begin_object().key("rooms").begin_array();
  for (const app::RoomListing& room : page.items) write_room(json, room);
  json.end_array().member("next", next_after(page.more, page.items.empty() ? "" : page.items.back().room)).end_object();
  return json_response(json);
}

http::Response answer_room(const Backend& backend, const http::Request& request) {
  if (auto refused = refuse_room(request.args[0])) return *refused;
  const domain::RoomId room(request.args[0]);
  const auto found = app::find_room(backend.registry, room);
  if (!found) return refusal(domain::Refusal::room_not_found);
  json::Writer json;
  write_room(json, *found);
  return json_response(json);
}

http::Response answer_assignments(const Backend& backend, const http::Request& request) {
  const auto requested = page_in(request.query);
  if (const auto* refused = std::get_if<http::Response>(&requested)) return *refused;
  const auto& [after, limit] = std::get<PageParams>(requested);
  const auto gateway = request.query.value("gateway");
  const auto policy = backend.registry.policy();
  if (gateway && !is_known(backend, policy->catalogue(), *gateway))
    return unknown_gateway(policy->catalogue(), *gateway);
  const auto page = app::list_assignments(backend.registry, domain::RoomId(after), limit, gateway);
  json::Writer json;
  json.begin_object().key("assignments").begin_array();
  for (const app::AssignmentListing& listing : page.items) {
    json.begin_object()
        .member("room", listing.assignment.room_id)
        .member("janus", listing.assignment.gateway_name)
        .member("region", listing.assignment.region)
        .member("assigned_at", domain::to_text(listing.assignment.assigned_at))
        .member("last_used_at", domain::to_text(listing.assignment.last_used_at))
        .member("users", static_cast<std::uint64_t>(listing.users))
        .end_object();
  }
  json.end_array()
      .member("next", next_after(page.more, page.items.empty() ? "" : page.items.back().assignment.room_id))
      .end_object();
  return json_response(json);
}

http::Response answer_splits(const Backend& backend, const http::Request&) {
  json::Writer json;
  json.begin_object().key("splits").begin_array();
  for (const app::SplitListing& split : app::list_splits(backend.registry)) {
    json.begin_object().member("room", split.room).member("janus", split.janus).key("gateways").begin_array();
    for (const auto& part : split.parts) {
      json.begin_object().member("name", part.gateway).member("participants", part.participants).end_object();
    }
    json.end_array().member("since", domain::to_text(split.since)).end_object();
  }
  json.end_array().end_object();
  return json_response(json);
}

http::Response answer_cluster(const Backend& backend, const http::Request&) {
  const app::FleetView view = backend.fleet ? backend.fleet() : app::FleetView{};
  const auto ms = [](std::chrono::milliseconds time) { return static_cast<std::int64_t>(time.count()); };
  json::Writer json;
  json.begin_object()
      .member("engine", view.engine)
      .member("state", view.state)
      .member("sidecar", view.sidecar)
      .member("revision", view.revision)
      .member("age_ms", view.age ? std::optional(ms(*view.age)) : std::nullopt)
      .member("max_stale_ms", ms(view.max_stale));
  json.key("sidecars").begin_array();
  for (const auto& sidecar : view.sidecars) {
    json.begin_object()
        .member("id", sidecar.id)
        .member("name", sidecar.name)
        .member("address", sidecar.address)
        .member("version", sidecar.version)
        .member("since", domain::to_text(sidecar.since))
        .member("self", sidecar.is_self)
        .end_object();
  }
  json.end_array().key("members").begin_array();
  for (const auto& member : view.members) {
    json.begin_object()
        .member("endpoint", member.endpoint)
        .member("name", member.name)
        .member("version", member.version)
        .member("leader", member.is_leader)
        .member("problem", member.problem)
        .end_object();
  }
  json.end_array().end_object();
  return json_response(json);
}

// What clients of gxydb-api expect of its /v2/config: the enabled gateways by type and name.
http::Response answer_config(const Backend& backend, const http::Request&) {
  const auto policy = backend.registry.policy();
  std::map<std::string, std::vector<const domain::Gateway*>> by_type;
  by_type["rooms"];
  for (const domain::Gateway& gateway : policy->catalogue().gateways()) {
    if (!gateway.removed && !gateway.disabled) by_type[gateway.type].push_back(&gateway);
  }
  json::Writer json;
  json.begin_object().key("gateways").begin_object();
  for (const auto& [type, gateways] : by_type) {
    json.key(type).begin_object();
    for (const domain::Gateway* gateway : gateways) {
      json.key(gateway->name)
          .begin_object()
          .member("name", gateway->name)
          .member("url", gateway->url)
          .member("type", gateway->type)
          .end_object();
    }
    json.end_object();
  }
  json.end_object().member("scale", policy->options().scale).end_object();
  return json_response(json);
}

}  // namespace api
