// Unknown names in queries and bodies: refused for operators, passed over for users.
#include <algorithm>
#include <string>
#include <string_view>

#include "api/routes.h"
#include "app/lone_sidecar.h"
#include "catch.h"
#include "json/value.h"

namespace {

struct Routes {
  LoneSidecar real;
  app::LoadHistory load_history;
  int reloads = 0;
  std::vector<http::Route> routes = api::routes({*real.registry, *real.keeper, load_history,
                                                 [this](bool) {
                                                   ++reloads;
                                                   return app::ReloadReport{};
                                                 },
                                                 [] { return api::Readiness{}; }, [] { return std::string(); }});

  // `method` and `pattern` in one, as "GET /v2/rooms".
  http::Response ask(const std::string& route, std::string_view query, std::string_view body = "") {
    const auto found = std::find_if(routes.begin(), routes.end(), [&](const http::Route& one) {
      return std::string(one.method) + " " + std::string(one.pattern) == route;
    });
    REQUIRE(found != routes.end());
    http::Request request;
    const bool names_gateway = route.find("{name}") != route.npos;
    request.args = {names_gateway ? "gxy1" : "1", "a"};
    request.query = *http::Query::parse(query);
    request.body = body;
    return found->answer(request);
  }
};

// "status code message" of a refusal; else the status.
std::string reported(const http::Response& response) {
  if (response.status < 400) return std::to_string(response.status);
  const auto json = *json::Value::parse(response.body);
  return std::to_string(response.status) + " " + *json.find("error")->string() + " " + *json.find("message")->string();
}

}  // namespace

TEST_CASE("an unknown query parameter in an operator's request is refused") {
  Routes routes;
  for (const auto& route : routes.routes) {
    const auto name = std::string(route.method) + " " + std::string(route.pattern);
    const bool is_users = name.find("room_server") != name.npos || name.find("sessions") != name.npos;
    if (is_users || route.open || route.pattern == "/metrics") continue;
    CAPTURE(name);
    for (const char* query : {"nonsense=1", "nonsense", "=1", "limit=5&nonsense=1", "%00=1", "nonsense=1&nonsense=2"}) {
      CAPTURE(query);
      const auto answer = reported(routes.ask(name, query));
      CHECK(answer.rfind("400 invalid_query ", 0) == 0);
      CHECK(answer.back() == '.');
    }
  }
  CHECK(routes.reloads == 0);
}

TEST_CASE("the refusal of an unknown name lists the known names, or says where the name belongs") {
  Routes routes;
  const auto ask = [&](const char* route, const char* query, const char* body = "") {
    return reported(routes.ask(route, query, body));
  };
  CHECK(
      ask("GET /v2/assignments", "gatway=gxy2") ==
      "400 invalid_query Correct or leave out the query parameter \"gatway\" (did you mean \"gateway\"?): this request "
      "takes gateway, after, limit.");
  CHECK(ask("GET /v2/gateways", "gateway=gxy1") ==
        "400 invalid_query Correct or leave out the query parameter \"gateway\": this request takes none.");
  CHECK(ask("PUT /v2/gateways/{name}/drain", "move=true") ==
        "400 invalid_query Send move in the body, not in the query.");
  CHECK(ask("DELETE /v2/assignments/{room}", "", R"({"force":true})") ==
        "400 invalid_request Send force in the query, not in the body.");
  CHECK(
      ask("PUT /v2/gateways/{name}/drain", "", R"({"mvoe":true})") ==
      "400 invalid_request Correct or leave out the field \"mvoe\" (did you mean \"move\"?): this request takes move.");
  CHECK(ask("GET /v2/rooms/{room}/explain", "country=IL").find("takes country_code.") != std::string::npos);
  CHECK(ask("GET /v2/rooms", (std::string(100'000, 'x') + "=1").c_str()).size() < 300);
}

TEST_CASE("a steering request with an unknown key in its body changes nothing") {
  Routes routes;
  REQUIRE(routes.ask("POST /v2/room_server", "", R"({"room":"1"})").status == 200);
  for (const char* route : {"PUT /v2/gateways/{name}/drain", "DELETE /v2/gateways/{name}/drain", "POST /v2/reload",
                            "DELETE /v2/assignments/{room}"}) {
    CAPTURE(route);
    for (const char* body : {R"({"nonsense":true})", R"({"Move":true})", R"({"move\ud83d":true})", R"({"":1e400})"}) {
      CAPTURE(body);
      CHECK(reported(routes.ask(route, "", body)).rfind("400 invalid_request ", 0) == 0);
    }
    for (const char* body : {"[]", "{", "x", "{}{}"})
      CHECK(reported(routes.ask(route, "", body)).rfind("400 invalid_json ", 0) == 0);
  }
  CHECK(routes.reloads == 0);
  CHECK(routes.ask("GET /v2/assignments", "").body.find("\"room\":\"1\"") != std::string::npos);
  CHECK(routes.ask("GET /v2/gateways", "").body.find("\"draining\":true") == std::string::npos);

  CHECK(routes.ask("PUT /v2/gateways/{name}/drain", "", R"({"move":false})").status == 200);
  CHECK(routes.ask("DELETE /v2/gateways/{name}/drain", "", "{}").status == 200);
  CHECK(routes.ask("POST /v2/reload", "").status == 200);
  CHECK(routes.ask("DELETE /v2/assignments/{room}", "force=true", "{}").status == 200);
}

TEST_CASE("users' requests and probes are answered despite unknown names") {
  Routes routes;
  CHECK(routes.ask("POST /v2/room_server", "x=1", R"({"room":"1","x":1})").status == 200);
  CHECK(routes.ask("PUT /v2/rooms/{room}/sessions/{session}", "x=1", R"({"room":"2","x":1})").status == 200);
  CHECK(routes.ask("PUT /v2/sessions", "x=1", R"({"sessions":[{"room":"1","session":"a","x":1}],"x":1})").status ==
        200);
  CHECK(routes.ask("DELETE /v2/rooms/{room}/sessions/{session}", "x=1", "x").status == 200);
  for (const char* route : {"GET /healthz", "GET /readyz", "GET /metrics", "GET /"}) {
    CHECK(routes.ask(route, "t=1").status == 200);
  }
}

TEST_CASE("a query for an unknown gateway is answered 404; a removed gateway that still holds rooms is listed") {
  Routes routes;
  REQUIRE(routes.ask("POST /v2/room_server", "", R"({"room":"1"})").body == R"({"janus":"gxy1"})");
  const auto ask = [&](const std::string& query) { return reported(routes.ask("GET /v2/assignments", query)); };
  CHECK(ask("gateway=gyx2") ==
        "404 gateway_not_found Name a gateway that GET /v2/gateways lists; there is no \"gyx2\" (did you mean "
        "\"gxy2\"?).");
  for (const char* query : {"gateway=", "gateway", "gateway=gxy1%20", "gateway=gxy1&gateway=nowhere", "gateway=%ff"}) {
    CAPTURE(query);
    CHECK(ask(query).rfind("404 gateway_not_found ", 0) == 0);
  }
  CHECK(ask("gateway=" + std::string(100'000, 'x')).size() < 300);
  CHECK(ask("gateway=gxy2") == "200");
  CHECK(ask("gateway=gxy1&after=1") == "200");

  routes.real.execute("UPDATE gateways SET removed_at = '2026-01-01T00:00:00Z' WHERE name IN ('gxy1', 'gxy2')");
  routes.real.keeper->refresh();
  CHECK(routes.ask("GET /v2/assignments", "gateway=gxy1").body.find("\"room\":\"1\"") != std::string::npos);
  CHECK(ask("gateway=gxy1&after=1") == "200");
  CHECK(ask("gateway=gxy2").rfind("404 gateway_not_found ", 0) == 0);
}
