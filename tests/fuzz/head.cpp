// The head of a request, from its bytes through the sidecar's check and cpp-httplib to its meaning. A plain parser of
// the fields is compared with it. The first byte says if it came over a Unix socket.
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "fuzz/answers.h"
#include "fuzz/expect.h"
#include "http/head.h"

namespace {

using fuzz::expect;
using Sent = std::vector<std::pair<std::string, std::string>>;

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return result;
}

std::string_view trimmed(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t");
  if (begin == text.npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

// The fields of an accepted head, in order.
Sent fields_of(std::string_view text) {
  Sent fields;
  text.remove_prefix(text.find("\r\n") + 2);
  while (!text.empty()) {
    const auto line = text.substr(0, text.find("\r\n"));
    text.remove_prefix(line.size() + 2);
    const auto colon = line.find(':');
    fields.emplace_back(lower(line.substr(0, colon)), trimmed(line.substr(colon + 1)));
  }
  return fields;
}

std::vector<std::string> values_of(const Sent& fields, std::string_view name) {
  std::vector<std::string> values;
  for (const auto& [field, value] : fields) {
    if (field == name) values.push_back(value);
  }
  std::sort(values.begin(), values.end());
  return values;
}

std::vector<std::string> values_of(const http::HttplibCodec::Parsed& parsed, std::string_view name) {
  std::vector<std::string> values;
  for (const auto& [field, value] : parsed.fields) {
    if (lower(field) == name) values.emplace_back(value);
  }
  std::sort(values.begin(), values.end());
  return values;
}

// The library passes the values on. An empty value has been replaced by "-", or by "close" in Connection.
void check_handed_on(const http::HttplibCodec::Parsed& parsed, const Sent& sent) {
  for (const char* name :
       {"host", "origin", "authorization", "content-length", "content-encoding", "transfer-encoding", "connection"}) {
    auto expected = values_of(sent, name);
    for (std::string& value : expected) {
      if (value.empty()) value = std::string_view(name) == "connection" ? "close" : "-";
    }
    std::sort(expected.begin(), expected.end());
    expect(values_of(parsed, name) == expected, "each field as it was sent");
  }
  for (const auto& [name, value] : parsed.fields) {
    expect(lower(name) != "range" && lower(name) != "accept-encoding", "nothing the library acts upon");
    expect(lower(name) != "expect", "nothing the library answers");
  }
}

// The items of Connection, over all its fields.
bool asks_to_close(const Sent& sent) {
  for (std::string list : values_of(sent, "connection")) {
    if (list.empty()) return true;
    for (std::size_t comma = 0; comma != list.npos;) {
      comma = list.find(',');
      if (lower(trimmed(list.substr(0, comma))) == "close") return true;
      if (comma != list.npos) list.erase(0, comma + 1);
    }
  }
  return false;
}

// No accepted head may be readable in two ways.
void check_taken(const http::Head& head, std::string_view target, const Sent& sent, bool over_tcp) {
  const auto lengths = values_of(sent, "content-length");
  const auto encodings = values_of(sent, "transfer-encoding");
  const auto hosts = values_of(sent, "host");
  expect(lengths.size() + encodings.size() <= 1, "one length at most");
  expect(head.length == (lengths.empty() ? 0 : std::strtoull(lengths[0].c_str(), nullptr, 10)), "the length as sent");
  if (!lengths.empty()) {
    expect(!lengths[0].empty() && lengths[0].find_first_not_of("0123456789") == std::string::npos,
           "a length in plain digits");
  }
  expect(head.chunked == !encodings.empty(), "chunked if encoded");
  expect(encodings.empty() || (lower(encodings[0]) == "chunked" && !head.is_1_0), "chunked and no other");
  expect(values_of(sent, "content-encoding").empty(), "a body as it is");
  expect(!over_tcp || hosts.size() == 1 || (hosts.empty() && head.is_1_0), "one Host");
  expect(!head.path.empty() && head.path[0] == '/', "a path from a slash on");
  for (std::size_t i = head.path.find('%'); i != head.path.npos; i = head.path.find('%', i + 1)) {
    expect(head.path.substr(i + 1, 2).find_first_not_of("0123456789abcdefABCDEF") == head.path.npos &&
               i + 2 < head.path.size(),
           "good percent signs");
  }
  expect(head.path.find_first_of("?# \t") == head.path.npos, "a path alone");
  if (lower(target).rfind("http://", 0) == 0) {
    const auto named = target.substr(7);
    expect(head.host == named.substr(0, named.find_first_of("/?")) && !head.host->empty(), "the target's own host");
  } else if (over_tcp) {
    expect(head.host.has_value() == !hosts.empty(), "the one Host");
  }
  if (asks_to_close(sent)) expect(!head.keep_alive, "closed as asked");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const http::HttplibCodec codec;
  if (size == 0) return 0;
  const bool over_tcp = data[0] % 2 == 0;
  const auto text = fuzz::as_text(data + 1, size - 1);
  std::string for_codec;
  std::string_view query;
  if (const auto refused = http::check_form(text, for_codec, query)) {
    expect(refused->status == 400, "400 for a bad form");
    return 0;
  }
  const Sent sent = fields_of(text);
  int asked = 0;
  const auto answer = [&](const http::HttplibCodec::Parsed& parsed) {
    ++asked;
    check_handed_on(parsed, sent);
    const auto line = text.substr(0, text.find("\r\n"));
    const auto target = line.substr(line.find(' ') + 1, line.rfind(' ') - line.find(' ') - 1);
    const auto path = target.substr(0, target.find('?'));
    expect(parsed.target.size() >= path.size() && parsed.version == line.substr(line.rfind(' ') + 1),
           "the request line as sent");
    expect(query == (path.size() == target.size() ? "" : target.substr(path.size() + 1)), "the query as sent");
    http::Head head;
    const auto refused = http::read_head(parsed, over_tcp, head);
    if (!refused) check_taken(head, target, sent, over_tcp);
    if (refused) expect(refused->status == 400 || refused->status == 415, "a refusal of the head");
    http::HttplibCodec::Reply reply;
    reply.response.status = refused ? refused->status : 200;
    reply.response.body = "{\"a\":1}";
    reply.keep = !refused;
    return reply;
  };
  std::string out;
  const bool parsed = codec.exchange(for_codec + "\r\n", answer, out);
  expect(parsed && asked == 1, "a head that the library takes, once");
  expect(fuzz::answers_in(out).size() == 1, "exactly one answer");
  return 0;
}
