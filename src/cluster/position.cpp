#include "cluster/position.h"

#include <charconv>
#include <random>

#include "http/json.h"

namespace cluster {

std::string made_up_id() {
  std::random_device random;
  std::string id;
  for (int i = 0; i < 16; ++i) id += "0123456789abcdef"[random() % 16];
  return id;
}

std::string to_text(const Position& position) {
  http::JsonWriter json;
  json.begin_object()
      .member("cluster_id", position.cluster_id)
      .member("prefix", position.prefix)
      .member("revision", std::to_string(position.revision))
      .member("confirmed", domain::to_text(position.confirmed))
      .end_object();
  return json.take();
}

Position position_from(std::string_view text) {
  const auto json = http::Json::parse(text);
  const auto member = [&](std::string_view name) -> const std::string* {
    const http::Json* found = json ? json->find(name) : nullptr;
    return found ? found->string() : nullptr;
  };
  const std::string* id = member("cluster_id");
  const std::string* revision = member("revision");
  const std::string* confirmed = member("confirmed");
  if (!id || !revision || !confirmed) return {};
  Position position;
  const auto [end, error] = std::from_chars(revision->data(), revision->data() + revision->size(), position.revision);
  const auto time = domain::wall_time_from(*confirmed);
  if (error != std::errc{} || end != revision->data() + revision->size() || !time) return {};
  position.cluster_id = *id;
  if (const std::string* prefix = member("prefix")) position.prefix = *prefix;
  position.confirmed = *time;
  return position;
}

std::optional<std::chrono::milliseconds> age_of(const Position& position, domain::WallTime now) {
  if (position.confirmed > now) return std::nullopt;
  return now - position.confirmed;
}

}  // namespace cluster
