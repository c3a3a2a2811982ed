// One function a route of routes.cpp. Any thread; what goes wrong inside is thrown and becomes a 500.
#pragma once

#include <vector>

#include "domain/placement.h"
#include "http/message.h"
#include "http/routes.h"
#include "json/writer.h"

namespace http {

// room_requests.cpp
Response answer_room_server(const Backend& backend, const Request& request);
Response answer_explain(const Backend& backend, const Request& request);

// For explain and for decisions, which write them alike.
void write_candidates(json::Writer& json, const std::vector<domain::Verdict>& candidates);

// session_requests.cpp
Response answer_session_put(const Backend& backend, const Request& request);
Response answer_session_delete(const Backend& backend, const Request& request);
Response answer_sessions_put(const Backend& backend, const Request& request);

// listing_requests.cpp
Response answer_gateways(const Backend& backend, const Request& request);
Response answer_rooms(const Backend& backend, const Request& request);
Response answer_room(const Backend& backend, const Request& request);
Response answer_assignments(const Backend& backend, const Request& request);
Response answer_splits(const Backend& backend, const Request& request);
Response answer_cluster(const Backend& backend, const Request& request);
Response answer_config(const Backend& backend, const Request& request);

// decision_requests.cpp
Response answer_decisions(const Backend& backend, const Request& request);

// page_requests.cpp
Response answer_load_history(const Backend& backend, const Request& request);
Response answer_page(const Backend& backend, const Request& request);

// settings_requests.cpp
Response answer_settings(const Backend& backend, const Request& request);

// steering_requests.cpp
Response answer_drain(const Backend& backend, const Request& request);
Response answer_undrain(const Backend& backend, const Request& request);
Response answer_release(const Backend& backend, const Request& request);
Response answer_reload(const Backend& backend, const Request& request);
Response answer_healthz(const Backend& backend, const Request& request);
Response answer_readyz(const Backend& backend, const Request& request);
Response answer_metrics(const Backend& backend, const Request& request);

}  // namespace http
