#include "etcd/connection.h"

#include <utility>

namespace etcd {
namespace {

constexpr std::chrono::milliseconds longest_connect{500};

}  // namespace

Connection::Connection(const Options& options)
    : transfers_({.sends_again = false,
                  .keeps_addresses = false,
                  .longest_connect = longest_connect,
                  .tls = http::TlsFiles{options.ca_file, options.cert_file, options.key_file}}) {}

Answer Connection::post(const std::string& endpoint, const Request& request, Clock::time_point until) {
  return ask(endpoint, request, until, nullptr);
}

Answer Connection::stream(const std::string& endpoint, const Request& request, Clock::time_point begun,
                          std::chrono::milliseconds silence, const Sink& sink) {
  auto until = begun;
  return ask(endpoint, request, until, [&](std::string_view piece) {
    const bool goes_on = sink(piece);
    until = Clock::now() + silence;  // the sink's time is not the member's
    return goes_on;
  });
}

Answer Connection::ask(const std::string& endpoint, const Request& request, const Clock::time_point& until, Sink sink) {
  const auto closed = [&] { return Answer{Answer::Outcome::closed, 0, "", endpoint + ": the connection is closed"}; };
  if (request.over != 0 && request.over != number()) return closed();
  http::TransferRequest http{.url = endpoint, .method = "POST", .target = request.path, .body = request.body};
  if (request.needs_leader) http.fields.emplace_back("Grpc-Metadata-hasleader: true");
  if (!request.token.empty()) http.fields.push_back("Authorization: " + request.token);
  http.largest_answer = longest_body;
  http.only_if_kept = request.over != 0;
  http.sink = std::move(sink);
  const bool is_stream = http.sink != nullptr;
  auto reply = transfers_.exchange(std::move(http), until);
  is_kept_ = reply.problem.empty() && !is_stream;

  if (!reply.was_sent && request.over != 0 && request.over != transfers_.opened()) return closed();
  Answer answer;
  answer.status = reply.status;
  answer.body = std::move(reply.body);
  const bool is_refusal = reply.status != 0 && reply.status != 200;
  if (reply.too_large == http::TransferAnswer::TooLarge::body) {
    answer.outcome = Answer::Outcome::too_long;
    answer.problem = endpoint + ": its answer is longer than 64 MiB";
  } else if (reply.problem.empty() || is_refusal) {
    answer.outcome = Answer::Outcome::answered;
  } else {
    answer.outcome = reply.was_sent ? Answer::Outcome::unsure : Answer::Outcome::not_sent;
    answer.problem = endpoint + ": " + reply.problem;
  }
  return answer;
}

}  // namespace etcd
