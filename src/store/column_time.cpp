#include "store/column_time.h"

#include <algorithm>

namespace store {
namespace {

// Takes texts of a form from the beginning of another.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  bool at_end() const { return rest_.empty(); }
  bool take_one_of(std::string_view characters) {
    if (rest_.empty() || characters.find(rest_.front()) == characters.npos) return false;
    rest_.remove_prefix(1);
    return true;
  }
  // "" if there are fewer.
  std::string_view take_digits(std::size_t least, std::size_t most) {
    const std::size_t count = std::min({most, rest_.size(), rest_.find_first_not_of("0123456789")});
    if (count < least) return {};
    const std::string_view taken = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return taken;
  }
  char front() const { return rest_.empty() ? '\0' : rest_.front(); }

 private:
  std::string_view rest_;
};

// "05:30" as minutes, after the sign. Without minutes it is a whole number of hours.
std::optional<std::chrono::minutes> take_offset(Scanner& scanner) {
  const auto number = [](std::string_view digits) { return (digits[0] - '0') * 10 + (digits[1] - '0'); };
  const std::string_view hours = scanner.take_digits(2, 2);
  if (hours.empty() || number(hours) > 23) return std::nullopt;
  std::chrono::minutes offset = std::chrono::hours{number(hours)};
  if (!scanner.take_one_of(":")) return offset;
  const std::string_view minutes = scanner.take_digits(2, 2);
  if (minutes.empty() || number(minutes) > 59) return std::nullopt;
  return offset + std::chrono::minutes{number(minutes)};
}

}  // namespace

std::optional<domain::WallTime> column_time(std::string_view text) {
  // The form of domain/time.h, filled with what is there. What is missing makes that no time.
  constexpr std::size_t date_size = 10;
  std::string full(text.substr(0, date_size));
  Scanner scanner(text.substr(std::min(text.size(), date_size)));
  std::string clock = "00:00";
  std::string seconds = "00";
  std::string fraction;
  std::chrono::minutes offset{0};
  if (!scanner.at_end()) {
    if (!scanner.take_one_of(" T")) return std::nullopt;
    clock = scanner.take_digits(2, 2);
    if (!scanner.take_one_of(":")) return std::nullopt;
    clock += ':';
    clock += scanner.take_digits(2, 2);
    if (scanner.take_one_of(":")) {
      seconds = scanner.take_digits(2, 2);
      if (scanner.take_one_of(".")) {
        fraction = scanner.take_digits(1, text.size());
        if (fraction.empty()) return std::nullopt;
      }
    }
    const char sign = scanner.front();
    if (scanner.take_one_of("+-")) {
      const auto found = take_offset(scanner);
      if (!found) return std::nullopt;
      offset = sign == '+' ? *found : -*found;
    } else {
      scanner.take_one_of("Z");
    }
    if (!scanner.at_end()) return std::nullopt;
  }
  fraction.resize(3, '0');
  const auto time = domain::wall_time_from(full + 'T' + clock + ':' + seconds + '.' + fraction + 'Z');
  if (!time) return std::nullopt;
  const domain::WallTime utc = *time - offset;
  // A year of four digits, as it is written again.
  return domain::wall_time_from(domain::to_text(utc)) == utc ? std::optional(utc) : std::nullopt;
}

std::optional<domain::WallTime> removal_time(const std::optional<std::string>& text) {
  if (!text) return std::nullopt;
  return column_time(*text).value_or(domain::WallTime{});
}

std::optional<std::string> text_of(const std::optional<domain::WallTime>& time) {
  if (!time) return std::nullopt;
  return domain::to_text(*time);
}

}  // namespace store
