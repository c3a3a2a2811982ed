// What requests have in common: ids, bodies, pages, and the answer to a refusal. Any thread.
// What a client got wrong is a Response, to be returned as it is.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "domain/catalogue.h"
#include "domain/placement.h"
#include "http/message.h"
#include "http/refusal.h"
#include "json/value.h"
#include "json/writer.h"

namespace api {

using http::refusal;  // with a text of its own; below, those for the values of domain and app

template <typename Value>
using OrRefusal = std::variant<Value, http::Response>;

// The body as a JSON object. An empty one counts as {} unless it is `required`.
OrRefusal<json::Value> object_in(std::string_view body, bool required);

// A string, or an integer from 0 to 2^64-1 taken as its decimal text; nothing else is an id.
std::optional<std::string> id_in(const json::Value& value);

// What an operator's request may hold: names with a blank between.
struct KnownNames {
  std::string_view query;
  std::optional<std::string_view> body;  // its fields; nothing: the body is not looked at
};
// A name that is misspelt or in the wrong place would change nothing, and nobody would notice.
std::optional<http::Response> refuse_unknown_names(const http::Request& request, const KnownNames& known);

// Checks that a path's {room} or {session} is a valid id.
std::optional<http::Response> refuse_room(std::string_view room);
std::optional<http::Response> refuse_session(std::string_view session);

// A query parameter that is true or false; false without it.
OrRefusal<bool> flag_in(const http::Query& query, std::string_view name);

struct PageParams {
  std::string_view after;
  std::size_t limit;
};
OrRefusal<PageParams> page_in(const http::Query& query);

// The answer to a refusal without details (api/refused_room.h names the obstacles of a room).
http::Response refusal(domain::Refusal refusal);

// 404 for a gateway that is not among the catalogue's.
http::Response unknown_gateway(const domain::Catalogue& catalogue, std::string_view gateway);

// 200 with what was written.
http::Response json_response(json::Writer& json);

}  // namespace api
