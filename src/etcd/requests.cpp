#include "etcd/requests.h"

#include "etcd/base64.h"
#include "json/writer.h"

namespace etcd {
namespace {

// Numbers as text, as the gateway itself writes them.
void number(json::Writer& out, const char* name, std::int64_t value) { out.member(name, std::to_string(value)); }

std::string of_number(const char* name, std::int64_t value) {
  json::Writer out;
  out.begin_object();
  number(out, name, value);
  out.end_object();
  return out.take();
}

void bytes(json::Writer& out, const char* name, std::string_view value) { out.member(name, to_base64(value)); }

void keys(json::Writer& out, std::string_view key, std::string_view range_end) {
  bytes(out, "key", key);
  if (!range_end.empty()) bytes(out, "range_end", range_end);
}

void write(json::Writer& out, const Compare& compare) {
  out.begin_object();
  keys(out, compare.key, compare.range_end);
  const bool is_created = compare.what == Compare::What::created;
  out.member("result", compare.how == Compare::How::equal ? "EQUAL" : "GREATER");
  out.member("target", is_created ? "CREATE" : "MOD");
  number(out, is_created ? "create_revision" : "mod_revision", compare.revision);
  out.end_object();
}

void write(json::Writer& out, const Transaction& transaction);

void write(json::Writer& out, const Operation& operation) {
  out.begin_object();
  switch (operation.kind) {
    case Operation::Kind::put:
      out.key("request_put").begin_object();
      bytes(out, "key", operation.key);
      bytes(out, "value", operation.value);
      if (operation.lease != 0) number(out, "lease", operation.lease);
      out.end_object();
      break;
    case Operation::Kind::erase:
      out.key("request_delete_range").begin_object();
      keys(out, operation.key, operation.range_end);
      out.end_object();
      break;
    case Operation::Kind::range:
      out.key("request_range").begin_object();
      keys(out, operation.key, operation.range_end);
      out.end_object();
      break;
    case Operation::Kind::nested:
      out.key("request_txn");
      write(out, operation.transaction.empty() ? Transaction{} : operation.transaction.front());
      break;
  }
  out.end_object();
}

template <typename Item>
void write_all(json::Writer& out, const char* name, const std::vector<Item>& items) {
  out.key(name).begin_array();
  for (const Item& item : items) write(out, item);
  out.end_array();
}

void write(json::Writer& out, const Transaction& transaction) {
  out.begin_object();
  write_all(out, "compare", transaction.compares);
  write_all(out, "success", transaction.success);
  write_all(out, "failure", transaction.failure);
  out.end_object();
}

}  // namespace

std::string to_json(const Transaction& transaction) {
  json::Writer out;
  write(out, transaction);
  return out.take();
}

std::string to_json(const RangeRequest& request) {
  json::Writer out;
  out.begin_object();
  keys(out, request.key, request.range_end);
  if (request.limit != 0) number(out, "limit", request.limit);
  if (request.revision != 0) number(out, "revision", request.revision);
  if (request.keys_only) out.member("keys_only", true);
  out.end_object();
  return out.take();
}

std::string own_range_request(std::string_view prefix) {
  json::Writer out;
  out.begin_object();
  keys(out, prefix, end_of_prefix(prefix));
  number(out, "limit", 1);
  out.member("serializable", true).member("keys_only", true).end_object();
  return out.take();
}

std::string grant_request(std::chrono::seconds time) { return of_number("TTL", time.count()); }

std::string lease_request(std::int64_t lease) { return of_number("ID", lease); }

std::string watch_request(std::string_view key, std::string_view range_end, Revision from) {
  json::Writer out;
  out.begin_object().key("create_request").begin_object();
  keys(out, key, range_end);
  number(out, "start_revision", from);
  out.member("progress_notify", true);
  out.end_object().end_object();
  return out.take();
}

std::string authenticate_request(std::string_view user, std::string_view password) {
  json::Writer out;
  out.begin_object().member("name", user).member("password", password).end_object();
  return out.take();
}

}  // namespace etcd
