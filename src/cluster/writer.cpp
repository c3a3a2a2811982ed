#include "cluster/writer.h"

#include <pthread.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "app/event_log.h"
#include "cluster/operations.h"
#include "store/journal.h"

namespace cluster {
namespace {

using namespace std::chrono_literals;
using What = Conclusion::What;

// So many deeds make one transaction. Each is three operations at most and some hundred bytes.
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
      instance_(made_up_id()),
      thread_([this] {
        ::pthread_setname_np(::pthread_self(), "shared writer");
        for (auto batch = take(); !batch.deeds.empty(); batch = take()) {
          perform(std::move(batch.deeds), engine_);
          end(batch);
        }
      }),
      retry_thread_([this] { retry(); }) {}

Writer::~Writer() { stop(); }

void Writer::push(Deed deed) {
  {
    const locks::MutexLock lock(mutex_);
    if (deed.id.empty()) deed.id = state_.sidecar + "-" + instance_ + "-" + std::to_string(++last_id_);
    if (deed.sidecar.empty()) deed.sidecar = state_.sidecar;
    const auto patience = std::chrono::steady_clock::now() + state_.options.timeout;
    if (!deed.waited_until) deed.waited_until = deed.deadline.value_or(patience);
    if (!stopping_) {
      enqueue(std::move(deed), false);
      woken_.notify_one();
      return;
    }
  }
  // Too late: no claim, whose end would want the desk's lock, since those are pushed under it.
  abandon(deed);
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
  std::deque<Deed> left;
  {
    const locks::MutexLock lock(mutex_);
    left = std::exchange(queue_, {});
    std::move(urgent_.begin(), urgent_.end(), std::back_inserter(left));
    urgent_.clear();
    std::move(retries_.begin(), retries_.end(), std::back_inserter(left));
    retries_.clear();
    ordinary_.clear();
    std::move(later_.begin(), later_.end(), std::back_inserter(left));
    later_.clear();
  }
  for (Deed& deed : left) abandon(deed);
}

void Writer::abandon(Deed& deed) {
  if (deed.settled) deed.settled({});
  if (deed.ended) deed.ended(false);
  if (deed.released) deed.released(app::Claims::Released::unavailable);
  if (deed.answered) deed.answered(nullptr);
  if (deed.told) deed.told();
}

std::size_t Writer::backlog() const {
  const locks::MutexLock lock(mutex_);
  return queue_.size() + retries_.size() + later_.size();
}

// One that is waited for stays behind an ordinary one of its subject: their order is kept.
void Writer::enqueue(Deed deed, bool in_front) {
  const bool is_urgent = deed.is_waited_for() && ordinary_.count(deed.subject()) == 0;
  if (!is_urgent) ++ordinary_[deed.subject()];
  auto& queue = is_urgent ? urgent_ : queue_;
  in_front ? queue.push_front(std::move(deed)) : queue.push_back(std::move(deed));
}

// What somebody waits for comes first, and of each subject one at a time. All that is waited for no longer is taken, too,
// to be told so: it must not hang behind what the store has not taken for long.
Writer::Batch Writer::take() {
  Batch batch;
  locks::MutexLock lock(mutex_);
  for (;;) {
    if (stopping_) return {};
    if (!later_.empty() && std::chrono::steady_clock::now() >= later_at_) {
      for (Deed& deed : std::exchange(later_, {})) enqueue(std::move(deed), false);
    }
    std::set<std::string> subjects = in_store_;
    subjects.insert(in_hand_.begin(), in_hand_.end());
    std::size_t taken = 0;
    std::deque<Deed> left;
    for (Deed& deed : std::exchange(urgent_, {})) {
      if (is_over(deed)) {
        batch.deeds.push_back(std::move(deed));
      } else if (taken < most_at_once && subjects.insert(deed.subject()).second) {
        batch.subjects.push_back(deed.subject());
        batch.deeds.push_back(std::move(deed));
        ++taken;
      } else {
        left.push_back(std::move(deed));
      }
    }
    urgent_ = std::move(left);
    std::size_t looked = 0;
    for (auto deed = queue_.begin(); deed != queue_.end() && taken < most_at_once && looked < most_looked_at;
         ++looked) {
      std::string subject = deed->subject();
      const bool is_late = is_over(*deed);
      if (!is_late && !subjects.insert(subject).second) {
        ++deed;
        continue;
      }
      if (!is_late) batch.subjects.push_back(subject);
      batch.ordinary.push_back(std::move(subject));
      batch.deeds.push_back(std::move(*deed));
      deed = queue_.erase(deed);
      if (!is_late) ++taken;
    }
    if (!batch.deeds.empty()) {
      in_hand_.insert(batch.subjects.begin(), batch.subjects.end());
      return batch;
    }
    later_.empty() ? woken_.wait(lock) : void(woken_.wait_until(lock, later_at_));
  }
}

void Writer::retry() {
  ::pthread_setname_np(::pthread_self(), "shared retries");
  for (auto batch = take_retries(); !batch.deeds.empty(); batch = take_retries()) {
    perform(std::move(batch.deeds), patient_engine_);
    end(batch);
  }
}

// Their subjects are in hand since they came too late.
Writer::Batch Writer::take_retries() {
  Batch batch;
  locks::MutexLock lock(mutex_);
  retry_woken_.wait(lock, [this]() REQUIRES(mutex_) { return stopping_ || !retries_.empty(); });
  if (stopping_) return batch;
  while (!retries_.empty() && batch.deeds.size() < most_at_once) {
    batch.subjects.push_back(retries_.front().subject());
    batch.deeds.push_back(std::move(retries_.front()));
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

void Writer::perform(std::deque<Deed> batch, Engine& engine) {
  name_standbys(batch, engine);
  std::deque<Deed> to_send;
  {
    const locks::MutexLock lock(state_.mutex);
    for (Deed& deed : batch) {
      if (is_over(deed)) {
        deed.kind == Deed::Kind::claim ? settle(deed, {}) : abandon(deed);
        continue;
      }
      const Conclusion known = prepare(deed, state_.keys, state_.replica);
      if (known.what == What::ask) {
        to_send.push_back(std::move(deed));
      } else {
        finish(deed, known);
      }
    }
  }
  if (!to_send.empty()) send(std::move(to_send), engine);
}

// One whole attempt at least: a caller that has hardly any time left must not take the others' time as well.
Engine::Deadline Writer::deadline_of(const std::deque<Deed>& batch) const {
  const auto now = std::chrono::steady_clock::now();
  const auto one_attempt = now + state_.options.attempt_timeout;
  auto deadline = one_attempt;
  for (const Deed& deed : batch) {
    if (is_waited_for(deed)) deadline = now + state_.options.timeout;
  }
  for (const Deed& deed : batch) {
    if (deed.deadline) deadline = std::min(deadline, *deed.deadline);
  }
  return std::min(std::max(deadline, one_attempt), hurried());
}

void Writer::send(std::deque<Deed> batch, Engine& engine) {
  const bool is_retry = &engine == &patient_engine_;
  Transaction whole;
  for (const Deed& deed : batch) whole.success.push_back(nested(deed.transaction));
  const auto sent = Freshness::now();
  const auto reply = is_retry ? engine.transact(whole) : engine.transact(whole, deadline_of(batch));
  if (!reply.ok() || reply.value.done.size() != batch.size()) {
    state_.counts.failures.add();
    const bool refused = reply.ok() || reply.trouble == Trouble::refused;
    if (refused) is_refused_ = true;
    if (!refused && !is_retry) state_.freshness.fails(sent);
    if (refused && !refusal_told_.exchange(true)) {
      app::log_error("Shared store refuses", {{"reason", reply.why}});
    }
    if (!refused || batch.size() == 1) return give_back(std::move(batch), refused);
    // One that it does not take must not keep it from the others.
    for (Deed& deed : batch) {
      std::deque<Deed> one;
      one.push_back(std::move(deed));
      send(std::move(one), engine);
    }
    return;
  }
  if (batch.size() > 1) refusal_told_ = false;
  is_refused_ = false;
  state_.counts.transactions.observe(static_cast<std::uint64_t>((Freshness::now() - sent).count()));
  state_.freshness.works();
  bool has_changed = false;
  const locks::MutexLock lock(state_.mutex);
  for (std::size_t i = 0; i < batch.size(); ++i) {
    Deed& deed = batch[i];
    if (reply.value.done[i].nested.empty()) {
      abandon(deed);
      continue;
    }
    const TransactionResult& result = reply.value.done[i].nested.front();
    if (deed.kind == Deed::Kind::plain) {
      if (deed.answered) deed.answered(&result);
      continue;
    }
    const Conclusion conclusion = conclude(deed, result, reply.header.revision, state_.replica);
    const bool is_watched = deed.kind == Deed::Kind::claim || deed.kind == Deed::Kind::carry ||
                            deed.kind == Deed::Kind::give_up || deed.kind == Deed::Kind::release;
    has_changed = has_changed || (is_watched && conclusion.what == What::done && result.succeeded);
    finish(deed, conclusion);
  }
  // Its echo will be followed.
  if (has_changed) state_.freshness.answered(sent, reply.header.revision);
}

// Has its time passed?
bool Writer::is_over(const Deed& deed) const {
  const auto now = std::chrono::steady_clock::now();
  return now >= hurried() || (deed.deadline && now >= *deed.deadline);
}

bool Writer::is_waited_for(const Deed& deed) const {
  return deed.is_waited_for() && std::chrono::steady_clock::now() < *deed.waited_until;
}

// The store has not done them, or it is not known whether it has.
void Writer::give_back(std::deque<Deed> batch, bool refused) {
  std::deque<Deed> again, retries;
  for (Deed& deed : batch) {
    // Marks and ends have to come about whoever waits; the others are asked for again by whoever wants them.
    const bool may_be_dropped = deed.settled || deed.released || deed.answered;
    if (may_be_dropped && (refused || is_over(deed))) {
      const locks::MutexLock lock(state_.mutex);
      deed.kind == Deed::Kind::claim ? settle(deed, {}) : abandon(deed);
    } else {
      if (refused && deed.told) std::exchange(deed.told, {})();
      (refused || is_waited_for(deed) ? again : retries).push_back(std::move(deed));
    }
  }
  const locks::MutexLock lock(mutex_);
  if (refused) {
    std::move(again.begin(), again.end(), std::back_inserter(later_));
    later_at_ = std::chrono::steady_clock::now() + pause_after_refusal;
  } else {
    for (auto deed = again.rbegin(); deed != again.rend(); ++deed) enqueue(std::move(*deed), true);
  }
  for (Deed& deed : retries) {
    const std::string subject = deed.subject();
    ++ordinary_[subject];
    in_hand_.insert(subject);
    retries_.push_back(std::move(deed));
  }
  if (!retries.empty()) retry_woken_.notify_one();
}

// The first sidecar that moves rooms off a gateway names the standby: else each sidecar would take its own.
void Writer::name_standbys(std::deque<Deed>& batch, Engine& engine) {
  Transaction whole;
  std::vector<std::string> gateways;
  {
    const locks::MutexLock lock(state_.mutex);
    for (const Deed& deed : batch) {
      const std::string& gateway = deed.wish.leaves;
      if (deed.kind != Deed::Kind::claim || deed.wish.kind != app::Wish::Kind::moved) continue;
      if (std::find(gateways.begin(), gateways.end(), gateway) != gateways.end()) continue;
      const Replica::Failover* known = state_.replica.failover(gateway);
      if (known && known->value.standby == deed.wish.standby) continue;
      // Another than the one that was known when this was decided: that one can't go on.
      if (known && known->value.standby != deed.wish.standby_before) continue;
      Transaction one;
      const std::string key = state_.keys.failover(gateway);
      one.compares.push_back(is_as_of(key, known ? known->modified : 0));
      one.success.push_back(put(key, to_text(FailoverValue{deed.wish.standby, state_.sidecar})));
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
        Revision modified = reply.header.revision;
        if (results[0].succeeded) {
          const auto first = std::find_if(batch.begin(), batch.end(), [&](const Deed& deed) {
            return deed.kind == Deed::Kind::claim && deed.wish.leaves == gateways[i];
          });
          value = {first->wish.standby, state_.sidecar};
        } else if (!results[0].done.empty() && !results[0].done[0].found.empty()) {
          const KeyValue& there = results[0].done[0].found.front();
          if (auto read = failover_value_from(there.value)) value = std::move(*read);
          modified = there.modified;
        }
        state_.replica.take_failover(gateways[i], std::move(value), modified);
      }
    }
  }
  // Those that wished for another one are decided anew.
  std::deque<Deed> left;
  const locks::MutexLock lock(state_.mutex);
  for (Deed& deed : batch) {
    const bool moves = deed.kind == Deed::Kind::claim && deed.wish.kind == app::Wish::Kind::moved;
    const Replica::Failover* known = moves ? state_.replica.failover(deed.wish.leaves) : nullptr;
    if (!moves || (known && known->value.standby == deed.wish.standby)) {
      left.push_back(std::move(deed));
      continue;
    }
    if (known) {
      app::Desk::Turn turn(state_.desk);
      domain::Ledger& ledger = turn.ledger();
      std::optional<domain::GatewayNumber> standby;
      if (known->value.standby) standby = ledger.number_of(*known->value.standby);
      ledger.begin_leaving(ledger.number_of(deed.wish.leaves), standby);
    }
    settle(deed, {known ? app::Grant::Outcome::again : app::Grant::Outcome::failed, {}});
  }
  batch = std::move(left);
}

void Writer::finish(Deed& deed, const Conclusion& conclusion) {
  switch (deed.kind) {
    case Deed::Kind::claim:
      return finish_claim(deed, conclusion);
    case Deed::Kind::give_up:
      return finish_give_up(deed, conclusion);
    case Deed::Kind::carry:
      return finish_carry(deed, conclusion);
    case Deed::Kind::release:
      return finish_release(deed, conclusion);
    case Deed::Kind::use:
      finish_use(deed, conclusion);
      if (deed.told) deed.told();
      return;
    case Deed::Kind::reap:
      if (conclusion.what == What::done) {
        app::Desk::Turn turn(state_.desk);
        end_room(turn.ledger(), deed.room, deed.wish.row.gateway_name);
      } else if (conclusion.what == What::again) {
        push(std::move(deed));
      }
      return;
    case Deed::Kind::end_failover:
    case Deed::Kind::plain:
      return;
  }
}

void Writer::settle(const Deed& deed, const app::Grant& grant) {
  constexpr ClaimOutcome counted[] = {ClaimOutcome::won, ClaimOutcome::lost, ClaimOutcome::again, ClaimOutcome::failed};
  state_.counts.claims[counted[static_cast<std::size_t>(grant.outcome)]].add();
  deed.settled(grant);
  if (grant.outcome == app::Grant::Outcome::again || grant.outcome == app::Grant::Outcome::failed) catch_up(deed.room);
  // It may have come through all the same, and then has left our mark, which we would not know of.
  const bool may_be_marked = grant.outcome == app::Grant::Outcome::failed && deed.wish.is_used_here;
  if (!may_be_marked || !state_.replica.room(deed.room)) return;
  app::Desk::Turn turn(state_.desk);
  turn.ledger().keep(deed.room, turn.now().service);
  push(use_of(turn.ledger().set_use_told(deed.room, domain::Use::kept)));
}

// What others have done while the claim was under way has not been followed (Ledger::follow); now it is withdrawn.
void Writer::catch_up(const std::string& room) {
  const auto now = state_.replica.room(room);
  app::Desk::Turn turn(state_.desk);
  domain::Ledger& ledger = turn.ledger();
  if (now) return ledger.follow(now->row);
  const domain::Ledger::Room* entry = ledger.find(room);
  // Before the first list nothing is known, and what is here has yet to be carried there.
  if (!entry || !entry->held || entry->pending || state_.replica.followed() == 0) return;
  if (!entry->has_users()) return ledger.unfollow(room);
  Deed carry;
  carry.kind = Deed::Kind::carry;
  carry.room = room;
  carry.wish.row = ledger.assignment(room, *entry->held);
  push(std::move(carry));
}

// The assignment ended at the revision of the answer. The watch may have brought a newer one before.
void Writer::end_room(domain::Ledger& ledger, const std::string& room, std::optional<std::string_view> tombstone) {
  if (const auto now = state_.replica.room(room)) return ledger.follow(now->row);
  ledger.unfollow(room);
  ledger.set_returning(room, tombstone);
}

void Writer::finish_claim(Deed& deed, const Conclusion& conclusion) {
  switch (conclusion.what) {
    case What::not_so:
      return settle(deed, {app::Grant::Outcome::lost, *conclusion.row});
    case What::resend:
      return push(std::move(deed));
    case What::again: {
      app::Desk::Turn turn(state_.desk);
      const Replica::Left* left = state_.replica.left(deed.room);
      const bool returns = left && left->value.why == LeftValue::Why::empty;
      turn.ledger().set_returning(deed.room,
                                  returns ? std::optional<std::string_view>(left->value.gateway) : std::nullopt);
      break;
    }
    case What::ask:
    case What::refused:
      return settle(deed, {app::Grant::Outcome::failed, {}});
    case What::done: {
      {
        const locks::MutexLock lock(mutex_);
        in_store_.insert(deed.room);
      }
      const auto won = std::make_shared<Deed>(std::move(deed));
      // It is safe, and known to all; in our own file it has to be before it is answered, for the time after a crash.
      state_.journal.write_assignment(won->wish.row, [this, self = shared_from_this(), won](bool committed) {
        const locks::MutexLock lock(state_.mutex);
        const auto now = state_.replica.room(won->room);
        if (!committed) state_.journal.note(domain::Change(won->wish.row));
        // The mark came with the claim. Before anybody is answered: who enters then has another one told.
        if (won->wish.is_used_here) app::Desk::Turn(state_.desk).ledger().set_use_told(won->room, domain::Use::kept);
        settle(*won, {app::Grant::Outcome::won, won->wish.row});
        {
          app::Desk::Turn turn(state_.desk);
          turn.ledger().set_returning(won->room, std::nullopt);
          // Users who were in it before, as when it was moved.
          const domain::Ledger::Room* room = turn.ledger().find(won->room);
          const bool is_live = room && room->has_users() && turn.ledger().use_told(*room) == domain::Use::kept;
          if (is_live) push(use_of(turn.ledger().set_use_told(won->room, domain::Use::live)));
          // What others have done since has not been followed while it was pending.
          if (!now)
            turn.ledger().unfollow(won->room);
          else if (now->row.gateway_name != won->wish.row.gateway_name)
            turn.ledger().follow(now->row);
        }
        const locks::MutexLock own(mutex_);
        in_store_.erase(won->room);
        woken_.notify_all();
      });
      return;
    }
  }
  settle(deed, {app::Grant::Outcome::again, {}});
}

void Writer::finish_give_up(Deed& deed, const Conclusion& conclusion) {
  if (conclusion.what == What::again) return push(std::move(deed));
  const bool ended = conclusion.what == What::done;
  bool is_used = false;
  {
    app::Desk::Turn turn(state_.desk);
    domain::Ledger& ledger = turn.ledger();
    const domain::Ledger::Room* room = ledger.find(deed.room);
    is_used = room && room->has_users();
    if (ended) end_room(ledger, deed.room, deed.wish.row.gateway_name);
  }
  // Somebody came in meanwhile: the room goes on where it was.
  if (ended && is_used) {
    Deed carry;
    carry.kind = Deed::Kind::carry;
    carry.room = deed.room;
    carry.wish.row = deed.wish.row;
    push(std::move(carry));
  }
  if (deed.ended) deed.ended(ended && !is_used);
}

void Writer::finish_carry(Deed& deed, const Conclusion& conclusion) {
  if (conclusion.what == What::again) return push(std::move(deed));
  if (!conclusion.row) return;
  const auto now = state_.replica.room(deed.room);
  if (!now) return;  // it has ended since
  const domain::Assignment& row = now->row;
  app::Desk::Turn turn(state_.desk);
  domain::Ledger& ledger = turn.ledger();
  const bool is_elsewhere = row.gateway_name != deed.wish.row.gateway_name;
  if (is_elsewhere) {
    state_.counts.conflicts.add();
    app::log_warn("Room is elsewhere in the shared store, which counts; who is in it here stays apart",
                  {{"room_id", deed.room}, {"here", deed.wish.row.gateway_name}, {"gateway_name", row.gateway_name}});
  }
  ledger.follow(row);
  ledger.set_returning(deed.room, std::nullopt);
  ledger.keep(deed.room, turn.now().service);
  const domain::Ledger::Room* room = ledger.find(deed.room);
  const auto use = room && room->has_users() ? domain::Use::live : domain::Use::kept;
  domain::RoomUse told = ledger.set_use_told(deed.room, use);
  const bool is_marked = conclusion.what == What::done && state_.replica.mark(deed.room) > 0;
  if (!is_marked || use == domain::Use::live) push(use_of(std::move(told)));
}

void Writer::finish_release(Deed& deed, const Conclusion& conclusion) {
  if (conclusion.what == What::again || conclusion.what == What::resend) return push(std::move(deed));
  bool done = conclusion.what == What::done;
  bool in_use = conclusion.what == What::not_so;
  if (done) {
    app::Desk::Turn turn(state_.desk);
    domain::Ledger& ledger = turn.ledger();
    const domain::Ledger::Room* room = ledger.find(deed.room);
    const bool came_in = !deed.force && room && room->has_users() && !deed.wish.row.gateway_name.empty();
    end_room(ledger, deed.room, std::nullopt);
    if (came_in) {  // meanwhile: the room goes on where it was
      done = false;
      in_use = true;
      Deed carry;
      carry.kind = Deed::Kind::carry;
      carry.room = deed.room;
      carry.wish.row = deed.wish.row;
      push(std::move(carry));
    }
  }
  deed.released(done     ? app::Claims::Released::done
                : in_use ? app::Claims::Released::in_use
                         : app::Claims::Released::unavailable);
}

void Writer::finish_use(Deed& deed, const Conclusion& conclusion) {
  if (conclusion.what != What::not_so) return;
  // It was given up elsewhere before others knew of the use. An answered user finds it where it was (returns_to); who is in
  // it already has it brought back now.
  app::Desk::Turn turn(state_.desk);
  domain::Ledger& ledger = turn.ledger();
  ledger.set_use_told(deed.room, domain::Use::none);
  const domain::Ledger::Room* room = ledger.find(deed.room);
  if (!room || !room->has_users() || room->pending) return;
  Deed carry;
  carry.kind = Deed::Kind::carry;
  carry.room = deed.room;
  if (room->held) {
    carry.wish.row = ledger.assignment(deed.room, *room->held);
  } else if (const auto back = ledger.returns_to(deed.room)) {
    carry.wish.row = {deed.room, ledger.name_of(*back), "", turn.now().wall, turn.now().wall};
  } else {
    return;
  }
  push(std::move(carry));
}

}  // namespace cluster
