// What many sidecars share: a small part of etcd (3.4 and newer), spoken to through its JSON gateway.
// Keys and values are bytes here; base64 and JSON are this file's affair. Knows nothing of rooms.
// One thread at a time, but for stop(); each thread has a Client of its own. What goes wrong is a ErrorCode; thrown is
// only that there can be no thread (by the constructor). The process has to ignore SIGPIPE.
// Source of the requests: etcd's api/etcdserverpb/rpc.proto, in the JSON form of grpc-gateway.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "etcd/options.h"

namespace etcd {

using Revision = std::int64_t;

struct KeyValue {
  std::string key{};
  std::string value{};
  Revision modified = 0;
};

struct Compare {
  enum class What { created, modified };
  enum class How { equal, greater };
  std::string key{};
  std::string range_end{};  // not empty: every key of the range must compare so (a range without keys: as key 0)
  What what = What::created;
  How how = How::equal;
  Revision revision = 0;  // 0, equal: the key is not there
};

// All or nothing. At most 128 operations and compares on each level; no key may be put twice, not even on
// different branches of nested ones.
struct Transaction {
  struct Operation {  // in here, as it holds one
    enum class Kind { put, erase, range, nested };
    Kind kind = Kind::range;
    std::string key{};
    std::string range_end{};                 // of erase and range; empty: the key alone
    std::string value{};                     // of put
    std::int64_t lease = 0;                  // of put
    std::vector<Transaction> transaction{};  // of nested: one
  };
  std::vector<Compare> compares{};
  std::vector<Operation> success{};
  std::vector<Operation> failure{};
};
using Operation = Transaction::Operation;

struct TransactionResult {
  struct Done {                               // one operation's
    std::vector<KeyValue> found{};            // of a range
    std::vector<TransactionResult> nested{};  // of a nested one: one
  };
  bool succeeded = false;
  std::vector<Done> done{};  // of the branch that was taken
};

// What every answer holds.
struct Header {
  std::string cluster_id{};  // a number above 2^63, mostly
  Revision revision = 0;     // of the whole store
};

enum class ErrorCode {
  none,
  refused,    // nothing was done, nor will be by repeating it: rights, credentials, a full store, a mistake of ours
  unreached,  // nothing was done: no member could be asked, or none has a leader
  unknown,    // it may have been done, or be done yet (never of a range, which changes nothing: unreached then)
  compacted,  // the revision that was asked for is gone
};

template <typename T>
struct Reply {
  ErrorCode error = ErrorCode::unreached;
  std::string why{};  // in words for the log
  Header header;
  T value{};

  bool ok() const { return error == ErrorCode::none; }
};

struct Page {
  std::vector<KeyValue> items{};
  bool more = false;
};

struct RangeRequest {
  std::string key{};
  std::string range_end{};
  std::int64_t limit = 0;
  Revision revision = 0;  // 0: the newest, linearizable
  bool keys_only = false;
};

struct Event {
  bool erased = false;
  KeyValue item;  // of an erased one: key and `modified`, the revision that erased it
};

struct MemberStatus {
  std::string endpoint;
  std::optional<std::string> problem;  // it does not answer, or not well
  std::string name;                    // "" if not known
  std::string version;
  std::string cluster_id;  // "" if not known
  bool is_leader = false;
  bool has_leader = false;
};

// One that a stream of changes ended with.
struct WatchEnd {
  enum class Why {
    lost,       // try again at another member, from the last event on
    compacted,  // list anew
    refused,    // rights or credentials
    stopped,    // by stop() or the sink
  };
  Why why = Why::lost;
  std::string words;
};

class Authenticator;
class FollowedCluster;

class Client {
 public:
  using Clock = std::chrono::steady_clock;
  using Deadline = Clock::time_point;

  // Those of one sidecar share which cluster they follow, and an authenticator. Without them it has its own (an
  // authenticator if the options name a user).
  explicit Client(const Options& options, std::shared_ptr<FollowedCluster> cluster = nullptr,
                  std::shared_ptr<Authenticator> authenticator = nullptr);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // Repeats an attempt without a sure outcome at the next member, until it is sure or the deadline has come: so
  // the transaction must be one that may be applied twice. `unknown` only when the deadline has come. At least
  // one attempt is made, however soon that is. Where a token is needed and none came before the deadline, nothing was
  // sent: `unreached`.
  // Without a deadline nobody waits for the answer: it is one attempt, with attempt_timeout at first. After each
  // timeout the next one has twice the time, up to 15 s.
  Reply<TransactionResult> transact(const Transaction& transaction, std::optional<Deadline> deadline = {});
  Reply<Page> range(const RangeRequest& request, std::optional<Deadline> deadline = {});

  // A lease of so many seconds; its id. keep_lease: false if it is gone.
  Reply<std::int64_t> grant_lease(std::chrono::seconds time, std::optional<Deadline> deadline = {});
  Reply<bool> keep_lease(std::int64_t lease, std::optional<Deadline> deadline = {});
  Reply<bool> revoke_lease(std::int64_t lease, std::optional<Deadline> deadline = {});

  // Asks each endpoint for itself, one after the other, each as without a deadline. One of another cluster than the
  // followed one has a problem.
  std::vector<MemberStatus> members();

  // If members of other clusters have been met: asks all. True if one of those clusters has replaced the followed one,
  // and is followed from now on.
  bool finds_replacement();

  // Blocks while changes of the keys in [key, range_end) from revision `from` on are passed to `sink`, in order and
  // all of one revision in one call; an empty list when the watch was begun, with the header of its beginning. The
  // sink's false ends it. `silence`: after as long without a message the member counts as lost (one that is well
  // sends one each progress interval: etcd's own is ten minutes).
  // Old changes come with many revisions in a call, and the header is ahead of them: go on from the last event's
  // `modified` + 1. Asked again after `lost`, the next member is tried; once all have failed, it waits a little first.
  using Sink = std::function<bool(const Header& header, const std::vector<Event>& events)>;
  WatchEnd watch(std::string_view key, std::string_view range_end, Revision from, std::chrono::milliseconds silence,
                 const Sink& sink);

  // For a caller that can wait longer than a request: until there is a token, `timeout` is over, or the later deadline
  // has come while a member checks the password.
  void wait_for_password_check(Deadline while_checking);

  // Any thread: what is under way ends soon, and so does whatever is begun later.
  void stop();

 private:
  class Inside;
  std::unique_ptr<Inside> inside_;
};

// The end of the range of all keys that begin with the prefix.
std::string end_of_prefix(std::string_view prefix);

}  // namespace etcd
