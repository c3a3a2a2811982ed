#include "store/log_damage.h"

#include <fcntl.h>

#include <array>
#include <cstdint>
#include <optional>
#include <utility>

#include "store/failure.h"
#include "store/files.h"
#include "store/owner.h"

namespace store {
namespace {

// https://www.sqlite.org/fileformat2.html#the_write_ahead_log
constexpr std::size_t head_size = 32;
constexpr std::size_t frame_head_size = 24;
constexpr std::uint32_t magic = 0x377f0682;  // the lowest bit: its checksums are over big-endian words

// https://www.sqlite.org/fileformat2.html#the_database_header
constexpr std::size_t page_size_at = 16;
constexpr std::size_t read_version_at = 19;
constexpr std::size_t change_counter_at = 24;
constexpr unsigned char with_log = 2;

using Sum = std::array<std::uint32_t, 2>;

std::uint32_t word_in(const Bytes& bytes, std::size_t at) {
  return std::uint32_t{bytes[at]} << 24 | std::uint32_t{bytes[at + 1]} << 16 | std::uint32_t{bytes[at + 2]} << 8 |
         std::uint32_t{bytes[at + 3]};
}

// The change counters of the pages 1 that the log holds in whole commits.
struct Counters {
  std::uint32_t first = 0;
  std::uint32_t last = 0;
};

// Reads a log frame by frame: it may be larger than the memory.
class Log {
 public:
  explicit Log(const std::string& path) : file_(open_plain(path, O_RDONLY)), head_(head_size) {
    if (!fill(file_, head_)) return;
    page_size_ = word_in(head_, 8);
    is_log_ = (word_in(head_, 0) & ~1U) == magic && page_size_ >= 512 && page_size_ <= 65536;
    if (!is_log_) return;
    const Sum stored = stored_sum(head_, head_size - 8);
    is_log_ = sum_of(head_, 0, head_size - 8, {0, 0}) == stored;
    sum_before_ = stored;
    frame_.resize(frame_head_size + page_size_);
  }

  bool is_log() const { return is_log_; }
  std::uint32_t page_size() const { return page_size_; }

  // To the next frame; false at the end.
  bool next() {
    if (!frame_.empty() && has_frame_) sum_before_ = stored_sum(frame_, 16);
    has_frame_ = fill(file_, frame_);
    return has_frame_;
  }
  // Does it follow the one before it, as that one is stored? Is it of the log's present round? A log is written over
  // from its beginning, with another salt.
  bool follows() const {
    if (word_in(frame_, 8) != word_in(head_, 16) || word_in(frame_, 12) != word_in(head_, 20)) return false;
    const Sum frame_head = sum_of(frame_, 0, 8, sum_before_);
    return sum_of(frame_, frame_head_size, page_size_, frame_head) == stored_sum(frame_, 16);
  }
  bool ends_a_commit() const { return word_in(frame_, 4) != 0; }
  std::optional<std::uint32_t> change_counter() const {
    if (word_in(frame_, 0) != 1) return std::nullopt;
    return word_in(frame_, frame_head_size + change_counter_at);
  }

 private:
  std::uint32_t summed_word(const Bytes& bytes, std::size_t at) const {
    const std::uint32_t big = word_in(bytes, at);
    if ((word_in(head_, 0) & 1) != 0) return big;
    return big << 24 | (big & 0xff00) << 8 | (big >> 8 & 0xff00) | big >> 24;
  }
  static Sum stored_sum(const Bytes& bytes, std::size_t at) { return {word_in(bytes, at), word_in(bytes, at + 4)}; }
  Sum sum_of(const Bytes& bytes, std::size_t begin, std::size_t size, Sum sum) const {
    for (std::size_t i = begin; i < begin + size; i += 8) {
      sum[0] += summed_word(bytes, i) + sum[1];
      sum[1] += summed_word(bytes, i + 4) + sum[0];
    }
    return sum;
  }

  files::Descriptor file_;
  Bytes head_;
  Bytes frame_;
  Sum sum_before_{};
  std::uint32_t page_size_ = 0;
  bool is_log_ = false;
  bool has_frame_ = false;
};

struct Content {
  std::optional<Counters> counters;
  std::uint64_t unsound_at = 0;  // the frame, from 1, behind which commits are hidden; 0 if there is none
};

// The frames of a commit that was never complete, or was undone, may stand behind the valid ones. But a
// frame that follows the end of a commit was written after that commit had been synced.
Content content_of(Log& log) {
  Content content;
  std::optional<Counters> open;  // of the commit that has not ended yet
  bool is_sound = true;
  bool after_commit = false;
  for (std::uint64_t n = 1; log.next(); ++n) {
    const bool follows = log.follows();
    if (!follows) is_sound = false;
    if (!is_sound && follows && after_commit && content.unsound_at == 0) content.unsound_at = n;
    after_commit = log.ends_a_commit();
    if (!is_sound) continue;
    if (const auto counter = log.change_counter()) open = Counters{open ? open->first : *counter, *counter};
    if (!after_commit || !open) continue;
    content.counters = Counters{content.counters ? content.counters->first : open->first, open->last};
    open.reset();
  }
  return content;
}

// SQLite writes the counter that it has read of page 1, and one. So the first in the log is that of the file as the log
// found it, and one; or just that one, if the writer of both had page 1 in memory. Each part of the log that was copied
// into the file has brought one of the log's. This holds for every writer and checkpoint, also a killed one. The journal
// raises the counter around its checkpoints (Writer::mark), so that what they left before has none of these.
bool belongs_to(const Bytes& file_head, const Counters& counters) {
  const std::uint32_t before = counters.first - 1;
  return word_in(file_head, change_counter_at) - before <= counters.last - before;
}

std::optional<Bytes> head_of(const std::string& path, std::size_t size) {
  Bytes head(size);
  return fill(open_plain(path, O_RDONLY), head) ? std::optional(std::move(head)) : std::nullopt;
}

constexpr std::size_t file_head_size = 100;

// What a look at both files shows.
struct Look {
  std::optional<Bytes> file_head;
  std::optional<Bytes> log_head;
  std::size_t log_size = 0;
  std::uint64_t unsound_at = 0;
  std::string damage;  // empty if there is none

  bool operator==(const Look&) const = default;
};

void find_damage(const std::string& log_path, Look& look) {
  Log log(log_path);
  if (!log.is_log()) {
    // Its 32 bytes are written at once and synced before the first frame.
    look.damage = "the head of its -wal is not sound";
    return;
  }
  const Content content = content_of(log);
  look.unsound_at = content.unsound_at;
  if (content.unsound_at != 0) {
    look.damage = "its -wal has a frame that is not sound";
    return;
  }
  if (!look.file_head || !content.counters) return;
  // A backup says that it has no log.
  const bool has_log = (*look.file_head)[read_version_at] == with_log;
  const std::uint32_t size = word_in(*look.file_head, page_size_at) >> 16;
  const bool is_as_large = (size == 1 ? 65536 : size) == log.page_size();
  if (has_log && is_as_large && belongs_to(*look.file_head, *content.counters)) return;
  look.damage =
      "its -wal belongs to another state of it: one of the two was replaced, or they were copied at different moments";
}

Look look_at(const std::string& database_path, const std::string& log_path) {
  Look look;
  look.log_size = size_of(log_path);
  if (look.log_size <= head_size) return look;
  look.file_head = head_of(database_path, file_head_size);
  look.log_head = head_of(log_path, head_size);
  // Where it cannot be read SQLite cannot either, and says why.
  if (look.log_head) find_damage(log_path, look);
  return look;
}

}  // namespace

// Another program may write both meanwhile. Then no two looks find the same, and its connection has taken the two for
// one anyway.
void refuse_damaged_log(const std::string& database_path) {
  const std::string log_path = database_path + "-wal";
  constexpr int looks = 5;
  Look before;
  for (int n = 0; n < looks; ++n) {
    Look look = look_at(database_path, log_path);
    if (look.damage.empty()) return;
    if (look == before) throw damaged(database_path, look.damage);
    before = std::move(look);
  }
}

void refuse_damaged_log_unless_served(const std::string& database_path) {
  if (is_owned(database_path)) return;
  try {
    refuse_damaged_log(database_path);
  } catch (const Failure&) {
    if (!is_owned(database_path)) throw;  // else somebody has begun to serve it
  }
}

}  // namespace store
