#include "cluster/writer.h"

#include <pthread.h>

#include <algorithm>
#include <utility>

#include "cluster/operations.h"
#include "cluster/standbys.h"
#include "logging/log.h"
#include "store/journal.h"

namespace cluster {
namespace {

// Does a request wait for it?
bool has_waiting_request(const Command& command) {
  return is_waited_for(command) && std::chrono::steady_clock::now() < *base_of(command).waited_until;
}

}  // namespace

Writer::Writer(std::shared_ptr<SharedState> state)
    : shared_(std::move(state)),
      state_(*shared_),
      client_(state_.options, state_.cluster, state_.authenticator),
      patient_client_(state_.options, state_.cluster, state_.authenticator),
      id_prefix_(state_.sidecar + "-" + random_id() + "-"),
      thread_([this] {
        ::pthread_setname_np(::pthread_self(), "shared writer");
        for (auto batch = queue_.take(); !batch.commands.empty(); batch = queue_.take()) {
          perform(std::move(batch.commands), client_);
          queue_.end(batch);
        }
      }),
      retry_thread_([this] {
        ::pthread_setname_np(::pthread_self(), "shared retries");
        for (auto batch = queue_.take_retries(); !batch.commands.empty(); batch = queue_.take_retries()) {
          perform(std::move(batch.commands), patient_client_);
          queue_.end(batch);
        }
      }) {}

Writer::~Writer() { stop(); }

void Writer::push(Command command) {
  CommandBase& base = base_of(command);
  if (base.id.empty()) base.id = id_prefix_ + std::to_string(++last_id_);
  if (base.sidecar.empty()) base.sidecar = state_.sidecar;
  const auto patience = std::chrono::steady_clock::now() + state_.options.timeout;
  if (!base.waited_until) base.waited_until = base.deadline.value_or(patience);
  // Too late: no claim, whose end would want the registry's lock, since those are pushed under it.
  if (!queue_.push(command)) abandon(command);
}

void Writer::write_row(const domain::Assignment& row, std::function<void(bool committed)> written) {
  queue_.hold(row.room_id.text());
  state_.journal.write_assignment(
      row, [self = shared_from_this(), room = row.room_id, written = std::move(written)](bool committed) {
        const locks::MutexLock lock(self->state_.mutex);
        written(committed);
        self->queue_.let_go(room.text());
      });
}

void Writer::stop() {
  queue_.stop();
  client_.stop();
  patient_client_.stop();
  if (thread_.joinable()) thread_.join();
  if (retry_thread_.joinable()) retry_thread_.join();
  for (Command& command : queue_.take_rest()) abandon(command);
}

void Writer::perform(std::deque<Command> batch, etcd::Client& client) {
  name_standbys(batch, client, state_, *this);
  std::deque<Command> to_send;
  {
    const locks::MutexLock lock(state_.mutex);
    for (Command& command : batch) {
      if (queue_.is_over(command)) {
        end_without_outcome(command);
        continue;
      }
      const auto prepare = [&](auto& kind) {
        state_.mutex.assert_held();
        const auto outcome = kind.prepare(state_.keys, state_.replica);
        outcome ? kind.finish(*outcome, state_, *this) : to_send.push_back(std::move(command));
      };
      std::visit(prepare, command);
    }
  }
  if (!to_send.empty()) send(std::move(to_send), client);
}

// One whole attempt at least: a caller that has hardly any time left must not take the others' time as well.
etcd::Client::Deadline Writer::deadline_of(const std::deque<Command>& batch) const {
  const auto now = std::chrono::steady_clock::now();
  const auto one_attempt = now + state_.options.attempt_timeout;
  const bool is_urgent = std::any_of(batch.begin(), batch.end(), has_waiting_request);
  auto deadline = is_urgent ? now + state_.options.timeout : one_attempt;
  for (const Command& command : batch) deadline = std::min(deadline, base_of(command).deadline.value_or(deadline));
  return std::min(std::max(deadline, one_attempt), queue_.deadline());
}

void Writer::send(std::deque<Command> batch, etcd::Client& client) {
  const bool is_retry = &client == &patient_client_;
  etcd::Transaction whole;
  for (const Command& command : batch) whole.success.push_back(nested(base_of(command).transaction));
  const auto sent = Freshness::now();
  const auto reply = is_retry ? client.transact(whole) : client.transact(whole, deadline_of(batch));
  if (!reply.ok() || reply.value.done.size() != batch.size()) {
    const bool refused = reply.ok() || reply.error == etcd::ErrorCode::refused;
    note_failure(reply, refused);
    if (!refused && !is_retry) state_.freshness.fails(sent);
    if (!refused || batch.size() == 1) return give_back(std::move(batch), refused);
    // One that it does not take must not keep it from the others.
    for (Command& command : batch) {
      std::deque<Command> one;
      one.push_back(std::move(command));
      send(std::move(one), client);
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
    const auto conclude = [&](auto& kind) {
      state_.mutex.assert_held();
      const auto outcome = kind.conclude(result, reply.header.revision, state_.replica);
      if (!outcome) return push(std::move(command));
      has_changed = has_changed || (result.succeeded && kind.shows_freshness(*outcome));
      kind.finish(*outcome, state_, *this);
    };
    std::visit(conclude, command);
  }
  // Its echo will be followed.
  if (has_changed) state_.freshness.answered(sent, reply.header.revision);
}

void Writer::note_failure(const etcd::Reply<etcd::TransactionResult>& reply, bool refused) {
  state_.counts.failures.add();
  if (!refused) return;
  is_refused_ = true;
  if (!refusal_logged_.exchange(true)) logging::error("Shared store refuses", {{"reason", reply.why}});
}

// The store has not done them, or it is not known whether it has.
void Writer::give_back(std::deque<Command> batch, bool refused) {
  std::deque<Command> again, retries;
  for (Command& command : batch) {
    // Use marks and ends must come about in any case; the callers of the others ask again.
    const bool may_be_dropped = std::visit([](const auto& kind) { return kind.may_be_dropped(); }, command);
    if (may_be_dropped && (refused || queue_.is_over(command))) {
      const locks::MutexLock lock(state_.mutex);
      end_without_outcome(command);
      continue;
    }
    if (MarkUse* mark = std::get_if<MarkUse>(&command); mark && refused) {
      mark->abandon();
      mark->announced = nullptr;
    }
    (refused || has_waiting_request(command) ? again : retries).push_back(std::move(command));
  }
  refused ? queue_.put_off(std::move(again)) : queue_.give_back(std::move(again), std::move(retries));
}

// A claim is counted, and the ledger follows what it could not while that was under way.
void Writer::end_without_outcome(Command& command) {
  if (const ClaimRoom* claim = std::get_if<ClaimRoom>(&command)) return claim->settle({}, state_, *this);
  abandon(command);
}

}  // namespace cluster
