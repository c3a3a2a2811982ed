#include "cli/answer_fields.h"
#include "cli/commands.h"
#include "cli/meanings.h"
#include "cli/sidecar.h"
#include "cli/table.h"
#include "cli/target.h"
#include "json/value.h"
#include "terms/terms.h"

namespace cli {
namespace {

// A blank country is none: then the sidecar has no region to prefer.
bool has_country(const CommandLine& line) {
  return line.country && line.country->find_first_not_of(" \t") != std::string::npos;
}

std::string in_words(const CommandLine& line, const json::Value& answer) {
  const auto user = terms::new_user(printable(line.subject));
  const auto gateway = printable(text_at(answer, "janus"));
  const auto text = gateway.empty() ? terms::is_refused(user) : terms::is_sent(user, gateway);
  const auto word = printable(text_at(answer, gateway.empty() ? "error" : "reason"));
  const auto sentence = text + " (" + word + ')' + because(answer) + ".\n";
  // By a region of the country's own or by that of `*`: the answer does not distinguish them.
  return has_country(line) && flag_at(answer, "regional_match")
             ? sentence + terms::serves_callers(gateway, printable(*line.country)) + '\n'
             : sentence;
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
