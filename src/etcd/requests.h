// What is asked of etcd, as its JSON gateway reads it. Written in this one place: the gateway ignores a field that it
// does not know, so that a wrong name in a compare would be a put without a condition. Any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "etcd/client.h"

namespace etcd {

std::string to_json(const Transaction& transaction);
std::string to_json(const RangeRequest& request);
// The first key below the prefix, as the asked member knows it by itself.
std::string own_range_request(std::string_view prefix);
std::string grant_request(std::chrono::seconds time);
std::string lease_request(std::int64_t lease);  // of keeping and revoking
std::string watch_request(std::string_view key, std::string_view range_end, Revision from);
std::string authenticate_request(std::string_view user, std::string_view password);

}  // namespace etcd
