#include "metrics/families.h"

#include <sstream>

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

namespace metrics {

class Families::Inside {
 public:
  void begin(prometheus::MetricType type, std::string name, std::string help) {
    prometheus::MetricFamily family;
    family.type = type;
    family.name = std::move(name);
    family.help = std::move(help);
    families.push_back(std::move(family));
  }

  prometheus::ClientMetric& add(const Labels& labels) {
    auto& metric = families.back().metric.emplace_back();
    for (const auto& [name, value] : labels) metric.label.push_back({std::string(name), std::string(value)});
    return metric;
  }

  std::vector<prometheus::MetricFamily> families;
  double per_base_unit = 1;
};

Families::Families() : inside_(std::make_unique<Inside>()) {}
Families::~Families() = default;

Families& Families::counter(std::string name, std::string help) {
  inside_->begin(prometheus::MetricType::Counter, std::move(name), std::move(help));
  return *this;
}

Families& Families::gauge(std::string name, std::string help) {
  inside_->begin(prometheus::MetricType::Gauge, std::move(name), std::move(help));
  return *this;
}

Families& Families::histogram(std::string name, std::string help, double per_base_unit) {
  inside_->begin(prometheus::MetricType::Histogram, std::move(name), std::move(help));
  inside_->per_base_unit = per_base_unit;
  return *this;
}

Families& Families::add(const Labels& labels, double value) {
  prometheus::ClientMetric& metric = inside_->add(labels);
  metric.counter.value = metric.gauge.value = value;  // the family's type says which counts
  return *this;
}

Families& Families::add(const Labels& labels, const counts::Reading& reading) {
  prometheus::ClientMetric::Histogram& histogram = inside_->add(labels).histogram;
  histogram.sample_count = reading.count;
  histogram.sample_sum = static_cast<double>(reading.sum) / inside_->per_base_unit;
  for (const auto& bucket : reading.buckets) {
    histogram.bucket.push_back({bucket.up_to, static_cast<double>(bucket.bound) / inside_->per_base_unit});
  }
  return *this;
}

std::string Families::text() const {
  std::ostringstream out;
  prometheus::TextSerializer().Serialize(out, inside_->families);
  return out.str();
}

}  // namespace metrics
