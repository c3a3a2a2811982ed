#include "http/date.h"

#include <array>
#include <cstdio>

namespace http {

std::string to_http_date(std::time_t time) {
  constexpr const char* days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr const char* months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  std::tm utc{};
  ::gmtime_r(&time, &utc);
  std::array<char, 96> text{};
  std::snprintf(text.data(), text.size(), "%s, %02d %s %04d %02d:%02d:%02d GMT", days[utc.tm_wday], utc.tm_mday,
                months[utc.tm_mon], utc.tm_year + 1900, utc.tm_hour, utc.tm_min, utc.tm_sec);
  return text.data();
}

std::string_view http_date() {
  thread_local std::time_t written_at = -1;
  thread_local std::string text;
  const std::time_t now = std::time(nullptr);
  if (now != written_at) {
    text = to_http_date(now);
    written_at = now;
  }
  return text;
}

}  // namespace http
