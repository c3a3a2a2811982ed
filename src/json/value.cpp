#include "json/value.h"

#include <algorithm>

#include "json/reader.h"
#include "json/writer.h"

namespace json {

// Builds the tree from the reader's events, in place: while a container is open nothing is added to
// the ones around it, so that pointers to them hold. Nothing recurses.
class Builder final : public Events {
 public:
  Value take() { return std::move(root_); }

  void null() override { put(std::monostate{}); }
  void boolean(bool value) override { put(value); }
  void unsigned_number(std::uint64_t value) override { put(value); }
  void signed_number(std::int64_t value) override { put(value); }
  void string(std::string_view value) override { put(std::string(value)); }
  void verbatim(std::string_view token) override { put(Value::Verbatim{std::string(token)}); }
  void begin_object() override { begin(Value::Object{}); }
  void key(std::string_view value) override {
    if (too_deep_ == 0) key_ = value;
  }
  void end_object() override { end(); }
  void begin_array() override { begin(Value::Array{}); }
  void end_array() override { end(); }

 private:
  Value& new_place() {
    if (open_.empty()) return root_;
    if (auto* array = std::get_if<Value::Array>(&open_.back()->value_)) {
      return array->emplace_back();
    }
    return std::get<Value::Object>(open_.back()->value_).emplace_back(key_, Value{}).second;
  }

  template <class T>
  void put(T value) {
    if (too_deep_ == 0) new_place().value_.template emplace<T>(std::move(value));
  }

  template <class Container>
  void begin(Container empty) {
    if (open_.size() == Value::max_depth) {
      if (too_deep_++ == 0) new_place();
      return;
    }
    auto& place = new_place();
    place.value_ = std::move(empty);
    open_.push_back(&place);
  }

  void end() {
    if (too_deep_ > 0) {
      --too_deep_;
    } else {
      open_.pop_back();
    }
  }

  Value root_;
  std::vector<Value*> open_;  // the containers around the next value
  std::string key_;           // of the next member
  std::size_t too_deep_ = 0;  // containers open below the deepest that is kept
};

std::optional<Value> Value::parse(std::string_view text, std::string* problem) {
  Builder builder;
  if (auto wrong = read(text, builder)) {
    if (problem) *problem = std::move(*wrong);
    return std::nullopt;
  }
  return builder.take();
}

const std::string* Value::verbatim() const {
  const auto* verbatim = std::get_if<Verbatim>(&value_);
  return verbatim ? &verbatim->token : nullptr;
}

const Value* Value::find(std::string_view key) const {
  const Object* members = object();
  if (!members) return nullptr;
  const auto last =
      std::find_if(members->rbegin(), members->rend(), [&](const auto& member) { return member.first == key; });
  return last == members->rend() ? nullptr : &last->second;
}

std::string Value::dump() const {
  Writer writer;
  writer.value(*this);
  return writer.take();
}

}  // namespace json
