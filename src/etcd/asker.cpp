#include "etcd/asker.h"

#include <algorithm>
#include <utility>

#include "etcd/answers.h"

namespace etcd {
namespace {

// Less is not worth an attempt; the first one has as much even if the deadline has come.
constexpr std::chrono::milliseconds least_time{10};

}  // namespace

Asker::Asker(const Options& options, std::shared_ptr<Authenticator> authenticator,
             std::shared_ptr<FollowedCluster> cluster)
    : options_(options),
      authenticator_(std::move(authenticator)),
      cluster_(std::move(cluster)),
      connection_(options),
      check_(options, connection_, cluster_),
      rotation_(options.endpoints),
      attempt_time_(options.attempt_timeout) {}

void Asker::stop() {
  connection_.stop();
  if (authenticator_) authenticator_->wake();
}

Failure Asker::ask(const Question& question, std::optional<Deadline> requested, const Reader& reader) {
  if (rotation_.has_none()) return failure_of(ErrorCode::unreached, "there are no endpoints");
  const auto begun = Clock::now();
  const Deadline deadline = std::max(requested.value_or(begun + attempt_time_.current()), begun + least_time);
  bool may_be_done = false;
  Failure failure;
  std::string why;  // an attempt that had less than its whole time would report nothing but that
  for (std::size_t failures = 1;; ++failures) {
    const auto whole_time = Clock::now() + options_.attempt_timeout;
    const bool is_last = failures >= options_.endpoints.size();
    failure = attempt(question, requested ? std::optional(deadline) : std::nullopt, reader, is_last);
    if (failure.of_stranger && !is_last) failure.error = ErrorCode::unreached;
    if (is_sure(failure)) {
      rotation_.worked();
      break;
    }
    if (!requested || whole_time <= deadline || why.empty()) why = failure.why;
    may_be_done = may_be_done || failure.error == ErrorCode::unknown;
    if (!token_) break;  // none came in time
    rotation_.failed(Clock::now());
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now());
    if (left < least_time ||
        !connection_.sleep_until(Clock::now() + std::min(rotation_.pause_after(failures), left / 2))) {
      break;
    }
  }
  if (failure.error == ErrorCode::none) return failure;
  if (!is_sure(failure)) failure.why = why;
  // A later refusal does not undo what an earlier attempt may have done.
  if (may_be_done && question.changes) return failure_of(ErrorCode::unknown, failure.why);
  if (failure.error == ErrorCode::unknown) failure.error = ErrorCode::unreached;
  return failure;
}

Failure Asker::ask_one(const std::string& endpoint, const Question& question, const Reader& reader) {
  const auto begun = Clock::now();
  const Answer answer = connection_.post(
      endpoint, {question.path, question.body, token_ ? token_->text : "", question.needs_leader}, end_of_attempt({}));
  note_time(answer, begun);
  return failure_in(answer, question.changes, reader);
}

Failure Asker::ask_for_cluster(const std::string& endpoint, std::string& id) {
  Failure failure = wait_for_token(std::nullopt);
  if (!token_) return failure;
  failure = check_.ask_for_id(endpoint, token_->text, end_of_attempt({}), id);
  if (failure.of_token) forget_token(Clock::now());  // another one is for the next time
  return failure;
}

void Asker::note_time(const Answer& answer, Clock::time_point begun) {
  if (answer.outcome == Answer::Outcome::answered) {
    attempt_time_.answered_after(begun);
  } else {
    attempt_time_.gave_up_after(begun);
  }
}

bool Asker::finds_replacement() {
  return cluster_->has_foreign() && check_.choose(token_ ? token_->text : "", end_of_attempt({}));
}

Failure Asker::listen(const Question& question, std::chrono::milliseconds silence, const Connection::Sink& sink) {
  if (rotation_.has_none()) return failure_of(ErrorCode::unreached, "there are no endpoints");
  if (!connection_.sleep_until(Clock::now() + rotation_.pause_after(listening_failed_))) {
    return failure_of(ErrorCode::unreached, "stopped");
  }
  Failure failure = wait_for_token(std::nullopt);
  if (!token_) return failure;
  failure = select_member(std::nullopt);
  if (failure.error != ErrorCode::none) return failure;
  Answer answer;
  failure = send(answer, std::nullopt, [&](std::uint64_t over) {
    const auto begun = Clock::now();
    const Request request{question.path, question.body, token_->text, question.needs_leader, over};
    auto reply = connection_.stream(rotation_.endpoint(), request, begun + attempt_time_.current(), silence, sink);
    if (reply.status == 0) attempt_time_.gave_up_after(begun);
    return reply;
  });
  // The last one that was left to know better.
  if (listening_failed_ + 1 >= options_.endpoints.size()) failure.of_stranger = false;
  if (failure.error != ErrorCode::none) return failure;
  if (answer.status == 200) return failure_of(ErrorCode::none, answer.problem);
  return failure_in(answer, false, [](const json::Value&) { return false; });
}

void Asker::listened_well() {
  listening_failed_ = 0;
  rotation_.worked();
}

void Asker::listened_badly() {
  ++listening_failed_;
  rotation_.failed(Clock::now());
}

Failure Asker::attempt(const Question& question, std::optional<Deadline> deadline, const Reader& reader, bool is_last) {
  const auto begun = Clock::now();
  for (;;) {
    Failure failure = wait_for_token(deadline);
    if (!token_) return failure;
    failure = select_member(deadline);
    if (failure.error == ErrorCode::none) failure = post(question, deadline, reader);
    // A stranger's refusal of the token may be another cluster's. It counts only if no other member knows better.
    if (!failure.of_token || (failure.of_stranger && !is_last) || !forget_token(begun)) return failure;
  }
}

// Finds out which cluster counts, if that is not known yet, and turns to one of its members.
Failure Asker::select_member(std::optional<Deadline> deadline) {
  if (cluster_->id().empty()) {
    const auto begun = Clock::now();
    check_.choose(token_->text, end_of_attempt(deadline));
    if (cluster_->id().empty()) {
      attempt_time_.gave_up_after(begun);
      Failure failure = check_.failure_at(rotation_.endpoint());
      if (failure.error != ErrorCode::none) return failure;
      return failure_of(ErrorCode::unreached,
                        cluster_->problem().value_or("it is not known which etcd cluster counts"));
    }
  }
  return check_.select_member(rotation_);
}

Asker::Deadline Asker::end_of_attempt(std::optional<Deadline> deadline) const {
  return deadline ? std::min(*deadline, Clock::now() + options_.attempt_timeout)
                  : Clock::now() + attempt_time_.current();
}

Failure Asker::post(const Question& question, std::optional<Deadline> deadline, const Reader& reader) {
  const std::string& endpoint = rotation_.endpoint();
  Answer answer;
  Failure failure = send(answer, deadline, [&](std::uint64_t over) {
    const auto begun = Clock::now();
    const Request request{question.path, question.body, token_->text, question.needs_leader, over};
    auto reply = connection_.post(endpoint, request, end_of_attempt(deadline));
    note_time(reply, begun);
    return reply;
  });
  if (failure.error != ErrorCode::none) return failure;
  std::optional<std::string> other;
  failure = failure_in(answer, question.changes, [&](const json::Value& json) {
    const std::string id = cluster_id_of(json);
    if (!cluster_->counts(endpoint, id)) other = id;
    return !other && reader(json);
  });
  if (other) return failure_of(ErrorCode::unreached, words_for_other_cluster(endpoint, *other));
  return failure;
}

// A connection may be closed between its check and its use, also as one that was not used for long: then a new one is
// checked. Where that is closed at once, too, as some proxies do, the answer's own id has to do.
Failure Asker::send(Answer& answer, std::optional<Deadline> deadline,
                    const std::function<Answer(std::uint64_t over)>& over_connection) {
  for (const bool is_again : {false, true}) {
    const auto begun = Clock::now();
    Failure failure = check_.pass(rotation_.endpoint(), token_->text, end_of_attempt(deadline));
    if (!is_sure(failure)) attempt_time_.gave_up_after(begun);
    if (failure.error != ErrorCode::none) return failure;
    answer = over_connection(is_again ? 0 : check_.passed());
    if (answer.outcome != Answer::Outcome::closed) break;
  }
  return {};
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
  if (failure.error == ErrorCode::none) token_ = std::move(token);
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

}  // namespace etcd
