#include "cli/answer_fields.h"
#include "cli/commands.h"
#include "cli/meanings.h"
#include "cli/sidecar.h"
#include "cli/table.h"
#include "cli/target.h"
#include "json/value.h"

namespace cli {
namespace {

std::string because(const std::string& word, const std::string& meaning) {
  return " (" + printable(word) + ')' + (meaning.empty() ? "" : ": " + meaning);
}

std::string what_happened(const json::Value& decision) {
  const auto gateway = printable(text_at(decision, "janus"));
  const auto left = printable(text_at(decision, "left"));
  const auto asker = text_at(decision, "asked_by");
  if (is_release(decision)) return "released from " + left;
  if (gateway.empty()) {
    const auto error = text_at(decision, "error");
    const auto text = "refused" + because(error, meaning_of_refusal(decision));
    const auto times = number_at(decision, "times").value_or(1);
    return times < 2 ? text
                     : text + "; " + std::to_string(times) + " times since " + printable(text_at(decision, "since"));
  }
  const auto reason = text_at(decision, "reason");
  if (asker == "adoption") return "placed on " + gateway + because(reason, "its users were there");
  const auto text = left.empty() ? "placed on " + gateway : "moved from " + left + " to " + gateway;
  return text + because(reason, meaning_of_choice(decision));
}

std::string who_asked(const json::Value& decision) {
  const auto asker = text_at(decision, "asked_by");
  const auto country = text_at(decision, "country_code");
  auto text = printable(meaning_of_asker(asker));
  if (!country.empty()) {
    text += ", from " + printable(country);
    if (flag_at(decision, "regional_match")) text += ", which it serves first";
  }
  const auto request = text_at(decision, "request_id");
  return request.empty() ? text : text + " (request " + printable(request) + ')';
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
  const auto room = "Room " + printable(line.subject);
  if (decisions.empty()) {
    return "No decision about room " + printable(line.subject) +
           " is remembered: there was none since the sidecar was started, or it is too old.\n"
           "room-sidecar explain shows where it is or would go now.\n";
  }
  std::string text;
  for (const auto& decision : decisions) {
    const bool is_newest = text.empty();
    if (!is_newest) text += '\n';
    text += printable(text_at(decision, "time")) + "  " + room + " was " + what_happened(decision) + ".\n";
    if (is_newest && is_release(decision)) text += "  It has no assignment now.\n";
    text += "  Because " + who_asked(decision) + ".\n";
    text += indented(candidates_of(decision));
    const auto left_out = number_at(decision, "candidates_left_out").value_or(0);
    if (left_out > 0) text += "  and " + std::to_string(left_out) + " more gateways\n";
  }
  if (!text_at(answer, "next").empty()) text += "\nShow older ones with --limit.\n";
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
