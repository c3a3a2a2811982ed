#include "domain/time.h"

#include <array>
#include <cstdint>

namespace domain {
namespace {

template <std::size_t digits>
void put(char* at, unsigned value) {
  for (std::size_t i = digits; i-- > 0; value /= 10) at[i] = static_cast<char>('0' + value % 10);
}

// The number of `count` digits at `at`, or -1.
int digits_at(std::string_view text, std::size_t at, std::size_t count) {
  int value = 0;
  for (std::size_t i = at; i < at + count; ++i) {
    if (text[i] < '0' || text[i] > '9') return -1;
    value = value * 10 + (text[i] - '0');
  }
  return value;
}

}  // namespace

std::string to_text(WallTime time) {
  using namespace std::chrono;
  const auto day = floor<days>(time);
  const year_month_day date{day};
  const hh_mm_ss clock{time - day};
  std::string text = "0000-00-00T00:00:00.000Z";
  put<4>(text.data(), static_cast<unsigned>(static_cast<int>(date.year())));
  put<2>(text.data() + 5, static_cast<unsigned>(date.month()));
  put<2>(text.data() + 8, static_cast<unsigned>(date.day()));
  put<2>(text.data() + 11, static_cast<unsigned>(clock.hours().count()));
  put<2>(text.data() + 14, static_cast<unsigned>(clock.minutes().count()));
  put<2>(text.data() + 17, static_cast<unsigned>(clock.seconds().count()));
  put<3>(text.data() + 20, static_cast<unsigned>(clock.subseconds().count()));
  return text;
}

std::optional<WallTime> wall_time_from(std::string_view text) {
  using namespace std::chrono;
  constexpr std::string_view form = "0000-00-00T00:00:00.000Z";
  if (text.size() != form.size()) return std::nullopt;
  for (std::size_t i = 0; i < form.size(); ++i) {
    if (form[i] != '0' && text[i] != form[i]) return std::nullopt;
  }
  const std::array<int, 7> n = {digits_at(text, 0, 4),  digits_at(text, 5, 2),  digits_at(text, 8, 2),
                                digits_at(text, 11, 2), digits_at(text, 14, 2), digits_at(text, 17, 2),
                                digits_at(text, 20, 3)};
  for (int value : n) {
    if (value < 0) return std::nullopt;
  }
  const year_month_day date{year{n[0]}, month{static_cast<unsigned>(n[1])}, day{static_cast<unsigned>(n[2])}};
  if (!date.ok() || n[3] > 23 || n[4] > 59 || n[5] > 59) return std::nullopt;
  return WallTime{sys_days{date}} + hours{n[3]} + minutes{n[4]} + seconds{n[5]} + milliseconds{n[6]};
}

}  // namespace domain
