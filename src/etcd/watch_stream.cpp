#include "etcd/watch_stream.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "etcd/answers.h"
#include "etcd/failure.h"
#include "json/value.h"

namespace etcd {
namespace {

// The reason for which etcd ended a watch is a text only: "rpc error: code = InvalidArgument desc = …".
Failure failure_of_reason(const std::string& reason) {
  const bool is_denied = reason.find("permission denied") != reason.npos;
  Failure failure = failure_of(is_denied ? 7 : 14, reason);
  failure.why = reason.empty() ? "the watch was canceled" : reason;
  return failure;
}

}  // namespace

WatchEnd::Why why_of(ErrorCode error) {
  if (error == ErrorCode::refused) return WatchEnd::Why::refused;
  return error == ErrorCode::compacted ? WatchEnd::Why::compacted : WatchEnd::Why::lost;
}

bool WatchStream::take(std::string_view piece) {
  while (!end_ && !piece.empty()) {
    const auto line_end = piece.find('\n');
    if (unread_.size() + std::min(piece.size(), line_end) > longest_line) {
      end_with(WatchEnd::Why::lost, "a line of the watch is longer than 64 MiB");
      break;
    }
    if (line_end == piece.npos) {
      unread_.append(piece);
      break;
    }
    if (unread_.empty()) {
      read(piece.substr(0, line_end));
    } else {
      unread_.append(piece.substr(0, line_end));
      read(std::exchange(unread_, {}));
    }
    piece.remove_prefix(line_end + 1);
  }
  return !end_;
}

void WatchStream::finish() {
  if (!end_) read(std::exchange(unread_, {}));
}

void WatchStream::read(std::string_view line) {
  if (line.find_first_not_of(" \r\t") == line.npos) return;
  const auto json = json::Value::parse(line);
  if (!json) return end_with(WatchEnd::Why::lost, "the watch sent no JSON");
  if (const json::Value* error = json->find("error")) {
    const Failure failure = failure_of_stream(*error);
    is_of_token_ = failure.of_token;
    return end_with(why_of(failure.error), failure.why);
  }
  const json::Value* result = json->find("result");
  const auto header = result != nullptr ? header_of(*result) : std::nullopt;
  if (!header) return end_with(WatchEnd::Why::lost, "the watch sent a line that is not understood");
  if (counts_ && !counts_(*header)) return end_with(WatchEnd::Why::lost, "the watch belongs to another etcd cluster");
  if (flag_of(*result, "canceled")) {
    if (number_of(*result, "compact_revision").value_or(0) != 0) {
      return end_with(WatchEnd::Why::compacted, "the revision to begin with has been compacted");
    }
    const Failure failure = failure_of_reason(text_of(*result, "cancel_reason"));
    is_of_token_ = failure.of_token;
    return end_with(why_of(failure.error), failure.why);
  }
  std::vector<Event> events;
  if (const json::Value* list = result->find("events"); list != nullptr && list->array() != nullptr) {
    for (const json::Value& each : *list->array()) {
      auto event = event_of(each);
      if (!event) return end_with(WatchEnd::Why::lost, "the watch sent an event that is not understood");
      events.push_back(std::move(*event));
    }
  }
  const bool begins = flag_of(*result, "created") && !has_begun_;
  has_begun_ = has_begun_ || begins;
  // Else a note of progress: the member lives, and it shows no more than that (not even that it belongs to a majority).
  if (events.empty() && !begins) return;
  if (begins && !sink_(*header, {})) return end_with(WatchEnd::Why::stopped, "");
  if (!events.empty() && !sink_(*header, events)) end_with(WatchEnd::Why::stopped, "");
}

void WatchStream::end_with(WatchEnd::Why why, std::string words) { end_ = WatchEnd{why, std::move(words)}; }

}  // namespace etcd
