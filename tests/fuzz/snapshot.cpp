// The body of PUT /v2/sessions, read by the sidecar as a stream, and by a library.
#include <optional>
#include <string>
#include <vector>

#include "api/snapshot.h"
#include "fuzz/expect.h"
#include "fuzz/json_tree.h"

namespace {

using fuzz::expect;
using fuzz::Tree;

class Collector final : public api::SnapshotSink {
 public:
  void begin() override { entries.clear(); }
  void add(api::SnapshotEntry entry) override { entries.push_back(std::move(entry)); }
  std::vector<api::SnapshotEntry> entries;
};

// The same from the tree: nothing if it is no snapshot.
std::optional<std::vector<api::SnapshotEntry>> entries_in(const Tree& document) {
  if (!document.is_object() || !document.contains("sessions") || !document["sessions"].is_array()) return std::nullopt;
  std::vector<api::SnapshotEntry> entries;
  for (const Tree& entry : document["sessions"]) {
    if (!entry.is_object()) return std::nullopt;
    entries.push_back({fuzz::id_in(entry, "room"), fuzz::id_in(entry, "session"), std::nullopt});
    if (entry.contains("janus") && fuzz::is_text(entry["janus"])) entries.back().janus = fuzz::id_in(entry, "janus");
  }
  return entries;
}

bool same(const std::vector<api::SnapshotEntry>& a, const std::vector<api::SnapshotEntry>& b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const bool equal = a[i].room == b[i].room && a[i].session == b[i].session && a[i].janus == b[i].janus;
    if (!equal) return false;
  }
  return true;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto body = fuzz::as_text(data, size);
  Collector stream;
  const auto outcome = api::parse_snapshot(body, stream);

  const Tree document = fuzz::tree_of(body);
  const auto entries = entries_in(document);
  const bool has_age = document.is_object() && document.contains("age_ms");
  const bool is_good = entries && (!has_age || document["age_ms"].is_number_unsigned());
  expect(outcome.problem.has_value() != is_good, "stream and tree of one mind");
  if (!is_good) {
    expect(fuzz::is_one_line(*outcome.problem), "a problem in one line");
    return 0;
  }
  expect(same(*entries, stream.entries), "the same entries from stream and tree");
  expect(outcome.age_ms == (has_age ? document["age_ms"].get<std::uint64_t>() : 0), "the same age from both");
  return 0;
}
