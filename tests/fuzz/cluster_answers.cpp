// Answers of an etcd member: a watch's stream in pieces of the size given by the first byte (even), or an answer to a
// request (odd).
#include <algorithm>
#include <string>
#include <vector>

#include "etcd/answers.h"
#include "etcd/base64.h"
#include "etcd/failure.h"
#include "etcd/watch_stream.h"
#include "fuzz/expect.h"
#include "json/value.h"

namespace {

using namespace etcd;
using fuzz::expect;

struct Reported {
  std::vector<Event> events;
  std::size_t calls = 0;
  std::optional<WatchEnd> end;
};

Reported reported_by(std::string_view text, std::size_t piece) {
  Reported reported;
  const Client::Sink sink = [&](const Header&, const std::vector<Event>& events) {
    ++reported.calls;
    reported.events.insert(reported.events.end(), events.begin(), events.end());
    return true;
  };
  WatchStream stream(sink);
  while (!text.empty() && stream.take(text.substr(0, piece))) text.remove_prefix(std::min(piece, text.size()));
  stream.finish();
  reported.end = stream.end();
  return reported;
}

void try_stream(std::string_view text, std::size_t piece) {
  const Reported pieces = reported_by(text, piece), whole = reported_by(text, text.size());
  expect(pieces.calls == whole.calls && pieces.events.size() == whole.events.size(), "the same in pieces");
  expect(pieces.end.has_value() == whole.end.has_value(), "the same end in pieces");
  expect(!pieces.end || (pieces.end->why == whole.end->why && pieces.end->words == whole.end->words), "that end");
  for (std::size_t i = 0; i < whole.events.size(); ++i) {
    expect(pieces.events[i].item.key == whole.events[i].item.key, "the same keys in pieces");
    expect(pieces.events[i].item.value == whole.events[i].item.value, "the same values in pieces");
  }
}

void try_answer(std::string_view text) {
  for (const int status : {400, 404, 503}) {
    const Failure failure = failure_of_answer(status, text);
    expect(failure.error != ErrorCode::none, "an error");
    expect(!failure.why.empty(), "why");
  }
  const auto json = json::Value::parse(text);
  if (!json) return;
  Transaction asked, inner;
  inner.success.push_back({Operation::Kind::put, "a"});
  asked.success = {{Operation::Kind::range, "a"}, {Operation::Kind::nested}};
  asked.success[1].transaction.push_back(inner);
  asked.failure = {{Operation::Kind::erase, "a"}};
  if (const auto result = transaction_result_of(*json, asked)) {
    expect(result->done.size() == (result->succeeded ? 2 : 1), "as many results as operations");
    expect(!result->succeeded || result->done[1].nested.size() == 1, "the nested one's result");
  }
  page_of(*json);
  header_of(*json);
  event_of(*json);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const auto text = fuzz::as_text(data + 1, size - 1);
  if (const auto bytes = from_base64(text)) {
    const auto again = from_base64(to_base64(*bytes));
    expect(again == bytes, "base64 that is read back");
  }
  if (data[0] % 2 == 0) {
    try_stream(text, data[0] / 2 + 1U);
  } else {
    try_answer(text);
  }
  return 0;
}
