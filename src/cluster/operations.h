// The operations that transactions are made of, and what their results have found. Pure; any thread.
#pragma once

#include <string>
#include <utility>

#include "etcd/client.h"

namespace cluster {

inline etcd::Operation put(std::string key, std::string value, std::int64_t lease = 0) {
  return {etcd::Operation::Kind::put, std::move(key), {}, std::move(value), lease};
}

inline etcd::Operation erase(std::string key, std::string range_end = {}) {
  return {etcd::Operation::Kind::erase, std::move(key), std::move(range_end)};
}

inline etcd::Operation get(std::string key, std::string range_end = {}) {
  return {etcd::Operation::Kind::range, std::move(key), std::move(range_end)};
}

inline etcd::Operation nested(etcd::Transaction transaction) {
  etcd::Operation operation{etcd::Operation::Kind::nested};
  operation.transaction.push_back(std::move(transaction));
  return operation;
}

// Has the key been written last at that revision? 0: is it absent?
inline etcd::Compare is_as_of(std::string key, etcd::Revision revision) {
  return {std::move(key), {}, etcd::Compare::What::modified, etcd::Compare::How::equal, revision};
}

// No key of that range, or not that key.
inline etcd::Compare is_absent(std::string key, std::string range_end = {}) {
  return {std::move(key), std::move(range_end)};
}

inline etcd::Compare is_there(std::string key) {
  return {std::move(key), {}, etcd::Compare::What::created, etcd::Compare::How::greater};
}

// What the `at`th operation has found first; null: nothing.
inline const etcd::KeyValue* found(const etcd::TransactionResult& result, std::size_t at) {
  if (at >= result.done.size() || result.done[at].found.empty()) return nullptr;
  return &result.done[at].found.front();
}

}  // namespace cluster
