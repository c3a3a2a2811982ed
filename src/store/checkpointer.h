// The first of a checkpoint's two steps: copies the -wal into the file on a thread and a connection
// of its own, so that commits go on meanwhile. The second is the writer's own checkpoint(): without
// it the -wal never starts over, for the writer is the one who finds it copied and no reader in it.
// Private to store/. start(), take_finished() and wait(): the writer thread. Never fails: what was
// not copied stays in the -wal for the next time.
#pragma once

#include <string>
#include <thread>

#include "locks/mutex.h"

namespace store {

class Checkpointer {
 public:
  explicit Checkpointer(std::string database_path);
  ~Checkpointer();
  Checkpointer(const Checkpointer&) = delete;
  Checkpointer& operator=(const Checkpointer&) = delete;

  // Without effect while one is under way.
  void start();
  // True once after each that has ended.
  bool take_finished();
  // Until none is under way.
  void wait();

 private:
  void work();

  const std::string database_path_;
  locks::Mutex mutex_;
  locks::ConditionVariable changed_;
  bool wanted_ GUARDED_BY(mutex_) = false;
  bool finished_ GUARDED_BY(mutex_) = false;
  bool stopping_ GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace store
