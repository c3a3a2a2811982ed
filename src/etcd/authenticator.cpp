#include "etcd/authenticator.h"

#include <pthread.h>

#include <algorithm>
#include <utility>

#include "etcd/answers.h"
#include "etcd/requests.h"
#include "files/read_file.h"
#include "json/value.h"

namespace etcd {
namespace {

using namespace std::chrono_literals;

// A password check takes etcd a tenth of a second, but many seconds while a whole fleet wants one.
constexpr auto longest_check = 30s;
constexpr std::chrono::milliseconds shortest_pause = 500ms;
constexpr std::chrono::milliseconds longest_pause = 30s;
// A token that is refused sooner did not last.
constexpr auto lasting = 10s;

}  // namespace

std::shared_ptr<Authenticator> Authenticator::for_user_of(const Options& options,
                                                          std::shared_ptr<FollowedCluster> cluster) {
  return options.user ? std::make_shared<Authenticator>(options, std::move(cluster)) : nullptr;
}

Authenticator::Authenticator(const Options& options, std::shared_ptr<FollowedCluster> cluster)
    : options_(options),
      cluster_(std::move(cluster)),
      connection_(options),
      check_(options, connection_, cluster_),
      rotation_(options.endpoints),
      attempt_time_(options.attempt_timeout),
      thread_([this] { work(); }) {}

Authenticator::~Authenticator() {
  {
    const locks::MutexLock lock(mutex_);
    stopping_ = true;
  }
  connection_.stop();
  wanted_.notify_one();
  thread_.join();
}

Failure Authenticator::wait_for_newer(std::uint64_t number, Deadline deadline, const std::function<bool()>& is_stopped,
                                      Token& token) {
  locks::MutexLock lock(mutex_);
  const auto refusals = refusals_;
  if (token_.number <= number && !std::exchange(is_wanted_, true)) wanted_.notify_one();
  settled_.wait_until(lock, deadline, [&]() REQUIRES(mutex_) {
    return token_.number > number || refusals_ != refusals || is_stopped();
  });
  if (token_.number <= number) {
    return refusals_ != refusals ? last_refusal_ : failure_of(ErrorCode::unreached, "there is no token yet: " + why_);
  }
  token = token_;
  return {};
}

void Authenticator::wait_for_check(Deadline deadline, Deadline while_checking) {
  locks::MutexLock lock(mutex_);
  const auto refusals = refusals_;
  if (token_.number == 0 && !std::exchange(is_wanted_, true)) wanted_.notify_one();
  const auto is_settled = [&]() REQUIRES(mutex_) { return token_.number > 0 || refusals_ != refusals; };
  settled_.wait_until(lock, deadline, is_settled);
  settled_.wait_until(lock, while_checking, [&]() REQUIRES(mutex_) { return is_settled() || !is_checking_; });
}

void Authenticator::wake() {
  const locks::MutexLock lock(mutex_);
  settled_.notify_all();
}

void Authenticator::work() {
  ::pthread_setname_np(::pthread_self(), "authenticator");
  locks::MutexLock lock(mutex_);
  for (;;) {
    wanted_.wait(lock, [this]() REQUIRES(mutex_) { return stopping_ || is_wanted_; });
    if (stopping_) return;
    lock.unlock();
    Token token;
    Failure failure = authenticate(token);
    lock.lock();
    is_wanted_ = false;
    if (failure.error == ErrorCode::none) {
      token.number = token_.number + 1;
      token.made = Clock::now();
      token_ = std::move(token);
    } else {
      ++refusals_;
      last_refusal_ = std::move(failure);
    }
    settled_.notify_all();
  }
}

// Goes on until etcd has given a token or refused one, or the thread is to end.
Failure Authenticator::authenticate(Token& token) {
  if (made_ && Clock::now() - *made_ >= lasting) {
    in_vain_ = 0;
    next_check_ = {};
  } else if (made_) {
    rotation_.failed(Clock::now());  // the others may not know what it gives
  }
  made_.reset();
  for (std::size_t strangers = 1;;) {
    // Read each time: it may have been changed.
    const std::string path = options_.password_file.value_or("");
    const files::FileText file = files::read_file(path);
    if (!file.text || file.text->empty()) {
      return failure_of(ErrorCode::refused, "password_file " + path + " cannot be read" +
                                                (file.problem.empty() ? "" : " (" + file.problem + ")"));
    }
    const std::string password = files::first_line(*file.text);
    if (password == refused_password_ && Clock::now() < next_check_) return refusal_;
    const bool may_be_mended = refused_password_ && password != refused_password_;
    if (!may_be_mended && !connection_.sleep_until(next_check_)) return failure_of(ErrorCode::unreached, "stopped");
    Failure failure = find_member();
    if (failure.error == ErrorCode::none) return failure;  // without a token: etcd wants none
    if (connection_.is_stopped()) return failure;
    note("the password check at " + rotation_.endpoint() + " goes on", true);
    failure = check_password(password, token);
    note(failure.why, false);
    delay_next_check();
    if (failure.error == ErrorCode::refused && is_stranger_ && strangers++ < options_.endpoints.size()) {
      rotation_.failed(Clock::now());
      continue;
    }
    if (failure.error == ErrorCode::refused) {
      refused_password_ = password;
      return refusal_ = std::move(failure);
    }
    refused_password_.reset();
    if (failure.error == ErrorCode::none) {
      made_ = Clock::now();
      return failure;
    }
    rotation_.failed(Clock::now());
  }
}

// One that hangs would keep the check until its deadline. So members are asked for something first that costs them
// nothing, and that they can answer only while they belong to a majority. It is refused (or not, where etcd wants no
// token); no other refusal matters here.
Failure Authenticator::find_member() {
  const Request question{"/v3/kv/range", to_json(RangeRequest{options_.prefix, "", 1})};
  for (std::size_t failures = 1;; ++failures) {
    const auto begun = Clock::now();
    Failure failure = check_member();
    if (failure.error == ErrorCode::none) {
      const Answer answer = connection_.post(rotation_.endpoint(), question, Clock::now() + attempt_time_.current());
      failure = failure_in(answer, false, [this](const json::Value& json) { return counts(json); });
    }
    if (is_sure(failure)) {
      attempt_time_.answered_after(begun);
      rotation_.worked();
      return failure;
    }
    attempt_time_.gave_up_after(begun);
    note(failure.why, false);
    rotation_.failed(Clock::now());
    if (!connection_.sleep_until(Clock::now() + rotation_.pause_after(failures))) return failure;
  }
}

// Another cluster may know another password, or want none. Until it is known which one counts, any may.
Failure Authenticator::check_member() {
  const auto until = Clock::now() + attempt_time_.current();
  if (cluster_->id().empty()) check_.choose("", until);
  Failure failure = check_.select_member(rotation_);
  if (failure.error != ErrorCode::none) return failure;
  is_stranger_ = cluster_->id().empty();
  if (is_stranger_) return {};
  failure = check_.pass(rotation_.endpoint(), "", Clock::now() + attempt_time_.current());
  is_stranger_ = failure.of_stranger;
  return is_stranger_ ? Failure() : failure;
}

bool Authenticator::counts(const json::Value& answer) {
  return cluster_->id().empty() || cluster_->counts(rotation_.endpoint(), cluster_id_of(answer));
}

Failure Authenticator::check_password(const std::string& password, Token& token) {
  const Request question{"/v3/auth/authenticate", authenticate_request(*options_.user, password)};
  const Answer answer = connection_.post(rotation_.endpoint(), question, Clock::now() + longest_check);
  Failure failure = failure_in(answer, false, [&](const json::Value& json) {
    token.text = counts(json) ? text_of(json, "token") : "";
    return !token.text.empty();
  });
  if (failure.of_auth_off) return {};
  failure.of_token = false;
  return failure;
}

void Authenticator::delay_next_check() {
  const auto most = std::min(shortest_pause * (1 << std::min<std::size_t>(in_vain_++, 6)), longest_pause);
  std::uniform_int_distribution<long> part(most.count() / 2, most.count());
  next_check_ = Clock::now() + std::chrono::milliseconds(part(random_));
}

void Authenticator::note(std::string why, bool is_checking) {
  const locks::MutexLock lock(mutex_);
  why_ = std::move(why);
  is_checking_ = is_checking;
  settled_.notify_all();
}

}  // namespace etcd
