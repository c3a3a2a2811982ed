// A body in chunks means the same as with its length, however it is cut, and so does the next request.
#include <fuzzer/FuzzedDataProvider.h>

#include <cstdio>
#include <string>

#include "fuzz/answers.h"
#include "fuzz/expect.h"
#include "fuzz/talk.h"

namespace {

using fuzz::expect;

constexpr std::string_view request = "POST /v2/room_server HTTP/1.1\r\nHost: localhost\r\n";
constexpr std::size_t max_body = 1024;  // of the route in talk.cpp

std::string chunk(std::string_view text, std::string_view extension, bool capitals) {
  char size[32];
  std::snprintf(size, sizeof size, capitals ? "%zX" : "%04zx", text.size());
  return std::string(size) + std::string(extension) + "\r\n" + std::string(text) + "\r\n";
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  FuzzedDataProvider input(data, size);
  const auto cuts = input.ConsumeIntegral<std::uint16_t>();
  const bool with_trailer = input.ConsumeBool();
  const bool spoiled = input.ConsumeBool();
  std::string body;
  std::string chunked;
  for (int i = 0; i < 200 && input.remaining_bytes() > 0; ++i) {  // sizes have a limit of their own
    const bool odd = input.ConsumeBool();
    const std::string piece = input.ConsumeRandomLengthString(300);
    if (piece.empty()) continue;
    body += piece;
    chunked += chunk(piece, odd ? ";a=\"b\"" : "", odd);
  }
  chunked += with_trailer ? "0\r\nX-Sum: 1\r\n\r\n" : "0\r\n\r\n";

  const std::string head(request);
  const std::string next = "GET /v2/rooms HTTP/1.1\r\nHost: localhost\r\n\r\n";
  const std::string plain = head + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body + next;
  const std::string astray = "POST /nowhere HTTP/1.1\r\n" + head.substr(head.find('\n') + 1) +
                             "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n";
  const auto lost = fuzz::answers_in(fuzz::talk(astray + body + next, false, cuts));
  expect(lost.size() == (body.empty() ? 2u : 1u), "an unread body that is no request");
  const std::string to_chunks = head + "Transfer-Encoding: chunked\r\n\r\n";
  if (spoiled) {  // a byte more than the chunk has said
    const auto reported = fuzz::answers_in(fuzz::talk(to_chunks + "1\r\nab\r\n" + chunked, false, cuts));
    expect(reported.size() == 1 && reported[0].status == 400, "a refusal, and nothing more");
    return 0;
  }
  const std::string in_chunks = to_chunks + chunked + next;
  const auto wanted = fuzz::comparable(fuzz::talk(plain), plain);
  const auto got = fuzz::comparable(fuzz::talk(in_chunks, false, cuts), in_chunks);
  expect(got == wanted, "the same answers as to the plain body");
  const auto answers = fuzz::answers_in(wanted);
  const bool fits = body.size() <= max_body;
  expect(answers.size() == (fits ? 2u : 1u), "an answer to each request, or a refusal");
  expect(answers[0].status == (fits ? 200 : 413), "what the limit says");
  return 0;
}
