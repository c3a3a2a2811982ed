#include "health/source_problems.h"

#include <algorithm>
#include <utility>

namespace health {
namespace {

bool is_in(const std::vector<std::string>& list, const std::string& problem) {
  return std::find(list.begin(), list.end(), problem) != list.end();
}

}  // namespace

SourceProblems::News SourceProblems::of(std::vector<std::string> problems) {
  News news;
  std::vector<std::string> reported;
  for (const std::string& problem : problems) {
    if (!is_in(reported_, problem)) {
      if (!is_in(seen_, problem)) continue;
      news.problems.push_back(problem);
    }
    reported.push_back(problem);
  }
  news.are_over = problems.empty() && is_any_logged_;
  is_any_logged_ = !problems.empty() && (is_any_logged_ || !reported.empty());
  reported_ = std::move(reported);
  seen_ = std::move(problems);
  return news;
}

}  // namespace health
