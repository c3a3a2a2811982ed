#include "daemon/housekeeping.h"

#include <pthread.h>

#include <exception>
#include <functional>
#include <string>
#include <utility>

#include "app/clean_up.h"
#include "app/evaluate_health.h"
#include "app/fail_over.h"
#include "app/splits.h"
#include "logging/log.h"
#include "store/journal.h"

namespace sidecar {
namespace {

constexpr std::chrono::milliseconds round{500};

}  // namespace

Housekeeping::Housekeeping(app::Registry& registry, store::Journal& journal, app::CatalogueKeeper& keeper,
                           GatewayWatch& watch, app::LoadHistory& load_history)
    : registry_(registry),
      journal_(journal),
      keeper_(keeper),
      watch_(watch),
      load_history_(load_history),
      cleaned_(app::Registry::View(registry).now().service),
      thread_([this] { work(); }) {}

// Each piece of work has its own chance: what one throws must not keep the next from being done. It is
// tried twice a second, and logged once; the journal logs failures of the storage.
bool Housekeeping::attempt(const char* work, const std::function<void()>& task) {
  try {
    task();
    logged_.erase(work);
    return true;
  } catch (const std::exception& exception) {
    if (!journal_.failure() && logged_.insert(work).second) {
      logging::warn("Periodic work failed and will be tried again", {{"work", work}, {"reason", exception.what()}});
    }
    return false;
  }
}

void Housekeeping::stop() {
  {
    const locks::MutexLock lock(mutex_);
    stopping_ = true;
  }
  woken_.notify_all();
  if (thread_.joinable()) thread_.join();
}

bool Housekeeping::is_stopping() {
  const locks::MutexLock lock(mutex_);
  return stopping_;
}

void Housekeeping::file_changed() {
  {
    const locks::MutexLock lock(mutex_);
    refresh_ = true;
  }
  woken_.notify_all();
}

void Housekeeping::work() {
  ::pthread_setname_np(::pthread_self(), "housekeeping");
  locks::MutexLock lock(mutex_);
  while (!stopping_) {
    woken_.wait_for(lock, round, [this]() REQUIRES(mutex_) { return stopping_ || refresh_; });
    const bool refresh = std::exchange(refresh_, false) || refresh_failed_;
    lock.unlock();
    do_round(refresh);
    ++heartbeats_;
    lock.lock();
  }
}

// The journal logs what fails, but it cannot while it waits for a disk that does not answer.
void Housekeeping::watch_storage() {
  const auto reason = journal_.hanging();
  // A process that was stopped has had no answer of its disk either: twice in a row.
  constexpr int worth_logging = 2;
  const int hung = std::exchange(hung_, reason ? hung_ + 1 : 0);
  if (hung_ == worth_logging) {
    logging::error("Database cannot be written; new rooms are refused", {{"reason", *reason}});
  } else if (hung >= worth_logging && !reason && !journal_.failure()) {
    logging::info("Database can be written again");
  }
}

void Housekeeping::do_round(bool refresh) {
  watch_storage();
  if (refresh) refresh_failed_ = !attempt("refresh", [this] { keeper_.refresh(); });
  attempt("silent sessions", [this] { app::expire_sessions(registry_); });
  attempt("splits", [this] { app::heal_splits(registry_); });
  attempt("last uses", [this] { app::write_last_used(registry_, journal_); });
  attempt("health", [this] {
    watch_.keep_up();
    app::evaluate_health(registry_);
  });
  attempt("failover", [this] {
    app::fail_over(registry_, [this] {
      ++heartbeats_;  // asked between slices: many rooms take their time, and gateways may fail meanwhile
      app::evaluate_health(registry_);
      return is_stopping();
    });
  });
  if (keeper_.has_unwritten() && !journal_.failure()) attempt("sync", [this] { keeper_.retry(); });
  domain::Moment now;
  domain::Duration clean_every;
  {
    const app::Registry::View view(registry_);
    now = view.now();
    clean_every = view.options().clean_every;
  }
  if (!sampled_ || now.service - *sampled_ >= app::LoadHistory::every) {
    sampled_ = now.service;
    attempt("load history", [&] { load_history_.add(now.wall, app::list_gateways(registry_)); });
  }
  if (now.service - cleaned_ >= clean_every) {
    cleaned_ = now.service;
    attempt("cleaning", [this] { app::clean_up(registry_); });
  }
  logging::report_lost_lines();
  logging::report_left_out();
}

}  // namespace sidecar
