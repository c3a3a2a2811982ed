#include "cli/status_answers.h"

#include "cli/answer_fields.h"
#include "json/writer.h"
#include "terms/terms.h"

namespace cli {
namespace {

Sidecar::Answer expect(Sidecar& sidecar, const std::string& target, std::chrono::milliseconds patience) {
  auto answer = sidecar.ask("GET", target, patience);
  const bool is_refused = answer.status == 401 || answer.status == 403;
  if (is_refused) throw StatusRefused(Sidecar::refusal(answer));
  if (!answer.is_fine()) throw CommandFailed(Sidecar::refusal(answer));  // as one that stops
  return answer;
}

}  // namespace

StatusAnswers ask_status(Sidecar& sidecar, std::chrono::milliseconds patience) {
  StatusAnswers status;
  const auto ready = sidecar.ask("GET", "/readyz", patience);
  status.health = text_at(ready.body, "status");
  status.reasons = texts_at(ready.body, "reasons");
  if (status.health.empty()) status.health = ready.is_fine() ? "ok" : terms::not_ready();
  const auto message = text_at(ready.body, "message");
  if (status.reasons.empty() && !message.empty()) status.reasons.push_back(message);
  status.scale = flag_at(expect(sidecar, "/v2/config", patience).body, "scale");
  status.gateways = items_at(expect(sidecar, "/v2/gateways", patience).body, "gateways");
  const auto splits = sidecar.ask("GET", "/v2/splits", patience);
  if (splits.is_fine()) status.splits = items_at(splits.body, "splits");
  auto cluster = sidecar.ask("GET", "/v2/cluster", patience);
  if (cluster.is_fine()) status.cluster = std::move(cluster.body);
  return status;
}

void ask_for_decisions(Sidecar& sidecar, StatusAnswers& status, int most, std::chrono::milliseconds patience) {
  const auto answer = sidecar.ask("GET", "/v2/decisions?limit=" + std::to_string(most), patience);
  if (answer.is_fine()) status.decisions = items_at(answer.body, "decisions");
}

void ask_for_last_hour(Sidecar& sidecar, StatusAnswers& status, std::chrono::milliseconds patience) {
  const auto answer = sidecar.ask("GET", "/v2/load-history", patience);
  if (!answer.is_fine()) return;
  status.room_occupancy = number_at(answer.body, "room_occupancy").value_or(0);
  status.trend = Trend(answer.body);
}

std::string for_programs(const StatusAnswers& status) {
  json::Writer json;
  json.begin_object()
      .member("scale", status.scale)
      .member("status", status.health)
      .member("reasons", status.reasons)
      .member("gateways", status.gateways)
      .member("splits", status.splits)
      .member("cluster", status.cluster)
      .end_object();
  return json.take();
}

std::string flags_of(const json::Value& gateway) {
  std::vector<std::string> flags;
  if (flag_at(gateway, "disabled")) flags.push_back(terms::disabled());
  if (flag_at(gateway, "draining")) flags.push_back(terms::draining());
  if (flags.empty() && !flag_at(gateway, "available")) flags.push_back(terms::not_listed());
  return flags.empty() ? "-" : joined(flags, ", ");
}

}  // namespace cli
