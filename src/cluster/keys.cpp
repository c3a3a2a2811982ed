#include "cluster/keys.h"

#include <array>
#include <utility>

namespace cluster {
namespace {

struct Kind {
  std::string_view word;
  KeyKind kind;
};
constexpr std::array<Kind, 6> kinds{{{"failover/", KeyKind::failover},
                                     {"gateway/", KeyKind::gateway},
                                     {"left/", KeyKind::tombstone},
                                     {"room/", KeyKind::room},
                                     {"sidecar/", KeyKind::sidecar},
                                     {"use/", KeyKind::use}}};

bool is_of_room(KeyKind kind) { return kind == KeyKind::tombstone || kind == KeyKind::room || kind == KeyKind::use; }

bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
         c == '_' || c == '~';
}

constexpr std::string_view digits = "0123456789ABCDEF";

void append_encoded(std::string& out, std::string_view name) {
  for (const char c : name) {
    if (is_plain(c)) {
      out += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out += '%';
    out += digits[byte >> 4];
    out += digits[byte & 15];
  }
}

// Nothing unless it is what append_encoded() writes.
std::optional<std::string> decoded(std::string_view text) {
  std::string name;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (is_plain(text[i])) {
      name += text[i];
      continue;
    }
    if (text[i] != '%' || i + 2 >= text.size()) return std::nullopt;
    const auto high = digits.find(text[i + 1]);
    const auto low = digits.find(text[i + 2]);
    if (high == digits.npos || low == digits.npos) return std::nullopt;
    name += static_cast<char>(high * 16 + low);
    i += 2;
  }
  if (name.empty()) return std::nullopt;
  return name;
}

}  // namespace

std::string Keys::key(std::string_view kind, std::string_view name) const {
  std::string key = prefix_;
  key += kind;
  append_encoded(key, name);
  return key;
}

std::string Keys::use(const domain::RoomId& room, std::string_view sidecar) const {
  std::string key = first_use(room);
  append_encoded(key, sidecar);
  return key;
}

std::optional<ParsedKey> Keys::parse(std::string_view key) const {
  if (key.substr(0, prefix_.size()) != prefix_) return std::nullopt;
  key.remove_prefix(prefix_.size());
  if (key == "beat") return ParsedKey{KeyKind::heartbeat, {}, {}, {}};
  for (const Kind& kind : kinds) {
    if (key.substr(0, kind.word.size()) != kind.word) continue;
    key.remove_prefix(kind.word.size());
    std::string sidecar;
    if (kind.kind == KeyKind::use) {
      const auto slash = key.find('/');
      const auto name = slash == key.npos ? std::nullopt : decoded(key.substr(slash + 1));
      if (!name) return std::nullopt;
      sidecar = *name;
      key = key.substr(0, slash);
    }
    auto name = decoded(key);
    if (!name) return std::nullopt;
    if (!is_of_room(kind.kind)) return ParsedKey{kind.kind, std::move(*name), {}, {}};
    return ParsedKey{kind.kind, {}, domain::RoomId(std::move(*name)), std::move(sidecar)};
  }
  return std::nullopt;
}

}  // namespace cluster
