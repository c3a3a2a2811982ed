// The field Date, which is in every answer (RFC 9110, 6.6.1). Any thread; nothing fails.
#pragma once

#include <ctime>
#include <string>
#include <string_view>

namespace http {

// "Sun, 06 Nov 1994 08:49:37 GMT": IMF-fixdate (RFC 9110, 5.6.7), whatever the locale.
std::string to_http_date(std::time_t time);

// Now. Each thread writes it at most once a second; the view is valid until it asks again.
std::string_view http_date();

}  // namespace http
