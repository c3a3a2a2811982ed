// Bytes from a client, and all answers. The first byte determines how they arrive, and over which socket.
#include <string>

#include "fuzz/answers.h"
#include "fuzz/expect.h"
#include "fuzz/talk.h"

namespace {

using fuzz::expect;

constexpr std::string_view probe = "GET /v2/rooms?probe=1 HTTP/1.1\r\nHost: localhost\r\n\r\n";

// The refusal at a limit may differ with the bytes that have arrived already.
constexpr std::size_t near_limits = 8000;

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0 || size > near_limits) return -1;
  const bool over_unix = data[0] % 2 == 1;
  const auto bytes = fuzz::as_text(data + 1, size - 1);
  const std::string sent = fuzz::comparable(fuzz::talk(bytes, over_unix), bytes);
  const auto answers = fuzz::answers_in(sent);
  expect(answers.size() <= 1 + size / 18, "no more answers than requests");
  for (const auto& answer : answers) {
    expect(answer.status != 500 && answer.status != 408, "nothing wrong inside");
  }
  const std::string in_pieces = fuzz::talk(bytes, over_unix, 1u + data[0] / 2u);
  expect(fuzz::comparable(in_pieces, bytes) == sent, "the same answers to bytes in small pieces");

  // A connection that is kept is at the beginning of a request.
  if (!answers.empty() && answers.back().closes) return 0;
  const std::string probed = fuzz::talk(std::string(bytes) + std::string(probe), over_unix);
  expect(fuzz::comparable(probed, bytes) == sent + fuzz::comparable(fuzz::talk(probe, over_unix), probe),
         "the next request read as it was sent");
  return 0;
}
