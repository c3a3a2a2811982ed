#include "cluster/migration.h"

#include <pthread.h>

#include <algorithm>
#include <set>

#include "cluster/command.h"
#include "cluster/command_queue.h"
#include "cluster/keys.h"
#include "cluster/operations.h"
#include "cluster/replica.h"
#include "cluster/resume_point.h"
#include "logging/log.h"

namespace cluster {
namespace {

using namespace std::chrono_literals;

constexpr std::int64_t items_a_page = 2000;
// A room that changes under each attempt is used by somebody: it is left to the next time.
constexpr int most_attempts = 10;
// How long one that has become alone tries to be taken out.
constexpr auto leave_time = 5s;

std::string words_for(etcd::ErrorCode error, const std::string& why) {
  const std::string reason = why.empty() ? "" : ": " + why;
  return (error == etcd::ErrorCode::refused ? "etcd refuses" : "etcd cannot be reached") + reason;
}

// What is known of the store while this is done, and how things are done there.
class Migration {
 public:
  Migration(etcd::Client& client, const Options& options, std::string sidecar, etcd::Client::Deadline deadline)
      : client_(client),
        timeout_(options.timeout),
        keys_(options.prefix),
        sidecar_(std::move(sidecar)),
        deadline_(deadline),
        id_prefix_(sidecar_ + "-" + random_id() + "-") {}

  const Keys& keys() const { return keys_; }
  Replica& replica() { return replica_; }
  // Rooms that had the sidecar's use mark when all was read.
  const std::vector<domain::RoomId>& marked() const { return marked_; }
  const std::optional<std::string>& problem() const { return problem_; }

  // All keys of [first, last) as of one revision; false if that failed.
  template <typename Take>
  bool read(const std::string& first, const std::string& last, bool keys_only, const Take& take) {
    etcd::RangeRequest request;
    request.key = first;
    request.range_end = last;
    request.limit = items_a_page;
    request.keys_only = keys_only;
    for (bool more = true; more;) {
      const auto reply = client_.range(request, until());
      if (!reply.ok()) return fails(reply);
      if (request.revision == 0) request.revision = reply.header.revision;
      for (const etcd::KeyValue& item : reply.value.items) take(item);
      more = reply.value.more && !reply.value.items.empty();
      if (more) request.key = reply.value.items.back().key + '\0';
    }
    return true;
  }

  // Rooms, and the sidecar's own use marks.
  bool read_all() {
    const bool has_rooms =
        read(keys_.room(""), etcd::end_of_prefix(keys_.room("")), false, [this](const etcd::KeyValue& item) {
          const auto key = keys_.parse(item.key);
          if (!key || key->kind != KeyKind::room) return;
          const auto value = room_value_from(key->room, item.value);
          if (value) replica_.take_room(value->row, item.modified);
        });
    return has_rooms && read(keys_.first_use(), keys_.last_use(), true, [this](const etcd::KeyValue& item) {
             const auto key = keys_.parse(item.key);
             if (!key || key->sidecar != sidecar_) return;
             replica_.set_use_mark(key->room, item.modified);
             marked_.push_back(key->room);
           });
  }

  // Each of them until its outcome is clear, which `concluded` gets; its false: the room's row cannot be read. False if
  // that is so, or etcd fails.
  template <typename Kind, typename Concluded>
  bool perform(std::vector<Kind> commands, const Concluded& concluded) {
    for (Kind& command : commands) {
      command.sidecar = sidecar_;
      command.id = id_prefix_ + std::to_string(++last_id_);
    }
    for (int attempt = 0; !commands.empty(); ++attempt) {
      std::vector<Kind> again;
      for (std::size_t at = 0; at < commands.size(); at += CommandQueue::most_at_once) {
        const std::size_t end = std::min(commands.size(), at + CommandQueue::most_at_once);
        if (!perform_some({commands.begin() + static_cast<std::ptrdiff_t>(at),
                           commands.begin() + static_cast<std::ptrdiff_t>(end)},
                          again, concluded)) {
          return false;
        }
      }
      commands = std::move(again);
      if (attempt < most_attempts || commands.empty()) continue;
      problem_ = std::to_string(commands.size()) + " rooms change all the time, " + commands.front().room.text() +
                 " among them";
      return false;
    }
    return true;
  }

  bool transact(const etcd::Transaction& transaction, etcd::Reply<etcd::TransactionResult>& reply) {
    reply = client_.transact(transaction, until());
    return reply.ok() || fails(reply);
  }

 private:
  etcd::Client::Deadline until() const { return std::min(deadline_, etcd::Client::Clock::now() + timeout_); }

  template <typename T>
  bool fails(const etcd::Reply<T>& reply) {
    problem_ = words_for(reply.error, reply.why);
    return false;
  }

  template <typename Kind, typename Concluded>
  bool perform_some(std::vector<Kind> commands, std::vector<Kind>& again, const Concluded& concluded) {
    if (etcd::Client::Clock::now() >= deadline_) {
      problem_ = "the time was too short";
      return false;
    }
    etcd::Transaction whole;
    std::vector<Kind> sent;
    for (Kind& command : commands) {
      if (const auto known = command.prepare(keys_, replica_)) {
        concluded(command, *known);
        continue;
      }
      whole.success.push_back(nested(command.transaction));
      sent.push_back(std::move(command));
    }
    if (sent.empty()) return true;
    etcd::Reply<etcd::TransactionResult> reply;
    if (!transact(whole, reply)) return false;
    for (std::size_t i = 0; i < sent.size(); ++i) {
      if (i >= reply.value.done.size() || reply.value.done[i].nested.empty()) {
        problem_ = "etcd's answer cannot be read";
        return false;
      }
      const auto outcome = sent[i].conclude(reply.value.done[i].nested.front(), reply.header.revision, replica_);
      if (!outcome) {
        again.push_back(std::move(sent[i]));
      } else if (!concluded(sent[i], *outcome)) {
        problem_ =
            "the row of room " + sent[i].room.text() + " in etcd cannot be read; is a newer version at work there?";
        return false;
      }
    }
    return true;
  }

  etcd::Client& client_;
  const std::chrono::milliseconds timeout_;
  const Keys keys_;
  const std::string sidecar_;
  const etcd::Client::Deadline deadline_;
  const std::string id_prefix_;
  std::uint64_t last_id_ = 0;
  Replica replica_;
  std::vector<domain::RoomId> marked_;
  std::optional<std::string> problem_;
};

// Republishes those that the store does not have.
bool republish_drains(Migration& migration, const LocalState& local, bool only_compares, Republished& republished) {
  std::set<std::string> known;
  const std::string first = migration.keys().gateway("");
  const bool is_read = migration.read(first, etcd::end_of_prefix(first), true, [&](const etcd::KeyValue& item) {
    if (const auto key = migration.keys().parse(item.key)) known.insert(key->name);
  });
  if (!is_read) return false;
  for (const auto& [gateway, draining] : local.drains) {
    if (known.count(gateway)) continue;
    if (!only_compares) {
      etcd::Transaction drain;
      drain.compares.push_back(is_absent(migration.keys().gateway(gateway)));
      drain.success.push_back(put(migration.keys().gateway(gateway), to_text(draining)));
      etcd::Reply<etcd::TransactionResult> reply;
      if (!migration.transact(drain, reply)) return false;
    }
    ++republished.drains;
  }
  return true;
}

bool republish_rooms(Migration& migration, const LocalState& local, bool only_compares, Republished& republished) {
  std::vector<Republish> commands;
  for (const domain::Assignment& row : local.rooms) {
    if (only_compares) {
      const auto there = migration.replica().room(row.room_id);
      const bool is_same = there && there->row.gateway_name == row.gateway_name;
      if (!there) ++republished.republished;
      if (is_same) ++republished.there_already;
      if (there && !is_same) republished.elsewhere.push_back({row.room_id, row.gateway_name, there->row.gateway_name});
      continue;
    }
    commands.emplace_back(row);
  }
  std::vector<MarkUse> marks;
  const bool is_done = migration.perform(std::move(commands), [&](const Republish& command, const app::Grant& grant) {
    if (grant.outcome == app::ClaimOutcome::failed) return false;
    const domain::Assignment& here = command.row;
    const std::string& there = grant.row.gateway_name;
    if (there != here.gateway_name) {
      republished.elsewhere.push_back({here.room_id, here.gateway_name, there});
      return true;
    }
    // A room that was won has its use mark; of one that was there it is not known.
    const bool is_republished = !command.transaction.success.empty() && grant.outcome == app::ClaimOutcome::won;
    ++(is_republished ? republished.republished : republished.there_already);
    const bool is_live = local.live.count(command.room) > 0;
    if (is_live || migration.replica().use_mark(command.room) == 0)
      marks.emplace_back(domain::RoomUse{command.room, is_live ? domain::Use::live : domain::Use::kept, 0});
    return true;
  });
  return is_done && migration.perform(std::move(marks), [](const MarkUse&, bool) { return true; });
}

}  // namespace

Republished republish_all(etcd::Client& client, const Options& options, const std::string& sidecar,
                          const LocalState& local, bool only_compares, etcd::Client::Deadline deadline) {
  Republished republished;
  std::string why;
  const auto announced = is_announced(client, options, sidecar, &why);
  if (!announced) {
    republished.problem = why;
    return republished;
  }
  republished.is_shared_already = *announced;
  if (republished.is_shared_already) return republished;
  Migration migration(client, options, sidecar, deadline);
  const bool is_done = migration.read_all() && republish_rooms(migration, local, only_compares, republished) &&
                       republish_drains(migration, local, only_compares, republished);
  if (!is_done) republished.problem = migration.problem();
  return republished;
}

TakenOut leave_store(etcd::Client& client, const Options& options, const std::string& sidecar,
                     etcd::Client::Deadline deadline) {
  TakenOut left;
  Migration migration(client, options, sidecar, deadline);
  const bool is_read = migration.read_all();
  std::vector<GiveUp> commands(migration.marked().begin(), migration.marked().end());
  const bool is_given_up =
      is_read && migration.perform(std::move(commands), [&](const GiveUp&, GiveUp::Outcome outcome) {
        if (outcome == GiveUp::Outcome::unavailable) return false;
        ++left.marks;
        if (outcome == GiveUp::Outcome::done) ++left.ended;
        return true;
      });
  etcd::Transaction whole;
  whole.success.push_back(erase(migration.keys().sidecar(sidecar)));
  etcd::Reply<etcd::TransactionResult> reply;
  if (!is_given_up || !migration.transact(whole, reply)) left.problem = migration.problem();
  return left;
}

std::optional<bool> is_announced(etcd::Client& client, const Options& options, const std::string& sidecar,
                                 std::string* why) {
  etcd::RangeRequest request;
  request.key = Keys(options.prefix).sidecar(sidecar);
  const auto reply = client.range(request, etcd::Client::Clock::now() + options.timeout);
  if (reply.ok()) return !reply.value.items.empty();
  *why = words_for(reply.error, reply.why);
  return std::nullopt;
}

LeaveTask::LeaveTask(const Options& options, std::shared_ptr<etcd::FollowedCluster> cluster,
                     std::shared_ptr<etcd::Authenticator> authenticator, std::string sidecar)
    : options_(options),
      sidecar_(std::move(sidecar)),
      client_(options_, std::move(cluster), std::move(authenticator)),
      thread_([this] {
        ::pthread_setname_np(::pthread_self(), "leaving");
        const auto left = leave_store(client_, options_, sidecar_, etcd::Client::Clock::now() + leave_time);
        const auto marks = static_cast<std::int64_t>(left.marks);
        if (left.problem) {
          logging::warn("Shared store still lists this sidecar, which is alone now: run `room-sidecar cluster leave`",
                        {{"reason", *left.problem}});
        } else {
          logging::info("Sidecar removed from the shared store", {{"rooms", marks}});
        }
      }) {}

LeaveTask::~LeaveTask() {
  client_.stop();
  thread_.join();
}

}  // namespace cluster
