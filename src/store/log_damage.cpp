#include "store/log_damage.h"

#include <array>
#include <cstdint>
#include <fstream>

#include "store/failure.h"
#include "store/files.h"

namespace store {
namespace {

// https://www.sqlite.org/fileformat2.html#the_write_ahead_log
constexpr std::size_t head_size = 32;
constexpr std::size_t frame_head_size = 24;
constexpr std::uint32_t magic = 0x377f0682;  // the lowest bit: its checksums are over big-endian words

using Sum = std::array<std::uint32_t, 2>;

std::uint32_t word(const Bytes& bytes, std::size_t at) {
  return std::uint32_t{bytes[at]} << 24 | std::uint32_t{bytes[at + 1]} << 16 | std::uint32_t{bytes[at + 2]} << 8 |
         std::uint32_t{bytes[at + 3]};
}

Sum stored_sum(const Bytes& bytes, std::size_t at) { return {word(bytes, at), word(bytes, at + 4)}; }

// Reads it frame by frame: it may be larger than the memory.
class Log {
 public:
  explicit Log(const std::string& path) : file_(path, std::ios::binary), head_(head_size) {
    if (!read(head_)) return;
    page_size_ = word(head_, 8);
    sum_ = stored_sum(head_, head_size - 8);
    is_log_ = (word(head_, 0) & ~1U) == magic && page_size_ >= 512 && page_size_ <= 65536 &&
              sum_of(head_, 0, head_size - 8, {0, 0}) == sum_;
    if (is_log_) frame_.resize(frame_head_size + page_size_);
  }

  // Where it cannot be read SQLite cannot either, and says why.
  bool is_read() const { return file_.good(); }
  bool is_log() const { return is_log_; }

  // Goes on to the next frame; false if there is none that is whole.
  bool next() {
    const Sum before = sum_;
    if (!read(frame_)) return false;
    // Is it of the log's present round? A log is written over from its beginning, with another salt.
    const bool is_of_this_round = word(frame_, 8) == word(head_, 16) && word(frame_, 12) == word(head_, 20);
    sum_ = stored_sum(frame_, 16);
    follows_ = is_of_this_round && sum_of(frame_, frame_head_size, page_size_, sum_of(frame_, 0, 8, before)) == sum_;
    return true;
  }
  bool ends_a_commit() const { return word(frame_, 4) != 0; }
  // Does it follow the one before it, as that one is stored?
  bool follows() const { return follows_; }

 private:
  bool read(Bytes& into) {
    return bool{file_.read(reinterpret_cast<char*>(into.data()), static_cast<std::streamsize>(into.size()))};
  }
  std::uint32_t summed_word(const Bytes& bytes, std::size_t at) const {
    const std::uint32_t big = word(bytes, at);
    if ((word(head_, 0) & 1) != 0) return big;
    return big << 24 | (big & 0xff00) << 8 | (big >> 8 & 0xff00) | big >> 24;
  }
  Sum sum_of(const Bytes& bytes, std::size_t begin, std::size_t size, Sum sum) const {
    for (std::size_t i = begin; i < begin + size; i += 8) {
      sum[0] += summed_word(bytes, i) + sum[1];
      sum[1] += summed_word(bytes, i + 4) + sum[0];
    }
    return sum;
  }

  std::ifstream file_;
  Bytes head_;
  Bytes frame_;
  std::uint32_t page_size_ = 0;
  bool is_log_ = false;
  Sum sum_{};  // as it is stored with the frame, or the head, that was read last
  bool follows_ = false;
};

// The frames of a commit that was never complete, or was undone, may stand behind the valid ones. But a
// frame that follows the end of a commit was written after that commit had been synced.
bool hides_commits(Log& log) {
  bool all_followed = true;
  bool commit_before = false;
  while (log.next()) {
    if (!all_followed && commit_before && log.follows()) return true;
    all_followed = all_followed && log.follows();
    commit_before = log.ends_a_commit();
  }
  return false;
}

}  // namespace

void refuse_damaged_log(const std::string& database_path) {
  const std::string path = database_path + "-wal";
  if (size_of(path) <= head_size) return;
  Log log(path);
  if (!log.is_read()) return;
  // Its 32 bytes are written at once and synced before the first frame.
  if (!log.is_log()) throw damaged(database_path, "the head of its -wal is not sound");
  if (hides_commits(log)) throw damaged(database_path, "its -wal has a frame that is not sound");
}

}  // namespace store
