#include "api/snapshot.h"

#include "json/reader.h"

namespace api {
namespace {

// Depth shows what a value is: 1 a member of the document, 2 an entry of the list, 3 an entry's
// member. Whatever stands inside a list or object that is none of these is passed over.
class SnapshotEvents final : public json::Events {
 public:
  explicit SnapshotEvents(SnapshotSink& sink) : sink_(sink) {}

  SnapshotOutcome outcome(std::optional<std::string> not_json) const {
    if (not_json) return {std::move(not_json)};
    if (!is_object_) return {"The body must be exactly one JSON object."};
    if (!has_list_) return {"The body needs a list named \"sessions\"."};
    if (bad_entry_) return {"Every entry of \"sessions\" must be an object."};
    if (entries_ > max_entries) return {"There are more than 320000 entries in \"sessions\".", true};
    if (bad_age_) return {"\"age_ms\" must be an integer that is not negative."};
    return {std::nullopt, false, age_ms_};
  }

  void null() override { scalar(); }
  void boolean(bool) override { scalar(); }
  void signed_number(std::int64_t) override { scalar(); }
  void verbatim(std::string_view) override { scalar(); }

  void unsigned_number(std::uint64_t value) override {
    if (is_entry_member()) {
      if (key_ != Key::janus) id() = std::to_string(value);
    } else if (depth_ == 1 && key_ == Key::age_ms) {
      age_ms_ = value;
      bad_age_ = false;
    } else {
      scalar();
    }
  }

  void string(std::string_view value) override {
    if (is_entry_member()) {
      id() = value;
    } else {
      scalar();
    }
  }

  void key(std::string_view name) override {
    key_ = Key::other;
    if (depth_ == 1) {
      if (name == "sessions") key_ = Key::sessions;
      if (name == "age_ms") key_ = Key::age_ms;
    } else if (in_entry_ && depth_ == 3) {
      if (name == "room") key_ = Key::room;
      if (name == "session") key_ = Key::session;
      if (name == "janus") key_ = Key::janus;
    }
  }

  void begin_object() override {
    if (depth_ == 0) {
      is_object_ = true;
    } else if (in_list_ && depth_ == 2) {
      in_entry_ = true;
      entry_ = SnapshotEntry{};
    } else {
      scalar();
    }
    ++depth_;
  }

  void end_object() override {
    --depth_;
    if (in_entry_ && depth_ == 2) {
      in_entry_ = false;
      if (++entries_ <= max_entries) sink_.add(std::move(entry_));
    }
  }

  void begin_array() override {
    if (is_object_ && depth_ == 1 && key_ == Key::sessions) {
      in_list_ = has_list_ = true;
      bad_entry_ = false;
      entries_ = 0;
      sink_.begin();
    } else {
      scalar();
    }
    ++depth_;
  }

  void end_array() override {
    --depth_;
    if (depth_ == 1) in_list_ = false;
  }

 private:
  enum class Key { other, sessions, age_ms, room, session, janus };

  bool is_entry_member() const { return in_entry_ && depth_ == 3 && key_ != Key::other; }

  std::optional<std::string>& id() {
    return key_ == Key::room ? entry_.room : key_ == Key::session ? entry_.session : entry_.janus;
  }

  // A value of another type than a text: wrong where a text is expected, else passed over.
  void scalar() {
    if (is_entry_member()) {
      id().reset();
    } else if (in_list_ && depth_ == 2) {
      bad_entry_ = true;
    } else if (is_object_ && depth_ == 1) {
      if (key_ == Key::sessions) has_list_ = false;
      if (key_ == Key::age_ms) bad_age_ = true;
    }
  }

  SnapshotSink& sink_;
  SnapshotEntry entry_;
  std::size_t depth_ = 0;
  Key key_ = Key::other;
  bool is_object_ = false;
  bool in_list_ = false;
  bool in_entry_ = false;
  bool has_list_ = false;
  bool bad_entry_ = false;
  bool bad_age_ = false;
  std::size_t entries_ = 0;
  std::uint64_t age_ms_ = 0;
};

}  // namespace

SnapshotOutcome parse_snapshot(std::string_view body, SnapshotSink& sink) {
  SnapshotEvents events(sink);
  return events.outcome(json::read(body, events));
}

}  // namespace api
