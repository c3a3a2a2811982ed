#include "cluster/fleet.h"

#include <future>
#include <thread>
#include <utility>

#include "app/clock.h"
#include "app/for_each_room.h"
#include "cluster/follower.h"
#include "cluster/membership.h"
#include "cluster/migration.h"
#include "cluster/operations.h"
#include "cluster/shared_state.h"
#include "cluster/writer.h"
#include "logging/log.h"
#include "store/failure.h"
#include "store/journal.h"
#include "store/meta_table.h"

namespace cluster {
namespace {

using namespace std::chrono_literals;
using Selection = domain::Placement::Selection;

// Older than that, others' rooms may be missing in what the loads are reckoned from.
constexpr auto fresh = 15s;
// What is under way when the deadline comes may still be answered for so long.
constexpr auto last_attempt = 1s;
constexpr std::size_t rooms_cleared_per_slice = 256;

}  // namespace

// In the order in which they are begun.
struct Fleet::Active {
  Active(std::shared_ptr<SharedState> its_state, const SidecarValue& self)
      : state(std::move(its_state)), writer(std::make_shared<Writer>(state)), membership(*state, *writer, self) {}
  ~Active() { writer->stop(); }

  void follow() {
    if (!follower) follower = std::make_unique<Follower>(*state, *writer, membership.sidecars());
    is_following = true;
  }
  bool is_listed() const { return is_following && follower->is_listed(); }

  bool may_claim() const { return state->freshness.failing_for() < state->options.timeout; }
  bool is_live() const {
    const auto age = state->freshness.age();
    return is_following && follower->is_watching() && age && *age < fresh;
  }
  bool is_outdated() const {
    const auto age = state->freshness.age();
    return !age || *age >= state->options.max_stale;
  }
  std::optional<std::string> problem() const {
    const auto& freshness = state->freshness;
    if (const auto failing = freshness.failing_for(); failing >= state->options.timeout) {
      return "etcd has not answered for " + std::to_string(std::chrono::round<std::chrono::seconds>(failing).count()) +
             " s; new rooms are refused, known ones are answered";
    }
    if (writer->is_refused()) return "etcd refuses the sidecar's requests; new rooms are refused, see the log";
    if (!is_listed()) return "the assignments of other sidecars are being read";
    if (is_outdated()) return "recent assignments of other sidecars are not known; only rooms in use here are answered";
    if (!is_live()) return "changes by other sidecars may come late";
    return std::nullopt;
  }

  std::shared_ptr<SharedState> state;
  std::shared_ptr<Writer> writer;
  Membership membership;
  std::unique_ptr<Follower> follower;
  std::atomic<bool> is_following{false};
};

Fleet::Fleet(store::Journal& journal) : journal_(journal), alone_(journal), patience_(alone_.patience().count()) {}

Fleet::~Fleet() { stop(); }

void Fleet::attach(app::Registry& registry, app::CatalogueKeeper& keeper, SidecarValue self) {
  registry_ = &registry;
  keeper_ = &keeper;
  self_ = std::move(self);
  self_.instance = random_id();
  std::optional<std::string> id, resume_point;
  journal_.read([&](store::Database& database) {
    id = store::read_meta(database, identity_fact);
    resume_point = store::read_meta(database, resume_point_fact);
  });
  id_ = id ? *id : random_id();
  const locks::MutexLock lock(configuring_);
  is_identity_known_ = id.has_value();
  resume_point_ = resume_point_from(resume_point.value_or(""));
}

void Fleet::configure(const Options& options, bool scale) {
  const locks::MutexLock lock(configuring_);
  if (stopped_) return;
  const auto before = active();
  const bool leaves = !options.is_shared() && (before || resume_point_.is_known());
  // Also for a sidecar that is alone: `cluster join` republishes its rooms under this identity.
  if (scale && !std::exchange(is_identity_known_, true)) write_identity();
  if (options == options_ && scale == scale_ && !leaves) return;
  const Options left = before ? before->state->options : options;
  const auto followed =
      before ? before->state->cluster : std::make_shared<etcd::FollowedCluster>(left, resume_point_.cluster_id);
  options_ = options;
  scale_ = scale;
  is_shared_ = options.is_shared();
  leave_task_.reset();
  end_following();
  replace_active(options.is_shared() && scale ? make_active(options) : nullptr, leaves);
  if (!leaves) return;
  logging::warn("Alone from now on: what other sidecars assign is not known here");
  resume_point_ = {};
  journal_.note(domain::Change(domain::Fact{resume_point_fact, ""}));
  if (left.endpoints.empty()) return;
  leave_task_ = std::make_unique<LeaveTask>(left, followed, before ? before->state->authenticator : nullptr, id_);
}

// Before anything is announced under it: a sidecar that was killed before would come back as another one, and its use
// marks would belong to none. If the file cannot be written, it goes on all the same, as with any other row.
void Fleet::write_identity() const {
  try {
    journal_.run([this](store::Database& database) { store::write_meta(database, identity_fact, id_); });
  } catch (const store::Failure&) {
    journal_.note(domain::Change(domain::Fact{identity_fact, id_}));
  }
}

// What was granted here while this one was alone is to be republished by the first list, and so has to be in the ledger.
void Fleet::follow() {
  const locks::MutexLock lock(configuring_);
  const auto now = active();
  if (!now || now->is_following) return;
  const auto patience = std::chrono::steady_clock::now() + alone_.patience();
  while (*granting_alone_ > 0 && std::chrono::steady_clock::now() < patience) {
    std::this_thread::sleep_for(std::chrono::milliseconds{5});
  }
  now->follow();
}

void Fleet::set_deadline(std::chrono::steady_clock::time_point deadline) {
  if (const auto now = active()) now->writer->set_deadline(deadline);
}

std::shared_ptr<Fleet::Active> Fleet::make_active(const Options& options) {
  if (resume_point_.prefix != options.prefix) resume_point_ = {};  // other keys: another store
  auto state =
      std::make_shared<SharedState>(options, id_, resume_point_.cluster_id, *registry_, journal_, *keeper_, counts_);
  {
    const locks::MutexLock lock(state->mutex);
    state->resume_point = resume_point_;
    state->resume_point.prefix = options.prefix;
  }
  // One that was alone until now has been right until now.
  state->freshness.begin(resume_point_.is_known() ? age_of(resume_point_, app::wall_now()) : std::optional(0ms));
  return std::make_shared<Active>(std::move(state), self_);
}

// What others do must not be followed once claims are granted here. Where it ends is remembered.
void Fleet::end_following() {
  const auto now = active();
  if (!now) return;
  if (now->is_following) now->follower->stop();
  const locks::MutexLock lock(now->state->mutex);
  resume_point_ = now->state->resume_point;
  if (const auto age = now->state->freshness.age()) resume_point_.confirmed = app::wall_now() - *age;
}

// From one instant to the next: there is none in which a claim is granted here though it is to be shared.
void Fleet::replace_active(std::shared_ptr<Active> next, bool leaves) {
  const auto previous = active();
  // A user that another sidecar has answered may be on the way.
  if (leaves) {
    app::for_each_room(*registry_, rooms_cleared_per_slice, [](app::Registry::Transaction& local, const auto& room) {
      local.ledger().keep(room.first, local.now().service);
    });
  }
  {
    app::Registry::Transaction local(*registry_);
    domain::Ledger& ledger = local.ledger();
    ledger.announce_uses(next != nullptr);
    const locks::MutexLock lock(mutex_);
    patience_ = next ? next->state->options.timeout.count() : alone_.patience().count();
    active_ = std::move(next);
  }
  if (!previous) return;
  previous->writer->stop();
  previous->membership.stop();
  // What the others announced is not followed any more; if there is a next store, its list has the numbers.
  app::for_each_room(*registry_, rooms_cleared_per_slice, [](app::Registry::Transaction& local, const auto& room) {
    local.ledger().set_users_elsewhere(room.first, 0);
  });
}

void Fleet::stop() {
  const locks::MutexLock lock(configuring_);
  leave_task_.reset();
  end_following();
  replace_active(nullptr, false);
  stopped_ = true;
}

std::shared_ptr<Fleet::Active> Fleet::active() const {
  const locks::MutexLock lock(mutex_);
  return active_;
}

void Fleet::claim(app::ClaimRequest request, Settled settled) {
  const auto& now = active_under_lock();
  if (!now) {
    ++*granting_alone_;
    return alone_.claim(std::move(request),
                        [granting = granting_alone_, settled = std::move(settled)](const app::Grant& grant) {
                          settled(grant);
                          --*granting;
                        });
  }
  ClaimRoom command(std::move(request), std::move(settled));
  command.deadline = std::chrono::steady_clock::now() + now->state->options.timeout;
  now->writer->push(std::move(command));
}

bool Fleet::give_up(const domain::RoomId& room, Ended ended) {
  const auto& now = active_under_lock();
  if (!now) return alone_.give_up(room, std::move(ended));
  now->writer->push(GiveUp(room, std::move(ended)));
  return false;
}

void Fleet::use(std::vector<app::UseAnnouncement> uses) {
  const auto& now = active_under_lock();
  if (!now) return;
  for (app::UseAnnouncement& announcement : uses)
    now->writer->push(MarkUse(std::move(announcement.use), std::move(announcement.announced)));
}

void Fleet::end_evacuation(const std::string& gateway) {
  if (const auto& now = active_under_lock()) now->writer->push(EndFailover(gateway));
}

domain::StoreView Fleet::store_view() const {
  const auto& now = active_under_lock();
  if (!now) return {};
  return {now->is_live() ? Selection::random_ties : Selection::two_choices, now->may_claim(), now->is_outdated()};
}

app::Claims::Released Fleet::release(const domain::RoomId& room, bool force, Deadline deadline) {
  const auto now = active();
  if (!now) return alone_.release(room, force, deadline);
  if (!now->may_claim()) return Released::unavailable;
  auto promise = std::make_shared<std::promise<Released>>();
  auto released = promise->get_future();
  Release command(room, force, [promise](Released what) { promise->set_value(what); });
  command.deadline = deadline;
  now->writer->push(std::move(command));
  return released.wait_until(deadline + last_attempt) == std::future_status::ready ? released.get()
                                                                                   : Released::unavailable;
}

bool Fleet::share_draining(const std::string& gateway, domain::Draining draining, Deadline deadline) {
  const auto now = active();
  if (!now) return true;
  if (!now->may_claim()) return false;
  auto promise = std::make_shared<std::promise<bool>>();
  auto done = promise->get_future();
  Plain command({{}, {put(now->state->keys.gateway(gateway), to_text(draining))}},
                [promise](bool is_done) { promise->set_value(is_done); });
  command.deadline = deadline;
  now->writer->push(std::move(command));
  return done.wait_until(deadline + last_attempt) == std::future_status::ready && done.get();
}

app::FleetView Fleet::view() const {
  app::FleetView view;
  const auto now = active();
  if (!is_shared_) return view;
  view.engine = "etcd";
  if (!now) {
    view.state = "idle";
    return view;
  }
  const auto& freshness = now->state->freshness;
  view.age = freshness.age();
  view.max_stale = now->state->options.max_stale;
  view.sidecar = id_;
  view.state = now->is_outdated() ? "outdated" : !now->is_listed() ? "listing" : now->is_live() ? "live" : "stale";
  {
    const locks::MutexLock lock(now->state->mutex);
    view.revision = now->state->resume_point.revision;
  }
  for (const auto& [id, sidecar] : now->membership.sidecars().all()) {
    view.sidecars.push_back({id, sidecar.name, sidecar.address, sidecar.version, sidecar.since, id == id_});
  }
  for (const etcd::MemberStatus& member : now->membership.members()) {
    app::FleetView::Member shown{member.endpoint, std::nullopt, std::nullopt, member.is_leader, member.problem};
    if (!member.name.empty()) shown.name = member.name;
    if (!member.version.empty()) shown.version = member.version;
    view.members.push_back(std::move(shown));
  }
  return view;
}

std::optional<std::string> Fleet::problem() const {
  const auto now = active();
  if (!now) return std::nullopt;
  const auto problem = now->problem();
  const auto foreign = now->state->cluster->problem();
  if (problem && foreign) return *problem + "; " + *foreign;
  return problem ? problem : foreign;
}

}  // namespace cluster
