#include <array>

#include "cli/answer_fields.h"
#include "cli/commands.h"
#include "cli/sidecar.h"
#include "cli/table.h"
#include "cli/target.h"

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
    Meaning{"assigned", "the least loaded one of those that serve it first"},
    Meaning{"overflow", "those that serve it first are full; this is the least loaded of them"},
    Meaning{"borrowed", "none of those that serve it first can take it"},
    Meaning{"reassigned", "it was moved there"},
};

constexpr std::array kErrors{
    Meaning{"room_not_found", "the room is unknown, disabled or removed"},
    Meaning{"gateway_not_found", "its default gateway is missing, disabled or of another type"},
    Meaning{"no_gateway_available", "no gateway may take a new room"},
    Meaning{"capacity_exhausted", "all gateways are full, and when_full is \"reject\""},
    Meaning{"storage_unavailable", "the assignment could not be made durable"},
};

constexpr std::array kVerdicts{
    Meaning{"chosen", "this one"},
    Meaning{"higher_load", "another one is less loaded, or is listed first"},
    Meaning{"full", "one more room is above its capacity"},
    Meaning{"other_region", "is not in this caller's region"},
    Meaning{"draining", "takes no new rooms until undrain"},
    Meaning{"disabled", "is disabled, removed or of another type"},
    Meaning{"down", "does not answer"},
    Meaning{"suspect", "may be down"},
    Meaning{"not_available", "is not among the available servers"},
};

// A blank country is none: then the sidecar has no region to prefer.
bool has_country(const CommandLine& line) {
  return line.country && line.country->find_first_not_of(" \t") != std::string::npos;
}

template <std::size_t N>
std::string meaning(const std::array<Meaning, N>& meanings, const std::string& word) {
  for (const auto& known : meanings) {
    if (known.word == word) return std::string(known.sentence);
  }
  return "";
}

std::string in_words(const CommandLine& line, const http::Json& answer) {
  const auto room = "Room " + printable(line.subject);
  const auto gateway = text_at(answer, "janus");
  if (gateway.empty()) {
    const auto error = text_at(answer, "error");
    const auto why = meaning(kErrors, error);
    return room + " would be refused with " + printable(error) +
           (why.empty() ? ".\n" : ": " + why + ".\n");
  }
  const auto reason = text_at(answer, "reason");
  const auto why = meaning(kReasons, reason);
  auto text = room + " goes to " + printable(gateway) + " (" + printable(reason) + ')' +
              (why.empty() ? "" : ": " + why) + ".\n";
  if (has_country(line)) {
    text += printable(gateway) + (flag_at(answer, "regional_match") ? " is" : " is not") +
            " in the region of " + printable(*line.country) + ".\n";
  }
  return text;
}

std::string for_people(const CommandLine& line, const http::Json& answer) {
  auto text = in_words(line, answer);
  const auto candidates = items_at(answer, "candidates");
  if (candidates.empty()) return text;
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
                   percent(load.value_or(0), capacity.value_or(0)), verdict,
                   meaning(kVerdicts, verdict)});
  }
  return text + '\n' + table.text();
}

}  // namespace

int explain(const CommandLine& line, Terminal& terminal) {
  Sidecar sidecar(line);
  auto target = "/v2/rooms/" + percent_encoded(line.subject) + "/explain";
  if (has_country(line)) target += "?country_code=" + percent_encoded(*line.country);
  const auto answer = sidecar.expect("GET", target);
  terminal.out << (line.json ? answer.text + '\n' : for_people(line, answer.body));
  return kFine;
}

}  // namespace cli
