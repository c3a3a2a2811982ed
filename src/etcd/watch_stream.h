// Reads a watch's answer as it comes: lines of JSON in pieces of any size, the last one perhaps without an end.
// One thread at a time.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "etcd/client.h"

namespace etcd {

// Why a watch ends that failed so.
WatchEnd::Why why_of(ErrorCode error);

class WatchStream {
 public:
  // The longest line without an end.
  static constexpr std::size_t longest_line = 64 << 20;

  // `counts`: false for an answer that is none of the store's; it ends the watch, and is not passed on.
  explicit WatchStream(const Client::Sink& sink, std::function<bool(const Header&)> counts = {})
      : sink_(sink), counts_(std::move(counts)) {}

  // False once there is an end().
  bool take(std::string_view piece);
  // No more comes: what is left counts as a line.
  void finish();

  bool has_begun() const { return has_begun_; }
  // A new token may help.
  bool is_of_token() const { return is_of_token_; }
  const std::optional<WatchEnd>& end() const { return end_; }

 private:
  void read(std::string_view line);
  void end_with(WatchEnd::Why why, std::string words);

  const Client::Sink& sink_;
  const std::function<bool(const Header&)> counts_;
  std::string unread_;
  bool has_begun_ = false;
  bool is_of_token_ = false;
  std::optional<WatchEnd> end_;
};

}  // namespace etcd
