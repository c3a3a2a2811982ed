// Writes commands to the shared store: one thread puts what waits into one transaction, as the journal does with the
// disk, and has each command conclude and finish. Commands that came too late there, and no caller waits for, are retried
// by a second thread, which gives the store more time (etcd/attempt_time.h) while the first one goes on. push() never
// blocks and may be called under the registry's lock. Replica and ledger hold an outcome before it is reported.
#pragma once

#include <atomic>
#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "cluster/command.h"
#include "cluster/command_queue.h"
#include "cluster/shared_state.h"
#include "etcd/client.h"

namespace cluster {

class Writer : public std::enable_shared_from_this<Writer> {
 public:
  // Held by a shared pointer: a claim that is being written to the file keeps it.
  explicit Writer(std::shared_ptr<SharedState> state);
  ~Writer();  // stop()
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  void push(Command command);
  // Writes the row of a claim that was won to the file. `written` is called later, with the state's lock; no command of
  // that room is begun before its end.
  void write_row(const domain::Assignment& row, std::function<void(bool committed)> written);
  // Whatever has not been done by then is given up.
  void set_deadline(std::chrono::steady_clock::time_point deadline) { queue_.set_deadline(deadline); }
  // No command is begun any more; those that wait end without an outcome.
  void stop();
  // Commands that nobody waits for, and that the store has not taken yet.
  std::size_t backlog() const { return queue_.backlog(); }
  // Any thread: what was asked for last is not allowed, or there is no room for it.
  bool is_refused() const { return is_refused_; }

 private:
  void perform(std::deque<Command> batch, etcd::Client& client);
  void send(std::deque<Command> batch, etcd::Client& client);
  void note_failure(const etcd::Reply<etcd::TransactionResult>& reply, bool refused);
  etcd::Client::Deadline deadline_of(const std::deque<Command>& batch) const;
  void give_back(std::deque<Command> batch, bool refused);
  void end_without_outcome(Command& command) REQUIRES(state_.mutex);

  const std::shared_ptr<SharedState> shared_;
  SharedState& state_;
  etcd::Client client_;
  etcd::Client patient_client_;  // of the retries
  const std::string id_prefix_;
  std::atomic<std::uint64_t> last_id_{0};
  std::atomic<bool> is_refused_{false};
  std::atomic<bool> refusal_logged_{false};
  CommandQueue queue_;
  std::thread thread_;
  std::thread retry_thread_;
};

}  // namespace cluster
