// Asks each gateway over HTTP whether it is alive: all at once, none delaying another.
// A thread of its own from construction to destruction. An answer that does not come, or is none of
// Janus', is a bad result; nothing fails.
#pragma once

#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "domain/time.h"
#include "health/target.h"
#include "http/transfer.h"
#include "locks/mutex.h"

namespace health {

class HttpSource {
 public:
  // Called from the source's thread.
  using Observed = std::function<void(const std::string& gateway, bool good)>;

  HttpSource(domain::Duration interval, domain::Duration timeout, Observed observed);
  ~HttpSource();
  HttpSource(const HttpSource&) = delete;
  HttpSource& operator=(const HttpSource&) = delete;

  // The gateways to ask from the next round on, at the URL of its /info. Any thread.
  void ask(std::vector<Target> targets);

 private:
  void work();
  std::vector<Target> targets() const;

  const domain::Duration interval_;
  const domain::Duration timeout_;
  const Observed observed_;
  http::Transfers transfers_{{.kept_connections = kept_connections}};  // the thread's; its stop() is for any
  mutable locks::Mutex mutex_;
  std::vector<Target> targets_ GUARDED_BY(mutex_);
  std::thread thread_;
};

}  // namespace health
