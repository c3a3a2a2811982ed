// A mutex, its lock and a condition variable whose use clang checks (-Wthread-safety). They are those of std, which
// carry no annotations in libstdc++, and cost the same. For other compilers the annotations are empty.
// https://clang.llvm.org/docs/ThreadSafetyAnalysis.html
#pragma once

#include <condition_variable>
#include <mutex>
#include <utility>

#if defined(__clang__)
#define LOCKS_ATTRIBUTE(x) __attribute__((x))
#else
#define LOCKS_ATTRIBUTE(x)
#endif

// A member that may be touched only under the mutex.
#define GUARDED_BY(mutex) LOCKS_ATTRIBUTE(guarded_by(mutex))
// A function that is called with the mutex held.
#define REQUIRES(...) LOCKS_ATTRIBUTE(requires_capability(__VA_ARGS__))
// A function that takes the mutex or gives it back, and a class that holds it while it lives.
#define ACQUIRE(...) LOCKS_ATTRIBUTE(acquire_capability(__VA_ARGS__))
#define RELEASE(...) LOCKS_ATTRIBUTE(release_capability(__VA_ARGS__))
#define SCOPED_CAPABILITY LOCKS_ATTRIBUTE(scoped_lockable)
// A function that may be called only with the mutex held, after which clang counts on that.
#define ASSERT_CAPABILITY(x) LOCKS_ATTRIBUTE(assert_capability(x))
// A function that clang cannot follow. Each says why.
#define NO_THREAD_SAFETY_ANALYSIS LOCKS_ATTRIBUTE(no_thread_safety_analysis)

namespace locks {

class LOCKS_ATTRIBUTE(capability("mutex")) Mutex {
 public:
  // For a lambda, whose caller clang cannot see. It is called by a function that holds the mutex.
  void assert_held() const ASSERT_CAPABILITY(this) {}

 private:
  friend class MutexLock;
  std::mutex mutex_;
};

// Holds a mutex until its end; between unlock() and lock() it does not.
class SCOPED_CAPABILITY MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) ACQUIRE(mutex) : lock_(mutex.mutex_) {}
  ~MutexLock() RELEASE() {}
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

  void unlock() RELEASE() { lock_.unlock(); }
  void lock() ACQUIRE() { lock_.lock(); }

 private:
  friend class ConditionVariable;
  std::unique_lock<std::mutex> lock_;
};

// Waits with a lock's mutex given back. A condition is a lambda that says what it needs, since clang cannot see who
// calls it: [this]() REQUIRES(mutex_) { return stopping_; }
class ConditionVariable {
 public:
  void notify_one() { condition_.notify_one(); }
  void notify_all() { condition_.notify_all(); }

  void wait(MutexLock& lock) { condition_.wait(lock.lock_); }
  template <typename Condition>
  void wait(MutexLock& lock, Condition condition) {
    condition_.wait(lock.lock_, std::move(condition));
  }
  template <typename Time>
  std::cv_status wait_until(MutexLock& lock, const Time& time) {
    return condition_.wait_until(lock.lock_, time);
  }
  template <typename Time, typename Condition>
  bool wait_until(MutexLock& lock, const Time& time, Condition condition) {
    return condition_.wait_until(lock.lock_, time, std::move(condition));
  }
  template <typename Duration, typename Condition>
  bool wait_for(MutexLock& lock, const Duration& duration, Condition condition) {
    return condition_.wait_for(lock.lock_, duration, std::move(condition));
  }

 private:
  std::condition_variable condition_;
};

}  // namespace locks
