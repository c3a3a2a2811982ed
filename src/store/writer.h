// The Journal's hands: everything that touches the database, and the memory of whether it can be
// written. Private to store/. Only the writer thread calls it, but for failure(), refusal() and set_deadline().
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "locks/mutex.h"
#include "store/batch.h"
#include "store/checkpointer.h"
#include "store/commit_counts.h"
#include "store/database.h"
#include "store/failure.h"
#include "store/journal.h"

namespace store {

class Writer {
 public:
  using Clock = std::chrono::steady_clock;

  // `alive` is called again and again while it waits for another program's lock.
  Writer(Database database, const Journal::Callbacks& callbacks, CommitCounts& counts, std::function<void()> alive);

  // In one transaction; false if not all could be written. Tells who waits in it that it is in the
  // file, or hands them over in `refused`; leaves in the batch what is to be tried again.
  bool write(Batch& batch, std::vector<Batch::Settled>& refused);
  // Throws what the task throws, or Failure.
  void run(const std::function<void(Database&)>& task);
  void read(const std::function<void(Database&)>& task);

  // Others' commits, a file that has vanished, one that may be writable again, checkpoints.
  void poll_file();
  // As much as can be goes from the -wal into the file, which is closed. The last call.
  void finish();

  // Any thread: why it cannot write at present.
  std::optional<std::string> failure() const;
  // Any thread: the table that refused the last of its new rows, and why, though the file can be written.
  std::optional<std::string> refusal() const;

  // Any thread: nobody waits longer than that for another program's lock, and none is asked for
  // but to write what there is.
  void set_deadline(Clock::time_point deadline) { deadline_ = deadline; }

 private:
  std::optional<std::string> hindrance();
  void commit(const Batch& batch);
  void write_singly(Batch& batch, std::vector<Batch::Settled>& refused);
  bool owns();
  void bring_back();
  void bring_back_log();
  void prove_sound();
  void look_for_checkpoint();
  void finish_checkpoint();
  void mark();
  void look_at_log_size();
  void record_refusals(const std::set<std::string>& taken, const std::map<std::string, std::string>& refusals);
  void forget_refusals();
  void works();
  void fails(const Failure& failure);
  void fails(const std::string& reason);

  const Journal::Callbacks& callbacks_;
  CommitCounts& counts_;
  std::atomic<Clock::time_point> deadline_{Clock::time_point::max()};
  Database database_;
  Checkpointer checkpointer_;
  bool is_owned_ = true;      // by us, when it was last asked
  bool is_replaced_ = false;  // another file stands under our name
  // Something could not be read, or was not sound: nothing is written until all is seen to be.
  std::optional<std::string> unsound_;
  int checkpoint_at_ = 0;  // frames in the -wal
  int frames_left_ = 0;    // after the last checkpoint: more later, and it could not start over
  bool is_held_ = false;   // by a reader, and large
  bool is_refusing_ = false;
  bool is_changed_ = false;  // by others, and not reported yet
  Clock::time_point next_look_{};
  Clock::time_point next_attempt_{};
  mutable locks::Mutex mutex_;
  std::optional<std::string> failure_ GUARDED_BY(mutex_);
  std::map<std::string, std::string> refusals_ GUARDED_BY(mutex_);  // by table
};

}  // namespace store
