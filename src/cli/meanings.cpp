#include "cli/meanings.h"

#include <algorithm>

#include "cli/answer_fields.h"
#include "cli/table.h"
#include "terms/terms.h"

namespace cli {
namespace {

std::string with_word(const std::string& text, const json::Value& answer, std::string_view key) {
  return text + " (" + printable(text_at(answer, key)) + ')';
}

// By load, since its users are there, or since it has just been there: one candidate shows no difference.
std::string meaning_of_choice(const json::Value& answer) {
  if (text_at(answer, "asked_by") == "adoption") return terms::users_were_there();
  const auto reason = text_at(answer, "reason");
  const bool had_a_choice = items_at(answer, "candidates").size() != 1;
  return reason == "assigned" && !had_a_choice ? terms::only_candidate() : terms::reason(reason);
}

std::string meaning_of_refusal(const json::Value& answer) {
  const auto candidates = items_at(answer, "candidates");
  const auto verdict = candidates.size() == 1 ? text_at(candidates[0], "verdict") : "";
  if (verdict == "disabled") {
    // As with a pin: other gateways may well be there for other rooms.
    const auto name = printable(text_at(candidates[0], "name"));
    const bool is_pinned = text_at(answer, "reason") == "pinned";
    return (is_pinned ? terms::pinned_to_one : terms::only_one)(name, terms::verdict(verdict));
  }
  const auto meaning = terms::error(text_at(answer, "error"));
  const auto is_down = [](const json::Value& candidate) { return text_at(candidate, "verdict") == "down"; };
  const auto down = std::count_if(candidates.begin(), candidates.end(), is_down);
  return down > 0 ? terms::some_down(down, meaning) : meaning;
}

}  // namespace

std::string because(const json::Value& answer) {
  const auto meaning = text_at(answer, "janus").empty() ? meaning_of_refusal(answer) : meaning_of_choice(answer);
  return meaning.empty() ? "" : ": " + meaning;
}

bool is_release(const json::Value& decision) {
  return text_at(decision, "janus").empty() && text_at(decision, "error").empty();
}

std::string what_happened(const json::Value& decision) {
  const auto gateway = printable(text_at(decision, "janus"));
  const auto left = printable(text_at(decision, "left"));
  if (is_release(decision)) return terms::released(left);
  if (gateway.empty()) return with_word(terms::refused(), decision, "error");
  return with_word(left.empty() ? terms::placed(gateway) : terms::moved(left, gateway), decision, "reason");
}

std::string candidates_of(const json::Value& answer) {
  const auto candidates = items_at(answer, "candidates");
  if (candidates.empty()) return "";
  Table table({{"GATEWAY"},
               {"LOAD", Align::right},
               {"CAPACITY", Align::right},
               {"USED", Align::right},
               {"VERDICT"},
               {"WHICH MEANS"}});
  for (const auto& candidate : candidates) {
    const auto load = number_at(candidate, "load");
    const auto capacity = number_at(candidate, "capacity");
    const auto verdict = text_at(candidate, "verdict");
    table.add_row({text_at(candidate, "name"), shown(load), shown(capacity),
                   percent(load.value_or(0), capacity.value_or(0)), verdict, terms::verdict(verdict)});
  }
  return table.text();
}

}  // namespace cli
