// Steps on a ledger, for the tests of the ledger and of decisions. One thread.
#pragma once

#include <chrono>
#include <string_view>

#include "domain/ledger.h"

namespace domain_test {

inline domain::Moment at(std::chrono::milliseconds since_start) {
  return {domain::ServiceTime{} + std::chrono::hours{1} + since_start,
          domain::WallTime{} + std::chrono::hours{500000} + since_start};
}

constexpr auto own = domain::Sessions::Report::own;

// By a claim that is granted at once.
inline void assign(domain::Ledger& ledger, const domain::RoomId& room, std::string_view gateway, domain::Moment now) {
  ledger.book(room, ledger.number_of(gateway), "IL", now);
  ledger.confirm(room, ledger.number_of(gateway));
}

inline std::int64_t rooms_on(domain::Ledger& ledger, std::string_view gateway) {
  return ledger.rooms_on(ledger.number_of(gateway));
}

inline std::int64_t excess_users_on(domain::Ledger& ledger, std::string_view gateway) {
  return domain::value_of(ledger.excess_users_by_gateway(), ledger.number_of(gateway), std::int64_t{0});
}

}  // namespace domain_test
