#include "http/connection.h"

#include <algorithm>
#include <exception>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "http/access.h"
#include "logging/log.h"

namespace http {
namespace {

constexpr Refusal unauthorized{401, "unauthorized", "Send the token as 'Authorization: Bearer <token>'."};
constexpr Refusal not_found{404, "not_found", "There is nothing at this path; see the README."};
constexpr Refusal wrong_method{405, "method_not_allowed", "Use a method that Allow names."};
constexpr Refusal too_large{413, "too_large", "The body is too large for this request."};
constexpr Refusal not_parsed{400, "invalid_request", "The head of the request is malformed."};
constexpr Refusal bad_query{400, "invalid_query",
                            "A percent sign in the query is not followed by two hexadecimal digits."};

constexpr std::size_t much = 64 * 1024;
constexpr const char* id_field = "X-Request-Id";

bool has_field(const Response& response, std::string_view name) {
  const auto& fields = response.headers;
  return std::any_of(fields.begin(), fields.end(), [name](const auto& field) { return field.first == name; });
}

// The client as the log names it: its address without the port, which says nothing.
std::string client_of(const ConnectionSlot& connection) {
  if (connection.is_unix) return "unix";
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  char text[INET6_ADDRSTRLEN] = "";
  if (::getpeername(connection.fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) return "";
  if (address.ss_family == AF_INET6) {
    ::inet_ntop(AF_INET6, &reinterpret_cast<const sockaddr_in6&>(address).sin6_addr, text, sizeof text);
  } else {
    ::inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in&>(address).sin_addr, text, sizeof text);
  }
  return text;
}

}  // namespace

void TokenInForce::replace(std::optional<std::string> token) {
  auto fresh = token ? std::make_shared<const std::string>(std::move(*token)) : nullptr;
  const locks::MutexLock lock(mutex_);
  token_ = std::move(fresh);
}

TokenInForce::Token TokenInForce::get() const {
  const locks::MutexLock lock(mutex_);
  return token_;
}

Connection::Connection(ConnectionSlot& connection, ServerContext& context)
    : connection_(connection), context_(context), wire_(connection, context.timeouts) {}

void Connection::run() {
  using Phase = ConnectionSlot::Phase;
  bool has_begun = true;
  do {
    connection_.phase = Phase::idle;
    has_begun = wire_.wait();
    if (!has_begun && !connection_.is_reserved) break;
    connection_.phase = Phase::reading;
  } while (one_request(has_begun));
  connection_.phase = Phase::closing;
  wire_.linger();
}

bool Connection::one_request(bool has_begun) {
  LargeBodySlots::Slot slot(context_.large_body_slots);  // if it is taken, until the answer is sent and forgotten
  constexpr std::string_view head_method = "HEAD ";
  route_ = context_.counts.size();
  authorised_by_.reset();
  answering_since_.reset();
  malformed_ = has_begun ? wire_.read_head(head_text_) : too_many_connections;
  if (!has_begun) context_.shedding.refused_connection(connection_.listener);
  if (malformed_ && connection_.reading_ended) return false;
  const bool is_head =
      malformed_ ? wire_.begins_with(head_method) : head_text_.compare(0, head_method.size(), head_method) == 0;
  // cpp-httplib still answers what is refused here, as if something harmless had been asked.
  const std::string_view stand_in = is_head ? "HEAD / HTTP/1.1\r\n\r\n" : "GET / HTTP/1.1\r\n\r\n";
  if (!malformed_) malformed_ = check_form(head_text_, for_codec_, query_);
  if (malformed_) {
    for_codec_ = stand_in;
  } else {
    for_codec_ += "\r\n";
  }
  bool keep = false;
  int status = 0;
  const auto answer = [&](const HttplibCodec::Parsed& parsed) {
    Reply reply = malformed_ ? refuse(*malformed_, false) : reply_to(parsed, slot);
    connection_.phase = ConnectionSlot::Phase::answering;
    keep = reply.keep = reply.keep && !context_.stopping && !connection_.is_for_probes;
    Response& response = reply.response;
    status = response.status;
    if (keep && parsed.version == "HTTP/1.0") response.headers.emplace_back("Connection", "keep-alive");
    if (response.status == 503 && !has_field(response, "Retry-After")) {
      response.headers.emplace_back("Retry-After", "1");
    }
    return reply;
  };
  if (!context_.codec.exchange(for_codec_, answer, answer_)) {
    malformed_ = not_parsed;
    context_.codec.exchange(stand_in, answer, answer_);
  }
  if (was_cut_) return false;
  count(status);
  // From here on the client counts on the connection: a stopping server gives it time to notice.
  if (keep && !connection_.was_answered.exchange(true)) wire_.allow_idling();
  const bool sent = wire_.send(answer_, {}, slot.is_taken());
  if (answer_.capacity() > much) std::string{}.swap(answer_);  // not for as long as the client idles
  if (sent && keep && context_.on_answer) context_.on_answer(connection_, authorised_by_);
  return sent && keep;
}

Connection::Reply Connection::reply_to(const HttplibCodec::Parsed& parsed, LargeBodySlots::Slot& slot) {
  Head head;
  Reply reply = reply_by_checks(parsed, slot, head);
  // A route's answer has it already.
  Response& response = reply.response;
  if (logging::is_request_id(head.request_id) && !has_field(response, id_field)) {
    response.headers.emplace_back(id_field, head.request_id);
  }
  return reply;
}

Connection::Reply Connection::reply_by_checks(const HttplibCodec::Parsed& parsed, LargeBodySlots::Slot& slot,
                                              Head& head) {
  if (auto refused = read_head(parsed, !connection_.is_unix, head)) return refuse(*refused, false);
  // A body that is not going to be read takes the connection with it.
  const bool keep = head.keep_alive && !head.has_body();

  auto match = context_.routes.find(head.method == "HEAD" ? "GET" : head.method, head.path);
  const bool is_reserved_for = head.is_command || (match.route && match.route->is_probe);
  if (connection_.is_for_probes && !is_reserved_for) return refuse_for_want_of_slots(match);
  const auto token = context_.token.get();
  if (!connection_.is_unix) {
    if (auto refused = check_origin(head, token != nullptr)) return refuse(*refused, keep);
  }
  route_ = match.number;
  const bool lacks_token = token && !bears_token(head, *token);
  if (!lacks_token) authorised_by_ = token;
  if (lacks_token && !match.open) {
    log_unauthorized(match);
    return refuse(unauthorized, keep);
  }
  if (match.route) {
    Reply reply = lead_to_route(head, std::move(match), slot);
    // The page asks for the token then, before anything is refused for want of it.
    if (lacks_token) reply.response.headers.emplace_back("Room-Sidecar-Token", "wanted");
    if (slot.is_taken()) wire_.forget_body();  // the client may take its time with the answer
    return reply;
  }
  if (match.allow.empty()) return refuse(not_found, keep);
  Reply reply = refuse(wrong_method, keep);
  reply.response.headers.emplace_back("Allow", std::move(match.allow));
  return reply;
}

Connection::Reply Connection::lead_to_route(const Head& head, RouteTable::Match match, LargeBodySlots::Slot& slot) {
  Request request;
  if (auto refused = read_body(head, match.route->max_body, slot, request.body)) {
    was_cut_ = connection_.reading_ended;
    if (refused->status == 503) {
      context_.shedding.refused_large_body(match.route->pattern);
      if (match.route->is_session_report) context_.shedding.refused_session_report();
    }
    return refuse(*refused, false);
  }
  auto query = Query::parse(query_);
  if (!query) return refuse(bad_query, head.keep_alive);
  request.args = std::move(match.args);
  request.query = std::move(*query);
  request.request_id = head.request_id;
  connection_.phase = ConnectionSlot::Phase::answering;
  answering_since_ = RequestCounts::Clock::now();
  const auto work = slot.work();
  return {answer(*match.route, request), head.keep_alive};
}

std::optional<Refusal> Connection::read_body(const Head& head, std::size_t limit, LargeBodySlots::Slot& slot,
                                             std::string_view& body) {
  if (!head.has_body()) return std::nullopt;
  if (head.length > limit) return too_large;
  connection_.phase = ConnectionSlot::Phase::reading_body;
  wire_.begin_body();
  if (head.expects_continue && !head.is_1_0 && wire_.lacks(head.chunked ? 1 : head.length)) {
    wire_.send("HTTP/1.1 100 Continue\r\n\r\n", {});
  }
  if (head.chunked) return wire_.read_chunks(limit, slot, body);
  return wire_.read_body(static_cast<std::size_t>(head.length), slot, body);
}

Response Connection::answer(const Route& route, const Request& request) const {
  const auto failed = [&](std::string_view what) {
    if (context_.on_exception) context_.on_exception(route, what);
    return refusal(500, "internal", "Something went wrong inside; see the sidecar's log.");
  };
  const logging::RequestScope scope(request.request_id, true);
  Response response;
  try {
    response = route.answer(request);
  } catch (const std::exception& failure) {
    response = failed(failure.what());
  } catch (...) {
    response = failed("an exception of an unknown type");
  }
  // An operator needs it to find the lines of the log.
  if (response.status >= 400 || !request.request_id.empty()) {
    response.headers.emplace_back(id_field, logging::request_id());
  }
  return response;
}

// Before the answer leaves: a client that has it may ask for the number at once.
void Connection::count(int status) {
  context_.counts.add(route_, status);
  if (answering_since_) context_.counts.took(route_, *answering_since_);
}

Connection::Reply Connection::refuse_for_want_of_slots(const RouteTable::Match& match) {
  route_ = match.number;
  context_.shedding.refused_connection(connection_.listener);
  if (match.route && match.route->is_session_report) context_.shedding.refused_session_report();
  return refuse(too_many_connections, false);
}

void Connection::log_unauthorized(const RouteTable::Match& match) const {
  if (!context_.unauthorized.is_due()) return;
  const std::string client = client_of(connection_);
  logging::warn(context_.unauthorized.message(),
                {{"client", client}, {"route", match.route ? match.route->pattern : ""}});
}

Connection::Reply Connection::refuse(const Refusal& refused, bool keep) const {
  Reply reply{refusal(refused.status, refused.code, refused.message), keep};
  if (refused.status == 401) reply.response.headers.emplace_back("WWW-Authenticate", "Bearer");
  return reply;
}

}  // namespace http
