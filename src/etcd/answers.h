// etcd's answers, read from its gateway's JSON: there all 64-bit numbers are strings, and what is zero, false or empty
// is left out. Any thread. Nothing is returned if it is not such an answer.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "etcd/client.h"
#include "json/value.h"

namespace etcd {

std::optional<Header> header_of(const json::Value& answer);
// The id that a unary answer or a stream's bears; "" if it bears none.
std::string cluster_id_of(const json::Value& answer);

// It has to be an answer to that transaction: as many results as there are operations on the branch taken.
std::optional<TransactionResult> transaction_result_of(const json::Value& answer, const Transaction& asked);
std::optional<Page> page_of(const json::Value& answer);
// Can the page be an answer to what was asked? Keys ascend within the range, and more follow only a full page: so
// asking for page after page comes to an end.
bool answers(const Page& page, const RangeRequest& asked);
std::optional<Event> event_of(const json::Value& event);

// The member of that name; 0 if it is left out.
std::optional<std::int64_t> number_of(const json::Value& object, std::string_view name);
// "" if it is left out or no text. Ids of members and clusters, too: they may be above 2^63.
std::string text_of(const json::Value& object, std::string_view name);
bool flag_of(const json::Value& object, std::string_view name);

}  // namespace etcd
