#include "etcd/failure.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "etcd/answers.h"

namespace etcd {
namespace {

bool has(std::string_view text, std::string_view part) { return text.find(part) != text.npos; }

ErrorCode error_of(int code, std::string_view message) {
  switch (code) {
    case 3:   // invalid argument
    case 5:   // not found
    case 6:   // already exists
    case 7:   // permission denied
    case 9:   // failed precondition
    case 12:  // unimplemented
    case 16:  // unauthenticated
      return ErrorCode::refused;
    case 8:  // resource exhausted: the store is full, or a request too large; but also:
      return has(message, "too many requests") ? ErrorCode::unreached : ErrorCode::refused;
    case 11:  // out of range
      return has(message, "compacted") ? ErrorCode::compacted : ErrorCode::refused;
    case 14:  // unavailable: with "hasleader" that one is said before anything is done
      return message == "etcdserver: no leader" ? ErrorCode::unreached : ErrorCode::unknown;
    default:
      return ErrorCode::unknown;
  }
}

bool is_of_token(int code, std::string_view message) {
  return code == 16 || has(message, "user name is empty") || has(message, "revision of auth store is old") ||
         has(message, "invalid auth token");
}

std::string words_of(int status, std::string_view body) {
  constexpr std::size_t enough = 200;
  std::string words = "HTTP " + std::to_string(status) + ": " + std::string(body.substr(0, enough));
  while (!words.empty() && (words.back() == '\n' || words.back() == ' ')) words.pop_back();
  std::replace(words.begin(), words.end(), '\n', ' ');
  return words;
}

}  // namespace

Failure failure_of(ErrorCode error, std::string why) {
  Failure failure;
  failure.error = error;
  failure.why = std::move(why);
  return failure;
}

bool is_sure(const Failure& failure) {
  return failure.error != ErrorCode::unreached && failure.error != ErrorCode::unknown;
}

Failure failure_of(int code, std::string_view message) {
  Failure failure;
  failure.error = error_of(code, message);
  failure.of_token = is_of_token(code, message);
  failure.of_auth_off = has(message, "authentication is not enabled");
  failure.why = std::string(message) + " (code " + std::to_string(code) + ")";
  return failure;
}

Failure failure_of_stream(const json::Value& error) {
  const char* name = error.find("grpc_code") != nullptr ? "grpc_code" : "code";  // from 3.5 on
  const auto code = error.find(name) != nullptr ? number_of(error, name) : std::nullopt;
  return failure_of(static_cast<int>(code.value_or(2)), text_of(error, "message"));
}

Failure failure_of_answer(int status, std::string_view body) {
  const auto json = json::Value::parse(body);
  const json::Value* code = json ? json->find("code") : nullptr;
  const json::Value* message = json ? json->find("message") : nullptr;
  if (json && message == nullptr) message = json->find("error");
  if (code != nullptr && code->unsigned_number() != nullptr && message != nullptr && message->is_string()) {
    return failure_of(static_cast<int>(std::min<std::uint64_t>(*code->unsigned_number(), 99)), *message->string());
  }
  Failure failure;
  failure.why = words_of(status, body);
  if (status == 404) {  // perhaps another's is on
    failure.error = ErrorCode::unreached;
    failure.why += " (is its JSON gateway off?)";
  } else {
    failure.error = status >= 400 && status < 500 ? ErrorCode::refused : ErrorCode::unknown;
  }
  return failure;
}

Failure failure_in(const Answer& answer, bool changes, const std::function<bool(const json::Value& answer)>& reader) {
  switch (answer.outcome) {
    case Answer::Outcome::not_sent:
    case Answer::Outcome::closed:
      return failure_of(ErrorCode::unreached, answer.problem);
    case Answer::Outcome::unsure:
      return failure_of(ErrorCode::unknown, answer.problem);
    case Answer::Outcome::too_long:
      return failure_of(changes ? ErrorCode::unknown : ErrorCode::refused, answer.problem);
    case Answer::Outcome::answered:
      break;
  }
  if (answer.status != 200) return failure_of_answer(answer.status, answer.body);
  const auto json = json::Value::parse(answer.body);
  const json::Value* error = json ? json->find("error") : nullptr;  // of a stream's answer, as a kept lease's is
  if (error != nullptr) return failure_of_stream(*error);
  if (!json || !reader(*json)) return failure_of(ErrorCode::unknown, "the answer is not understood");
  return {};
}

}  // namespace etcd
