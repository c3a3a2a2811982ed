#include "cluster/follower.h"

#include <pthread.h>

#include <algorithm>
#include <utility>

#include "logging/log.h"

namespace cluster {
namespace {

using namespace std::chrono_literals;

constexpr std::int64_t keys_a_page = 2000;
constexpr int attempts_a_page = 3;
// Three heartbeats of Membership's.
constexpr auto longest_silence = 12s;
constexpr auto oldest_without_list = 30s;

}  // namespace

Follower::Follower(SharedState& state, Writer& writer, Sidecars& sidecars)
    : state_(state),
      applier_(state, writer, sidecars),
      client_(state.options, state.cluster, state.authenticator),
      thread_([this] { work(); }) {}

Follower::~Follower() { stop(); }

void Follower::stop() {
  {
    const locks::MutexLock lock(mutex_);
    stopping_ = true;
  }
  client_.stop();
  woken_.notify_all();
  if (thread_.joinable()) thread_.join();
}

bool Follower::rests(std::chrono::milliseconds time) {
  locks::MutexLock lock(mutex_);
  return woken_.wait_for(lock, time, [this]() REQUIRES(mutex_) { return stopping_; });
}

void Follower::work() {
  ::pthread_setname_np(::pthread_self(), "follower");
  for (;;) {
    if (!(must_list_ || checks_history()) || (must_list_ && !list())) {
      must_list_ = client_.finds_replacement() || must_list_;
      if (rests(250ms)) return;
      continue;
    }
    etcd::Revision from;
    {
      const locks::MutexLock lock(state_.mutex);
      from = state_.replica.followed() + 1;
    }
    const etcd::WatchEnd end =
        client_.watch(state_.keys.first_followed(), state_.keys.last_followed(), from, longest_silence,
                      [this](const etcd::Header& header, const std::vector<etcd::Event>& events) {
                        return apply_events(header, events);
                      });
    is_watching_ = false;
    if (std::exchange(has_begun_, false)) prepare_history_check();
    if (end.why == etcd::WatchEnd::Why::compacted) must_list_ = true;
    // Nobody can put a heartbeat, as while the store is full: a list is as good.
    const auto age = state_.freshness.age();
    if (end.why == etcd::WatchEnd::Why::lost && (!age || *age > oldest_without_list)) must_list_ = true;
    if (end.why == etcd::WatchEnd::Why::refused && !std::exchange(error_logged_, true)) {
      logging::error("Changes of the shared store cannot be followed", {{"reason", end.words}});
    }
    // One that has just ended has been passed over already; none is asked without a pause.
    if (rests(end.why == etcd::WatchEnd::Why::refused ? 2000ms : 20ms)) return;
  }
}

bool Follower::read_range(std::string first, const std::string& last, Listing& listing,
                          std::vector<etcd::KeyValue>& into) {
  etcd::RangeRequest request;
  request.key = std::move(first);
  request.range_end = last;
  request.limit = keys_a_page;
  for (bool more = true; more;) {
    request.revision = listing.revision;
    auto reply = client_.range(request);
    // The pages before it are worth another attempt, which has more time if that one came too late.
    for (int again = 1; again < attempts_a_page && reply.error == etcd::ErrorCode::unreached; ++again) {
      reply = client_.range(request);
    }
    if (!reply.ok()) {
      if (reply.error == etcd::ErrorCode::refused && !std::exchange(error_logged_, true)) {
        logging::error("Shared store cannot be read", {{"reason", reply.why}});
      }
      return false;
    }
    if (listing.revision == 0) listing.revision = reply.header.revision;
    if (listing.cluster_id.empty()) listing.cluster_id = reply.header.cluster_id;
    if (listing.cluster_id != reply.header.cluster_id) return false;  // replaced meanwhile
    more = reply.value.more && !reply.value.items.empty();
    if (more) request.key = reply.value.items.back().key + '\0';
    for (etcd::KeyValue& item : reply.value.items) into.push_back(std::move(item));
  }
  return true;
}

bool Follower::read(Listing& listing) {
  return read_range(state_.keys.first_followed(), state_.keys.first_use(), listing, listing.items) &&
         read_range(state_.keys.first_use(), state_.keys.last_use(), listing, listing.use_marks);
}

// What this sidecar has written may not be followed yet. Looked for when the watch has just ended: what is written
// later may be in another history already.
void Follower::prepare_history_check() {
  const locks::MutexLock lock(state_.mutex);
  const Replica::Newest& newest = state_.replica.newest();
  if (newest.modified > history_check_.modified)
    history_check_ = {state_.keys.room(newest.room), std::nullopt, newest.modified};
}

// Whatever was written by one revision stays so: a store that was put back may have come past where this one is, but by
// other changes.
bool Follower::checks_history() {
  if (history_check_.modified == 0) return true;
  etcd::RangeRequest request;
  request.key = history_check_.key;
  request.revision = history_check_.modified;
  const auto reply = client_.range(request);
  const bool is_past = reply.error == etcd::ErrorCode::compacted || reply.error == etcd::ErrorCode::refused;
  if (!reply.ok() && !is_past) return false;
  const bool is_as_it_was = reply.ok() && reply.value.items.size() == 1 &&
                            reply.value.items.front().modified == history_check_.modified &&
                            (!history_check_.value || reply.value.items.front().value == *history_check_.value);
  if (reply.ok() && !is_as_it_was) is_other_history_ = true;
  if (!is_as_it_was) must_list_ = true;
  return true;
}

bool Follower::list() {
  Listing listing{Freshness::now()};
  if (!checks_history() || !read(listing)) {
    if (state_.freshness.failing_for() == 0ms) state_.freshness.fails(listing.sent);
    return false;
  }
  error_logged_ = false;
  state_.freshness.works();
  applier_.apply(listing, is_other_history_);
  must_list_ = is_other_history_ = false;
  const auto newest =
      std::max_element(listing.items.begin(), listing.items.end(),
                       [](const auto& one, const auto& other) { return one.modified < other.modified; });
  history_check_ = newest == listing.items.end() ? HistoryCheck{} : history_check_of(*newest);
  has_begun_ = true;
  is_listed_ = true;
  applier_.write_drains();
  return true;
}

bool Follower::apply_events(const etcd::Header& header, const std::vector<etcd::Event>& events) {
  if (events.empty()) {
    const locks::MutexLock lock(state_.mutex);
    if (header.revision < state_.replica.followed()) {
      must_list_ = true;
      return false;
    }
    is_watching_ = has_begun_ = true;
    return true;
  }
  applier_.apply(events);
  const auto last_put =
      std::find_if(events.rbegin(), events.rend(), [](const etcd::Event& event) { return !event.erased; });
  if (last_put != events.rend()) history_check_ = history_check_of(last_put->item);
  return true;
}

}  // namespace cluster
