#include "store/journal.h"

#include <pthread.h>
#include <sys/prctl.h>

#include <algorithm>
#include <exception>
#include <utility>

#include "store/failure.h"
#include "store/files.h"
#include "store/writer.h"

namespace store {
namespace {

// How long the thread sleeps at most: data_version and the file's name are looked at that often.
constexpr std::chrono::milliseconds tick{250};
// What is written behind is gathered this long, and committed at most once a second.
constexpr std::chrono::milliseconds gathering{100};
constexpr std::chrono::seconds between_commits_behind{1};
// When many come at once, as in the morning, 100 us more make one commit of two: 0.50 -> 0.57 of
// the bare handler's requests with 32 connections.
constexpr std::size_t many_urgent = 4;
constexpr std::chrono::microseconds wait_for_company{100};
// A request for a room is refused after as long.
constexpr std::chrono::seconds silence{2};
// An operator's patience; what has not been begun by then is not done.
constexpr std::chrono::seconds patience{5};

}  // namespace

// Something that a caller waits for. The task is the caller's, who stays until it is done, or takes it
// back before it has begun.
struct Journal::Request {
  enum class Kind { run, read, flush };
  Kind kind;
  const std::function<void(Database&)>* task = nullptr;
  bool begun = false;
  bool done = false;
  bool written = false;
  std::exception_ptr thrown = nullptr;
};

Journal::Journal(Database database, Callbacks callbacks) : callbacks_(std::move(callbacks)), path_(database.path()) {
  writer_ = std::make_unique<Writer>(std::move(database), callbacks_, counts_, [this] { heartbeat(); });
  locks::MutexLock lock(mutex_);
  thread_ = std::thread([this] { work(); });
  writer_thread_id_ = thread_.get_id();
}

Journal::~Journal() {
  stop();
  settle_leftovers();
}

template <typename Note>
void Journal::append(Note note) {
  bool wake = false;
  {
    const locks::MutexLock lock(mutex_);
    if (open_.empty()) due_ = std::max(Clock::now() + gathering, next_written_behind_);
    note(open_);
    // The rest is found at the next tick: a sticky answer must not cost a wake-up.
    wake = open_.urgent() > 0 && std::exchange(is_idle_, false);
  }
  if (wake) work_came_.notify_one();
}

void Journal::write_assignment(domain::Assignment assignment, Settled settled) {
  append([&](Batch& batch) { batch.write_urgently(std::move(assignment), std::move(settled)); });
}

void Journal::note(domain::Change change) {
  append([&](Batch& batch) { batch.take(std::move(change)); });
}

void Journal::note(std::vector<domain::Change> changes) {
  if (changes.empty()) return;
  append([&](Batch& batch) {
    for (domain::Change& change : changes) batch.take(std::move(change));
  });
}

void Journal::note_last_used(domain::RoomId room_id, domain::WallTime last_used_at) {
  append([&](Batch& batch) { batch.touch(std::move(room_id), last_used_at); });
}

void Journal::run(const std::function<void(Database&)>& task) {
  if (on_writer_thread()) return writer_->run(task);
  request({Request::Kind::run, &task}, Clock::now() + patience);
}

void Journal::read(const std::function<void(Database&)>& task) {
  if (on_writer_thread()) return writer_->read(task);
  request({Request::Kind::read, &task}, Clock::now() + patience);
}

bool Journal::flush() {
  try {
    return request({Request::Kind::flush}, Clock::time_point::max());
  } catch (const Failure&) {
    return false;
  }
}

bool Journal::request(Request wanted, Clock::time_point give_up) {
  const auto request = std::make_shared<Request>(std::move(wanted));
  locks::MutexLock lock(mutex_);
  if (stopping_) {
    throw Failure(Failure::Kind::unusable,
                  "the database is closed, since room-sidecar is stopping; ask again once it has started");
  }
  requests_.push_back(request);
  is_idle_ = false;
  work_came_.notify_one();
  while (!request->done) {
    // Without a task nothing can be half done.
    const bool may_leave = !request->begun || !request->task;
    const auto until = std::min(give_up, deadline_);
    if (may_leave && Clock::now() >= until) {
      request->begun = request->done = true;
      throw Failure(Failure::Kind::busy,
                    "the disk of the database has not answered in time; nothing was changed, check "
                    "the disk and try again");
    }
    if (may_leave && until != Clock::time_point::max()) {
      request_served_.wait_until(lock, until);
    } else {
      request_served_.wait(lock);
    }
  }
  // Taken out, so that it ends in this thread: TSan does not see how libstdc++ counts its owners.
  const std::exception_ptr thrown = std::exchange(request->thrown, nullptr);
  const bool written = request->written;
  lock.unlock();
  if (thrown) std::rethrow_exception(thrown);
  return written;
}

bool Journal::stop_in_time() {
  {
    locks::MutexLock lock(mutex_);
    if (stopped_) return true;
    stopping_ = true;
    is_idle_ = false;
    work_came_.notify_one();
    const auto has_ended = [this]() REQUIRES(mutex_) { return ended_; };
    if (deadline_ != Clock::time_point::max()) {
      // The thread needs a moment though the disk be well.
      const auto until = deadline_ + std::chrono::milliseconds{300};
      if (!request_served_.wait_until(lock, until, has_ended)) return false;
    }
  }
  stop();
  return true;
}

void Journal::stop() {
  {
    const locks::MutexLock lock(mutex_);
    if (stopped_) return;
    stopping_ = true;
    is_idle_ = false;
  }
  work_came_.notify_one();
  if (thread_.joinable()) thread_.join();
  {
    const locks::MutexLock lock(mutex_);
    stopped_ = true;
  }
  settle_leftovers();
}

void Journal::set_deadline(Clock::time_point deadline) {
  writer_->set_deadline(deadline);
  const locks::MutexLock lock(mutex_);
  deadline_ = deadline;
  request_served_.notify_all();
}

std::optional<std::string> Journal::failure() const {
  auto reason = writer_->failure();
  return reason ? reason : hanging();
}

std::optional<std::string> Journal::hanging() const {
  if (writer_->failure()) return std::nullopt;
  const auto since = std::chrono::duration_cast<std::chrono::seconds>(Clock::now() - last_heartbeat_.load());
  if (since < silence) return std::nullopt;
  return "the disk of the database has not answered for " + std::to_string(since.count()) + " s; check the disk";
}

std::optional<std::string> Journal::refusal() const { return writer_->refusal(); }

std::size_t Journal::log_size() const { return size_of(path_ + "-wal"); }

Journal::Queue Journal::queue() const {
  const locks::MutexLock lock(mutex_);
  return {open_.size() + in_hand_.rows, open_.urgent() + in_hand_.claims};
}

void Journal::heartbeat() {
  heartbeats_.fetch_add(1, std::memory_order_relaxed);
  last_heartbeat_.store(Clock::now());
}

void Journal::work() {
  ::pthread_setname_np(::pthread_self(), "journal");
  // Else the kernel rounds the 100 us up to 150.
  ::prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
  locks::MutexLock lock(mutex_);  // until the constructor is done
  lock.unlock();
  writer_->poll_file();
  lock.lock();
  for (bool last = false; !last;) {
    heartbeat();
    wait_for_work(lock);
    if (last_urgent_ >= many_urgent && open_.urgent() > 0 && !stopping_) {
      lock.unlock();
      std::this_thread::sleep_for(wait_for_company);
      lock.lock();
    }
    heartbeat();
    Batch batch = is_time(Clock::now()) ? std::exchange(open_, {}) : Batch{};
    in_hand_ = {batch.size(), batch.urgent()};
    auto requests = std::exchange(requests_, {});
    last_urgent_ = batch.urgent();
    const bool stopping = stopping_;
    lock.unlock();

    const bool written = batch.empty() || write(batch);
    for (const auto& request : requests) serve(*request, written);
    writer_->poll_file();

    lock.lock();
    // A Settled may have noted more; what cannot be written is given up.
    last = stopping && requests_.empty() && (open_.empty() || !written);
  }
  lock.unlock();
  writer_->finish();
  lock.lock();
  ended_ = true;
  request_served_.notify_all();
}

// Is there a reason to write the open batch now?
bool Journal::is_time(Clock::time_point now) const {
  const auto wants_order = [](const auto& request) { return request->kind != Request::Kind::read; };
  return stopping_ || open_.urgent() > 0 || (!open_.empty() && now >= due_) ||
         std::any_of(requests_.begin(), requests_.end(), wants_order);
}

void Journal::wait_for_work(locks::MutexLock& lock) {
  const auto until = Clock::now() + tick;
  for (auto now = Clock::now(); !is_time(now) && requests_.empty() && now < until; now = Clock::now()) {
    is_idle_ = true;
    work_came_.wait_until(lock, open_.empty() ? until : std::min(until, due_));
  }
  is_idle_ = false;
}

bool Journal::write(Batch& batch) {
  std::vector<Settled> refused;
  const bool written = writer_->write(batch, refused);
  {
    const locks::MutexLock lock(mutex_);
    next_written_behind_ = Clock::now() + between_commits_behind;
    // What came meanwhile is due a second from now as well, together with what is tried again.
    if (!open_.empty() || !batch.empty()) due_ = next_written_behind_;
    open_.lay_over(std::move(batch));
    in_hand_.rows = 0;
  }
  for (const Settled& settle : refused) settle(false);
  const locks::MutexLock lock(mutex_);
  in_hand_.claims = 0;
  return written;
}

void Journal::serve(Request& request, bool written) {
  {
    const locks::MutexLock lock(mutex_);
    if (request.begun) return;  // and taken back
    request.begun = true;
  }
  heartbeat();
  try {
    if (request.kind == Request::Kind::read) {
      writer_->read(*request.task);
    } else if (request.kind == Request::Kind::run) {
      // In order: not before what was noted before it.
      if (!written) throw Failure(Failure::Kind::io, failure().value_or("a row could not be written"));
      writer_->run(*request.task);
    }
  } catch (...) {
    request.thrown = std::current_exception();
  }
  const locks::MutexLock lock(mutex_);
  request.written = written;
  request.done = true;
  request_served_.notify_all();
}

void Journal::settle_leftovers() {
  std::vector<Settled> waiting;
  {
    const locks::MutexLock lock(mutex_);
    waiting = open_.take_settled();
  }
  for (const Settled& settle : waiting) settle(false);
}

}  // namespace store
