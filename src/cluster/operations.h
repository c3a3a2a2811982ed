// The operations that transactions are made of. Pure; any thread.
#pragma once

#include <string>
#include <utility>

#include "etcd/client.h"

namespace cluster {

inline etcd::Operation put(std::string key, std::string value, std::int64_t lease = 0) {
  etcd::Operation operation;
  operation.kind = etcd::Operation::Kind::put;
  operation.key = std::move(key);
  operation.value = std::move(value);
  operation.lease = lease;
  return operation;
}

inline etcd::Operation erase(std::string key, std::string range_end = {}) {
  etcd::Operation operation;
  operation.kind = etcd::Operation::Kind::erase;
  operation.key = std::move(key);
  operation.range_end = std::move(range_end);
  return operation;
}

inline etcd::Operation get(std::string key, std::string range_end = {}) {
  etcd::Operation operation;
  operation.kind = etcd::Operation::Kind::range;
  operation.key = std::move(key);
  operation.range_end = std::move(range_end);
  return operation;
}

inline etcd::Operation nested(etcd::Transaction transaction) {
  etcd::Operation operation;
  operation.kind = etcd::Operation::Kind::nested;
  operation.transaction.push_back(std::move(transaction));
  return operation;
}

// Has the key been written last at that revision? 0: is it absent?
inline etcd::Compare is_as_of(std::string key, etcd::Revision revision) {
  etcd::Compare compare;
  compare.key = std::move(key);
  compare.what = etcd::Compare::What::modified;
  compare.revision = revision;
  return compare;
}

// No key of that range, or not that key.
inline etcd::Compare is_absent(std::string key, std::string range_end = {}) {
  etcd::Compare compare;
  compare.key = std::move(key);
  compare.range_end = std::move(range_end);
  return compare;
}

inline etcd::Compare is_there(std::string key) {
  etcd::Compare compare;
  compare.key = std::move(key);
  compare.how = etcd::Compare::How::greater;
  return compare;
}

}  // namespace cluster
