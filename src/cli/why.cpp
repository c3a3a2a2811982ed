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

std::string sentence_of(const json::Value& decision, const CommandLine& line) {
  auto text = what_happened(decision) + because(decision);
  const auto times = number_at(decision, "times").value_or(1);
  if (times > 1) text += "; " + terms::times_since(times, printable(text_at(decision, "since")));
  return terms::room_was(printable(line.subject), text);
}

std::string who_asked(const json::Value& decision) {
  const auto asker = text_at(decision, "asked_by");
  const auto country = text_at(decision, "country_code");
  auto text = terms::asker(asker);
  if (text.empty()) text = printable(asker);
  if (!country.empty()) text = terms::from_country(text, printable(country));
  if (!country.empty() && flag_at(decision, "regional_match")) text = terms::served_first(text);
  const auto request = text_at(decision, "request_id");
  return request.empty() ? text : terms::by_request(text, printable(request));
}

std::string indented(const std::string& text) {
  std::string result;
  bool begins = true;
  for (const char c : text) {
    if (begins) result += "  ";
    result += c;
    begins = c == '\n';
  }
  return result;
}

std::string for_people(const CommandLine& line, const json::Value& answer) {
  const auto decisions = items_at(answer, "decisions");
  if (decisions.empty()) return terms::no_decision(printable(line.subject)) + '\n' + terms::explain_shows() + '\n';
  std::string text;
  for (const auto& decision : decisions) {
    const bool is_newest = text.empty();
    if (!is_newest) text += '\n';
    text += printable(text_at(decision, "time")) + "  " + sentence_of(decision, line) + '\n';
    if (is_newest && is_release(decision)) text += "  " + terms::no_assignment() + '\n';
    text += "  " + terms::because(who_asked(decision)) + '\n';
    text += indented(candidates_of(decision));
    const auto left_out = number_at(decision, "candidates_left_out").value_or(0);
    if (left_out > 0) text += "  " + terms::more_gateways(left_out) + '\n';
  }
  if (!text_at(answer, "next").empty()) text += '\n' + terms::show_older() + '\n';
  return text;
}

}  // namespace

int why(const CommandLine& line, Terminal& terminal) {
  Sidecar sidecar(line);
  const auto answer = sidecar.expect("GET", "/v2/decisions?room=" + percent_encoded(line.subject) +
                                                "&limit=" + percent_encoded(line.limit.value_or("3")));
  terminal.out << (line.json ? answer.text + '\n' : for_people(line, answer.body));
  return kFine;
}

}  // namespace cli
