#include "cluster/writer.h"

#include <pthread.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "cluster/operations.h"
#include "logging/log.h"
#include "store/journal.h"

namespace cluster {
namespace {

using namespace std::chrono_literals;
using What = Conclusion::What;

// So many commands make one transaction. Each is three operations at most and some hundred bytes.
constexpr std::size_t most_at_once = 64;
// So far the queue is searched for one of another subject.
constexpr std::size_t most_looked_at = 256;
// The pause before the store is asked again for what it refused: somebody has to mend that first.
constexpr auto pause_after_refusal = 1s;

}  // namespace

Writer::Writer(std::shared_ptr<SharedState> state)
    : shared_(std::move(state)),
      state_(*shared_),
      engine_(state_.options, state_.cluster, state_.authenticator),
      patient_engine_(state_.options, state_.cluster, state_.authenticator),
      instance_(random_id()),
      thread_([this] {
        ::pthread_setname_np(::pthread_self(), "shared writer");
        for (auto batch = take(); !batch.commands.empty(); batch = take()) {
          perform(std::move(batch.commands), engine_);
          end(batch);
        }
      }),
      retry_thread_([this] { retry(); }) {}

Writer::~Writer() { stop(); }

void Writer::push(Command command) {
  {
    const locks::MutexLock lock(mutex_);
    if (command.id.empty()) command.id = state_.sidecar + "-" + instance_ + "-" + std::to_string(++last_id_);
    if (command.sidecar.empty()) command.sidecar = state_.sidecar;
    const auto patience = std::chrono::steady_clock::now() + state_.options.timeout;
    if (!command.waited_until) command.waited_until = command.deadline.value_or(patience);
    if (!stopping_) {
      enqueue(std::move(command), false);
      woken_.notify_one();
      return;
    }
  }
  // Too late: no claim, whose end would want the registry's lock, since those are pushed under it.
  abandon(command);
}

void Writer::stop() {
  {
    const locks::MutexLock lock(mutex_);
    if (std::exchange(stopping_, true) && !thread_.joinable()) return;
  }
  engine_.stop();
  patient_engine_.stop();
  woken_.notify_all();
  retry_woken_.notify_all();
  if (thread_.joinable()) thread_.join();
  if (retry_thread_.joinable()) retry_thread_.join();
  std::deque<Command> remaining;
  {
    const locks::MutexLock lock(mutex_);
    remaining = std::exchange(queue_, {});
    std::move(urgent_.begin(), urgent_.end(), std::back_inserter(remaining));
    urgent_.clear();
    std::move(retries_.begin(), retries_.end(), std::back_inserter(remaining));
    retries_.clear();
    ordinary_.clear();
    std::move(later_.begin(), later_.end(), std::back_inserter(remaining));
    later_.clear();
  }
  for (Command& command : remaining) abandon(command);
}

void Writer::abandon(Command& command) {
  if (command.settled) command.settled({});
  if (command.ended) command.ended(false);
  if (command.released) command.released(app::Claims::Released::unavailable);
  if (command.answered) command.answered(nullptr);
  if (command.announced) command.announced();
}

std::size_t Writer::backlog() const {
  const locks::MutexLock lock(mutex_);
  return queue_.size() + retries_.size() + later_.size();
}

// One that is waited for stays behind an ordinary one of its subject: their order is kept.
void Writer::enqueue(Command command, bool in_front) {
  const bool is_urgent = command.is_waited_for() && ordinary_.count(command.subject()) == 0;
  if (!is_urgent) ++ordinary_[command.subject()];
  auto& queue = is_urgent ? urgent_ : queue_;
  in_front ? queue.push_front(std::move(command)) : queue.push_back(std::move(command));
}

// Commands with a waiting caller go first; at most one per subject is in flight. Commands whose time is over are taken,
// too, so that their callers learn it: they must not hang behind what the store has not taken for long.
Writer::Batch Writer::take() {
  Batch batch;
  locks::MutexLock lock(mutex_);
  for (;;) {
    if (stopping_) return {};
    if (!later_.empty() && std::chrono::steady_clock::now() >= later_at_) {
      for (Command& command : std::exchange(later_, {})) enqueue(std::move(command), false);
    }
    std::set<std::string> subjects;  // of this batch
    const auto may_be_sent = [&](const std::string& subject) REQUIRES(mutex_) {
      return in_store_.count(subject) == 0 && in_hand_.count(subject) == 0 && subjects.insert(subject).second;
    };
    std::size_t taken = 0;
    std::deque<Command> remaining;
    for (Command& command : std::exchange(urgent_, {})) {
      if (is_over(command)) {
        batch.commands.push_back(std::move(command));
      } else if (taken < most_at_once && may_be_sent(command.subject())) {
        batch.subjects.push_back(command.subject());
        batch.commands.push_back(std::move(command));
        ++taken;
      } else {
        remaining.push_back(std::move(command));
      }
    }
    urgent_ = std::move(remaining);
    std::size_t looked = 0;
    for (auto command = queue_.begin(); command != queue_.end() && taken < most_at_once && looked < most_looked_at;
         ++looked) {
      std::string subject = command->subject();
      const bool is_late = is_over(*command);
      if (!is_late && !may_be_sent(subject)) {
        ++command;
        continue;
      }
      if (!is_late) batch.subjects.push_back(subject);
      batch.ordinary.push_back(std::move(subject));
      batch.commands.push_back(std::move(*command));
      command = queue_.erase(command);
      if (!is_late) ++taken;
    }
    if (!batch.commands.empty()) {
      in_hand_.insert(batch.subjects.begin(), batch.subjects.end());
      return batch;
    }
    const auto until = next_deadline();
    until ? void(woken_.wait_until(lock, *until)) : woken_.wait(lock);
  }
}

// When something that waits has to be looked at, whatever else comes.
std::optional<std::chrono::steady_clock::time_point> Writer::next_deadline() const {
  std::optional<std::chrono::steady_clock::time_point> next;
  const auto add = [&next](std::chrono::steady_clock::time_point time) { next = std::min(next.value_or(time), time); };
  if (!later_.empty()) add(later_at_);
  for (const auto* queue : {&urgent_, &queue_}) {
    for (const Command& command : *queue) {
      if (command.deadline) add(*command.deadline);
    }
  }
  return next;
}

void Writer::retry() {
  ::pthread_setname_np(::pthread_self(), "shared retries");
  for (auto batch = take_retries(); !batch.commands.empty(); batch = take_retries()) {
    perform(std::move(batch.commands), patient_engine_);
    end(batch);
  }
}

// Their subjects are in hand since they came too late.
Writer::Batch Writer::take_retries() {
  Batch batch;
  locks::MutexLock lock(mutex_);
  retry_woken_.wait(lock, [this]() REQUIRES(mutex_) { return stopping_ || !retries_.empty(); });
  if (stopping_) return batch;
  while (!retries_.empty() && batch.commands.size() < most_at_once) {
    batch.subjects.push_back(retries_.front().subject());
    batch.commands.push_back(std::move(retries_.front()));
    retries_.pop_front();
  }
  batch.ordinary = batch.subjects;
  return batch;
}

// It is known what came of each, or each is in a queue again.
void Writer::end(const Batch& batch) {
  const locks::MutexLock lock(mutex_);
  for (const std::string& subject : batch.subjects) in_hand_.erase(in_hand_.find(subject));
  for (const std::string& subject : batch.ordinary) {
    if (--ordinary_[subject] == 0) ordinary_.erase(subject);
  }
  woken_.notify_all();
}

void Writer::perform(std::deque<Command> batch, etcd::Client& engine) {
  name_standbys(batch, engine);
  std::deque<Command> to_send;
  {
    const locks::MutexLock lock(state_.mutex);
    for (Command& command : batch) {
      if (is_over(command)) {
        command.kind == Command::Kind::claim ? settle(command, {}) : abandon(command);
        continue;
      }
      const Conclusion known = prepare(command, state_.keys, state_.replica);
      if (known.what == What::ask) {
        to_send.push_back(std::move(command));
      } else {
        finish(command, known);
      }
    }
  }
  if (!to_send.empty()) send(std::move(to_send), engine);
}

// One whole attempt at least: a caller that has hardly any time left must not take the others' time as well.
etcd::Client::Deadline Writer::deadline_of(const std::deque<Command>& batch) const {
  const auto now = std::chrono::steady_clock::now();
  const auto one_attempt = now + state_.options.attempt_timeout;
  auto deadline = one_attempt;
  for (const Command& command : batch) {
    if (is_waited_for(command)) deadline = now + state_.options.timeout;
  }
  for (const Command& command : batch) {
    if (command.deadline) deadline = std::min(deadline, *command.deadline);
  }
  return std::min(std::max(deadline, one_attempt), shutdown_deadline());
}

void Writer::send(std::deque<Command> batch, etcd::Client& engine) {
  const bool is_retry = &engine == &patient_engine_;
  etcd::Transaction whole;
  for (const Command& command : batch) whole.success.push_back(nested(command.transaction));
  const auto sent = Freshness::now();
  const auto reply = is_retry ? engine.transact(whole) : engine.transact(whole, deadline_of(batch));
  if (!reply.ok() || reply.value.done.size() != batch.size()) {
    state_.counts.failures.add();
    const bool refused = reply.ok() || reply.error == etcd::ErrorCode::refused;
    if (refused) is_refused_ = true;
    if (!refused && !is_retry) state_.freshness.fails(sent);
    if (refused && !refusal_logged_.exchange(true)) {
      logging::error("Shared store refuses", {{"reason", reply.why}});
    }
    if (!refused || batch.size() == 1) return give_back(std::move(batch), refused);
    // One that it does not take must not keep it from the others.
    for (Command& command : batch) {
      std::deque<Command> one;
      one.push_back(std::move(command));
      send(std::move(one), engine);
    }
    return;
  }
  if (batch.size() > 1) refusal_logged_ = false;
  is_refused_ = false;
  state_.counts.transactions.observe(static_cast<std::uint64_t>((Freshness::now() - sent).count()));
  state_.freshness.works();
  bool has_changed = false;
  const locks::MutexLock lock(state_.mutex);
  for (std::size_t i = 0; i < batch.size(); ++i) {
    Command& command = batch[i];
    if (reply.value.done[i].nested.empty()) {
      abandon(command);
      continue;
    }
    const etcd::TransactionResult& result = reply.value.done[i].nested.front();
    if (command.kind == Command::Kind::plain) {
      if (command.answered) command.answered(&result);
      continue;
    }
    const Conclusion conclusion = conclude(command, result, reply.header.revision, state_.replica);
    const bool is_watched = command.kind == Command::Kind::claim || command.kind == Command::Kind::republish ||
                            command.kind == Command::Kind::give_up || command.kind == Command::Kind::release;
    has_changed = has_changed || (is_watched && conclusion.what == What::done && result.succeeded);
    finish(command, conclusion);
  }
  // Its echo will be followed.
  if (has_changed) state_.freshness.answered(sent, reply.header.revision);
}

// Has its time passed?
bool Writer::is_over(const Command& command) const {
  const auto now = std::chrono::steady_clock::now();
  return now >= shutdown_deadline() || (command.deadline && now >= *command.deadline);
}

bool Writer::is_waited_for(const Command& command) const {
  return command.is_waited_for() && std::chrono::steady_clock::now() < *command.waited_until;
}

// The store has not done them, or it is not known whether it has.
void Writer::give_back(std::deque<Command> batch, bool refused) {
  std::deque<Command> again, retries;
  for (Command& command : batch) {
    // Use marks and ends must come about in any case; the callers of the others ask again.
    const bool may_be_dropped = command.settled || command.released || command.answered;
    if (may_be_dropped && (refused || is_over(command))) {
      const locks::MutexLock lock(state_.mutex);
      command.kind == Command::Kind::claim ? settle(command, {}) : abandon(command);
    } else {
      if (refused && command.announced) std::exchange(command.announced, {})();
      (refused || is_waited_for(command) ? again : retries).push_back(std::move(command));
    }
  }
  const locks::MutexLock lock(mutex_);
  if (refused) {
    std::move(again.begin(), again.end(), std::back_inserter(later_));
    later_at_ = std::chrono::steady_clock::now() + pause_after_refusal;
  } else {
    for (auto command = again.rbegin(); command != again.rend(); ++command) enqueue(std::move(*command), true);
  }
  for (Command& command : retries) {
    const std::string subject = command.subject();
    ++ordinary_[subject];
    in_hand_.insert(subject);
    retries_.push_back(std::move(command));
  }
  if (!retries.empty()) retry_woken_.notify_one();
}

// The first sidecar that moves rooms off a gateway names the standby: else each sidecar would take its own.
void Writer::name_standbys(std::deque<Command>& batch, etcd::Client& engine) {
  etcd::Transaction whole;
  std::vector<std::string> gateways;
  {
    const locks::MutexLock lock(state_.mutex);
    for (const Command& command : batch) {
      const std::string& gateway = command.request.leaves;
      if (command.kind != Command::Kind::claim || command.request.kind != app::ClaimRequest::Kind::moved) continue;
      if (std::find(gateways.begin(), gateways.end(), gateway) != gateways.end()) continue;
      const Replica::Failover* known = state_.replica.failover(gateway);
      if (known && known->value.standby == command.request.standby) continue;
      // Another than the one that was known when this was decided: that one can't go on.
      if (known && known->value.standby != command.request.standby_before) continue;
      etcd::Transaction one;
      const std::string key = state_.keys.failover(gateway);
      one.compares.push_back(is_as_of(key, known ? known->modified : 0));
      one.success.push_back(put(key, to_text(FailoverValue{command.request.standby, state_.sidecar})));
      one.failure.push_back(get(key));
      whole.success.push_back(nested(std::move(one)));
      gateways.push_back(gateway);
    }
  }
  if (!gateways.empty()) {
    const auto reply = engine.transact(whole, std::chrono::steady_clock::now() + state_.options.attempt_timeout);
    if (reply.ok() && reply.value.done.size() == gateways.size()) {
      const locks::MutexLock lock(state_.mutex);
      for (std::size_t i = 0; i < gateways.size(); ++i) {
        const auto& results = reply.value.done[i].nested;
        if (results.empty()) continue;
        FailoverValue value;
        etcd::Revision modified = reply.header.revision;
        if (results[0].succeeded) {
          const auto first = std::find_if(batch.begin(), batch.end(), [&](const Command& command) {
            return command.kind == Command::Kind::claim && command.request.leaves == gateways[i];
          });
          value = {first->request.standby, state_.sidecar};
        } else if (!results[0].done.empty() && !results[0].done[0].found.empty()) {
          const etcd::KeyValue& there = results[0].done[0].found.front();
          if (auto read = failover_value_from(there.value)) value = std::move(*read);
          modified = there.modified;
        }
        state_.replica.take_failover(gateways[i], std::move(value), modified);
      }
    }
  }
  // Commands that requested another standby are decided anew.
  std::deque<Command> remaining;
  const locks::MutexLock lock(state_.mutex);
  for (Command& command : batch) {
    const bool moves = command.kind == Command::Kind::claim && command.request.kind == app::ClaimRequest::Kind::moved;
    const Replica::Failover* known = moves ? state_.replica.failover(command.request.leaves) : nullptr;
    if (!moves || (known && known->value.standby == command.request.standby)) {
      remaining.push_back(std::move(command));
      continue;
    }
    if (known) {
      app::Registry::Transaction local(state_.registry);
      domain::Ledger& ledger = local.ledger();
      std::optional<domain::GatewayId> standby;
      if (known->value.standby) standby = ledger.number_of(*known->value.standby);
      ledger.begin_evacuation(ledger.number_of(command.request.leaves), standby);
    }
    settle(command, {known ? app::ClaimOutcome::retry : app::ClaimOutcome::failed, {}});
  }
  batch = std::move(remaining);
}

void Writer::finish(Command& command, const Conclusion& conclusion) {
  switch (command.kind) {
    case Command::Kind::claim:
      return finish_claim(command, conclusion);
    case Command::Kind::give_up:
      return finish_give_up(command, conclusion);
    case Command::Kind::republish:
      return finish_republish(command, conclusion);
    case Command::Kind::release:
      return finish_release(command, conclusion);
    case Command::Kind::use:
      finish_use_mark(command, conclusion);
      if (command.announced) command.announced();
      return;
    case Command::Kind::reap:
      if (conclusion.what == What::done) {
        app::Registry::Transaction local(state_.registry);
        end_room(local.ledger(), command.room, command.request.row.gateway_name);
      } else if (conclusion.what == What::again) {
        push(std::move(command));
      }
      return;
    case Command::Kind::end_failover:
    case Command::Kind::plain:
      return;
  }
}

void Writer::settle(const Command& command, const app::Grant& grant) {
  state_.counts.claims[grant.outcome].add();
  command.settled(grant);
  if (grant.outcome == app::ClaimOutcome::retry || grant.outcome == app::ClaimOutcome::failed) catch_up(command.room);
  // It may have come through all the same, and then has left our use mark, which we would not know of.
  const bool may_be_marked = grant.outcome == app::ClaimOutcome::failed && command.request.is_used_here;
  if (!may_be_marked || !state_.replica.room(command.room)) return;
  app::Registry::Transaction local(state_.registry);
  local.ledger().keep(command.room, local.now().service);
  push(use_mark_of(local.ledger().set_announced_use(command.room, domain::Use::kept)));
}

// What others have done while the claim was under way has not been followed (Ledger::follow); now it is withdrawn.
void Writer::catch_up(const std::string& room) {
  const auto now = state_.replica.room(room);
  app::Registry::Transaction local(state_.registry);
  domain::Ledger& ledger = local.ledger();
  if (now) return ledger.follow(now->row);
  const domain::Ledger::Room* entry = ledger.find(room);
  // Before the first list nothing is known, and what is here has yet to be republished there.
  if (!entry || !entry->held || entry->pending || state_.replica.followed() == 0) return;
  if (!entry->has_users()) return ledger.unfollow(room);
  push(republish_of(ledger.assignment(room, *entry->held)));
}

// The assignment ended at the revision of the answer. The watch may have brought a newer one before.
void Writer::end_room(domain::Ledger& ledger, const std::string& room, std::optional<std::string_view> tombstone) {
  if (const auto now = state_.replica.room(room)) return ledger.follow(now->row);
  ledger.unfollow(room);
  ledger.set_tombstone(room, tombstone);
}

// Where the room goes back to if it is asked for again; nothing: wherever it fits.
std::optional<std::string_view> Writer::gateway_of_tombstone(const std::string& room) const {
  const Replica::KnownTombstone* tombstone = state_.replica.tombstone(room);
  if (!tombstone || tombstone->value.why != Tombstone::Why::empty) return std::nullopt;
  return tombstone->value.gateway;
}

void Writer::finish_claim(Command& command, const Conclusion& conclusion) {
  switch (conclusion.what) {
    case What::not_so:
      return settle(command, {app::ClaimOutcome::lost, *conclusion.row});
    case What::resend:
      return push(std::move(command));
    case What::again: {
      app::Registry::Transaction local(state_.registry);
      local.ledger().set_tombstone(command.room, gateway_of_tombstone(command.room));
      break;
    }
    case What::ask:
    case What::refused:
      return settle(command, {app::ClaimOutcome::failed, {}});
    case What::done: {
      {
        const locks::MutexLock lock(mutex_);
        in_store_.insert(command.room);
      }
      const auto won = std::make_shared<Command>(std::move(command));
      // It is safe, and known to all; in our own file it has to be before it is answered, for the time after a crash.
      state_.journal.write_assignment(won->request.row, [this, self = shared_from_this(), won](bool committed) {
        const locks::MutexLock lock(state_.mutex);
        const auto now = state_.replica.room(won->room);
        if (!committed) state_.journal.note(domain::Change(won->request.row));
        // The use mark came with the claim. Before any answer: a user who enters then has another one announced.
        if (won->request.is_used_here)
          app::Registry::Transaction(state_.registry).ledger().set_announced_use(won->room, domain::Use::kept);
        settle(*won, {app::ClaimOutcome::won, won->request.row});
        {
          app::Registry::Transaction local(state_.registry);
          local.ledger().set_tombstone(won->room, now ? std::nullopt : gateway_of_tombstone(won->room));
          // Users who were in it before, as when it was moved.
          const domain::Ledger::Room* room = local.ledger().find(won->room);
          const bool is_live = room && room->has_users() && local.ledger().announced_use(*room) == domain::Use::kept;
          if (is_live) push(use_mark_of(local.ledger().set_announced_use(won->room, domain::Use::live)));
          // What others have done since has not been followed while it was pending.
          if (!now)
            local.ledger().unfollow(won->room);
          else if (now->row.gateway_name != won->request.row.gateway_name)
            local.ledger().follow(now->row);
        }
        const locks::MutexLock own(mutex_);
        in_store_.erase(won->room);
        woken_.notify_all();
      });
      return;
    }
  }
  settle(command, {app::ClaimOutcome::retry, {}});
}

void Writer::finish_give_up(Command& command, const Conclusion& conclusion) {
  if (conclusion.what == What::again) return push(std::move(command));
  const bool ended = conclusion.what == What::done;
  bool is_used = false;
  {
    app::Registry::Transaction local(state_.registry);
    domain::Ledger& ledger = local.ledger();
    const domain::Ledger::Room* room = ledger.find(command.room);
    is_used = room && room->has_users();
    if (ended) end_room(ledger, command.room, command.request.row.gateway_name);
  }
  // Somebody came in meanwhile: the room goes on where it was.
  if (ended && is_used) push(republish_of(command.request.row));
  if (command.ended) command.ended(ended && !is_used);
}

void Writer::finish_republish(Command& command, const Conclusion& conclusion) {
  if (conclusion.what == What::again) return push(std::move(command));
  if (!conclusion.row) return;
  const auto now = state_.replica.room(command.room);
  if (!now) return;  // it has ended since
  const domain::Assignment& row = now->row;
  app::Registry::Transaction local(state_.registry);
  domain::Ledger& ledger = local.ledger();
  const bool is_elsewhere = row.gateway_name != command.request.row.gateway_name;
  if (is_elsewhere) {
    state_.counts.conflicts.add();
    logging::warn(
        "Room conflict: the shared store names another gateway, which wins; users here are split from new ones",
        {{"room_id", command.room}, {"here", command.request.row.gateway_name}, {"gateway_name", row.gateway_name}});
  }
  ledger.follow(row);
  ledger.set_tombstone(command.room, std::nullopt);
  ledger.keep(command.room, local.now().service);
  const domain::Ledger::Room* room = ledger.find(command.room);
  const auto use = room && room->has_users() ? domain::Use::live : domain::Use::kept;
  domain::RoomUse announced = ledger.set_announced_use(command.room, use);
  const bool is_marked = conclusion.what == What::done && state_.replica.use_mark(command.room) > 0;
  if (!is_marked || use == domain::Use::live) push(use_mark_of(std::move(announced)));
}

void Writer::finish_release(Command& command, const Conclusion& conclusion) {
  if (conclusion.what == What::again || conclusion.what == What::resend) return push(std::move(command));
  bool done = conclusion.what == What::done;
  bool in_use = conclusion.what == What::not_so;
  if (done) {
    app::Registry::Transaction local(state_.registry);
    domain::Ledger& ledger = local.ledger();
    const domain::Ledger::Room* room = ledger.find(command.room);
    const bool came_in = !command.force && room && room->has_users() && !command.request.row.gateway_name.empty();
    end_room(ledger, command.room, std::nullopt);
    if (came_in) {  // meanwhile: the room goes on where it was
      done = false;
      in_use = true;
      push(republish_of(command.request.row));
    }
  }
  command.released(done     ? app::Claims::Released::done
                   : in_use ? app::Claims::Released::in_use
                            : app::Claims::Released::unavailable);
}

void Writer::finish_use_mark(Command& command, const Conclusion& conclusion) {
  if (conclusion.what != What::not_so) return;
  // It was given up elsewhere before others knew of the use. An answered user finds it where it was
  // (tombstone_gateway); for users who are in it already it is republished now.
  app::Registry::Transaction local(state_.registry);
  domain::Ledger& ledger = local.ledger();
  ledger.set_announced_use(command.room, domain::Use::none);
  const domain::Ledger::Room* room = ledger.find(command.room);
  if (!room || !room->has_users() || room->pending) return;
  if (room->held) {
    push(republish_of(ledger.assignment(command.room, *room->held)));
  } else if (const auto back = ledger.tombstone_gateway(command.room)) {
    push(republish_of({command.room, ledger.name_of(*back), "", local.now().wall, local.now().wall}));
  }
}

}  // namespace cluster
