#include "config/report.h"

#include <algorithm>
#include <utility>

#include "domain/printable.h"

namespace config {

std::string Origin::at(std::size_t line) const { return line == 0 ? name : name + ":" + std::to_string(line); }

void Report::error(const Origin& origin, std::size_t line, std::string_view text) {
  items_.push_back({origin.rank, line, {true, domain::printable(origin.at(line) + ": " + std::string(text))}});
}

void Report::warning(const Origin& origin, std::size_t line, std::string_view text) {
  items_.push_back({origin.rank, line, {false, domain::printable(origin.at(line) + ": " + std::string(text))}});
}

std::vector<Problem> Report::take() {
  std::stable_sort(items_.begin(), items_.end(),
                   [](const Item& a, const Item& b) { return std::pair(a.rank, a.line) < std::pair(b.rank, b.line); });
  std::vector<Problem> problems;
  problems.reserve(items_.size());
  for (Item& item : items_) problems.push_back(std::move(item.problem));
  items_.clear();
  return problems;
}

void Spot::refuse(const Value& value) const { refuse(value, expected); }

void Spot::refuse(const Value& value, std::string_view instead_expected) const {
  complain(value.line, shown(value) + " is not " + std::string(instead_expected));
}

void Spot::complain(std::size_t line, std::string_view text) const {
  report.error(origin, line, name + ": " + std::string(text));
}

void Spot::warn(std::size_t line, std::string_view text) const {
  report.warning(origin, line, name + ": " + std::string(text));
}

Spot Spot::named(std::string other_name, std::string_view other_expected) const {
  return {report, origin, std::move(other_name), other_expected};
}

}  // namespace config
