#include "cluster/values.h"

#include <algorithm>

#include "domain/id.h"
#include "domain/number.h"
#include "json/value.h"
#include "json/writer.h"

namespace cluster {
namespace {

std::string member_text(const json::Value& object, std::string_view name) {
  const json::Value* member = object.find(name);
  const std::string* text = member ? member->string() : nullptr;
  return text ? *text : std::string();
}

std::optional<json::Value> object_from(std::string_view text) {
  auto json = json::Value::parse(text);
  if (!json || !json->is_object()) return std::nullopt;
  return json;
}

constexpr std::string_view words_of_left[] = {"empty", "released", "forced"};
constexpr std::string_view words_of_draining[] = {"no", "yes", "move"};

template <typename Enum, std::size_t Count>
std::optional<Enum> find_word(const std::string_view (&words)[Count], std::string_view word) {
  const auto found = std::find(std::begin(words), std::end(words), word);
  return found == std::end(words) ? std::nullopt : std::optional(static_cast<Enum>(found - std::begin(words)));
}

}  // namespace

std::string to_text(const RoomValue& value) {
  json::Writer json;
  json.begin_object()
      .member("gateway", value.row.gateway_name)
      .member("region", value.row.region)
      .member("at", domain::to_text(value.row.assigned_at))
      .member("by", value.by)
      .member("id", value.id)
      .end_object();
  return json.take();
}

std::optional<RoomValue> room_value_from(const domain::RoomId& room, std::string_view text) {
  const auto json = object_from(text);
  if (!json || !domain::is_valid_id(room)) return std::nullopt;
  RoomValue value;
  value.row.room_id = room;
  value.row.gateway_name = member_text(*json, "gateway");
  value.row.region = member_text(*json, "region");
  const auto at = domain::wall_time_from(member_text(*json, "at"));
  if (!at || !domain::is_valid_id(value.row.gateway_name)) return std::nullopt;
  value.row.assigned_at = value.row.last_used_at = *at;
  value.by = member_text(*json, "by");
  value.id = member_text(*json, "id");
  return value;
}

std::string to_text(const Tombstone& value) {
  json::Writer json;
  json.begin_object()
      .member("gateway", value.gateway)
      .member("why", words_of_left[static_cast<std::size_t>(value.why)])
      .member("id", value.id)
      .end_object();
  return json.take();
}

std::optional<Tombstone> tombstone_from(std::string_view text) {
  const auto json = object_from(text);
  if (!json) return std::nullopt;
  Tombstone value;
  value.gateway = member_text(*json, "gateway");
  value.id = member_text(*json, "id");
  value.why = find_word<Tombstone::Why>(words_of_left, member_text(*json, "why")).value_or(value.why);
  if (!domain::is_valid_id(value.gateway)) return std::nullopt;
  return value;
}

// Older sidecars take every value but this one for an occupied room.
constexpr std::string_view kept_use_mark = "kept";
constexpr std::string_view live_mark = "live ";

std::string to_text(const UseMark& value) {
  if (value.use == domain::Use::kept) return std::string(kept_use_mark);
  return std::string(live_mark) + std::to_string(value.users);
}

UseMark use_mark_from(std::string_view text) {
  constexpr std::int64_t most = 1'000'000'000;
  if (text == kept_use_mark) return {domain::Use::kept, 0};
  if (!text.starts_with(live_mark)) return {};
  const auto users = domain::number_from<std::int64_t>(text.substr(live_mark.size()));
  if (!users || *users < 0) return {};
  return {domain::Use::live, std::min(*users, most)};
}

std::string to_text(const SidecarValue& value) {
  json::Writer json;
  json.begin_object()
      .member("name", value.name)
      .member("address", value.address)
      .member("version", value.version)
      .member("instance", value.instance)
      .member("since", domain::to_text(value.since))
      .end_object();
  return json.take();
}

std::optional<SidecarValue> sidecar_value_from(std::string_view text) {
  const auto json = object_from(text);
  if (!json) return std::nullopt;
  const auto since = domain::wall_time_from(member_text(*json, "since"));
  if (!since) return std::nullopt;
  return SidecarValue{member_text(*json, "name"), member_text(*json, "address"), member_text(*json, "version"),
                      member_text(*json, "instance"), *since};
}

std::string to_text(domain::Draining draining) {
  json::Writer json;
  json.begin_object().member("draining", words_of_draining[static_cast<std::size_t>(draining)]).end_object();
  return json.take();
}

std::optional<domain::Draining> draining_from(std::string_view text) {
  const auto json = object_from(text);
  return find_word<domain::Draining>(words_of_draining, json ? member_text(*json, "draining") : "");
}

std::string to_text(const FailoverValue& value) {
  json::Writer json;
  json.begin_object().member("standby", value.standby).member("by", value.by).end_object();
  return json.take();
}

std::optional<FailoverValue> failover_value_from(std::string_view text) {
  const auto json = object_from(text);
  if (!json) return std::nullopt;
  const std::string standby = member_text(*json, "standby");
  FailoverValue value;
  if (!standby.empty()) value.standby = standby;
  value.by = member_text(*json, "by");
  return value;
}

}  // namespace cluster
