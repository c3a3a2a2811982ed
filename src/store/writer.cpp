#include "store/writer.h"

#include <utility>

#include "store/failure.h"
#include "store/files.h"

namespace store {
namespace {

// The -wal then has about 4 MB; SQLite's own choice, too.
constexpr int frames_a_checkpoint = 1000;
// A reader that stays keeps the -wal from starting over.
constexpr std::size_t large_log = std::size_t{64} << 20;
constexpr std::chrono::milliseconds between_looks{200};
constexpr std::chrono::seconds between_attempts{1};

// Not the affair of one task or row: nothing can be written.
bool is_of_the_disk(Failure::Kind kind) {
  return kind == Failure::Kind::full || kind == Failure::Kind::io || kind == Failure::Kind::busy ||
         kind == Failure::Kind::read_only || kind == Failure::Kind::damaged;
}

}  // namespace

Writer::Writer(Database database, const Journal::Callbacks& callbacks, CommitCounts& counts,
               std::function<void()> alive)
    : callbacks_(callbacks),
      counts_(counts),
      database_(std::move(database)),
      checkpointer_(database_.path()),
      checkpoint_at_(frames_a_checkpoint) {
  database_.while_busy([this, alive = std::move(alive)] {
    alive();
    return Clock::now() < deadline_.load();
  });
}

bool Writer::write(Batch& batch, std::vector<Batch::Settled>& refused) {
  try {
    if (const auto reason = hindrance()) {
      fails(*reason);
    } else {
      commit(batch);
      works();
      if (is_refusing_) record_refusals(batch.tables(), {});
      const auto settled = batch.take_settled();
      batch = {};
      for (const auto& settle : settled) settle(true);
      return true;
    }
  } catch (const Failure& failure) {
    if (failure.kind() == Failure::Kind::constraint) {
      write_singly(batch, refused);
      return batch.empty();
    }
    fails(failure);
  }
  counts_.failures.add();
  batch.forget_urgent();
  for (auto& settle : batch.take_settled()) refused.push_back(std::move(settle));
  return false;
}

void Writer::commit(const Batch& batch) {
  const auto begun = Clock::now();
  database_.transaction([&] { batch.apply_to(database_); });
  counts_.duration.observe_since(begun);
  counts_.rows.observe(batch.size());
}

// One row that the schema refuses, by a trigger of somebody's or an edited table, must not keep all
// others out of the file. It is reported and dropped.
void Writer::write_singly(Batch& batch, std::vector<Batch::Settled>& refused) {
  Batch left;
  std::set<std::string> taken;
  std::map<std::string, std::string> refusals;
  for (Batch& part : batch.split()) {
    try {
      commit(part);
      taken.merge(part.tables());
      for (const auto& settle : part.take_settled()) settle(true);
    } catch (const Failure& failure) {
      counts_.failures.add();
      const bool is_poison = failure.kind() == Failure::Kind::constraint;
      if (is_poison && callbacks_.event) {
        callbacks_.event("the row of " + part.subject() + " could not be written: " + failure.what());
      }
      for (const std::string& table : part.tables()) {
        if (is_poison) refusals.emplace(table, failure.what());
      }
      if (!is_poison) fails(failure);
      for (auto& settle : part.take_settled()) refused.push_back(std::move(settle));
      part.forget_urgent();
      if (!is_poison) left.lay_over(std::move(part));
    }
  }
  if (left.empty()) works();
  // What others have changed by now may be why; what they change later may be the end of it.
  try {
    is_changed_ = database_.changed_by_others() || is_changed_;
  } catch (const Failure& failure) {
    fails(failure);
  }
  record_refusals(taken, refusals);
  batch = std::move(left);
}

// A table that takes some rows is in order; the row that it refused was reported.
void Writer::record_refusals(const std::set<std::string>& taken, const std::map<std::string, std::string>& refusals) {
  const locks::MutexLock lock(mutex_);
  for (const auto& [table, reason] : refusals) refusals_[table] = reason;
  for (const std::string& table : taken) refusals_.erase(table);
  is_refusing_ = !refusals_.empty();
}

void Writer::forget_refusals() {
  const locks::MutexLock lock(mutex_);
  refusals_.clear();
  is_refusing_ = false;
}

std::optional<std::string> Writer::refusal() const {
  const locks::MutexLock lock(mutex_);
  if (refusals_.empty()) return std::nullopt;
  return "table " + refusals_.begin()->first + " takes no new rows: " + refusals_.begin()->second;
}

void Writer::run(const std::function<void(Database&)>& task) {
  if (const auto reason = hindrance()) {
    counts_.failures.add();
    fails(*reason);
    throw Failure(Failure::Kind::read_only, *reason);
  }
  try {
    database_.transaction([&] { task(database_); });
  } catch (const Failure& failure) {
    if (is_of_the_disk(failure.kind())) {
      counts_.failures.add();
      fails(failure);
    }
    throw;
  }
  works();
}

void Writer::read(const std::function<void(Database&)>& task) {
  database_.read_transaction([&] { task(database_); });
}

// A file that was deleted still takes rows and says ok, so it is asked before each commit.
std::optional<std::string> Writer::hindrance() {
  if (!database_.writable()) return database_.why_not_writable();
  if (!is_owned_) {
    return "the lock " + database_.path() +
           ".lock cannot be taken; stop the other room-sidecar that holds it, or make sure that the folder may be "
           "written by the user of room-sidecar";
  }
  if (!is_replaced_ && !database_.has_moved()) {
    if (!database_.has_lost_log()) return unsound_;
    return "the -wal or -shm of the database " + database_.path() +
           " has vanished; its content is being restored, make sure that nothing deletes it";
  }
  if (is_replaced_ || exists(database_.path())) {
    is_replaced_ = true;
    return "another file is in the place of the database " + database_.path() +
           "; put the right one there and restart room-sidecar";
  }
  return "the database " + database_.path() +
         " has vanished; it is being written anew, make sure that nothing deletes it";
}

bool Writer::owns() {
  is_owned_ = !callbacks_.may_write || callbacks_.may_write();
  return is_owned_;
}

void Writer::poll_file() {
  look_for_checkpoint();
  const auto now = Clock::now();
  if (now < next_look_) return;
  next_look_ = now + between_looks;
  try {
    look_at_log_size();
    owns();
    const auto reason = hindrance();
    if (reason) fails(*reason);
    if (failure() && now >= next_attempt_) {
      next_attempt_ = now + between_attempts;
      if (reason) {
        bring_back();
      } else if (deadline_.load() == Clock::time_point::max()) {
        database_.raise_change_counter();
        works();
      }
    }
    if (database_.changed_by_others()) {
      is_changed_ = true;
      forget_refusals();
    }
    if (std::exchange(is_changed_, false) && callbacks_.foreign_commit) callbacks_.foreign_commit();
  } catch (const Failure& failure) {
    fails(failure);
  }
}

void Writer::bring_back() {
  if (is_replaced_ || !owns()) return;
  if (!database_.writable()) {
    if (!database_.try_make_writable()) return;
    works();
    // What happened to the file while it could only be read was not seen.
    if (callbacks_.foreign_commit) callbacks_.foreign_commit();
    return;
  }
  if (!database_.has_moved()) return bring_back_log();
  checkpointer_.wait();
  database_.write_anew();
  if (callbacks_.event) {
    callbacks_.event("the database " + database_.path() +
                     " had vanished and was written anew from memory; nothing is lost");
  }
  works();
}

void Writer::prove_sound() {
  if (!unsound_) return;  // it was but the lock that was missing
  database_.prove_sound();
  unsound_.reset();
  database_.raise_change_counter();
  works();
}

void Writer::bring_back_log() {
  if (!database_.has_lost_log()) return prove_sound();
  checkpointer_.wait();
  database_.bring_back_log();
  if (!database_.writable()) return;
  if (callbacks_.event) {
    callbacks_.event("the -wal or -shm of the database " + database_.path() +
                     " had vanished, and its content was restored; nothing is lost");
  }
  works();
}

void Writer::look_for_checkpoint() {
  if (failure()) return;
  if (checkpointer_.take_finished()) finish_checkpoint();
  const int frames = database_.wal_frames();
  if (frames < frames_a_checkpoint) checkpoint_at_ = frames_a_checkpoint;
  if (frames <= checkpoint_at_) return;
  // While somebody reads, the -wal cannot start over: try again when it has grown by as much.
  checkpoint_at_ = frames + frames_a_checkpoint;
  mark();
  checkpointer_.start();
}

void Writer::finish_checkpoint() {
  mark();
  database_.checkpoint();
  const int before = database_.wal_frames();
  mark();
  const int frames = database_.wal_frames();
  frames_left_ = frames > before ? frames : 0;  // else it has started over
}

// Before each checkpoint: no file that an earlier one left can be taken for what this one makes of it. And after it, for
// the -wal that starts over.
void Writer::mark() {
  try {
    if (!hindrance()) database_.raise_change_counter();
  } catch (const Failure&) {
    // The next commit says why.
  }
}

// Also an import of many rooms makes it large, and the next commit after a checkpoint small again.
void Writer::look_at_log_size() {
  const int frames = database_.wal_frames();
  const bool is_large = size_of(database_.path() + "-wal") > large_log;
  if (frames < frames_left_) frames_left_ = 0;
  const bool begins = !is_held_ && is_large && frames_left_ > 0 && frames > frames_left_;
  const bool ends = is_held_ && !is_large;
  if (!begins && !ends) return;
  is_held_ = begins;
  if (!callbacks_.event) return;
  const std::string log = "the -wal of the database " + database_.path();
  callbacks_.event(begins ? log +
                                " is over 64 MiB and grows, since another program still reads an old state; end its "
                                "transaction, such as a forgotten sqlite3 shell or a backup that hangs"
                          : log + " is small again");
}

void Writer::finish() {
  checkpointer_.wait();
  try {
    if (database_.writable() && database_.has_moved() && !exists(database_.path())) bring_back();
  } catch (const Failure& failure) {
    fails(failure);
  }
  if (database_.wal_frames() > 0) mark();
  database_.checkpoint();
  const Database closing = std::move(database_);
}

std::optional<std::string> Writer::failure() const {
  const locks::MutexLock lock(mutex_);
  return failure_;
}

void Writer::works() {
  {
    const locks::MutexLock lock(mutex_);
    if (!failure_) return;
    failure_.reset();
  }
  if (callbacks_.recovered) callbacks_.recovered();
}

// A row more may well go into a file that is damaged elsewhere, and the next may not. And SQLite calls a
// file damaged also where it could not be read at the wrong moment: looks closer, so that nobody
// restores a backup because of a cable.
void Writer::fails(const Failure& failure) {
  std::string reason = failure.what();
  const bool is_damaged = failure.kind() == Failure::Kind::damaged;
  if (is_damaged && !unsound_) {
    try {
      database_.prove_sound();
    } catch (const Failure& closer) {
      reason = closer.what();
    }
  }
  if (is_damaged || failure.kind() == Failure::Kind::io) unsound_ = reason;
  fails(reason);
}

void Writer::fails(const std::string& reason) {
  {
    const locks::MutexLock lock(mutex_);
    if (failure_) {
      failure_ = reason;
      return;
    }
    failure_ = reason;
  }
  if (callbacks_.failing) callbacks_.failing(reason);
}

}  // namespace store
