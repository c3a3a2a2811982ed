#include "cluster/departed.h"

#include <utility>
#include <vector>

#include "cluster/operations.h"
#include "logging/log.h"

namespace cluster {
namespace {

using namespace std::chrono_literals;

// The deadline of work that puts things in order: a slow store is given more time step by step (etcd/attempt_time.h).
constexpr auto order_within = 30s;
// The next sidecar in the order of names does it if the one before has not.
constexpr auto delay_per_rank = 10s;
constexpr std::size_t most_in_order = 500;
constexpr std::int64_t marks_a_page = 5000;
constexpr std::size_t rooms_recounted_per_slice = 256;

}  // namespace

// A sidecar that went is as one silent session: after dead_after its users count no more, until it is back.
void Departed::forget_silent_users() {
  const auto old = Sidecars::Clock::now() - state_.registry.policy()->options().dead_after;
  std::set<std::string> silent = sidecars_.lost_since(old);
  if (silent == silent_) return;
  silent_ = std::move(silent);
  domain::RoomId last;
  for (bool more = true; more; state_.registry.pause_between_slices()) {
    const locks::MutexLock lock(state_.mutex);
    if (last.empty()) state_.replica.set_silent(silent_);
    const auto rooms = state_.replica.rooms_with_users(last, rooms_recounted_per_slice);
    app::Registry::Transaction local(state_.registry);
    for (const domain::RoomId& room : rooms) {
      local.ledger().set_users_elsewhere(room, static_cast<std::size_t>(state_.replica.users(room)));
    }
    more = !rooms.empty();
    if (more) last = rooms.back();
  }
}

// A sidecar that is cut off may answer for max_stale what it knows; users with such an answer come within join_grace.
std::chrono::milliseconds Departed::grace() const {
  const auto policy = state_.registry.policy();
  return state_.options.max_stale + policy->options().join_grace + delay_per_rank * sidecars_.rank();
}

void Departed::forget_tombstones() {
  if (writer_.backlog() >= most_in_order) return;  // those of the last time still wait
  const auto old = Sidecars::Clock::now() - grace();
  std::vector<Plain> commands;
  {
    const locks::MutexLock lock(state_.mutex);
    for (const auto& [room, tombstone] : state_.replica.tombstones()) {
      if (tombstone.since > old) continue;
      const std::string key = state_.keys.tombstone(room);
      Plain& command = commands.emplace_back(etcd::Transaction{{is_as_of(key, tombstone.modified)}, {erase(key)}});
      command.deadline = Sidecars::Clock::now() + order_within;
      if (commands.size() == most_in_order) break;
    }
  }
  for (Plain& command : commands) writer_.push(std::move(command));
}

void Departed::reap_lost() {
  if (writer_.backlog() >= most_in_order) return;
  for (const std::string& id : sidecars_.lost_since(Sidecars::Clock::now() - grace())) reap(id);
}

void Departed::reap(const std::string& id) {
  etcd::RangeRequest request;
  request.key = state_.keys.first_use();
  request.range_end = state_.keys.last_use();
  request.keys_only = true;
  request.limit = marks_a_page;
  std::int64_t reaped = 0;
  for (bool more = true; more;) {
    const auto reply = client_.range(request);
    if (!reply.ok()) return;
    for (const etcd::KeyValue& item : reply.value.items) {
      const auto key = state_.keys.parse(item.key);
      if (!key || key->sidecar != id) continue;
      Reap command(key->room, id, item.modified);
      command.deadline = Sidecars::Clock::now() + order_within;
      writer_.push(std::move(command));
      if (++reaped == static_cast<std::int64_t>(most_in_order)) break;
    }
    if (reaped == static_cast<std::int64_t>(most_in_order)) break;
    more = reply.value.more && !reply.value.items.empty();
    if (more) request.key = reply.value.items.back().key + '\0';
  }
  if (reaped > 0) {
    logging::info("Rooms of a departed sidecar are given up, where no other sidecar uses them",
                  {{"sidecar", id}, {"rooms", reaped}});
    return;  // and looked at again
  }
  sidecars_.forget(id);
}

}  // namespace cluster
