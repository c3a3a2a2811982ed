// The body of PUT /v2/sessions, read as a stream, and by the tree that other requests are read with.
#include <optional>
#include <string>
#include <vector>

#include "fuzz/expect.h"
#include "http/fields.h"
#include "http/snapshot.h"

namespace {

using fuzz::expect;
using http::Json;

class Collector final : public http::SnapshotSink {
 public:
  void begin() override { entries.clear(); }
  void add(http::SnapshotEntry entry) override { entries.push_back(std::move(entry)); }
  std::vector<http::SnapshotEntry> entries;
};

std::optional<std::string> id_of(const Json& entry, std::string_view key, bool may_be_number) {
  const Json* value = entry.find(key);
  if (!value || !(value->is_string() || may_be_number)) return std::nullopt;
  return http::id_in(*value);
}

// The same from the tree: nothing if it is no snapshot.
std::optional<std::vector<http::SnapshotEntry>> entries_in(const std::optional<Json>& document) {
  if (!document || !document->is_object()) return std::nullopt;
  const Json* list = document->find("sessions");
  if (!list || !list->array()) return std::nullopt;
  std::vector<http::SnapshotEntry> entries;
  for (const Json& entry : *list->array()) {
    if (!entry.is_object()) return std::nullopt;
    entries.push_back({id_of(entry, "room", true), id_of(entry, "session", true), id_of(entry, "janus", false)});
  }
  return entries;
}

bool same(const std::vector<http::SnapshotEntry>& a, const std::vector<http::SnapshotEntry>& b) {
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
  const auto outcome = http::parse_snapshot(body, stream);

  const auto document = Json::parse(body);
  const auto entries = entries_in(document);
  const Json* age = document ? document->find("age_ms") : nullptr;
  const bool is_good = entries && (!age || age->is_unsigned());
  expect(outcome.problem.has_value() != is_good, "stream and tree of one mind");
  if (!is_good) {
    expect(fuzz::is_one_line(*outcome.problem), "a problem in one line");
    return 0;
  }
  expect(same(*entries, stream.entries), "the same entries from stream and tree");
  expect(outcome.age_ms == (age ? *age->unsigned_number() : 0), "the same age from both");
  return 0;
}
