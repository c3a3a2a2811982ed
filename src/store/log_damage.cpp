#include "store/log_damage.h"

#include <array>
#include <cstdint>
#include <fstream>
#include <utility>

#include "store/failure.h"
#include "store/files.h"

namespace store {
namespace {

// https://www.sqlite.org/fileformat2.html#the_write_ahead_log
constexpr std::size_t head_size = 32;
constexpr std::size_t frame_head_size = 24;
constexpr std::uint32_t magic = 0x377f0682;  // the lowest bit: its checksums are over big-endian words

using Sum = std::array<std::uint32_t, 2>;

class Log {
 public:
  explicit Log(Bytes bytes) : bytes_(std::move(bytes)) {
    if (bytes_.size() < head_size) return;
    page_size_ = word(8);
    is_log_ = (word(0) & ~1U) == magic && page_size_ >= 512 && page_size_ <= 65536 &&
              sum_of(0, head_size - 8, {0, 0}) == stored_sum(head_size - 8);
  }

  bool is_log() const { return is_log_; }
  std::size_t frames() const { return (bytes_.size() - head_size) / frame_size(); }

  // Is it of the log's present round? A log is written over from its beginning, with another salt.
  bool is_of_this_round(std::size_t frame) const {
    return word(at(frame) + 8) == word(16) && word(at(frame) + 12) == word(20);
  }
  bool ends_a_commit(std::size_t frame) const { return word(at(frame) + 4) != 0; }
  // Does it follow the one before it, as that one is stored?
  bool follows(std::size_t frame) const {
    const std::size_t before = frame == 0 ? head_size - 8 : at(frame - 1) + 16;
    const Sum head = sum_of(at(frame), 8, stored_sum(before));
    return is_of_this_round(frame) &&
           sum_of(at(frame) + frame_head_size, page_size_, head) == stored_sum(at(frame) + 16);
  }

 private:
  std::size_t frame_size() const { return frame_head_size + page_size_; }
  std::size_t at(std::size_t frame) const { return head_size + frame * frame_size(); }

  std::uint32_t word(std::size_t at) const {
    return std::uint32_t{bytes_[at]} << 24 | std::uint32_t{bytes_[at + 1]} << 16 | std::uint32_t{bytes_[at + 2]} << 8 |
           std::uint32_t{bytes_[at + 3]};
  }
  std::uint32_t summed_word(std::size_t at) const {
    const std::uint32_t big = word(at);
    if ((word(0) & 1) != 0) return big;
    return big << 24 | (big & 0xff00) << 8 | (big >> 8 & 0xff00) | big >> 24;
  }
  Sum stored_sum(std::size_t at) const { return {word(at), word(at + 4)}; }
  Sum sum_of(std::size_t begin, std::size_t size, Sum sum) const {
    for (std::size_t i = begin; i < begin + size; i += 8) {
      sum[0] += summed_word(i) + sum[1];
      sum[1] += summed_word(i + 4) + sum[0];
    }
    return sum;
  }

  Bytes bytes_;
  std::uint32_t page_size_ = 0;
  bool is_log_ = false;
};

// The frames of a commit that was never complete, or was undone, may stand behind the valid ones. But a
// frame that follows the end of a commit was written after that commit had been synced.
bool hides_commits(const Log& log) {
  std::size_t frame = 0;
  while (frame < log.frames() && log.follows(frame)) ++frame;
  for (; frame + 1 < log.frames(); ++frame) {
    if (log.ends_a_commit(frame) && log.follows(frame + 1)) return true;
  }
  return false;
}

}  // namespace

void refuse_damaged_log(const std::string& database_path) {
  const std::string path = database_path + "-wal";
  Bytes bytes(size_of(path));
  if (bytes.size() <= head_size) return;
  std::ifstream file(path, std::ios::binary);
  // Where it cannot be read SQLite cannot either, and says why.
  file.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  if (!file) return;
  const Log log(std::move(bytes));
  // Its 32 bytes are written at once and synced before the first frame.
  if (!log.is_log()) throw damaged(database_path, "the head of its -wal is not sound");
  if (hides_commits(log)) throw damaged(database_path, "its -wal has a frame that is not sound");
}

}  // namespace store
