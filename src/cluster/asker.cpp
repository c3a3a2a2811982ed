#include "cluster/asker.h"

#include <algorithm>
#include <utility>

namespace cluster {
namespace {

// Less is not worth an attempt; the first one has as much even if the deadline has come.
constexpr std::chrono::milliseconds least_time{10};

}  // namespace

Asker::Asker(const Options& options, std::shared_ptr<Authenticator> authenticator)
    : options_(options),
      authenticator_(std::move(authenticator)),
      connection_(options),
      turn_(options.endpoints),
      attempt_time_(options.attempt_timeout) {}

void Asker::stop() {
  connection_.stop();
  if (authenticator_) authenticator_->wake();
}

Failure Asker::ask(const Question& question, std::optional<Deadline> wished, const Reader& reader) {
  if (turn_.has_none()) return failure_of(Trouble::unreached, "there are no endpoints");
  const auto begun = Clock::now();
  const Deadline deadline = std::max(wished.value_or(begun + attempt_time_.current()), begun + least_time);
  bool may_be_done = false;
  Failure failure;
  std::string why;  // an attempt that had less than its whole time would tell of nothing but that
  for (std::size_t failures = 1;; ++failures) {
    const auto whole_time = Clock::now() + options_.attempt_timeout;
    failure = attempt(question, wished ? std::optional(deadline) : std::nullopt, reader);
    if (is_sure(failure)) {
      turn_.worked();
      break;
    }
    if (!wished || whole_time <= deadline || why.empty()) why = failure.why;
    may_be_done = may_be_done || failure.trouble == Trouble::unknown;
    if (!token_) break;  // none came in time
    turn_.failed(Clock::now());
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now());
    if (left < least_time || !connection_.sleep_until(Clock::now() + std::min(turn_.pause_after(failures), left / 2))) {
      break;
    }
  }
  if (failure.trouble == Trouble::none) return failure;
  if (!is_sure(failure)) failure.why = why;
  // A later refusal does not undo what an earlier attempt may have done.
  if (may_be_done && question.changes) return failure_of(Trouble::unknown, failure.why);
  if (failure.trouble == Trouble::unknown) failure.trouble = Trouble::unreached;
  return failure;
}

Failure Asker::ask_one(const std::string& endpoint, const Question& question, const Reader& reader) {
  return post(endpoint, question, "", std::nullopt, reader);
}

Failure Asker::listen(const Question& question, std::chrono::milliseconds silence, const Connection::Sink& sink) {
  if (turn_.has_none()) return failure_of(Trouble::unreached, "there are no endpoints");
  if (!connection_.sleep_until(Clock::now() + turn_.pause_after(listening_failed_))) {
    return failure_of(Trouble::unreached, "stopped");
  }
  Failure failure = wait_for_token(std::nullopt);
  if (!token_) return failure;
  const auto begun = Clock::now();
  const Request request{question.path, question.body, token_->text, question.needs_leader};
  const Answer answer = connection_.stream(turn_.endpoint(), request, begun + attempt_time_.current(), silence, sink);
  if (answer.status == 200) return failure_of(Trouble::none, answer.problem);
  if (answer.status == 0) attempt_time_.gave_up_after(begun);
  return failure_in(answer, false, [](const http::Json&) { return false; });
}

void Asker::listened_well() {
  listening_failed_ = 0;
  turn_.worked();
}

void Asker::listened_badly() {
  ++listening_failed_;
  turn_.failed(Clock::now());
}

Failure Asker::attempt(const Question& question, std::optional<Deadline> deadline, const Reader& reader) {
  const auto begun = Clock::now();
  for (;;) {
    Failure failure = wait_for_token(deadline);
    if (!token_) return failure;
    failure = post(turn_.endpoint(), question, token_->text, deadline, reader);
    if (!failure.of_token || !forget_token(begun)) return failure;
  }
}

Failure Asker::post(const std::string& endpoint, const Question& question, const std::string& token,
                    std::optional<Deadline> deadline, const Reader& reader) {
  const auto begun = Clock::now();
  const Deadline until =
      deadline ? std::min(*deadline, begun + options_.attempt_timeout) : begun + attempt_time_.current();
  const Answer answer = connection_.post(endpoint, {question.path, question.body, token, question.needs_leader}, until);
  if (answer.outcome == Answer::Outcome::answered) {
    attempt_time_.answered_after(begun);
  } else {
    attempt_time_.gave_up_after(begun);
  }
  return failure_in(answer, question.changes, reader);
}

Failure Asker::wait_for_token(std::optional<Deadline> deadline) {
  if (token_) return {};
  Authenticator::Token token;
  Failure failure;
  if (authenticator_) {
    failure = authenticator_->wait_for_newer(
        refused_token_, deadline.value_or(Clock::now() + attempt_time_.current()), [this] { return is_stopped(); },
        token);
  }
  if (failure.trouble == Trouble::none) token_ = std::move(token);
  return failure;
}

// It has expired, a member that was started anew does not know it, or rights have changed.
bool Asker::forget_token(Clock::time_point begun) {
  if (!authenticator_ || !token_) return false;
  const bool is_old = token_->made < begun;
  refused_token_ = token_->number;
  token_.reset();
  return is_old;
}

}  // namespace cluster
