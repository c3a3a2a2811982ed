// The shapes are those that etcd 3.4.23 sends.
#include "etcd/answers.h"
#include "json/value.h"

#include <algorithm>

#include "catch.h"
#include "etcd/base64.h"
#include "etcd/failure.h"
#include "etcd/member_rotation.h"
#include "etcd/requests.h"
#include "etcd/watch_stream.h"

using namespace std::chrono_literals;
using namespace etcd;

namespace {

json::Value parsed(std::string_view text) {
  const auto value = json::Value::parse(text);
  REQUIRE(value);
  return *value;
}

Transaction create() {
  Transaction transaction;
  transaction.compares.push_back({"a"});
  transaction.success.push_back({Operation::Kind::put, "a", "", "b"});
  transaction.failure.push_back({Operation::Kind::range, "a"});
  return transaction;
}

// The events of a watch with that text, and its end, in pieces of each size.
struct Reported {
  std::vector<std::pair<Header, std::vector<Event>>> calls;
  std::optional<WatchEnd> end;
  bool is_of_token = false;
};

Reported reported_by(std::string_view text, std::size_t piece, std::function<bool(const Header&)> counts = {}) {
  Reported reported;
  const Client::Sink sink = [&](const Header& header, const std::vector<Event>& events) {
    reported.calls.emplace_back(header, events);
    return true;
  };
  WatchStream stream(sink, std::move(counts));
  for (; !text.empty() && stream.take(text.substr(0, piece)); text.remove_prefix(std::min(piece, text.size()))) {
  }
  stream.finish();
  reported.end = stream.end();
  reported.is_of_token = stream.is_of_token();
  return reported;
}

}  // namespace

TEST_CASE("base64 is padded, and read back byte by byte") {
  CHECK(to_base64("") == "");
  CHECK(to_base64("a") == "YQ==");
  CHECK(to_base64("ab") == "YWI=");
  CHECK(to_base64("abc") == "YWJj");
  CHECK(to_base64(std::string(2, '\0')) == "AAA=");
  CHECK(to_base64("\xff\xfe\xfd") == "//79");
  for (const char* wrong : {"YQ", "YQ=", "Y===", "====", "YQ==YQ==", "YW\nj", "    ", "YW-_", "Y Q=", "YWJjY"}) {
    INFO(wrong);
    CHECK(!from_base64(wrong));
  }
  std::string bytes;
  for (int i = 0; i < 300; ++i) {
    CHECK(from_base64(to_base64(bytes)) == bytes);
    bytes.push_back(static_cast<char>(i * 7));
  }
}

TEST_CASE("requests are written as etcd reads them") {
  CHECK(to_json(create()) ==
        R"({"compare":[{"key":"YQ==","result":"EQUAL","target":"CREATE","create_revision":"0"}],)"
        R"("success":[{"request_put":{"key":"YQ==","value":"Yg=="}}],"failure":[{"request_range":{"key":"YQ=="}}]})");
  RangeRequest request{"a", "b", 3, 7};
  request.keys_only = true;
  CHECK(to_json(request) == R"({"key":"YQ==","range_end":"Yg==","limit":"3","revision":"7","keys_only":true})");
  CHECK(watch_request("a", "b", 9) ==
        R"({"create_request":{"key":"YQ==","range_end":"Yg==","start_revision":"9","progress_notify":true}})");
  CHECK(lease_request(7587876473) == R"({"ID":"7587876473"})");
  CHECK(authenticate_request("me", "\"") == R"({"name":"me","password":"\""})");
}

TEST_CASE("fields that etcd leaves out are zero, false and empty") {
  const auto won = parsed(R"({"header":{"cluster_id":"17783827971225459260","member_id":"1","revision":"2"},)"
                          R"("succeeded":true,"responses":[{"response_put":{"header":{"revision":"2"}}}]})");
  CHECK(header_of(won)->cluster_id == "17783827971225459260");
  CHECK(header_of(won)->revision == 2);
  CHECK(transaction_result_of(won, create())->succeeded);

  const auto missed = parsed(R"({"header":{},"responses":[{"response_range":{"header":{"revision":"2"}}}]})");
  CHECK(header_of(missed)->revision == 0);
  const auto result = transaction_result_of(missed, create());
  REQUIRE(result);
  CHECK(!result->succeeded);
  CHECK(result->done.at(0).found.empty());

  const auto page = page_of(parsed(R"({"header":{},"kvs":[{"key":"YQ==","create_revision":"2","mod_revision":"3"}]})"));
  REQUIRE(page);
  CHECK(page->items.at(0).key == "a");
  CHECK(page->items.at(0).value.empty());
  CHECK(page->items.at(0).modified == 3);
  CHECK(!page->more);
}

TEST_CASE("an answer that does not fit the request is refused") {
  for (const char* wrong :
       {"[]", "7", R"({"succeeded":true})", R"({"succeeded":true,"responses":[{"response_range":{}}]})",
        R"({"responses":[{"response_range":{}},{"response_range":{}}]})", R"({"responses":{}})",
        R"({"responses":[{"response_range":{"kvs":[{"key":"!"}]}}]})",
        R"({"responses":[{"response_range":{"kvs":[{"mod_revision":"1x"}]}}]})",
        R"({"responses":[{"response_range":{"kvs":[7]}}]})"}) {
    INFO(wrong);
    CHECK(!transaction_result_of(parsed(wrong), create()));
  }
  CHECK(!page_of(parsed(R"({"kvs":[{"mod_revision":"9223372036854775808"}]})")));
  CHECK(!page_of(parsed(R"({"kvs":[{"mod_revision":18446744073709551615}]})")));
  CHECK(!header_of(parsed("{}")));
  CHECK(!event_of(parsed(R"({"type":"MOVE","kv":{"key":"YQ=="}})")));
  CHECK(!event_of(parsed(R"({"type":"DELETE"})")));
}

TEST_CASE("a watch's lines are read whatever pieces they come in") {
  const std::string text =
      R"({"result":{"header":{"cluster_id":"5","revision":"16933"},"created":true}})"
      "\n"
      R"({"result":{"header":{"cluster_id":"5","revision":"16936"},"events":[)"
      R"({"kv":{"key":"YQ==","create_revision":"16936","mod_revision":"16936","version":"1","value":"Yg=="}},)"
      R"({"type":"DELETE","kv":{"key":"YWI=","mod_revision":"16936"},"prev_kv":{"key":"YWI="}}]}})"
      "\n"
      R"({"result":{"header":{"revision":"16937"}}})"
      "\r\n\n"
      R"({"error":{"grpc_code":14,"http_code":503,"message":"etcdserver: no leader",)"
      R"("http_status":"Service Unavailable"}})";
  for (const std::size_t piece : {1U, 2U, 7U, 100U, 400U, 10'000U}) {
    const Reported reported = reported_by(text, piece);
    REQUIRE(reported.calls.size() == 2);
    CHECK(reported.calls[0].first.revision == 16933);
    CHECK(reported.calls[0].first.cluster_id == "5");
    CHECK(reported.calls[0].second.empty());
    REQUIRE(reported.calls[1].second.size() == 2);
    CHECK(reported.calls[1].second[0].item.value == "b");
    CHECK(!reported.calls[1].second[0].erased);
    CHECK(reported.calls[1].second[1].erased);
    CHECK(reported.calls[1].second[1].item.key == "ab");
    REQUIRE(reported.end);
    CHECK(reported.end->why == WatchEnd::Why::lost);
    CHECK(reported.end->words == "etcdserver: no leader (code 14)");
  }
}

TEST_CASE("a page answers a request if its keys ascend within the range, and only a full page has more behind it") {
  struct Case {
    std::vector<std::string> keys;
    bool more;
    bool answers;
  };
  const auto page_with = [](const Case& each) {
    Page page;
    page.more = each.more;
    for (const auto& key : each.keys) page.items.push_back({key, "", 1});
    return page;
  };
  RangeRequest request{"b", "d", 2};
  for (const Case& each : {
           Case{{}, false, true},
           Case{{"b"}, false, true},
           Case{{"b", "c"}, true, true},
           Case{{"b", "c"}, false, true},
           Case{{}, true, false},
           Case{{"b"}, true, false},
           Case{{"a"}, false, false},
           Case{{"a", "c"}, true, false},
           Case{{"c", "b"}, true, false},
           Case{{"c", "c"}, true, false},
           Case{{"b", "d"}, false, false},
           Case{{"b", "ba", "c"}, false, false},
       }) {
    CAPTURE(each.keys, each.more);
    CHECK(answers(page_with(each), request) == each.answers);
  }
  request = {"b", std::string(1, '\0')};
  CHECK(answers(page_with({{"b", "z"}, false, true}), request));
  request = {"b", ""};
  CHECK(answers(page_with({{"b"}, false, true}), request));
  CHECK_FALSE(answers(page_with({{"c"}, false, true}), request));
}

TEST_CASE("causes of a watch's end are distinguished") {
  struct Case {
    const char* text;
    WatchEnd::Why why;
    bool is_of_token;
  };
  for (const Case& each : {
           Case{R"({"result":{"header":{},"canceled":true,"compact_revision":"16937"}})", WatchEnd::Why::compacted,
                false},
           Case{R"({"result":{"header":{},"canceled":true}})", WatchEnd::Why::lost, false},
           Case{R"({"result":{"header":{},"watch_id":"-1","created":true,"canceled":true,"cancel_reason":)"
                R"("rpc error: code = InvalidArgument desc = etcdserver: user name is empty"}})",
                WatchEnd::Why::lost, true},
           Case{R"({"result":{"header":{},"created":true,"canceled":true,"cancel_reason":)"
                R"("rpc error: code = PermissionDenied desc = etcdserver: permission denied"}})",
                WatchEnd::Why::refused, false},
           Case{R"({"error":{"grpc_code":16,"http_code":401,"message":"etcdserver: invalid auth token"}})",
                WatchEnd::Why::refused, true},
           Case{R"({"error":{"code":16,"message":"etcdserver: invalid auth token","details":[]}})",
                WatchEnd::Why::refused, true},
           Case{R"({"error":{"code":14,"message":"etcdserver: no leader","details":[]}})", WatchEnd::Why::lost, false},
           Case{R"({"error":{"code":7,"message":"etcdserver: permission denied"}})", WatchEnd::Why::refused, false},
           Case{R"({"error":{"message":"etcdserver: no leader"}})", WatchEnd::Why::lost, false},
           Case{R"({"error":{"grpc_code":1,"http_code":408,"message":"grpc: the client connection is closing"}})",
                WatchEnd::Why::lost, false},
           Case{"<html>", WatchEnd::Why::lost, false},
           Case{R"({"result":7})", WatchEnd::Why::lost, false},
           Case{R"({"result":{"header":{},"events":[{"kv":{"key":"?"}}]}})", WatchEnd::Why::lost, false},
       }) {
    INFO(each.text);
    const Reported reported = reported_by(each.text, 10);
    CHECK(reported.calls.empty());
    REQUIRE(reported.end);
    CHECK(reported.end->why == each.why);
    CHECK(reported.is_of_token == each.is_of_token);
  }
  CHECK(!reported_by(R"({"result":{"header":{"revision":"1"},"created":true}})", 10).end);
  CHECK(reported_by(std::string(WatchStream::longest_line + 1, ' '), 1 << 20).end->why == WatchEnd::Why::lost);
}

TEST_CASE("a watch of another cluster is passed over, whatever its events") {
  const auto counts = [](const Header& header) { return header.cluster_id == "1"; };
  for (const char* reported : {R"("created":true)", R"("canceled":true,"compact_revision":"7")",
                               R"("events":[{"kv":{"key":"YQ==","mod_revision":"2"}}])"}) {
    CAPTURE(reported);
    for (const char* header : {R"({"cluster_id":"2","revision":"9"})", R"({"revision":"9"})"}) {
      const Reported other =
          reported_by(R"({"result":{"header":)" + std::string(header) + "," + reported + "}}", 10, counts);
      CHECK(other.calls.empty());
      REQUIRE(other.end);
      CHECK(other.end->why == WatchEnd::Why::lost);
    }
  }
  CHECK(reported_by(R"({"result":{"header":{"cluster_id":"1"},"created":true}})", 10, counts).calls.size() == 1);
}

TEST_CASE("a refusal's meaning follows from its code, and from its text where the code says too little") {
  struct Case {
    int status;
    const char* body;
    ErrorCode error;
    bool of_token;
  };
  for (const Case& each : {
           Case{503, R"({"error":"x","message":"etcdserver: no leader","code":14})", ErrorCode::unreached, false},
           Case{503, R"({"error":"x","message":"etcdserver: request timed out","code":14})", ErrorCode::unknown, false},
           Case{503, R"({"error":"x","message":"transport is closing","code":14})", ErrorCode::unknown, false},
           Case{503, R"({"error":"etcdserver: leader changed","code":14})", ErrorCode::unknown, false},
           Case{500, R"({"error":"x","message":"context deadline exceeded","code":2})", ErrorCode::unknown, false},
           Case{429, R"({"error":"x","message":"etcdserver: mvcc: database space exceeded","code":8})",
                ErrorCode::refused, false},
           Case{429, R"({"error":"x","message":"etcdserver: too many requests","code":8})", ErrorCode::unreached,
                false},
           Case{400, R"({"error":"x","message":"etcdserver: mvcc: required revision has been compacted","code":11})",
                ErrorCode::compacted, false},
           Case{400, R"({"error":"x","message":"etcdserver: user name is empty","code":3})", ErrorCode::refused, true},
           Case{400, R"({"error":"x","message":"etcdserver: revision of auth store is old","code":3})",
                ErrorCode::refused, true},
           Case{401, R"({"error":"x","message":"etcdserver: invalid auth token","code":16})", ErrorCode::refused, true},
           Case{403, R"({"error":"x","message":"etcdserver: permission denied","code":7})", ErrorCode::refused, false},
           Case{404, "404 page not found\n", ErrorCode::unreached, false},
           Case{400, "CommonName of client sending a request against gateway will be ignored", ErrorCode::refused,
                false},
           Case{502, "<html>Bad gateway</html>", ErrorCode::unknown, false},
           Case{503, R"({"error":"x","message":7,"code":"14"})", ErrorCode::unknown, false},
           Case{503, "", ErrorCode::unknown, false},
       }) {
    INFO(each.body);
    const Failure failure = failure_of_answer(each.status, each.body);
    CHECK(failure.error == each.error);
    CHECK(failure.of_token == each.of_token);
    CHECK(!failure.why.empty());
  }
}

TEST_CASE("a failed member is passed over for a while, and is tried again once all have failed") {
  MemberRotation local({"a", "b", "c"});
  const auto now = MemberRotation::Clock::now();
  const std::string first = local.endpoint();
  local.failed(now);
  const std::string second = local.endpoint();
  CHECK(second != first);
  local.failed(now);
  const std::string third = local.endpoint();
  CHECK(third != first);
  CHECK(third != second);
  local.worked();
  CHECK(local.endpoint() == third);
  local.failed(now + 1s);  // the other members are still passed over
  CHECK(local.endpoint() == first);
  local.failed(now + 7s);  // it was the first
  CHECK(local.endpoint() == second);
}

TEST_CASE("the pauses begin once all have failed, and double up to a second") {
  MemberRotation local({"a", "b"});
  CHECK(local.pause_after(0) == 0ms);
  CHECK(local.pause_after(1) == 0ms);
  CHECK(local.pause_after(3) == 0ms);
  for (int i = 0; i < 100; ++i) {
    CHECK((local.pause_after(2) >= 10ms && local.pause_after(2) <= 20ms));
    CHECK((local.pause_after(4) >= 20ms && local.pause_after(4) <= 40ms));
    CHECK((local.pause_after(1000) >= 500ms && local.pause_after(1000) <= 1000ms));
  }
}
