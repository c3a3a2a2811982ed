// Transactions that several tests send.
#pragma once

#include <cstdint>
#include <string>

#include "etcd/client.h"

namespace etcd_test {

inline etcd::Transaction put(const std::string& key, const std::string& value, std::int64_t lease = 0) {
  etcd::Transaction transaction;
  transaction.success.push_back({etcd::Operation::Kind::put, key, "", value, lease});
  return transaction;
}

}  // namespace etcd_test
