#include "app/decision_log.h"

#include <algorithm>
#include <array>
#include <functional>

#include "logging/log.h"

namespace app {
namespace {

constexpr std::array<std::string_view, 12> words{"chosen",        "higher_load", "full",    "other_region",
                                                 "draining",      "disabled",    "down",    "suspect",
                                                 "not_available", "not_drawn",   "standby", "no_region"};

void put(std::string& out, std::uint64_t number) {
  for (; number >= 0x80; number >>= 7) out += static_cast<char>(number | 0x80);
  out += static_cast<char>(number);
}

std::uint64_t take_number(std::string_view& in) {
  std::uint64_t number = 0;
  for (int shift = 0;; shift += 7) {
    const auto byte = static_cast<unsigned char>(in.front());
    in.remove_prefix(1);
    number |= std::uint64_t{byte & 0x7Fu} << shift;
    if (byte < 0x80) return number;
  }
}

}  // namespace

Candidates::Candidates(const std::vector<domain::Verdict>& verdicts, std::size_t left_out) : left_out_(left_out) {
  std::string packed;
  packed.reserve(verdicts.size() * 16);
  for (const domain::Verdict& verdict : verdicts) {
    put(packed, verdict.name.size());
    packed += verdict.name;
    put(packed, static_cast<std::uint64_t>(std::max<std::int64_t>(verdict.load, 0)));
    put(packed, static_cast<std::uint64_t>(std::max<std::int64_t>(verdict.capacity, 0)));
    const auto word = std::find(words.begin(), words.end(), verdict.verdict);
    put(packed, static_cast<std::uint64_t>(word - words.begin()));
  }
  packed.shrink_to_fit();
  packed_ = std::move(packed);
}

std::vector<domain::Verdict> Candidates::verdicts() const {
  std::vector<domain::Verdict> result;
  for (std::string_view rest = packed_; !rest.empty();) {
    const auto size = static_cast<std::size_t>(take_number(rest));
    domain::Verdict verdict{std::string(rest.substr(0, size)), 0, 0, ""};
    rest.remove_prefix(size);
    verdict.load = static_cast<std::int64_t>(take_number(rest));
    verdict.capacity = static_cast<std::int64_t>(take_number(rest));
    const auto word = static_cast<std::size_t>(take_number(rest));
    if (word < words.size()) verdict.verdict = words[word];
    result.push_back(std::move(verdict));
  }
  return result;
}

std::string_view to_text(DecisionRecord::Asker asker) {
  switch (asker) {
    case DecisionRecord::Asker::user:
      return "user";
    case DecisionRecord::Asker::session:
      return "session";
    case DecisionRecord::Asker::mover:
      return "mover";
    case DecisionRecord::Asker::adoption:
      return "adoption";
    case DecisionRecord::Asker::configuration:
      return "configuration";
    case DecisionRecord::Asker::release:
      return "operator";
  }
  return "";
}

std::size_t DecisionRecord::bytes() const {
  // A short text is in the record itself, but its size is no matter then.
  return sizeof *this + room.text().capacity() + country.capacity() + left.capacity() + request_id.capacity() +
         (gateway ? gateway->capacity() : 0) + candidates.bytes() + 64;  // what malloc, pointer and slot take
}

DecisionLog::Key DecisionLog::key_of(const DecisionRecord& record) {
  return {record.room, {*record.refusal, record.asker}};
}

// Takes the record out of the middle.
DecisionLog::Record DecisionLog::take(Shelf& shelf, std::uint64_t id) {
  const auto it = std::lower_bound(shelf.kept.begin(), shelf.kept.end(), id,
                                   [](const Kept& kept, std::uint64_t wanted) { return kept.id < wanted; });
  Record record = std::move(it->record);
  shelf.kept.erase(it);
  shelf.bytes -= record->bytes();
  return record;
}

void DecisionLog::drop_oldest(Shelf& shelf, std::vector<Record>& dropped) {
  Kept& oldest = shelf.kept.front();
  if (oldest.record->refusal) shelf.refusals.erase(key_of(*oldest.record));
  shelf.bytes -= oldest.record->bytes();
  dropped.push_back(std::move(oldest.record));
  shelf.kept.pop_front();
}

void DecisionLog::add(DecisionRecord record) {
  const std::size_t which = !record.refusal ? 0 : *record.refusal == domain::Refusal::room_not_found ? 2 : 1;
  record.since = record.time;
  const std::size_t room = std::hash<domain::RoomId>{}(record.room);
  const auto kept = std::make_shared<DecisionRecord>(std::move(record));
  std::vector<Record> dropped;  // and taken apart without the lock
  dropped.reserve(2);
  const locks::MutexLock lock(mutex_);
  Shelf& shelf = shelves_[which];
  const std::uint64_t id = ++last_id_;
  if (kept->refusal) {
    const auto [earlier, is_first] = shelf.refusals.try_emplace(key_of(*kept), id);
    if (!is_first) {
      dropped.push_back(take(shelf, earlier->second));
      kept->times = dropped.back()->times + 1;
      kept->since = dropped.back()->since;
      earlier->second = id;
    }
  }
  shelf.bytes += kept->bytes();
  shelf.kept.push_back({id, room, kept});
  while (shelf.kept.size() > shelf.most || shelf.bytes > shelf.most_bytes) drop_oldest(shelf, dropped);
}

DecisionLog::Page DecisionLog::newest(const domain::RoomId& room, std::size_t limit,
                                      std::optional<std::uint64_t> before) const {
  const std::size_t hash = std::hash<domain::RoomId>{}(room);
  Page page;
  const locks::MutexLock lock(mutex_);
  std::array<std::deque<Kept>::const_reverse_iterator, 3> at{shelves_[0].kept.rbegin(), shelves_[1].kept.rbegin(),
                                                             shelves_[2].kept.rbegin()};
  for (;;) {
    std::size_t next = shelves_.size();  // the shelf with the newest that is left
    for (std::size_t i = 0; i < shelves_.size(); ++i) {
      if (at[i] == shelves_[i].kept.rend()) continue;
      if (next == shelves_.size() || at[i]->id > at[next]->id) next = i;
    }
    if (next == shelves_.size()) return page;
    const Kept& kept = *at[next]++;
    if (before && kept.id >= *before) continue;
    if (!room.empty() && (kept.room != hash || kept.record->room != room)) continue;
    if (page.items.size() == limit) {
      page.more = true;
      return page;
    }
    page.items.push_back({kept.id, kept.record});
  }
}

}  // namespace app
