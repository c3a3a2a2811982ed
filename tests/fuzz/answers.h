// Parses the server's answers strictly, as a client that no smuggled answer may reach.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fuzz/expect.h"
#include "json/value.h"

namespace fuzz {

struct Answer {
  int status = 0;
  bool closes = false;
  std::string body;
};

inline void take_field(std::string_view line, Answer& answer, std::optional<std::size_t>& length, int& dates) {
  const auto colon = line.find(": ");
  expect(colon != line.npos && colon > 0 && is_one_line(line), "a header field");
  const auto name = line.substr(0, colon);
  const auto value = line.substr(colon + 2);
  for (const char c : name) {
    expect((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-', "a field's name");
  }
  if (name == "Date") {
    ++dates;
    expect(value.size() == 29 && value.substr(3, 2) == ", " && value.substr(25) == " GMT", "an HTTP date");
  }
  if (name == "Connection" && value == "close") answer.closes = true;
  expect(name != "Transfer-Encoding", "an answer with its length");
  if (name != "Content-Length") return;
  expect(!length, "one Content-Length");
  length = static_cast<std::size_t>(std::strtoull(std::string(value).c_str(), nullptr, 10));
}

// Every byte belongs to one of them. The answer to HEAD has no body; bodies here begin with a brace.
inline std::vector<Answer> answers_in(std::string_view sent) {
  std::vector<Answer> answers;
  while (!sent.empty()) {
    const auto end = sent.find("\r\n\r\n");
    expect(end != sent.npos && sent.substr(0, 9) == "HTTP/1.1 ", "an answer that is whole");
    std::string_view head = sent.substr(0, end + 2);
    sent.remove_prefix(end + 4);
    Answer answer;
    answer.status = std::atoi(std::string(head.substr(9, 3)).c_str());
    expect(answer.status >= 200 && answer.status < 600, "a status");
    head.remove_prefix(head.find("\r\n") + 2);
    std::optional<std::size_t> length;
    int dates = 0;
    while (!head.empty()) {
      const auto line_end = head.find("\r\n");
      take_field(head.substr(0, line_end), answer, length, dates);
      head.remove_prefix(line_end + 2);
    }
    expect(length.has_value(), "a Content-Length");
    expect(dates == 1, "one Date");
    if (sent.substr(0, 1) == "{") {
      expect(*length <= sent.size(), "the whole body");
      answer.body = sent.substr(0, *length);
      sent.remove_prefix(*length);
      expect(json::Value::parse(answer.body).has_value(), "a body of JSON");
    }
    expect(answers.empty() || !answers.back().closes, "nothing behind Connection: close");
    answers.push_back(std::move(answer));
  }
  return answers;
}

}  // namespace fuzz
