// Prometheus' text format: families of metrics, filled in one after the other. The only place that
// knows prometheus-cpp. One thread at a time; never fails.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "counts/distribution.h"

namespace metrics {

using Labels = std::vector<std::pair<std::string_view, std::string_view>>;

class Families {
 public:
  Families();
  ~Families();

  // Begins a family; what follows is added to it.
  Families& counter(std::string name, std::string help);
  Families& gauge(std::string name, std::string help);
  // `per_base_unit`: how many of the readings' units make a base unit, as 1e9 ns make a second.
  Families& histogram(std::string name, std::string help, double per_base_unit);

  Families& add(const Labels& labels, double value);
  Families& add(const Labels& labels, std::uint64_t value) { return add(labels, static_cast<double>(value)); }
  Families& add(const Labels& labels, std::int64_t value) { return add(labels, static_cast<double>(value)); }
  Families& add(const Labels& labels, bool value) { return add(labels, value ? 1.0 : 0.0); }
  Families& add(const Labels& labels, const counts::Reading& reading);

  std::string text() const;

 private:
  class Inside;
  std::unique_ptr<Inside> inside_;
};

}  // namespace metrics
