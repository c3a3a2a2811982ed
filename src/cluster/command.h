// One conditional write to the shared store, for one room: its transaction, and what the result means. Pure, but for
// what it writes into the replica; the owner of cluster/shared_state.h's lock calls it. Each may be sent and applied
// twice, early or late: a claim knows its own row by its id, and a removal names the revision that it removes.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "app/claims.h"
#include "cluster/keys.h"
#include "cluster/replica.h"
#include "etcd/client.h"

namespace cluster {

struct Command {
  enum class Kind {
    claim,         // `request`
    give_up,       // `room` is not used here any more: our use mark goes and, if it was the last, the assignment
    use,           // our use mark on `room`
    release,       // an operator's
    republish,     // `request.row` as it is here, into a store that has not got it, or has it as of revision `over`
    end_failover,  // no more rooms are moved off the gateway `room`: our failover key goes
    reap,          // as give_up, for `sidecar`, which is gone; its use mark has revision `use_mark`
    plain,         // `transaction`, as it is
  };
  Kind kind = Kind::plain;
  std::string room;
  std::string id;
  std::string sidecar;  // the sidecar whose use mark it is about
  app::ClaimRequest request{};
  etcd::Revision over = 0;
  etcd::Revision use_mark = 0;
  bool force = false;
  domain::Use use = domain::Use::kept;
  std::int64_t users = 0;
  std::vector<etcd::KeyValue> others{};  // release: use marks of others without users in the room
  etcd::Transaction transaction{};
  // The caller waits no longer than that; nothing: it is tried until it is done.
  std::optional<std::chrono::steady_clock::time_point> deadline{};
  // No request waits longer than that, also where the command goes on (Writer::push sets it).
  std::optional<std::chrono::steady_clock::time_point> waited_until{};

  app::Claims::Settled settled{};                                  // claim
  app::Claims::Ended ended{};                                      // give_up
  std::function<void()> announced{};                               // use
  std::function<void(app::Claims::Released)> released{};           // release
  std::function<void(const etcd::TransactionResult*)> answered{};  // plain; null: refused, or too late

  bool is_waited_for() const { return settled || ended || released || answered || announced; }
  // Two of the same may not be under way at once.
  std::string subject() const;
};

Command use_mark_of(domain::RoomUse use);
// Into a store that has not got the room, or has it as of revision `over`.
Command republish_of(domain::Assignment row, etcd::Revision over = 0);

// The outcome of a command, or what is known of it without asking.
struct Conclusion {
  enum class What {
    ask,     // send it
    done,    // give_up, reap, release: the assignment has ended; claim and republish: won; use: marked
    not_so,  // give_up, reap, release: others use it; claim and republish: lost to `row`; use: the room has no assignment
    again,    // claim: to be decided anew; others: to be sent anew
    resend,   // claim, release: to be sent anew, on what is known now
    refused,  // what stands there cannot be read
  };
  What what = What::ask;
  std::optional<domain::Assignment> row{};
};

// Returns what is known already, or makes the transaction.
Conclusion prepare(Command& command, const Keys& keys, const Replica& replica);
// Reads the transaction's result, as of the store's `revision`, and has the replica learn from it.
Conclusion conclude(Command& command, const etcd::TransactionResult& result, etcd::Revision revision, Replica& replica);

}  // namespace cluster
