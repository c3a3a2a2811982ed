#include "cluster/resume_point.h"

#include <random>

#include "domain/number.h"
#include "json/value.h"
#include "json/writer.h"

namespace cluster {

std::string random_id() {
  std::random_device random;
  std::string id;
  for (int i = 0; i < 16; ++i) id += "0123456789abcdef"[random() % 16];
  return id;
}

std::string to_text(const ResumePoint& resume_point) {
  json::Writer json;
  json.begin_object()
      .member("cluster_id", resume_point.cluster_id)
      .member("prefix", resume_point.prefix)
      .member("revision", std::to_string(resume_point.revision))
      .member("confirmed", domain::to_text(resume_point.confirmed))
      .end_object();
  return json.take();
}

ResumePoint resume_point_from(std::string_view text) {
  const auto json = json::Value::parse(text);
  const auto member = [&](std::string_view name) -> const std::string* {
    const json::Value* found = json ? json->find(name) : nullptr;
    return found ? found->string() : nullptr;
  };
  const std::string* id = member("cluster_id");
  const std::string* revision = member("revision");
  const std::string* confirmed = member("confirmed");
  if (!id || !revision || !confirmed) return {};
  const auto number = domain::number_from<etcd::Revision>(*revision);
  const auto time = domain::wall_time_from(*confirmed);
  if (!number || !time) return {};
  ResumePoint resume_point;
  resume_point.revision = *number;
  resume_point.cluster_id = *id;
  if (const std::string* prefix = member("prefix")) resume_point.prefix = *prefix;
  resume_point.confirmed = *time;
  return resume_point;
}

std::optional<std::chrono::milliseconds> age_of(const ResumePoint& resume_point, domain::WallTime now) {
  if (resume_point.confirmed > now) return std::nullopt;
  return now - resume_point.confirmed;
}

}  // namespace cluster
