#include "fuzz/talk.h"

#include <algorithm>
#include <chrono>
#include <cstring>

#include <sys/socket.h>

#include "http/connection.h"
#include "json/writer.h"

namespace {

struct Wire {
  std::string_view unread;
  std::string sent;
  std::uint32_t cuts = 0;
};

Wire wire;

// A hash of a body, whatever its bytes.
std::uint64_t mark_of(std::string_view body) {
  std::uint64_t mark = 14695981039346656037u;  // FNV-1a
  for (const char c : body) mark = (mark ^ static_cast<unsigned char>(c)) * std::uint64_t{1099511628211u};
  return mark;
}

http::Response echo(const http::Request& request) {
  json::Writer json;
  json.begin_object().key("args").begin_array();
  for (const auto& arg : request.args) json.value(arg);
  json.end_array().key("query").begin_array();
  for (const char* name : {"after", "gateway", "limit"}) json.value(request.query.value(name).value_or("-"));
  json.end_array().member("size", request.body.size()).member("mark", mark_of(request.body));
  json.member("id", request.request_id).end_object();
  http::Response response;
  response.body = json.take();
  return response;
}

http::ServerContext& context() {
  constexpr std::chrono::hours long_enough{1};
  static http::ServerContext backend{http::RouteTable({{"POST", "/v2/room_server", echo, 1024},
                                                       {"PUT", "/v2/rooms/{room}/sessions/{session}", echo},
                                                       {"GET", "/v2/rooms", echo},
                                                       {"GET", "/", echo, 64, true}}),
                                     {long_enough, long_enough, long_enough, long_enough},
                                     {},
                                     http::TokenInForce{std::nullopt}};
  return backend;
}

}  // namespace

extern "C" {

ssize_t __wrap_recv(int, void* to, std::size_t room, int) {
  std::size_t size = std::min(room, wire.unread.size());
  if (wire.cuts != 0) {
    wire.cuts = wire.cuts * 1664525u + 1013904223u;
    size = std::min<std::size_t>(size, 1 + (wire.cuts >> 29));
    if (wire.cuts == 0) wire.cuts = 1;
  }
  std::memcpy(to, wire.unread.data(), size);
  wire.unread.remove_prefix(size);
  return static_cast<ssize_t>(size);
}

ssize_t __wrap_sendmsg(int, const msghdr* message, int) {
  std::size_t size = 0;
  for (std::size_t i = 0; i < message->msg_iovlen; ++i) {
    const iovec& part = message->msg_iov[i];
    wire.sent.append(static_cast<const char*>(part.iov_base), part.iov_len);
    size += part.iov_len;
  }
  return static_cast<ssize_t>(size);
}

}  // extern "C"

namespace fuzz {

std::string talk(std::string_view bytes, bool over_unix, std::uint32_t cuts) {
  wire = {bytes, {}, cuts};
  http::ConnectionSlot connection;
  connection.is_unix = over_unix;
  http::Connection(connection, context()).run();
  return std::move(wire.sent);
}

std::string comparable(std::string answers, std::string_view bytes) {
  constexpr std::string_view go_on = "HTTP/1.1 100 Continue\r\n\r\n";
  for (auto at = answers.find(go_on); at != answers.npos; at = answers.find(go_on, at)) {
    answers.erase(at, go_on.size());
  }
  constexpr std::string_view date_field = "\r\nDate: ";
  for (auto at = answers.find(date_field); at != answers.npos; at = answers.find(date_field, at)) {
    at += date_field.size();
    answers.replace(at, std::min(answers.find("\r\n", at), answers.size()) - at, "Thu, 01 Jan 1970 00:00:00 GMT");
  }
  constexpr std::string_view id_field = "\r\nX-Request-Id: ";
  for (auto at = answers.find(id_field); at != answers.npos; at = answers.find(id_field, at)) {
    at += id_field.size();
    const auto size = std::min(answers.find("\r\n", at), answers.size()) - at;
    if (bytes.find(answers.substr(at, size)) == bytes.npos) answers.replace(at, size, "made up");
  }
  return answers;
}

}  // namespace fuzz
