// A room's identity: its Janus room id, by which clients know it and which the database calls `gateway_uid`. The
// number of its row is a RowId. Whether a text may be one says is_valid_id (domain/id.h). Any thread.
#pragma once

#include <compare>
#include <cstddef>
#include <functional>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>

namespace domain {

class RoomId {
 public:
  RoomId() = default;  // that of no room
  explicit RoomId(std::string text) : text_(std::move(text)) {}
  explicit RoomId(std::string_view text) : text_(text) {}
  // A literal cannot be taken for something else by mistake.
  template <std::size_t size>
  RoomId(const char (&literal)[size]) : text_(literal) {}  // NOLINT(google-explicit-constructor)

  const std::string& text() const { return text_; }
  operator std::string_view() const { return text_; }  // NOLINT(google-explicit-constructor)
  bool empty() const { return text_.empty(); }

  // Bytewise, as the database orders. clang-tidy 14 takes the 0 of a defaulted comparison for a pointer.
  auto operator<=>(const RoomId&) const = default;  // NOLINT(modernize-use-nullptr)

 private:
  std::string text_;
};

inline std::ostream& operator<<(std::ostream& out, const RoomId& room) { return out << room.text(); }

}  // namespace domain

template <>
struct std::hash<domain::RoomId> {
  std::size_t operator()(const domain::RoomId& room) const { return std::hash<std::string>{}(room.text()); }
};
