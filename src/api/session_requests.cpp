#include <algorithm>
#include <chrono>
#include <vector>

#include "api/fields.h"
#include "api/refused_room.h"
#include "api/requests.h"
#include "api/snapshot.h"
#include "app/report_session.h"
#include "app/report_snapshot.h"
#include "http/refusal.h"
#include "json/value.h"
#include "json/writer.h"

namespace api {
namespace {

std::optional<http::Response> refuse_ids(const Backend& backend, const http::Request& request) {
  auto refused = refuse_room(request.args[0]);
  const auto invalid = refused ? app::InvalidId::room : app::InvalidId::session;
  if (!refused) refused = refuse_session(request.args[1]);
  if (refused) backend.registry.counts().invalid_reports[invalid].add();
  return refused;
}

class Entries final : public SnapshotSink {
 public:
  // The shortest entry with a room and a session takes 26 bytes. Growing by doubling would take memory
  // twice over.
  Entries(app::Registry& registry, std::size_t body_size) : registry_(registry) {
    entries_.reserve(std::min(body_size / 26, max_entries));
  }

  void begin() override { entries_.clear(); }
  void add(SnapshotEntry entry) override {
    if (entries_.size() % at_once == at_once - 1) registry_.pause_between_slices();
    entries_.push_back({std::move(entry.room), std::move(entry.session), std::move(entry.janus)});
  }
  const std::vector<app::SnapshotEntry>& all() const { return entries_; }

 private:
  // Some 100 us: parsing holds no lock, but on a small machine a processor.
  static constexpr std::size_t at_once = 256;

  app::Registry& registry_;
  std::vector<app::SnapshotEntry> entries_;
};

}  // namespace

http::Response answer_session_put(const Backend& backend, const http::Request& request) {
  const auto read = object_in(request.body, false);
  if (const auto* refused = std::get_if<http::Response>(&read)) return *refused;
  if (auto refused = refuse_ids(backend, request)) return *refused;
  const domain::RoomId room(request.args[0]);
  app::SessionReport report{room, request.args[1], std::nullopt};
  const json::Value* janus = std::get<json::Value>(read).find("janus");
  if (janus && janus->is_string()) report.janus = *janus->string();

  const auto answer = app::report_session(backend.registry, report);
  if (const auto* refused = std::get_if<app::Refused>(&answer)) {
    return refusal(*refused, report.room);
  }
  const auto& reported = std::get<app::Reported>(answer);
  json::Writer json;
  json.begin_object()
      .member("room", report.room)
      .member("session", report.session)
      .member("janus", reported.janus)
      .member("users", static_cast<std::uint64_t>(reported.users))
      .end_object();
  return json_response(json);
}

http::Response answer_session_delete(const Backend& backend, const http::Request& request) {
  if (auto refused = refuse_ids(backend, request)) return *refused;
  const app::Left left = app::leave_room(backend.registry, domain::RoomId(request.args[0]), request.args[1]);
  json::Writer json;
  json.begin_object()
      .member("room", request.args[0])
      .member("session", request.args[1])
      .member("users", static_cast<std::uint64_t>(left.users))
      .member("assignment_removed", left.assignment_removed)
      .end_object();
  return json_response(json);
}

http::Response answer_sessions_put(const Backend& backend, const http::Request& request) {
  Entries entries(backend.registry, request.body.size());
  const SnapshotOutcome outcome = parse_snapshot(request.body, entries);
  if (outcome.too_many) return refusal(413, "too_large", "Send fewer entries: " + *outcome.problem);
  if (outcome.problem) {
    return refusal(400, "invalid_json",
                   "Send {\"sessions\":[{\"room\",\"session\"}…],\"age_ms\":0}: " + *outcome.problem);
  }
  // Older than a day is as good as a day, and does not overflow.
  constexpr std::uint64_t a_day = 86'400'000;
  const std::chrono::milliseconds age{std::min(outcome.age_ms, a_day)};
  const app::SnapshotResult result = app::report_snapshot(backend.registry, entries.all(), age);

  if (result.is_refused) {
    return refusal(400, "invalid_session",
                   "Send a valid room and session in each entry, or no entry if all users have left: none is valid, so "
                   "nothing was changed.");
  }

  json::Writer json;
  json.begin_object()
      .member("sessions", static_cast<std::uint64_t>(result.sessions))
      .member("entered", static_cast<std::uint64_t>(result.entered))
      .member("left", static_cast<std::uint64_t>(result.left));
  json.key("rejected").begin_array();
  for (const app::RejectedEntry& rejected : result.rejected) {
    const app::SnapshotEntry& entry = entries.all()[rejected.entry];
    json.begin_object()
        .member("room", entry.room)
        .member("session", entry.session)
        .member("error", rejected.error)
        .end_object();
  }
  json.end_array().end_object();
  return json_response(json);
}

}  // namespace api
