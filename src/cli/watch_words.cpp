#include "cli/watch_words.h"

#include <algorithm>
#include <map>

#include "cli/answer_fields.h"
#include "cli/meanings.h"
#include "cli/table.h"

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
  const std::string text = "headroom " + std::to_string(all) + " users";
  return regions.empty() ? text : text + ": " + joined(regions, ", ");
}

// Nobody reads more than a few of sixty names. There is one at least.
std::string listed(std::vector<std::string> names) {
  constexpr std::size_t most = 6;
  if (names.size() > most) {
    const auto rest = names.size() - (most - 1);
    names.resize(most - 1);
    names.push_back(std::to_string(rest) + " more");
  }
  const std::string last = std::move(names.back());
  names.pop_back();
  return names.empty() ? last : joined(names, ", ") + " and " + last;
}

std::string split_text(const json::Value& split, std::string (*time_text)(const std::string& time)) {
  std::vector<std::string> parts;
  for (const auto& part : items_at(split, "gateways")) {
    parts.push_back(printable(text_at(part, "name")) + " (" + shown(number_at(part, "participants")) + ")");
  }
  const std::string text = "Split: " + printable(text_at(split, "room")) + " is answered with " +
                           printable(or_dash(text_at(split, "janus"))) + ", but people are on " + joined(parts, ", ");
  const auto since = text_at(split, "since");
  return since.empty() ? text : text + ", since " + printable(time_text(since));
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
  const auto add_problem = [&](const char* one, const char* many, const auto& is_so) {
    std::vector<std::string> names;
    for (const auto& gateway : status.gateways) {
      if (is_so(gateway)) names.push_back(printable(text_at(gateway, "name")));
    }
    if (names.empty()) return;
    const char* what = names.size() == 1 ? one : many;
    problems.push_back(listed(std::move(names)) + what);
  };
  add_problem(" is down.", " are down.", [](const json::Value& one) { return text_at(one, "state") == "down"; });
  add_problem(" may be down.", " may be down.",
              [](const json::Value& one) { return text_at(one, "state") == "suspect"; });
  add_problem(" is full.", " are full.", [&](const json::Value& one) { return is_full(one, status); });
  if (status.scale && std::none_of(status.gateways.begin(), status.gateways.end(), takes_rooms)) {
    problems.emplace_back("No listed gateway can take new rooms now.");
  }
  return problems;
}

std::string sums_of(const StatusAnswers& status) {
  std::int64_t rooms = 0;
  std::int64_t users = 0;
  for (const auto& gateway : status.gateways) {
    rooms += number_at(gateway, "rooms").value_or(0);
    users += number_at(gateway, "users").value_or(0);
  }
  const std::string text = std::to_string(rooms) + (rooms == 1 ? " room, " : " rooms, ") + std::to_string(users) +
                           (users == 1 ? " user" : " users");
  return status.scale ? text + "; " + headroom_of(status) : text;
}

std::string decision_text(const json::Value& decision) {
  std::string text = printable(clock_time(text_at(decision, "time"))) + "  " + printable(text_at(decision, "room"));
  const auto left = text_at(decision, "left");
  if (!left.empty()) text += " from " + printable(left);
  const auto gateway = text_at(decision, "janus");
  if (is_release(decision)) {
    text += " released by an operator";
  } else if (gateway.empty()) {
    text += " refused, " + printable(text_at(decision, "error"));
    const auto times = number_at(decision, "times").value_or(1);
    if (times > 1) text += ", " + std::to_string(times) + " times";
  } else {
    text += " to " + printable(gateway) + ", " + printable(text_at(decision, "reason"));
  }
  const auto country = text_at(decision, "country_code");
  return country.empty() ? text : text + ", from " + printable(country);
}

std::vector<std::string> split_texts(const StatusAnswers& status, std::size_t most,
                                     std::string (*time_text)(const std::string& time)) {
  const auto splits = status.splits.value_or(std::vector<json::Value>{});
  const std::size_t count = splits.size() > most ? most - 1 : splits.size();
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < count; ++i) texts.push_back(split_text(splits[i], time_text));
  if (count < splits.size()) {
    texts.push_back(std::to_string(splits.size() - count) + (count == 0 ? "" : " more") +
                    " rooms are split; `room-sidecar splits` lists them");
  }
  return texts;
}

}  // namespace cli
