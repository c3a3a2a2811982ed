#include "cli/table.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <iterator>

#include "domain/printable.h"
#include "domain/utf8.h"

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

template <std::size_t N>
bool is_in(const std::array<Range, N>& ranges, char32_t point) {
  return std::any_of(ranges.begin(), ranges.end(),
                     [point](const Range& range) { return point >= range.first && point <= range.last; });
}

}  // namespace

std::string printable(std::string_view text) { return domain::printable(text); }

std::size_t display_width(std::string_view text) {
  std::size_t width = 0;
  while (!text.empty()) {
    const char32_t point = domain::take_character(text);
    if (point == domain::no_character) text.remove_prefix(1);
    width += is_in(kZeroWidth, point) ? 0u : is_in(kDoubleWidth, point) ? 2u : 1u;
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
  // A blank of another kind is part of many a name; only messages distinguish it from a blank.
  std::transform(cells.begin(), cells.end(), std::back_inserter(row),
                 [](const std::string& cell) { return domain::printable(cell, domain::Blanks::kept); });
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
