// The exchanges over one connection: requests are read, checked in the contract's order, led to their
// route and answered, one after the other, until one side ends it.
// Runs in the connection's own thread; the phase is read, and the socket shut down, by the server's.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "http/connection_slots.h"
#include "http/head.h"
#include "http/httplib_codec.h"
#include "http/large_body_slots.h"
#include "http/load_shedding.h"
#include "http/request_counts.h"
#include "http/route.h"
#include "http/timeouts.h"
#include "http/wire_stream.h"
#include "locks/mutex.h"
#include "logging/rate_limited_warning.h"

namespace http {

// The bearer token in force. Any thread.
class TokenInForce {
 public:
  using Token = std::shared_ptr<const std::string>;  // null: none is needed

  explicit TokenInForce(std::optional<std::string> token) { replace(std::move(token)); }
  void replace(std::optional<std::string> token);
  Token get() const;

 private:
  mutable locks::Mutex mutex_;
  Token token_ GUARDED_BY(mutex_);
};

// What all connections of a server share; outlives them.
struct ServerContext {
  RouteTable routes;
  Timeouts timeouts;
  std::function<void(const Route&, std::string_view what)> on_exception;  // may be empty
  TokenInForce token;
  std::atomic<bool> stopping{false};  // answers have "Connection: close"
  // Called for each complete answer, with the token that authorised it, or empty. Null: authorised without one.
  std::function<void(ConnectionSlot&, const std::optional<TokenInForce::Token>& authorised_by)> on_answer{};
  LargeBodySlots large_body_slots{};
  LoadShedding shedding{{}};
  logging::RateLimitedWarning unauthorized{"Requests refused: their token is missing or wrong"};
  HttplibCodec codec{};
  RequestCounts counts{routes.size()};
};

class Connection {
 public:
  Connection(ConnectionSlot& connection, ServerContext& context);

  // Returns when nothing more may be sent; the socket is then to be closed.
  void run();

 private:
  using Reply = HttplibCodec::Reply;

  // Returns whether the connection can be kept. Without the first byte of a request there is only something to refuse.
  bool one_request(bool has_begun);
  Reply reply_to(const HttplibCodec::Parsed& parsed, LargeBodySlots::Slot& slot);
  // What to answer, in the order of the contract's checks; the head is read on the way.
  Reply reply_by_checks(const HttplibCodec::Parsed& parsed, LargeBodySlots::Slot& slot, Head& head);
  Reply lead_to_route(const Head& head, RouteTable::Match match, LargeBodySlots::Slot& slot);
  Reply refuse(const Refusal& refused, bool keep) const;
  Reply refuse_for_want_of_slots(const RouteTable::Match& match);
  void log_unauthorized(const RouteTable::Match& match) const;
  Response answer(const Route& route, const Request& request) const;
  void count(int status);

  std::optional<Refusal> read_body(const Head& head, std::size_t limit, LargeBodySlots::Slot& slot,
                                   std::string_view& body);

  ConnectionSlot& connection_;
  ServerContext& context_;
  WireStream wire_;
  std::optional<Refusal> malformed_;                  // why the head never reached cpp-httplib
  bool was_cut_ = false;                              // by the stopping server, which has no answer to that
  std::size_t route_ = 0;                             // that the request leads to
  std::optional<TokenInForce::Token> authorised_by_;  // nothing: the request is not authorised
  std::optional<RequestCounts::Clock::time_point> answering_since_;  // none: refused here
  std::string head_text_;   // these keep their memory from request to request, if it is not much
  std::string_view query_;  // in head_text_
  std::string for_codec_;
  std::string answer_;
};

}  // namespace http
