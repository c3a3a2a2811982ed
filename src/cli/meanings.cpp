#include "cli/meanings.h"

#include <algorithm>
#include <array>

#include "cli/answer_fields.h"
#include "cli/table.h"

namespace cli {
namespace {

struct Meaning {
  std::string_view word;
  std::string_view sentence;
};

constexpr std::array kReasons{
    Meaning{"default", "its default gateway, as legacy mode answers"},
    Meaning{"pinned", "fixed there by configuration"},
    Meaning{"sticky", "it is there already"},
    Meaning{"assigned", "chosen by load, among the first that can take it"},
    Meaning{"overflow", "the gateways that serve it first are full; this one was chosen among them by load"},
    Meaning{"borrowed", "no gateway that serves it first can take it"},
    Meaning{"reassigned", "moved there from a gateway that rooms have to leave"},
};

constexpr std::array kErrors{
    Meaning{"room_not_found", "the room is unknown, disabled or removed"},
    Meaning{"gateway_not_found", "its default gateway is missing, disabled or of another type"},
    Meaning{"no_gateway_available", "no gateway may take a new room"},
    Meaning{"capacity_exhausted", "the gateways that could take it are full, and when_full is \"reject\""},
    Meaning{"storage_unavailable", "the assignment could not be made durable"},
};

constexpr std::array kVerdicts{
    Meaning{"chosen", "this one"},
    Meaning{"higher_load", "another gateway is less loaded, or is listed first"},
    Meaning{"not_drawn", "another gateway was drawn by chance"},
    Meaning{"full", "one more room is above its capacity"},
    Meaning{"other_region", "serves another region first"},
    Meaning{"no_region", "is in no region; the gateways that serve the caller first come before it"},
    Meaning{"draining", "takes no new rooms until undrain"},
    Meaning{"disabled", "is disabled, removed or of another type"},
    Meaning{"down", "does not answer"},
    Meaning{"suspect", "may be down, or has just come back"},
    Meaning{"standby", "is a standby server, used while no other gateway is up"},
    Meaning{"not_available", "is not among the available servers"},
};

constexpr std::array kAskers{
    Meaning{"user", "a user asked"},
    Meaning{"session", "a session was reported"},
    Meaning{"mover", "rooms had to leave its gateway"},
    Meaning{"adoption", "it was in use without a gateway of its own"},
    Meaning{"operator", "an operator asked for that"},
    Meaning{"configuration", "the configuration or the database changed"},
};

template <std::size_t N>
std::string meaning(const std::array<Meaning, N>& meanings, const std::string& word) {
  for (const auto& known : meanings) {
    if (known.word == word) return std::string(known.sentence);
  }
  return "";
}

}  // namespace

std::string meaning_of_choice(const json::Value& answer) {
  const auto reason = text_at(answer, "reason");
  // By load, or since its users are there, or it has just been there: with one candidate nobody can tell.
  const bool had_a_choice = items_at(answer, "candidates").size() != 1;
  return reason == "assigned" && !had_a_choice ? "no other gateway was considered" : meaning(kReasons, reason);
}
std::string meaning_of_error(const std::string& word) { return meaning(kErrors, word); }
std::string meaning_of_asker(const std::string& word) {
  const auto known = meaning(kAskers, word);
  return known.empty() ? word : known;
}

bool is_release(const json::Value& decision) {
  return text_at(decision, "janus").empty() && text_at(decision, "error").empty();
}

std::string meaning_of_refusal(const json::Value& answer) {
  const auto error = text_at(answer, "error");
  const auto candidates = items_at(answer, "candidates");
  const auto is_down = [](const json::Value& candidate) { return text_at(candidate, "verdict") == "down"; };
  const auto down = std::count_if(candidates.begin(), candidates.end(), is_down);
  const auto verdict = candidates.size() == 1 ? text_at(candidates[0], "verdict") : "";
  if (verdict != "disabled") {
    return meaning_of_error(error) + (down > 0 ? "; " + std::to_string(down) + " of them down by their health" : "");
  }
  // As with a pin: other gateways may well be there for other rooms.
  const auto name = printable(text_at(candidates[0], "name"));
  const bool is_pinned = text_at(answer, "reason") == "pinned";
  return (is_pinned ? "it is fixed by configuration to " + name + ", which "
                    : "it may go to " + name + " only, which ") +
         meaning(kVerdicts, verdict);
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
                   percent(load.value_or(0), capacity.value_or(0)), verdict, meaning(kVerdicts, verdict)});
  }
  return table.text();
}

}  // namespace cli
