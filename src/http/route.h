// Which route a method and a path lead to. A RouteTable is immutable, so any thread may ask it.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/message.h"

namespace http {

// Nothing if a `%` is not followed by two hexadecimal digits. `+` stays a plus.
std::optional<std::string> percent_decoded(std::string_view text);

class RouteTable {
 public:
  struct Match {
    std::size_t number = 0;        // of the route; where there is none: how many there are
    const Route* route = nullptr;  // none: 404, or 405 if `allow` says what would be right
    std::vector<std::string> args;
    std::string allow;
    bool open = false;  // needs no token
  };

  explicit RouteTable(std::vector<Route> routes);

  // The path is as sent, and its every `%` is known to be good. Only ids are decoded, after the path is split; an empty
  // segment matches nothing. Each route has one spelling, so a rule about paths in a proxy cannot be evaded.
  Match find(std::string_view method, std::string_view path) const;
  std::size_t size() const { return entries_.size(); }
  const Route& route(std::size_t number) const { return entries_[number].route; }

 private:
  struct Entry {
    Route route;
    std::vector<std::string_view> segments;
  };
  std::vector<Entry> entries_;
};

}  // namespace http
