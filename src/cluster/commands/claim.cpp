#include "cluster/commands/claim.h"

#include <memory>

#include "cluster/operations.h"
#include "cluster/writer.h"
#include "store/journal.h"

namespace cluster {
namespace {

using app::ClaimOutcome;

// Where the room goes back to if it is asked for again; nothing: wherever it fits.
std::optional<std::string_view> gateway_of_tombstone(const Replica& replica, const domain::RoomId& room) {
  const Replica::KnownTombstone* tombstone = replica.tombstone(room);
  if (!tombstone || tombstone->value.why != Tombstone::Why::empty) return std::nullopt;
  return tombstone->value.gateway;
}

// What others have done while the claim was under way has not been followed (Ledger::follow); now it is withdrawn.
void catch_up(const domain::RoomId& room, SharedState& state, Writer& writer) REQUIRES(state.mutex) {
  const auto now = state.replica.room(room);
  app::Registry::Transaction local(state.registry);
  domain::Ledger& ledger = local.ledger();
  if (now) return ledger.follow(now->row);
  const domain::Ledger::Room* entry = ledger.find(room);
  // Before the first list nothing is known, and what is here has yet to be republished there.
  if (!entry || !entry->held || entry->pending || state.replica.followed() == 0) return;
  if (!entry->has_users()) return ledger.unfollow(room);
  writer.push(Republish(ledger.assignment(room, *entry->held)));
}

}  // namespace

std::optional<app::Grant> ClaimRoom::prepare(const Keys& keys, const Replica& replica) {
  const std::string key = keys.room(room);
  const auto known = replica.room(room);
  etcd::Transaction next;
  next.success.push_back(put(key, to_text(RoomValue{request.row, sidecar, id})));
  if (request.is_used_here)
    next.success.push_back(put(keys.use(room, sidecar), to_text(UseMark{domain::Use::kept, 0})));
  next.failure.push_back(get(key));
  over = known ? known->modified : 0;
  if (known && request.kind != app::ClaimRequest::Kind::first) {
    if (moves() && known->row.gateway_name != request.leaves) return app::Grant{ClaimOutcome::lost, known->row};
    next.compares.push_back(is_as_of(key, known->modified));
    if (!moves()) add_no_others(next, keys, room, sidecar);
  } else if (known) {
    return app::Grant{ClaimOutcome::lost, known->row};
  } else if (moves()) {
    return app::Grant{ClaimOutcome::retry};  // somebody has given it up
  } else {
    const std::string tombstone = keys.tombstone(room);
    const Replica::KnownTombstone* was = replica.tombstone(room);
    next.compares.push_back(is_absent(key));
    next.compares.push_back(is_as_of(tombstone, was ? was->modified : 0));
    next.success.push_back(erase(tombstone));
    next.failure.push_back(get(tombstone));
  }
  transaction = std::move(next);
  return std::nullopt;
}

std::optional<app::Grant> ClaimRoom::conclude(const etcd::TransactionResult& result, etcd::Revision revision,
                                              Replica& replica) {
  auto grant = conclude_row(*this, request.row, request.is_used_here, result, revision, replica);
  if (!result.succeeded && !found(result, 0)) learn_tombstone(replica, room, found(result, 1), revision);
  // The row may have been another one than was known: only a compare with the right one shows that others use it.
  if (grant.outcome == ClaimOutcome::lost && request.kind == app::ClaimRequest::Kind::instead &&
      replica.room(room)->modified != over)
    return std::nullopt;
  return grant;
}

void ClaimRoom::finish(const app::Grant& grant, SharedState& state, Writer& writer) {
  if (grant.outcome == ClaimOutcome::retry)
    app::Registry::Transaction(state.registry).ledger().set_tombstone(room, gateway_of_tombstone(state.replica, room));
  if (grant.outcome != ClaimOutcome::won) return settle(grant, state, writer);
  // It is safe, and known to all; in our own file it has to be before it is answered, for the time after a crash.
  const auto won = std::make_shared<ClaimRoom>(std::move(*this));
  writer.write_row(won->request.row, [won, &state, &writer](bool committed) {
    state.mutex.assert_held();
    won->finish_written(committed, state, writer);
  });
}

void ClaimRoom::finish_written(bool committed, SharedState& state, Writer& writer) const {
  const auto now = state.replica.room(room);
  if (!committed) state.journal.note(domain::Change(request.row));
  // The use mark came with the claim. Before any answer: a user who enters then has another one announced.
  if (request.is_used_here)
    app::Registry::Transaction(state.registry).ledger().set_announced_use(room, domain::Use::kept);
  settle({ClaimOutcome::won, request.row}, state, writer);
  app::Registry::Transaction local(state.registry);
  domain::Ledger& ledger = local.ledger();
  ledger.set_tombstone(room, now ? std::nullopt : gateway_of_tombstone(state.replica, room));
  // Users who were in it before, as when it was moved.
  const domain::Ledger::Room* entry = ledger.find(room);
  const bool is_live = entry && entry->has_users() && ledger.announced_use(*entry) == domain::Use::kept;
  if (is_live) writer.push(MarkUse(ledger.set_announced_use(room, domain::Use::live)));
  // What others have done since has not been followed while it was pending.
  if (!now)
    ledger.unfollow(room);
  else if (now->row.gateway_name != request.row.gateway_name)
    ledger.follow(now->row);
}

void ClaimRoom::settle(const app::Grant& grant, SharedState& state, Writer& writer) const {
  state.counts.claims[grant.outcome].add();
  settled(grant);
  const bool has_failed = grant.outcome == ClaimOutcome::failed;
  if (has_failed || grant.outcome == ClaimOutcome::retry) catch_up(room, state, writer);
  // It may have come through all the same, and then has left our use mark, which we would not know of.
  if (!has_failed || !request.is_used_here || !state.replica.room(room)) return;
  app::Registry::Transaction local(state.registry);
  local.ledger().keep(room, local.now().service);
  writer.push(MarkUse(local.ledger().set_announced_use(room, domain::Use::kept)));
}

}  // namespace cluster
