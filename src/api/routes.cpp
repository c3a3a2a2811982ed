#include "api/routes.h"

#include "api/fields.h"
#include "api/requests.h"

namespace api {
namespace {

constexpr std::size_t usual_body = 64 * 1024;
constexpr std::size_t snapshot_body = 8 * 1024 * 1024;

// A user's way and the probes are never refused for a name that is not known.
constexpr std::optional<KnownNames> any_names = std::nullopt;

constexpr KnownNames query(std::string_view names) { return {names, std::nullopt}; }
constexpr KnownNames no_query = query("");
constexpr KnownNames no_names{"", ""};

struct Line {
  const char* method;
  const char* pattern;
  http::Response (*answer)(const Backend&, const http::Request&);
  std::optional<KnownNames> names = any_names;
  std::size_t max_body = usual_body;
  bool open = false;
};

constexpr Line table[] = {
    {"POST", "/v2/room_server", answer_room_server},
    {"PUT", "/v2/rooms/{room}/sessions/{session}", answer_session_put},
    {"DELETE", "/v2/rooms/{room}/sessions/{session}", answer_session_delete},
    {"PUT", "/v2/sessions", answer_sessions_put, any_names, snapshot_body},
    {"GET", "/v2/gateways", answer_gateways, no_query},
    {"PUT", "/v2/gateways/{name}/drain", answer_drain, KnownNames{"", "move"}},
    {"DELETE", "/v2/gateways/{name}/drain", answer_undrain, no_names},
    {"GET", "/v2/rooms", answer_rooms, query("after limit")},
    {"GET", "/v2/rooms/{room}", answer_room, no_query},
    {"GET", "/v2/rooms/{room}/explain", answer_explain, query("country_code")},
    {"GET", "/v2/assignments", answer_assignments, query("gateway after limit")},
    {"DELETE", "/v2/assignments/{room}", answer_release, KnownNames{"force", ""}},
    {"GET", "/v2/decisions", answer_decisions, query("room after limit")},
    {"GET", "/v2/splits", answer_splits, no_query},
    {"GET", "/v2/load-history", answer_load_history, no_query},
    {"GET", "/v2/cluster", answer_cluster, no_query},
    {"GET", "/v2/config", answer_config, no_query},
    {"GET", "/v2/settings", answer_settings, query("preview")},
    {"POST", "/v2/reload", answer_reload, KnownNames{"allow_removals", ""}},
    {"GET", "/healthz", answer_healthz, any_names, usual_body, true},
    {"GET", "/readyz", answer_readyz, any_names, usual_body, true},
    {"GET", "/metrics", answer_metrics},
    {"GET", "/", answer_page, any_names, usual_body, true},
};

http::Response answer_line(const Line& line, const Backend& backend, const http::Request& request) {
  if (line.names) {
    if (auto refused = refuse_unknown_names(request, *line.names)) return *std::move(refused);
  }
  return line.answer(backend, request);
}

}  // namespace

std::vector<http::Route> routes(const Backend& backend) {
  std::vector<http::Route> result;
  for (const Line& line : table) {
    http::Route route;
    route.method = line.method;
    route.pattern = line.pattern;
    route.max_body = line.max_body;
    route.open = line.open;
    route.is_probe = line.answer == answer_healthz || line.answer == answer_readyz || line.answer == answer_metrics;
    route.is_session_report =
        line.answer == answer_session_put || line.answer == answer_session_delete || line.answer == answer_sessions_put;
    route.answer = [backend, &line](const http::Request& request) { return answer_line(line, backend, request); };
    result.push_back(std::move(route));
  }
  return result;
}

}  // namespace api
