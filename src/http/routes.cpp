#include "http/routes.h"

#include "http/requests.h"

namespace http {
namespace {

constexpr std::size_t usual_body = 64 * 1024;
constexpr std::size_t snapshot_body = 8 * 1024 * 1024;

struct Line {
  const char* method;
  const char* pattern;
  Response (*answer)(const House&, const Request&);
  std::size_t max_body = usual_body;
  bool open = false;
};

constexpr Line table[] = {
    {"POST", "/v2/room_server", answer_room_server},
    {"PUT", "/v2/rooms/{room}/sessions/{session}", answer_session_put},
    {"DELETE", "/v2/rooms/{room}/sessions/{session}", answer_session_delete},
    {"PUT", "/v2/sessions", answer_sessions_put, snapshot_body},
    {"GET", "/v2/gateways", answer_gateways},
    {"PUT", "/v2/gateways/{name}/drain", answer_drain},
    {"DELETE", "/v2/gateways/{name}/drain", answer_undrain},
    {"GET", "/v2/rooms", answer_rooms},
    {"GET", "/v2/rooms/{room}", answer_room},
    {"GET", "/v2/rooms/{room}/explain", answer_explain},
    {"GET", "/v2/assignments", answer_assignments},
    {"DELETE", "/v2/assignments/{room}", answer_release},
    {"GET", "/v2/decisions", answer_decisions},
    {"GET", "/v2/splits", answer_splits},
    {"GET", "/v2/load-history", answer_load_history},
    {"GET", "/v2/cluster", answer_cluster},
    {"GET", "/v2/config", answer_config},
    {"POST", "/v2/reload", answer_reload},
    {"GET", "/healthz", answer_healthz, usual_body, true},
    {"GET", "/readyz", answer_readyz, usual_body, true},
    {"GET", "/metrics", answer_metrics},
    {"GET", "/", answer_page, usual_body, true},
};

}  // namespace

std::vector<Route> routes(const House& house) {
  std::vector<Route> result;
  for (const Line& line : table) {
    Route route;
    route.method = line.method;
    route.pattern = line.pattern;
    route.max_body = line.max_body;
    route.open = line.open;
    route.answer = [house, answer = line.answer](const Request& request) { return answer(house, request); };
    result.push_back(std::move(route));
  }
  return result;
}

}  // namespace http
