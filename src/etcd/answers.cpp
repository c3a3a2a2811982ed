#include "etcd/answers.h"

#include <charconv>
#include <cstdint>
#include <utility>

#include "etcd/base64.h"

namespace etcd {
namespace {

// What is left out is empty; nothing if it is no base64.
std::optional<std::string> bytes_of(const json::Value& object, std::string_view name) {
  const json::Value* found = object.find(name);
  if (found == nullptr || found->is_null()) return std::string();
  if (found->string() == nullptr) return std::nullopt;
  return from_base64(*found->string());
}

// The list of that name, each item read by `read`; what is left out is an empty one.
template <typename Item, typename Read>
std::optional<std::vector<Item>> list_of(const json::Value& object, std::string_view name, const Read& read) {
  std::vector<Item> items;
  const json::Value* found = object.find(name);
  if (found == nullptr || found->is_null()) return items;
  if (found->array() == nullptr) return std::nullopt;
  items.reserve(found->array()->size());
  for (const json::Value& each : *found->array()) {
    auto item = read(each);
    if (!item) return std::nullopt;
    items.push_back(std::move(*item));
  }
  return items;
}

std::optional<KeyValue> key_value_of(const json::Value& json) {
  auto key = bytes_of(json, "key");
  auto value = bytes_of(json, "value");
  const auto modified = number_of(json, "mod_revision");
  if (!json.is_object() || !key || !value || !modified) return std::nullopt;
  return KeyValue{std::move(*key), std::move(*value), *modified};
}

std::optional<TransactionResult::Done> done_of(const json::Value& response, const Operation& asked) {
  TransactionResult::Done done;
  switch (asked.kind) {
    case Operation::Kind::put:
      return response.find("response_put") != nullptr ? std::optional(done) : std::nullopt;
    case Operation::Kind::erase:
      return response.find("response_delete_range") != nullptr ? std::optional(done) : std::nullopt;
    case Operation::Kind::range: {
      const json::Value* range = response.find("response_range");
      auto found = range != nullptr ? list_of<KeyValue>(*range, "kvs", key_value_of) : std::nullopt;
      if (!found) return std::nullopt;
      done.found = std::move(*found);
      return done;
    }
    case Operation::Kind::nested: {
      const json::Value* nested = response.find("response_txn");
      if (nested == nullptr) return std::nullopt;
      auto result =
          transaction_result_of(*nested, asked.transaction.empty() ? Transaction{} : asked.transaction.front());
      if (!result) return std::nullopt;
      done.nested.push_back(std::move(*result));
      return done;
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::int64_t> number_of(const json::Value& object, std::string_view name) {
  const json::Value* found = object.find(name);
  if (found == nullptr || found->is_null()) return 0;
  if (const auto* number = found->unsigned_number()) {
    return *number <= INT64_MAX ? std::optional(static_cast<std::int64_t>(*number)) : std::nullopt;
  }
  if (const auto* number = found->signed_number()) return *number;
  const std::string* text = found->string();
  if (text == nullptr) return std::nullopt;
  std::int64_t number = 0;
  const char* const end = text->data() + text->size();
  const auto [read, error] = std::from_chars(text->data(), end, number);
  if (error != std::errc{} || read != end) return std::nullopt;
  return number;
}

std::string text_of(const json::Value& object, std::string_view name) {
  const json::Value* found = object.find(name);
  return found != nullptr && found->is_string() ? *found->string() : std::string();
}

bool flag_of(const json::Value& object, std::string_view name) {
  const json::Value* found = object.find(name);
  return found != nullptr && found->boolean() != nullptr && *found->boolean();
}

std::optional<Header> header_of(const json::Value& answer) {
  const json::Value* header = answer.find("header");
  if (header == nullptr || !header->is_object()) return std::nullopt;
  const auto revision = number_of(*header, "revision");
  if (!revision) return std::nullopt;
  return Header{text_of(*header, "cluster_id"), *revision};
}

std::string cluster_id_of(const json::Value& answer) {
  const json::Value* result = answer.find("result");
  const auto header = header_of(result != nullptr ? *result : answer);
  return header ? header->cluster_id : "";
}

std::optional<TransactionResult> transaction_result_of(const json::Value& answer, const Transaction& asked) {
  if (!answer.is_object()) return std::nullopt;
  TransactionResult result;
  result.succeeded = flag_of(answer, "succeeded");
  const auto& operations = result.succeeded ? asked.success : asked.failure;
  auto next = operations.begin();
  auto done = list_of<TransactionResult::Done>(answer, "responses", [&](const json::Value& response) {
    return next != operations.end() ? done_of(response, *next++) : std::nullopt;
  });
  if (!done || next != operations.end()) return std::nullopt;
  result.done = std::move(*done);
  return result;
}

std::optional<Page> page_of(const json::Value& answer) {
  auto items = list_of<KeyValue>(answer, "kvs", key_value_of);
  if (!answer.is_object() || !items) return std::nullopt;
  return Page{std::move(*items), flag_of(answer, "more")};
}

bool answers(const Page& page, const RangeRequest& asked) {
  const bool is_open = asked.range_end == std::string(1, '\0');  // stands for the end of all keys
  const std::string* last = nullptr;
  for (const KeyValue& item : page.items) {
    const bool is_next = last == nullptr ? item.key >= asked.key : item.key > *last;
    const bool is_inside = asked.range_end.empty() ? item.key == asked.key : is_open || item.key < asked.range_end;
    if (!is_next || !is_inside) return false;
    last = &item.key;
  }
  const auto size = static_cast<std::int64_t>(page.items.size());
  return page.more ? size > 0 && size == asked.limit : asked.limit == 0 || size <= asked.limit;
}

std::optional<Event> event_of(const json::Value& event) {
  const std::string type = text_of(event, "type");
  const json::Value* kv = event.find("kv");
  auto item = kv != nullptr ? key_value_of(*kv) : std::nullopt;
  if (!item || (!type.empty() && type != "PUT" && type != "DELETE")) return std::nullopt;
  return Event{type == "DELETE", std::move(*item)};
}

}  // namespace etcd
