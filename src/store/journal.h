// The durable record of what memory decided: one thread that owns the database and takes everything
// that waits into one transaction. Any thread may call; the functions that note something only
// append, whatever the disk does, and may be called under a lock. Those that block may not be
// called under a lock that a Settled or a callback takes. A failed commit is reported, never thrown.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "domain/assignment.h"
#include "locks/mutex.h"
#include "store/batch.h"
#include "store/commit_counts.h"
#include "store/database.h"

namespace store {

class Writer;

class Journal {
  using Clock = std::chrono::steady_clock;

 public:
  // Called once, on the writer thread and without a lock of the journal's: is the row in the file?
  // Must not throw. One that came after stop() gets false from the thread that stops or destroys.
  using Settled = Batch::Settled;

  // Called on the writer thread, each may be empty. They may note, run and read.
  struct Callbacks {
    std::function<void()> foreign_commit;                    // another connection has changed the file
    std::function<void(const std::string& reason)> failing;  // it could be written, now it cannot
    std::function<void()> recovered;                         // … and now it can again
    std::function<void(std::string)> event;                  // a sentence for the log about a rare thing that was done
    // Does this process own the file? Asked several times a second, and before a file that could
    // not be written, or has vanished, is written again. While it says no, nothing is written.
    std::function<bool()> may_write;
  };

  Journal(Database database, Callbacks callbacks);
  ~Journal();  // stop()
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;

  // Committed at once, together with all that waits.
  void write_assignment(domain::Assignment assignment, Settled settled);

  // Committed within a second of working storage; of several wishes for a row the last.
  void note(domain::Change change);
  // These in one transaction.
  void note(std::vector<domain::Change> changes);
  void note_last_used(domain::RoomId room_id, domain::WallTime last_used_at);

  // Blocks: in a transaction of its own on the writer thread, after all that was noted before. What
  // the task throws is thrown here and undoes it; Failure if it could not be committed, or if the disk
  // keeps the thread from beginning with it for some seconds.
  void run(const std::function<void(Database&)>& task);
  // The same for a task that only reads; works when the file cannot be written, too.
  void read(const std::function<void(Database&)>& task);
  // Blocks: is everything that was noted before in the file?
  bool flush();
  // Blocks: flushes, checkpoints and closes. Nothing is written afterwards.
  void stop();
  // The same, but waits no longer than until the deadline of set_deadline(): false if the disk still has not
  // answered by then. What is left of the journal cannot be destroyed until it has.
  bool stop_in_time();

  // Any thread, never blocks: from now on nobody waits beyond `deadline` for another program's lock,
  // so that flush() and stop() have returned soon after it; flush() with false if the lock stayed.
  void set_deadline(Clock::time_point deadline);

  // Why it cannot write at present.
  std::optional<std::string> failure() const;
  // The same where it has not failed, but waits for a disk that does not answer at all.
  std::optional<std::string> hanging() const;
  // The file can be written, but one of its tables refuses new rows: which, and why.
  std::optional<std::string> refusal() const;
  // What the -wal takes on the disk, in bytes.
  std::size_t log_size() const;
  const CommitCounts& counts() const { return counts_; }
  // What is not in the file yet, with what is just being written; `claims`: those that somebody waits for.
  struct Queue {
    std::size_t rows = 0, claims = 0;
  };
  Queue queue() const;
  // Rises at least twice a second while the thread gets on.
  std::uint64_t heartbeats() const { return heartbeats_.load(std::memory_order_relaxed); }

 private:
  struct Request;

  template <typename Note>
  void append(Note note);
  // Until it is served: was all that waited before it written?
  bool request(Request wanted, Clock::time_point give_up);
  void heartbeat();
  void work();
  bool is_time(Clock::time_point now) const REQUIRES(mutex_);
  void wait_for_work(locks::MutexLock& lock) REQUIRES(mutex_);
  bool write(Batch& batch);
  void serve(Request& request, bool written);
  void settle_leftovers();
  bool on_writer_thread() const { return std::this_thread::get_id() == writer_thread_id_; }

  const Callbacks callbacks_;
  const std::string path_;
  std::atomic<std::uint64_t> heartbeats_{0};
  std::atomic<Clock::time_point> last_heartbeat_{Clock::now()};
  CommitCounts counts_;
  std::unique_ptr<Writer> writer_;

  mutable locks::Mutex mutex_;
  locks::ConditionVariable work_came_;
  locks::ConditionVariable request_served_;
  Batch open_ GUARDED_BY(mutex_);
  Queue in_hand_ GUARDED_BY(mutex_);  // of the batch that is being written
  std::vector<std::shared_ptr<Request>> requests_ GUARDED_BY(mutex_);
  // When the open batch is to be written though nobody waits for it.
  Clock::time_point due_ GUARDED_BY(mutex_){};
  Clock::time_point next_written_behind_ GUARDED_BY(mutex_){};
  bool is_idle_ GUARDED_BY(mutex_) = false;
  bool stopping_ GUARDED_BY(mutex_) = false;
  bool stopped_ GUARDED_BY(mutex_) = false;
  bool ended_ GUARDED_BY(mutex_) = false;  // the thread, and all is closed
  Clock::time_point deadline_ GUARDED_BY(mutex_) = Clock::time_point::max();

  std::size_t last_urgent_ = 0;  // writer thread only

  std::thread::id writer_thread_id_;
  std::thread thread_;
};

}  // namespace store
