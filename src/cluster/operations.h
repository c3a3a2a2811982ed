// The operations that transactions are made of. Pure; any thread.
#pragma once

#include <string>
#include <utility>

#include "cluster/engine.h"

namespace cluster {

inline Operation put(std::string key, std::string value, std::int64_t lease = 0) {
  Operation operation;
  operation.kind = Operation::Kind::put;
  operation.key = std::move(key);
  operation.value = std::move(value);
  operation.lease = lease;
  return operation;
}

inline Operation erase(std::string key, std::string range_end = {}) {
  Operation operation;
  operation.kind = Operation::Kind::erase;
  operation.key = std::move(key);
  operation.range_end = std::move(range_end);
  return operation;
}

inline Operation get(std::string key, std::string range_end = {}) {
  Operation operation;
  operation.kind = Operation::Kind::range;
  operation.key = std::move(key);
  operation.range_end = std::move(range_end);
  return operation;
}

inline Operation nested(Transaction transaction) {
  Operation operation;
  operation.kind = Operation::Kind::nested;
  operation.transaction.push_back(std::move(transaction));
  return operation;
}

// Has the key been written last at that revision? 0: is it absent?
inline Compare is_as_of(std::string key, Revision revision) {
  Compare compare;
  compare.key = std::move(key);
  compare.what = Compare::What::modified;
  compare.revision = revision;
  return compare;
}

// No key of that range, or not that key.
inline Compare is_absent(std::string key, std::string range_end = {}) {
  Compare compare;
  compare.key = std::move(key);
  compare.range_end = std::move(range_end);
  return compare;
}

inline Compare is_there(std::string key) {
  Compare compare;
  compare.key = std::move(key);
  compare.how = Compare::How::greater;
  return compare;
}

}  // namespace cluster
