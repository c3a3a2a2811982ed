// A watch in a thread of its own, and its events. Any thread may look. The destructor stops it.
#pragma once

#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "etcd/client.h"
#include "etcd_process.h"

namespace etcd_test {

class Watcher {
 public:
  struct Call {
    etcd::Header header;
    std::vector<etcd::Event> events;
  };

  Watcher(const etcd::Options& options, std::string prefix, etcd::Revision from,
          std::chrono::milliseconds silence = std::chrono::seconds{10})
      : engine_(options),
        thread_([this, prefix = std::move(prefix), from, silence] { watch(prefix, from, silence); }) {}
  ~Watcher() {
    engine_.stop();
    thread_.join();
  }

  // Waits for it.
  bool has_begun() {
    return comes_true([this] {
             const std::lock_guard lock(mutex_);
             return begun_ || end_;
           }) &&
           !has_ended();
  }
  bool has_ended() {
    const std::lock_guard lock(mutex_);
    return end_.has_value();
  }
  etcd::WatchEnd end() {
    const std::lock_guard lock(mutex_);
    return *end_;
  }
  std::vector<Call> calls() {
    const std::lock_guard lock(mutex_);
    return calls_;
  }
  std::vector<etcd::Event> events() {
    std::vector<etcd::Event> events;
    for (const Call& call : calls()) events.insert(events.end(), call.events.begin(), call.events.end());
    return events;
  }

 private:
  void watch(const std::string& prefix, etcd::Revision from, std::chrono::milliseconds silence) {
    auto end = engine_.watch(prefix, etcd::end_of_prefix(prefix), from, silence,
                             [this](const etcd::Header& header, const std::vector<etcd::Event>& events) {
                               const std::lock_guard lock(mutex_);
                               if (events.empty())
                                 begun_ = true;
                               else
                                 calls_.push_back({header, events});
                               return true;
                             });
    const std::lock_guard lock(mutex_);
    end_ = std::move(end);
  }

  etcd::Client engine_;
  std::mutex mutex_;
  bool begun_ = false;
  std::vector<Call> calls_;
  std::optional<etcd::WatchEnd> end_;
  std::thread thread_;
};

}  // namespace etcd_test
