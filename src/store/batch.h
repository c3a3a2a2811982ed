// The rows to be written in one transaction, the latest for each room, session and failover. Private to
// store/. It stays as small as the number of rooms and sessions, however long the disk refuses.
// Not thread-safe: the Journal guards the open one, the writer thread has the one in its hands.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "domain/change.h"
#include "domain/room_id.h"

namespace store {

class Database;

class Batch {
 public:
  using Settled = std::function<void(bool committed)>;

  bool empty() const {
    return rooms_.empty() && sessions_.empty() && failovers_.empty() && facts_.empty() && settled_.empty();
  }
  // Rows that it will write.
  std::size_t size() const { return rooms_.size() + sessions_.size() + failovers_.size() + facts_.size(); }
  // How many wait for the commit.
  std::size_t urgent() const { return settled_.size(); }

  // A row that somebody waits for: `settled` gets whether it is in the file.
  void write_urgently(domain::Assignment assignment, Settled settled);
  void take(domain::Change change);
  void touch(domain::RoomId room_id, domain::WallTime last_used_at);

  // All of it, into the transaction that is open.
  void apply_to(Database& database) const;

  // The waiting callers; each is to be called once.
  std::vector<Settled> take_settled();
  // Takes out the rows that somebody waited for; what they had replaced counts again.
  void forget_urgent();
  // Keeps of an older batch what this one does not replace.
  void lay_over(Batch older);
  // One batch for each room, session, failover and fact.
  std::vector<Batch> split();
  // The tables that get rows by it; those that only lose some are not named.
  std::set<std::string> tables() const;
  // For messages: the room or session of a batch that was split.
  std::string subject() const;

 private:
  struct RoomChange {
    enum class Kind { write, remove, touch };
    Kind kind = Kind::touch;
    domain::Assignment row;  // of a touch: last_used_at only; of a removal: nothing
    bool urgent = false;
    std::unique_ptr<RoomChange> replaced;  // what counts if an urgent row is not written
  };
  void take_one(domain::Assignment assignment);
  void take_one(domain::AssignmentGone gone);
  void take_one(domain::Session session);
  void take_one(domain::SessionGone gone);
  void take_one(domain::Failover failover);
  void take_one(domain::FailoverGone gone);
  void take_one(domain::Fact fact);

  struct Waiting {
    domain::RoomId room_id;
    Settled settled;
  };

  // By order: clients choose these ids, and could choose them so that they collide in a hash.
  std::map<domain::RoomId, RoomChange> rooms_;
  std::map<std::string, std::optional<domain::Session>> sessions_;    // nothing: it is gone
  std::map<std::string, std::optional<domain::Failover>> failovers_;  // nothing: it is over
  std::map<std::string, std::string> facts_;
  std::vector<Waiting> settled_;
};

}  // namespace store
