#include "http/conversation.h"

#include <cassert>
#include <charconv>
#include <exception>

#include "http/access.h"

namespace http {
namespace {

constexpr Refusal unauthorized{401, "unauthorized",
                               "Send the token as 'Authorization: Bearer <token>'."};
constexpr Refusal not_found{404, "not_found", "There is nothing at this path; see the README."};
constexpr Refusal wrong_method{405, "method_not_allowed", "Use a method that Allow names."};
constexpr Refusal too_large{413, "too_large", "The body is too large for this request."};
constexpr Refusal bad_query{400, "invalid_query",
                            "A percent sign in the query is not followed by two hexadecimal digits."};

std::string_view reason_phrase(int status) {
  switch (status) {
    case 200: return "OK";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 408: return "Request Timeout";
    case 409: return "Conflict";
    case 413: return "Content Too Large";
    case 414: return "URI Too Long";
    case 415: return "Unsupported Media Type";
    case 431: return "Request Header Fields Too Large";
    case 500: return "Internal Server Error";
    case 503: return "Service Unavailable";
    default: return "";  // RFC 9112: may be empty
  }
}

void append_number(std::string& out, std::size_t number) {
  char digits[20];
  out.append(digits, std::to_chars(digits, digits + sizeof digits, number).ptr);
}

void append_field(std::string& out, std::string_view name, std::string_view value) {
  assert(value.find_first_of("\r\n") == value.npos);
  out += name;
  out += ": ";
  out += value;
  out += "\r\n";
}

bool has_field(const Response& response, std::string_view name) {
  for (const auto& field : response.headers) {
    if (field.first == name) return true;
  }
  return false;
}

}  // namespace

void TokenInForce::replace(std::optional<std::string> token) {
  auto fresh = token ? std::make_shared<const std::string>(std::move(*token)) : nullptr;
  const std::lock_guard lock(mutex_);
  token_ = std::move(fresh);
}

TokenInForce::Token TokenInForce::get() const {
  const std::lock_guard lock(mutex_);
  return token_;
}

Conversation::Conversation(Connection& connection, HouseRules& rules)
    : connection_(connection), rules_(rules), wire_(connection.fd, rules.timeouts) {}

void Conversation::run() {
  using Phase = Connection::Phase;
  do {
    connection_.phase = Phase::idle;
    if (!wire_.wait()) break;
    connection_.phase = Phase::reading;
  } while (one_request());
  connection_.phase = Phase::closing;
  wire_.linger();
}

bool Conversation::one_request() {
  speaks_1_0_ = false;
  if (auto refused = wire_.read_head(head_text_)) return refuse(*refused, false);
  Head head;
  if (auto refused = parse_head(head_text_, !connection_.is_unix, head)) {
    return refuse(*refused, false);
  }
  speaks_1_0_ = head.is_1_0;
  const bool is_head = head.method == "HEAD";
  // A body that is not going to be read takes the connection with it.
  const bool keep = head.keep_alive && !head.has_body();

  const auto token = rules_.token.get();
  if (!connection_.is_unix) {
    if (auto refused = check_origin(head, token != nullptr)) return refuse(*refused, keep, is_head);
  }
  auto match = rules_.routes.find(is_head ? "GET" : head.method, head.path);
  if (token && !match.open && !bears_token(head, *token)) {
    return refuse(unauthorized, keep, is_head);
  }
  if (match.route) return led_to_route(head, std::move(match));
  if (match.allow.empty()) return refuse(not_found, keep, is_head);
  auto response = refusal(wrong_method.status, wrong_method.code, wrong_method.message);
  response.headers.emplace_back("Allow", std::move(match.allow));
  return say(response, keep, is_head);
}

bool Conversation::led_to_route(const Head& head, RouteTable::Match match) {
  const bool is_head = head.method == "HEAD";
  Request request;
  if (auto refused = read_body(head, match.route->max_body, request.body)) {
    return refuse(*refused, false, is_head);
  }
  auto query = Query::parse(head.query);
  if (!query) return refuse(bad_query, head.keep_alive, is_head);
  request.method = match.route->method;
  request.args = std::move(match.args);
  request.query = std::move(*query);
  request.request_id = head.request_id;
  connection_.phase = Connection::Phase::answering;
  return say(answer(*match.route, request), head.keep_alive, is_head);
}

std::optional<Refusal> Conversation::read_body(const Head& head, std::size_t limit,
                                               std::string_view& body) {
  if (!head.has_body()) return std::nullopt;
  if (head.length > limit) return too_large;
  wire_.begin_body();
  if (head.expects_continue && !head.is_1_0 && wire_.lacks(head.chunked ? 1 : head.length)) {
    wire_.send("HTTP/1.1 100 Continue\r\n\r\n", {});
  }
  if (head.chunked) return wire_.read_chunks(limit, body);
  return wire_.read_body(static_cast<std::size_t>(head.length), body);
}

Response Conversation::answer(const Route& route, const Request& request) {
  const auto failed = [&](std::string_view what) {
    if (rules_.on_exception) rules_.on_exception(route, what);
    return refusal(500, "internal", "Something went wrong inside; see the sidecar's log.");
  };
  try {
    return route.answer(request);
  } catch (const std::exception& failure) {
    return failed(failure.what());
  } catch (...) {
    return failed("an exception of an unknown type");
  }
}

bool Conversation::refuse(const Refusal& refused, bool keep, bool is_head) {
  auto response = refusal(refused.status, refused.code, refused.message);
  if (refused.status == 401) response.headers.emplace_back("WWW-Authenticate", "Bearer");
  return say(response, keep, is_head);
}

bool Conversation::say(const Response& response, bool keep, bool is_head) {
  connection_.phase = Connection::Phase::answering;
  keep = keep && !rules_.stopping;
  auto& out = answer_head_;
  out = "HTTP/1.1 ";
  append_number(out, static_cast<std::size_t>(response.status));
  out += ' ';
  out += reason_phrase(response.status);
  out += "\r\nContent-Length: ";
  append_number(out, response.body.size());
  out += "\r\n";
  append_field(out, "Content-Type", response.content_type);
  for (const auto& [name, value] : response.headers) append_field(out, name, value);
  if (response.status == 503 && !has_field(response, "Retry-After")) {
    append_field(out, "Retry-After", "1");
  }
  if (!keep) {
    append_field(out, "Connection", "close");
  } else if (speaks_1_0_) {
    append_field(out, "Connection", "keep-alive");
  }
  out += "\r\n";
  // From here on the client counts on the connection: a stopping door gives it time to notice.
  if (keep) connection_.was_answered = true;
  const bool sent = wire_.send(out, is_head ? std::string_view{} : std::string_view(response.body));
  return sent && keep;
}

}  // namespace http
