#include "store/checkpointer.h"

#include <sqlite3.h>

#include <utility>

#include "store/connection.h"
#include "store/failure.h"

namespace store {

Checkpointer::Checkpointer(std::string database_path)
    : database_path_(std::move(database_path)), thread_([this] { work(); }) {}

Checkpointer::~Checkpointer() {
  {
    const locks::MutexLock lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void Checkpointer::start() {
  {
    const locks::MutexLock lock(mutex_);
    if (wanted_) return;
    wanted_ = true;
    finished_ = false;
  }
  changed_.notify_all();
}

bool Checkpointer::take_finished() {
  const locks::MutexLock lock(mutex_);
  return std::exchange(finished_, false);
}

void Checkpointer::wait() {
  locks::MutexLock lock(mutex_);
  changed_.wait(lock, [this]() REQUIRES(mutex_) { return !wanted_; });
}

void Checkpointer::work() {
  locks::MutexLock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this]() REQUIRES(mutex_) { return wanted_ || stopping_; });
    if (stopping_) return;
    lock.unlock();
    try {
      // Opened for each: a connection that is kept would go on with a file that has vanished.
      Connection connection(database_path_, database_path_, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX);
      connection.execute("PRAGMA synchronous = FULL");
      connection.checkpoint();
    } catch (const Failure&) {
      // The writer's own step does what it can.
    }
    lock.lock();
    wanted_ = false;
    finished_ = true;
    changed_.notify_all();
  }
}

}  // namespace store
