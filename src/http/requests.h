// One function a route of routes.cpp. Any thread; what goes wrong inside is thrown and becomes a 500.
#pragma once

#include <vector>

#include "domain/placement.h"
#include "http/json.h"
#include "http/message.h"
#include "http/routes.h"

namespace http {

// room_requests.cpp
Response answer_room_server(const House& house, const Request& request);
Response answer_explain(const House& house, const Request& request);

// For explain and for decisions, which write them alike.
void write_candidates(JsonWriter& json, const std::vector<domain::Verdict>& candidates);

// session_requests.cpp
Response answer_session_put(const House& house, const Request& request);
Response answer_session_delete(const House& house, const Request& request);
Response answer_sessions_put(const House& house, const Request& request);

// listing_requests.cpp
Response answer_gateways(const House& house, const Request& request);
Response answer_rooms(const House& house, const Request& request);
Response answer_room(const House& house, const Request& request);
Response answer_assignments(const House& house, const Request& request);
Response answer_splits(const House& house, const Request& request);
Response answer_cluster(const House& house, const Request& request);
Response answer_config(const House& house, const Request& request);

// decision_requests.cpp
Response answer_decisions(const House& house, const Request& request);

// page_requests.cpp
Response answer_load_history(const House& house, const Request& request);
Response answer_page(const House& house, const Request& request);

// settings_requests.cpp
Response answer_settings(const House& house, const Request& request);

// steering_requests.cpp
Response answer_drain(const House& house, const Request& request);
Response answer_undrain(const House& house, const Request& request);
Response answer_release(const House& house, const Request& request);
Response answer_reload(const House& house, const Request& request);
Response answer_healthz(const House& house, const Request& request);
Response answer_readyz(const House& house, const Request& request);
Response answer_metrics(const House& house, const Request& request);

}  // namespace http
