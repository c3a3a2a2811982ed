#include "cli/watch_words.h"

#include <algorithm>
#include <map>

#include "cli/answer_fields.h"
#include "cli/meanings.h"
#include "cli/table.h"
#include "terms/terms.h"

namespace cli {
namespace {

// Legacy mode asks for no load.
bool is_full(const json::Value& gateway, const StatusAnswers& status) {
  return status.scale && load_of(gateway) + std::max<std::int64_t>(status.room_occupancy, 1) > capacity_of(gateway);
}

bool takes_rooms(const json::Value& gateway) {
  return flag_at(gateway, "available") && !flag_at(gateway, "disabled") && !flag_at(gateway, "draining") &&
         text_at(gateway, "state") != "down";
}

// In users: how many more the gateways that take rooms can have.
std::string headroom_of(const StatusAnswers& status) {
  std::int64_t all = 0;
  std::map<std::string, std::int64_t> by_region;
  for (const auto& gateway : status.gateways) {
    const bool takes = takes_rooms(gateway) && !is_full(gateway, status);
    const auto room = takes ? capacity_of(gateway) - load_of(gateway) : 0;
    all += room;
    for (const auto& region : texts_at(gateway, "regions")) by_region[region] += room;
  }
  std::vector<std::string> regions;
  regions.reserve(by_region.size());
  for (const auto& [region, room] : by_region) regions.push_back(printable(region) + ' ' + std::to_string(room));
  const auto text = terms::headroom(all);
  return regions.empty() ? text : text + ": " + joined(regions, ", ");
}

// Nobody reads more than a few of sixty names. There is one at least.
std::string listed(std::vector<std::string> names) {
  constexpr std::size_t most = 6;
  if (names.size() > most) {
    const auto rest = names.size() - (most - 1);
    names.resize(most - 1);
    names.push_back(terms::more(static_cast<std::int64_t>(rest)));
  }
  const std::string last = std::move(names.back());
  names.pop_back();
  return names.empty() ? last : terms::both(joined(names, ", "), last);
}

std::string split_text(const json::Value& split, std::string (*time_text)(const std::string& time)) {
  std::vector<std::string> parts;
  for (const auto& part : items_at(split, "gateways")) {
    parts.push_back(printable(text_at(part, "name")) + " (" + shown(number_at(part, "participants")) + ")");
  }
  const auto gateway = printable(text_at(split, "janus"));
  const auto text = terms::split(printable(text_at(split, "room")), gateway.empty() ? terms::no_gateway() : gateway,
                                 joined(parts, ", "));
  const auto since = text_at(split, "since");
  return since.empty() ? text : terms::split_since(text, printable(time_text(since)));
}

}  // namespace

std::string clock_time(const std::string& time) { return time.size() >= 19 ? time.substr(11, 8) : time; }

std::int64_t load_of(const json::Value& gateway) { return number_at(gateway, "load").value_or(0); }
std::int64_t capacity_of(const json::Value& gateway) { return number_at(gateway, "capacity").value_or(0); }

int severity_of(const json::Value& gateway, const StatusAnswers& status) {
  const auto state = text_at(gateway, "state");
  if (state == "down") return 5;
  if (state == "suspect") return 4;
  if (is_full(gateway, status)) return 3;
  if (flag_at(gateway, "draining")) return 2;
  return flag_at(gateway, "disabled") ? 1 : 0;
}

std::vector<std::string> problems_of(const StatusAnswers& status) {
  std::vector<std::string> problems;
  const auto add_problem = [&](const auto& term, const auto& is_so) {
    std::vector<std::string> names;
    for (const auto& gateway : status.gateways) {
      if (is_so(gateway)) names.push_back(printable(text_at(gateway, "name")));
    }
    const auto count = static_cast<std::int64_t>(names.size());
    if (count > 0) problems.push_back(term(count, listed(std::move(names))));
  };
  add_problem(terms::is_down, [](const json::Value& one) { return text_at(one, "state") == "down"; });
  add_problem(terms::may_be_down, [](const json::Value& one) { return text_at(one, "state") == "suspect"; });
  add_problem(terms::is_full, [&](const json::Value& one) { return is_full(one, status); });
  if (status.scale && std::none_of(status.gateways.begin(), status.gateways.end(), takes_rooms)) {
    problems.push_back(terms::none_takes_rooms());
  }
  return problems;
}

std::string sums_of(const StatusAnswers& status) {
  const auto text =
      terms::rooms(sum_of(status.gateways, "rooms")) + ", " + terms::users(sum_of(status.gateways, "users"));
  return status.scale ? text + "; " + headroom_of(status) : text;
}

std::string decision_text(const json::Value& decision) {
  auto text = printable(clock_time(text_at(decision, "time"))) + "  " + printable(text_at(decision, "room")) + ' ' +
              what_happened(decision);
  const auto times = number_at(decision, "times").value_or(1);
  if (times > 1) text += ", " + terms::times(times);
  const auto country = text_at(decision, "country_code");
  return country.empty() ? text : terms::from_country(text, printable(country));
}

std::vector<std::string> split_texts(const StatusAnswers& status, std::size_t most,
                                     std::string (*time_text)(const std::string& time)) {
  const auto splits = status.splits.value_or(std::vector<json::Value>{});
  const std::size_t count = splits.size() > most ? most - 1 : splits.size();
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < count; ++i) texts.push_back(split_text(splits[i], time_text));
  if (count < splits.size()) {
    texts.push_back(
        (count == 0 ? terms::splits : terms::more_splits)(static_cast<std::int64_t>(splits.size() - count)));
  }
  return texts;
}

}  // namespace cli
