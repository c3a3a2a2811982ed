// Receives from an MQTT broker what the gateways publish of themselves: retained {"online":true|false}.
// A thread of its own from construction to destruction. A broker that is away is a problem to be logged,
// never a failure; it is tried again for ever. While it is there its last message on a gateway stands, and is
// observed again every interval; while it is away nothing is observed.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <thread>

#include "domain/time.h"
#include "health/options.h"
#include "locks/mutex.h"

namespace health {

class MqttSource {
 public:
  using Observed = std::function<void(const std::string& gateway, bool good)>;
  using Nonsense = std::function<void(const std::string& topic)>;

  // `observed` is called from the source's thread, and so is `nonsense`, at most once in ten seconds, for a
  // message that is none.
  MqttSource(const Options& options, domain::Duration interval, Observed observed, Nonsense nonsense);
  ~MqttSource();
  MqttSource(const MqttSource&) = delete;
  MqttSource& operator=(const MqttSource&) = delete;

  // The gateways that there are; others are not observed. Any thread.
  void know(std::set<std::string> gateways);
  // Why nothing can be observed at present. Any thread.
  std::optional<std::string> problem() const;

 private:
  class Broker;
  void work(const Options& options);
  void report_problems();
  void take(const std::string& topic, const std::string& payload);
  void connected(const std::optional<std::string>& problem);
  // True if it is to stop.
  bool rests_until(std::chrono::steady_clock::time_point end);

  const std::string topic_;
  const domain::Duration interval_;
  const Observed observed_;
  const Nonsense nonsense_;
  const std::string silence_;
  mutable locks::Mutex mutex_;
  locks::ConditionVariable woken_;
  std::optional<std::string> problem_ GUARDED_BY(mutex_);
  std::set<std::string> known_ GUARDED_BY(mutex_);
  bool has_words_ GUARDED_BY(mutex_) = true;  // of any of those, by the end of the last interval
  bool stopping_ GUARDED_BY(mutex_) = false;
  // The thread's own.
  std::map<std::string, bool> online_;
  std::chrono::steady_clock::time_point quiet_until_{};
  std::thread thread_;
};

}  // namespace health
