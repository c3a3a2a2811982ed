// A transaction as it is, of whose result nobody wants to know more than that there is one.
#pragma once

#include <functional>

#include "cluster/commands/command_base.h"

namespace cluster {

struct Plain : CommandBase {
  using Outcome = bool;  // false: refused, or too late

  explicit Plain(etcd::Transaction what, std::function<void(Outcome)> when_answered = {})
      : answered(std::move(when_answered)) {
    transaction = std::move(what);
  }

  std::function<void(Outcome)> answered;

  // No id of a room has a control character.
  std::string subject() const { return "\n" + transaction.success.front().key; }
  bool is_waited_for() const { return answered != nullptr; }
  bool may_be_dropped() const { return is_waited_for(); }
  void abandon() { report(false); }

  std::optional<Outcome> prepare(const Keys&, const Replica&) const { return std::nullopt; }
  std::optional<Outcome> conclude(const etcd::TransactionResult&, etcd::Revision, Replica&) const { return true; }
  void finish(Outcome outcome, SharedState&, Writer&) const { report(outcome); }

 private:
  void report(Outcome outcome) const {
    if (answered) answered(outcome);
  }
};

}  // namespace cluster
