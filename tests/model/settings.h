// Random configurations that are valid, and changes of them. One thread.
#pragma once

#include <string>
#include <vector>

#include "app/catalogue_sync.h"
#include "chance.h"

namespace model {

class Chance : public tests::Chance {
 public:
  using tests::Chance::Chance;
  bool one_in(std::size_t number) { return below(number) == 0; }
  template <typename Item>
  const Item& of(const std::vector<Item>& items) {
    return items[below(items.size())];
  }
  // Some of them, in any order; at least `least`.
  std::vector<std::string> some(std::vector<std::string> items, std::size_t least);
};

app::Configured any_configuration(Chance& chance);
// Changes one thing or another.
app::Configured changed(app::Configured configured, Chance& chance);
std::string reported(const app::Configured& configured);  // in short
std::vector<std::string> names_of_gateways(const app::Configured& configured);

}  // namespace model
