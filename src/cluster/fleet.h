// Claims among many sidecars: the seam of app/claims.h, kept by a shared store while one is configured and scale mode is on,
// and by the journal otherwise. It can be switched while rooms are live. Threads as the seam says.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/catalogue_keeper.h"
#include "app/fleet_view.h"
#include "app/journal_claims.h"
#include "app/registry.h"
#include "cluster/counts.h"
#include "cluster/migration.h"
#include "cluster/options.h"
#include "cluster/resume_point.h"
#include "cluster/values.h"
#include "locks/mutex.h"

namespace cluster {

class Fleet final : public app::Claims {
 public:
  explicit Fleet(store::Journal& journal);
  ~Fleet() override;  // stop()

  // To be called once, before configure(); they outlive stop(). Reads the file, and gives this sidecar an identity
  // there if it has none. Throws store::Failure.
  void attach(app::Registry& registry, app::CatalogueKeeper& keeper, SidecarValue self);
  // What is to hold from now on. Blocks while threads end. Rooms stay where they are. To be called before a policy with
  // scale mode is put in force, and after one without.
  void configure(const Options& options, bool scale);
  // Once the policy is in force: what is known here and what the store has are brought together.
  void follow();
  // Any thread, never blocks: nobody waits beyond that.
  void set_deadline(std::chrono::steady_clock::time_point deadline);
  // For good: nothing is asked of the store any more, and waiting callers learn that.
  void stop();

  void claim(app::ClaimRequest request, Settled settled) override;
  bool give_up(const domain::RoomId& room, Ended ended) override;
  void use(std::vector<app::UseAnnouncement> uses) override;
  void end_evacuation(const std::string& gateway) override;
  domain::StoreView store_view() const override;
  std::chrono::milliseconds patience() const override { return std::chrono::milliseconds{patience_}; }
  Released release(const domain::RoomId& room, bool force, Deadline deadline) override;
  bool share_draining(const std::string& gateway, domain::Draining draining, Deadline deadline) override;

  // Any thread.
  app::FleetView view() const;
  // Why it is less than well; nothing: it is.
  std::optional<std::string> problem() const;
  const Counts& counts() const { return counts_; }

 private:
  struct Active;
  void write_identity() const;
  std::shared_ptr<Active> make_active(const Options& options) REQUIRES(configuring_);
  void end_following() REQUIRES(configuring_);
  void replace_active(std::shared_ptr<Active> next, bool leaves) REQUIRES(configuring_);
  std::shared_ptr<Active> active() const;
  // For functions that are called under the registry's lock, which clang does not know of here: it will do to look.
  const std::shared_ptr<Active>& active_under_lock() const NO_THREAD_SAFETY_ANALYSIS { return active_; }

  store::Journal& journal_;
  app::JournalClaims alone_;
  const std::shared_ptr<std::atomic<std::int64_t>> granting_alone_ = std::make_shared<std::atomic<std::int64_t>>(0);
  Counts counts_;
  app::Registry* registry_ = nullptr;
  app::CatalogueKeeper* keeper_ = nullptr;
  SidecarValue self_;
  std::string id_;
  std::atomic<std::int64_t> patience_;
  std::atomic<bool> is_shared_{false};

  locks::Mutex configuring_;  // one at a time
  Options options_ GUARDED_BY(configuring_);
  bool scale_ GUARDED_BY(configuring_) = false;
  bool stopped_ GUARDED_BY(configuring_) = false;
  bool is_identity_known_ GUARDED_BY(configuring_) = false;
  ResumePoint resume_point_ GUARDED_BY(configuring_);
  std::unique_ptr<LeaveTask> leave_task_ GUARDED_BY(configuring_);  // since it became alone

  mutable locks::Mutex mutex_;
  std::shared_ptr<Active> active_ GUARDED_BY(mutex_);  // changed under the registry's lock as well
};

}  // namespace cluster
