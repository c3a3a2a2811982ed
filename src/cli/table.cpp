#include "cli/table.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cstdint>
#include <cstdio>
#include <iterator>

#include "domain/id.h"

namespace cli {
namespace {

struct Range {
  char32_t first;
  char32_t last;
};

// Marks that sit on the letter before them, and joiners.
constexpr std::array kZeroWidth{
    Range{0x0300, 0x036F}, Range{0x0483, 0x0489}, Range{0x0591, 0x05BD}, Range{0x05BF, 0x05BF}, Range{0x05C1, 0x05C2},
    Range{0x05C4, 0x05C5}, Range{0x05C7, 0x05C7}, Range{0x0610, 0x061A}, Range{0x064B, 0x065F}, Range{0x0670, 0x0670},
    Range{0x06D6, 0x06DC}, Range{0x0E31, 0x0E31}, Range{0x0E34, 0x0E3A}, Range{0x0E47, 0x0E4E}, Range{0x1AB0, 0x1AFF},
    Range{0x1DC0, 0x1DFF}, Range{0x20D0, 0x20FF}, Range{0xFE00, 0xFE0F}, Range{0xFE20, 0xFE2F},
};

// East Asian wide characters and emoji, which take two columns.
constexpr std::array kDoubleWidth{
    Range{0x1100, 0x115F},   Range{0x2E80, 0x303E},   Range{0x3041, 0x33FF},   Range{0x3400, 0x4DBF},
    Range{0x4E00, 0x9FFF},   Range{0xA000, 0xA4CF},   Range{0xAC00, 0xD7A3},   Range{0xF900, 0xFAFF},
    Range{0xFE30, 0xFE6F},   Range{0xFF00, 0xFF60},   Range{0xFFE0, 0xFFE6},   Range{0x1F300, 0x1F64F},
    Range{0x1F680, 0x1F6FF}, Range{0x1F900, 0x1F9FF}, Range{0x20000, 0x3FFFD},
};

// Control characters, and the invisible ones by which a text can look like another.
constexpr std::array kEscaped{
    Range{0x0000, 0x001F}, Range{0x007F, 0x009F}, Range{0x00AD, 0x00AD}, Range{0x061C, 0x061C},
    Range{0x200B, 0x200F}, Range{0x2028, 0x202E}, Range{0x2060, 0x206F}, Range{0xFEFF, 0xFEFF},
};

template <std::size_t N>
bool is_in(const std::array<Range, N>& ranges, char32_t point) {
  return std::any_of(ranges.begin(), ranges.end(),
                     [point](const Range& range) { return point >= range.first && point <= range.last; });
}

std::size_t length_by_first_byte(unsigned char byte) {
  if (byte >= 0xF0) return 4;
  if (byte >= 0xE0) return 3;
  if (byte >= 0xC0) return 2;
  return 1;
}

// The bytes of the first character, or nothing if they are no UTF-8.
std::string_view first_character(std::string_view text) {
  const auto length = length_by_first_byte(static_cast<unsigned char>(text.front()));
  const auto bytes = text.substr(0, length);
  return domain::is_utf8(bytes) ? bytes : std::string_view{};
}

char32_t code_point(std::string_view character) {
  const auto first = static_cast<unsigned char>(character.front());
  if (character.size() == 1) return first;
  char32_t point = first & (0xFFu >> (character.size() + 1));
  for (const char byte : character.substr(1)) {
    point = (point << 6) | (static_cast<unsigned char>(byte) & 0x3Fu);
  }
  return point;
}

std::string escaped(char32_t point) {
  switch (point) {
    case '\n':
      return "\\n";
    case '\r':
      return "\\r";
    case '\t':
      return "\\t";
    default:
      break;
  }
  std::array<char, 16> buffer{};
  std::snprintf(buffer.data(), buffer.size(), point < 0x80 ? "\\x%02x" : "\\u%04x", static_cast<unsigned>(point));
  return buffer.data();
}

std::string escaped_byte(char byte) {
  std::array<char, 8> buffer{};
  std::snprintf(buffer.data(), buffer.size(), "\\x%02x", static_cast<unsigned>(static_cast<unsigned char>(byte)));
  return buffer.data();
}

}  // namespace

std::string printable(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  while (!text.empty()) {
    const auto character = first_character(text);
    if (character.empty()) {
      result += escaped_byte(text.front());
      text.remove_prefix(1);
      continue;
    }
    const auto point = code_point(character);
    if (is_in(kEscaped, point)) {
      result += escaped(point);
    } else {
      result += character;
    }
    text.remove_prefix(character.size());
  }
  return result;
}

std::size_t display_width(std::string_view text) {
  std::size_t width = 0;
  while (!text.empty()) {
    const auto character = first_character(text);
    if (character.empty()) {
      ++width;
      text.remove_prefix(1);
      continue;
    }
    const auto point = code_point(character);
    width += is_in(kZeroWidth, point) ? 0u : is_in(kDoubleWidth, point) ? 2u : 1u;
    text.remove_prefix(character.size());
  }
  return width;
}

Table::Table(std::vector<Column> columns) {
  std::vector<std::string> header;
  for (auto& column : columns) {
    aligns_.push_back(column.align);
    header.push_back(std::move(column.header));
  }
  rows_.push_back(std::move(header));
}

void Table::add_row(const std::vector<std::string>& cells) {
  assert(cells.size() == aligns_.size());
  std::vector<std::string> row;
  row.reserve(cells.size());
  std::transform(cells.begin(), cells.end(), std::back_inserter(row), printable);
  rows_.push_back(std::move(row));
}

std::string Table::text() const {
  std::vector<std::size_t> widths(aligns_.size(), 0);
  for (const auto& row : rows_) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      widths[i] = std::max(widths[i], display_width(row[i]));
    }
  }
  std::string result;
  for (const auto& row : rows_) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (i > 0) line += "  ";
      const std::string padding(widths[i] - display_width(row[i]), ' ');
      line += aligns_[i] == Align::right ? padding + row[i] : row[i] + padding;
    }
    line.erase(line.find_last_not_of(' ') + 1);
    result += line + '\n';
  }
  return result;
}

}  // namespace cli
