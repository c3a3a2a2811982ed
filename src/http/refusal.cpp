#include "http/refusal.h"

#include "domain/printable.h"
#include "json/writer.h"

namespace http {

Response refusal(int status, std::string_view code, std::string_view message) {
  Response response;
  response.status = status;
  response.body = "{\"error\":";
  json::append_string(response.body, code);
  response.body += ",\"message\":";
  json::append_string(response.body, domain::printable(message));
  response.body += '}';
  return response;
}

}  // namespace http
