#include "cluster/asker.h"

#include <algorithm>
#include <fstream>
#include <utility>

#include "cluster/answers.h"
#include "cluster/requests.h"

namespace cluster {
namespace {

// Less is not worth an attempt; the first one has as much even if the deadline has come.
constexpr std::chrono::milliseconds least_time{10};

Failure trouble(Trouble kind, std::string why) {
  Failure failure;
  failure.trouble = kind;
  failure.why = std::move(why);
  return failure;
}

bool is_sure(const Failure& failure) {
  return failure.trouble != Trouble::unreached && failure.trouble != Trouble::unknown;
}

std::optional<std::string> first_line_of(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  if (!std::getline(file, line)) return std::nullopt;
  if (!line.empty() && line.back() == '\r') line.pop_back();
  return line;
}

}  // namespace

Asker::Asker(const Options& options) : options_(options), connection_(options), turn_(options.endpoints) {}

Failure Asker::ask(const Question& question, Deadline deadline, const Reader& reader) {
  if (turn_.has_none()) return trouble(Trouble::unreached, "there are no endpoints");
  deadline = std::max(deadline, Clock::now() + least_time);
  bool may_be_done = false;
  Failure failure;
  std::string why;  // an attempt that had less than its whole time would tell of nothing but that
  for (std::size_t failures = 1;; ++failures) {
    const auto whole_time = Clock::now() + options_.attempt_timeout;
    failure = attempt(question, std::min(deadline, whole_time), reader);
    if (is_sure(failure)) {
      turn_.worked();
      break;
    }
    if (whole_time <= deadline || why.empty()) why = failure.why;
    may_be_done = may_be_done || failure.trouble == Trouble::unknown;
    turn_.failed(Clock::now());
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now());
    if (left < least_time || !connection_.sleep_until(Clock::now() + std::min(turn_.pause_after(failures), left / 2))) {
      break;
    }
  }
  if (failure.trouble == Trouble::none) return failure;
  if (!is_sure(failure)) failure.why = why;
  // A later refusal does not undo what an earlier attempt may have done.
  if (may_be_done && question.changes) return trouble(Trouble::unknown, failure.why);
  if (failure.trouble == Trouble::unknown) failure.trouble = Trouble::unreached;
  return failure;
}

Failure Asker::ask_one(const std::string& endpoint, const Question& question, Deadline deadline, const Reader& reader) {
  const Answer answer = connection_.post(endpoint, {question.path, question.body, "", question.needs_leader}, deadline);
  return understand(answer, question.changes, reader);
}

Failure Asker::listen(const Question& question, std::chrono::milliseconds silence, const Connection::Sink& sink) {
  if (turn_.has_none()) return trouble(Trouble::unreached, "there are no endpoints");
  if (!connection_.sleep_until(Clock::now() + turn_.pause_after(listening_failed_))) {
    return trouble(Trouble::unreached, "stopped");
  }
  const auto until = Clock::now() + options_.attempt_timeout;
  if (!token_) {
    Failure failure = authenticate(until);
    if (failure.trouble != Trouble::none) return failure;
  }
  const Answer answer = connection_.stream(
      turn_.endpoint(), {question.path, question.body, *token_, question.needs_leader}, until, silence, sink);
  if (answer.status == 200) return trouble(Trouble::none, answer.problem);
  return understand(answer, false, [](const http::Json&) { return false; });
}

void Asker::listened_well() {
  listening_failed_ = 0;
  turn_.worked();
}

void Asker::listened_badly() {
  ++listening_failed_;
  turn_.failed(Clock::now());
}

Failure Asker::attempt(const Question& question, Deadline until, const Reader& reader) {
  for (bool is_again = false;; is_again = true) {
    if (!token_) {
      Failure failure = authenticate(until);
      if (failure.trouble != Trouble::none) return failure;
    }
    const Answer answer =
        connection_.post(turn_.endpoint(), {question.path, question.body, *token_, question.needs_leader}, until);
    Failure failure = understand(answer, question.changes, reader);
    if (!failure.of_token || !options_.user || is_again) return failure;
    // Expired, forgotten by a member that was started anew, or of rights that have changed.
    forget_token();
  }
}

Failure Asker::authenticate(Deadline until) {
  if (!options_.user) {
    token_ = "";
    return {};
  }
  // Read each time: it may have been changed.
  const std::string path = options_.password_file.value_or("");
  const auto password = first_line_of(path);
  if (!password) return trouble(Trouble::refused, "password_file " + path + " cannot be read");
  const Answer answer = connection_.post(
      turn_.endpoint(), {"/v3/auth/authenticate", authenticate_request(*options_.user, *password), "", true}, until);
  Failure failure = understand(answer, false, [this](const http::Json& json) {
    token_ = text_of(json, "token");
    return !token_->empty();
  });
  if (failure.of_auth_off) {
    token_ = "";
    return {};
  }
  if (failure.trouble != Trouble::none) {
    token_.reset();
    // Whatever became of that, nothing was done that anybody asked for.
    if (failure.trouble == Trouble::unknown) failure.trouble = Trouble::unreached;
    failure.of_token = false;
  }
  return failure;
}

Failure Asker::understand(const Answer& answer, bool changes, const Reader& reader) {
  switch (answer.outcome) {
    case Answer::Outcome::not_sent:
      return trouble(Trouble::unreached, answer.problem);
    case Answer::Outcome::unsure:
      return trouble(Trouble::unknown, answer.problem);
    case Answer::Outcome::too_long:
      return trouble(changes ? Trouble::unknown : Trouble::refused, answer.problem);
    case Answer::Outcome::answered:
      break;
  }
  Failure failure;
  if (answer.status != 200) {
    failure = failure_of_answer(answer.status, answer.body);
  } else {
    const auto json = http::Json::parse(answer.body);
    const http::Json* error = json ? json->find("error") : nullptr;  // of a stream's answer, as a kept lease's is
    if (error != nullptr) {
      failure = failure_of(static_cast<int>(number_of(*error, "grpc_code").value_or(2)), text_of(*error, "message"));
    } else if (!json || !reader(*json)) {
      failure = trouble(Trouble::unknown, "the answer is not understood");
    }
  }
  return failure;
}

}  // namespace cluster
