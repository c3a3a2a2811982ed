#include "health/trouble_news.h"

#include <algorithm>
#include <utility>

namespace health {
namespace {

bool is_in(const std::vector<std::string>& list, const std::string& trouble) {
  return std::find(list.begin(), list.end(), trouble) != list.end();
}

}  // namespace

TroubleNews::News TroubleNews::of(std::vector<std::string> troubles) {
  News news;
  std::vector<std::string> told;
  for (const std::string& trouble : troubles) {
    if (!is_in(told_, trouble)) {
      if (!is_in(seen_, trouble)) continue;
      news.troubles.push_back(trouble);
    }
    told.push_back(trouble);
  }
  news.are_over = troubles.empty() && is_any_told_;
  is_any_told_ = !troubles.empty() && (is_any_told_ || !told.empty());
  told_ = std::move(told);
  seen_ = std::move(troubles);
  return news;
}

}  // namespace health
