#include "cluster/command_queue.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace cluster {
namespace {

using namespace std::chrono_literals;

// So far the queue is searched for one of another subject.
constexpr std::size_t most_looked_at = 256;
// The pause before the store is asked again for what it refused: somebody has to mend that first.
constexpr auto pause_after_refusal = 1s;

}  // namespace

bool CommandQueue::push(Command& command) {
  const locks::MutexLock lock(mutex_);
  if (stopping_) return false;
  enqueue(std::move(command), false);
  woken_.notify_one();
  return true;
}

// A command with a waiting caller stays behind an ordinary one of its subject, so that their order is kept.
void CommandQueue::enqueue(Command command, bool in_front) {
  const std::string subject = subject_of(command);
  const bool is_urgent = is_waited_for(command) && ordinary_.count(subject) == 0;
  if (!is_urgent) ++ordinary_[subject];
  auto& queue = is_urgent ? urgent_ : queue_;
  in_front ? queue.push_front(std::move(command)) : queue.push_back(std::move(command));
}

CommandQueue::Batch CommandQueue::take() {
  Batch batch;
  locks::MutexLock lock(mutex_);
  for (;;) {
    if (stopping_) return {};
    if (!later_.empty() && Clock::now() >= later_at_) {
      for (Command& command : std::exchange(later_, {})) enqueue(std::move(command), false);
    }
    take_some(batch);
    if (!batch.commands.empty()) {
      in_hand_.insert(batch.subjects.begin(), batch.subjects.end());
      return batch;
    }
    const auto until = next_deadline();
    until ? void(woken_.wait_until(lock, *until)) : woken_.wait(lock);
  }
}

// Commands whose time is over are taken, too, so that their callers learn it: they must not hang behind what the store
// has not taken for long.
void CommandQueue::take_some(Batch& batch) {
  std::set<std::string> subjects;  // of this batch
  const auto may_be_sent = [&](const std::string& subject) REQUIRES(mutex_) {
    return held_.count(subject) == 0 && in_hand_.count(subject) == 0 && subjects.insert(subject).second;
  };
  std::deque<Command> remaining;
  for (Command& command : std::exchange(urgent_, {})) {
    const bool is_late = is_over(command);
    std::string subject = subject_of(command);
    if (!is_late && (batch.subjects.size() == most_at_once || !may_be_sent(subject))) {
      remaining.push_back(std::move(command));
      continue;
    }
    if (!is_late) batch.subjects.push_back(std::move(subject));
    batch.commands.push_back(std::move(command));
  }
  urgent_ = std::move(remaining);
  std::size_t looked = 0;
  for (auto command = queue_.begin();
       command != queue_.end() && batch.subjects.size() < most_at_once && looked < most_looked_at; ++looked) {
    const bool is_late = is_over(*command);
    std::string subject = subject_of(*command);
    if (!is_late && !may_be_sent(subject)) {
      ++command;
      continue;
    }
    if (!is_late) batch.subjects.push_back(subject);
    batch.ordinary.push_back(std::move(subject));
    batch.commands.push_back(std::move(*command));
    command = queue_.erase(command);
  }
}

// When something that waits has to be looked at, whatever else comes.
std::optional<CommandQueue::Clock::time_point> CommandQueue::next_deadline() const {
  std::optional<Clock::time_point> next;
  const auto add = [&next](Clock::time_point time) { next = std::min(next.value_or(time), time); };
  if (!later_.empty()) add(later_at_);
  for (const auto* queue : {&urgent_, &queue_}) {
    for (const Command& command : *queue) {
      if (const auto deadline = base_of(command).deadline) add(*deadline);
    }
  }
  return next;
}

// Their subjects are in hand since they came too late.
CommandQueue::Batch CommandQueue::take_retries() {
  Batch batch;
  locks::MutexLock lock(mutex_);
  retry_woken_.wait(lock, [this]() REQUIRES(mutex_) { return stopping_ || !retries_.empty(); });
  if (stopping_) return batch;
  while (!retries_.empty() && batch.commands.size() < most_at_once) {
    batch.subjects.push_back(subject_of(retries_.front()));
    batch.commands.push_back(std::move(retries_.front()));
    retries_.pop_front();
  }
  batch.ordinary = batch.subjects;
  return batch;
}

void CommandQueue::end(const Batch& batch) {
  const locks::MutexLock lock(mutex_);
  for (const std::string& subject : batch.subjects) in_hand_.erase(in_hand_.find(subject));
  for (const std::string& subject : batch.ordinary) {
    if (--ordinary_[subject] == 0) ordinary_.erase(subject);
  }
  woken_.notify_all();
}

void CommandQueue::give_back(std::deque<Command> again, std::deque<Command> retries) {
  const locks::MutexLock lock(mutex_);
  for (auto command = again.rbegin(); command != again.rend(); ++command) enqueue(std::move(*command), true);
  for (Command& command : retries) {
    std::string subject = subject_of(command);
    ++ordinary_[subject];
    in_hand_.insert(std::move(subject));
    retries_.push_back(std::move(command));
  }
  if (!retries.empty()) retry_woken_.notify_one();
}

void CommandQueue::put_off(std::deque<Command> refused) {
  const locks::MutexLock lock(mutex_);
  std::move(refused.begin(), refused.end(), std::back_inserter(later_));
  later_at_ = Clock::now() + pause_after_refusal;
}

void CommandQueue::hold(const std::string& subject) {
  const locks::MutexLock lock(mutex_);
  held_.insert(subject);
}

void CommandQueue::let_go(const std::string& subject) {
  const locks::MutexLock lock(mutex_);
  held_.erase(subject);
  woken_.notify_all();
}

std::size_t CommandQueue::backlog() const {
  const locks::MutexLock lock(mutex_);
  return queue_.size() + retries_.size() + later_.size();
}

bool CommandQueue::is_over(const Command& command) const {
  const auto now = Clock::now();
  const auto deadline = base_of(command).deadline;
  return now >= deadline_.load() || (deadline && now >= *deadline);
}

void CommandQueue::stop() {
  const locks::MutexLock lock(mutex_);
  stopping_ = true;
  woken_.notify_all();
  retry_woken_.notify_all();
}

std::deque<Command> CommandQueue::take_rest() {
  const locks::MutexLock lock(mutex_);
  std::deque<Command> rest;
  for (auto* queue : {&queue_, &urgent_, &retries_, &later_})
    for (Command& command : std::exchange(*queue, {})) rest.push_back(std::move(command));
  return rest;
}

}  // namespace cluster
