#include "cli/answer_fields.h"
#include "cli/commands.h"
#include "cli/meanings.h"
#include "cli/sidecar.h"
#include "cli/table.h"
#include "cli/target.h"
#include "json/value.h"

namespace cli {
namespace {

// A blank country is none: then the sidecar has no region to prefer.
bool has_country(const CommandLine& line) {
  return line.country && line.country->find_first_not_of(" \t") != std::string::npos;
}

std::string in_words(const CommandLine& line, const json::Value& answer) {
  const auto room = "Room " + printable(line.subject);
  const auto gateway = text_at(answer, "janus");
  if (gateway.empty()) {
    const auto error = text_at(answer, "error");
    const auto why = meaning_of_refusal(answer);
    return room + " would be refused with " + printable(error) + (why.empty() ? ".\n" : ": " + why + ".\n");
  }
  const auto reason = text_at(answer, "reason");
  const auto why = meaning_of_choice(answer);
  auto text = room + " goes to " + printable(gateway) + " (" + printable(reason) + ')' +
              (why.empty() ? "" : ": " + why) + ".\n";
  // Perhaps by a region of the country's own, or else by that of `*`: the answer does not tell.
  if (has_country(line) && flag_at(answer, "regional_match")) {
    text += printable(gateway) + " serves callers from " + printable(*line.country) + " first.\n";
  }
  return text;
}

std::string for_people(const CommandLine& line, const json::Value& answer) {
  auto text = in_words(line, answer);
  const auto candidates = candidates_of(answer);
  return candidates.empty() ? text : text + '\n' + candidates;
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
