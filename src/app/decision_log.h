// The newest decisions, for an operator who asks later why a room is where it is: each placing, move, adoption,
// release and refusal, with what each gateway looked like then. In memory only; bounded in number and in bytes.
// Any thread: a short lock of its own, which nobody holds the registry's lock for. Nothing fails.
//
// Sticky answers are no decisions, and are not kept. Refusals have shelves of their own, one for rooms that
// nobody knows, and one that repeats itself is counted: no flood of them pushes placings out.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "domain/placement.h"
#include "domain/room_id.h"
#include "domain/time.h"
#include "locks/mutex.h"
#include "logging/log.h"

namespace app {

// What is kept of the gateways that were considered: a text, since ten thousand lists of strings are many.
class Candidates {
 public:
  // In a larger fleet so many are kept: the chosen one and the first others. Each costs time and memory.
  static constexpr std::size_t most = 64;
  static constexpr std::size_t most_of_many = 16;

  Candidates() = default;
  Candidates(const std::vector<domain::Verdict>& verdicts, std::size_t left_out);

  std::vector<domain::Verdict> verdicts() const;
  std::size_t left_out() const { return left_out_; }
  std::size_t bytes() const { return packed_.capacity(); }

 private:
  std::string packed_;
  std::size_t left_out_ = 0;
};

struct DecisionRecord {
  // `configuration`: legacy mode answers the room with another gateway from now on. `release`: an operator ended
  // its assignment; no gateway, and no refusal.
  enum class Asker { user, session, mover, adoption, configuration, release };

  domain::WallTime time;
  domain::RoomId room;
  std::string country;                 // as logged
  std::optional<std::string> gateway;  // none: refused, or released
  std::string left;                    // the gateway that a moved or released room left, or ""
  domain::Reason reason = domain::Reason::assigned;
  std::optional<domain::Refusal> refusal;
  bool regional_match = false;
  Asker asker = Asker::user;
  std::string request_id;  // or ""
  Candidates candidates;
  // A refusal that was repeated: so often, since then.
  std::int64_t times = 1;
  domain::WallTime since{};

  std::size_t bytes() const;
};
std::string_view to_text(DecisionRecord::Asker asker);

class DecisionLog {
 public:
  static constexpr std::size_t most_bytes = std::size_t{16} << 20;

  using Record = std::shared_ptr<const DecisionRecord>;
  struct Found {
    std::uint64_t id;  // higher than those of all earlier ones
    Record record;
  };
  struct Page {
    std::vector<Found> items;  // newest first
    bool more = false;
  };

  void add(DecisionRecord record);
  // Those of the room, or of all rooms (""); `before`: only those with a lower id.
  Page newest(const domain::RoomId& room, std::size_t limit, std::optional<std::uint64_t> before) const;

 private:
  struct Kept {
    std::uint64_t id;
    std::size_t room;  // hashed, so that a look through all is quick
    Record record;
  };
  using Key = std::pair<domain::RoomId, std::pair<domain::Refusal, DecisionRecord::Asker>>;
  struct Shelf {
    std::size_t most;
    std::size_t most_bytes;
    std::deque<Kept> kept{};  // by id
    std::size_t bytes = 0;
    std::map<Key, std::uint64_t> refusals{};  // where each stands
  };
  static Key key_of(const DecisionRecord& record);
  static Record take(Shelf& shelf, std::uint64_t id);
  static void drop_oldest(Shelf& shelf, std::vector<Record>& dropped);

  mutable locks::Mutex mutex_;
  std::uint64_t last_id_ GUARDED_BY(mutex_) = 0;
  // Placings; refusals; refusals of rooms that are not known.
  std::array<Shelf, 3> shelves_ GUARDED_BY(mutex_){Shelf{10'000, most_bytes}, Shelf{1'000, most_bytes / 16},
                                                   Shelf{200, most_bytes / 32}};
};

}  // namespace app
