#include "health/probe_result.h"

#include "json/value.h"

namespace health {
namespace {

constexpr std::uint64_t most_participants = 1'000'000;  // in one room; more is nonsense

}  // namespace

bool is_server_info(std::string_view body) {
  const auto json = json::Value::parse(body);
  const json::Value* janus = json ? json->find("janus") : nullptr;
  return janus && janus->is_string() && *janus->string() == "server_info";
}

std::optional<bool> online_in(std::string_view payload) {
  const auto json = json::Value::parse(payload);
  if (!json || !json->is_object() || json->object()->size() != 1) return std::nullopt;
  const json::Value* online = json->find("online");
  if (!online || !online->boolean()) return std::nullopt;
  return *online->boolean();
}

std::string api_url(std::string_view address) {
  const std::size_t end = address.find("://");
  if (end == address.npos) return "";
  std::string_view scheme = address.substr(0, end);
  std::string_view rest = address.substr(end);
  if (scheme == "ws") scheme = "http";
  if (scheme == "wss") scheme = "https";
  if (scheme != "http" && scheme != "https") return "";
  rest = rest.substr(0, rest.find_first_of("?#"));
  while (rest.size() > 3 && rest.back() == '/') rest.remove_suffix(1);
  if (rest.size() == 3) return "";
  return std::string(scheme) + std::string(rest);
}

std::optional<std::uint64_t> created_id(std::string_view body) {
  const auto json = json::Value::parse(body);
  const json::Value* janus = json ? json->find("janus") : nullptr;
  if (!janus || !janus->is_string() || *janus->string() != "success") return std::nullopt;
  const json::Value* data = json->find("data");
  const json::Value* id = data ? data->find("id") : nullptr;
  return id && id->is_unsigned() ? std::optional(*id->unsigned_number()) : std::nullopt;
}

std::optional<std::map<domain::RoomId, std::int64_t>> listed_rooms(std::string_view body) {
  const auto json = json::Value::parse(body);
  if (!json) return std::nullopt;
  const json::Value* plugin = json->find("plugindata");  // by the API; by the admin API it is the response
  const json::Value* data = plugin ? plugin->find("data") : json->find("response");
  const json::Value* list = data ? data->find("list") : nullptr;
  if (!list || !list->array()) return std::nullopt;
  std::map<domain::RoomId, std::int64_t> rooms;
  for (const json::Value& entry : *list->array()) {
    const json::Value* room = entry.find("room");
    const json::Value* participants = entry.find("num_participants");
    if (!room || !participants || !participants->is_unsigned()) return std::nullopt;
    if (*participants->unsigned_number() > most_participants) return std::nullopt;
    const auto count = static_cast<std::int64_t>(*participants->unsigned_number());
    if (room->is_string()) {
      rooms[domain::RoomId(*room->string())] = count;
    } else if (room->is_unsigned()) {
      rooms[domain::RoomId(std::to_string(*room->unsigned_number()))] = count;
    } else {
      return std::nullopt;
    }
  }
  return rooms;
}

std::string name_in_topic(std::string_view filter, std::string_view topic) {
  const std::size_t plus = filter.find('+');
  if (plus == filter.npos) return "";
  const std::string_view before = filter.substr(0, plus);
  const std::string_view after = filter.substr(plus + 1);
  if (topic.size() <= before.size() + after.size()) return "";
  if (topic.substr(0, before.size()) != before) return "";
  if (topic.substr(topic.size() - after.size()) != after) return "";
  const std::string_view name = topic.substr(before.size(), topic.size() - before.size() - after.size());
  return name.find('/') == name.npos ? std::string(name) : "";
}

}  // namespace health
