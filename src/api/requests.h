// One function a route of routes.cpp. Any thread; what goes wrong inside is thrown and becomes a 500.
#pragma once

#include <vector>

#include "api/routes.h"
#include "domain/placement.h"
#include "http/message.h"
#include "json/writer.h"

namespace api {

// room_requests.cpp
http::Response answer_room_server(const Backend& backend, const http::Request& request);
http::Response answer_explain(const Backend& backend, const http::Request& request);

// For explain and for decisions, which write them alike.
void write_candidates(json::Writer& json, const std::vector<domain::Verdict>& candidates);

// session_requests.cpp
http::Response answer_session_put(const Backend& backend, const http::Request& request);
http::Response answer_session_delete(const Backend& backend, const http::Request& request);
http::Response answer_sessions_put(const Backend& backend, const http::Request& request);

// listing_requests.cpp
http::Response answer_gateways(const Backend& backend, const http::Request& request);
http::Response answer_rooms(const Backend& backend, const http::Request& request);
http::Response answer_room(const Backend& backend, const http::Request& request);
http::Response answer_assignments(const Backend& backend, const http::Request& request);
http::Response answer_splits(const Backend& backend, const http::Request& request);
http::Response answer_cluster(const Backend& backend, const http::Request& request);
http::Response answer_config(const Backend& backend, const http::Request& request);

// decision_requests.cpp
http::Response answer_decisions(const Backend& backend, const http::Request& request);

// page_requests.cpp
http::Response answer_load_history(const Backend& backend, const http::Request& request);
http::Response answer_page(const Backend& backend, const http::Request& request);

// settings_requests.cpp
http::Response answer_settings(const Backend& backend, const http::Request& request);

// steering_requests.cpp
http::Response answer_drain(const Backend& backend, const http::Request& request);
http::Response answer_undrain(const Backend& backend, const http::Request& request);
http::Response answer_release(const Backend& backend, const http::Request& request);
http::Response answer_reload(const Backend& backend, const http::Request& request);
http::Response answer_healthz(const Backend& backend, const http::Request& request);
http::Response answer_readyz(const Backend& backend, const http::Request& request);
http::Response answer_metrics(const Backend& backend, const http::Request& request);

}  // namespace api
