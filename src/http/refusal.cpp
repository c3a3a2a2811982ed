#include "http/refusal.h"

#include "domain/printable.h"
#include "http/json.h"

namespace http {

Response refusal(int status, std::string_view code, std::string_view message) {
  Response response;
  response.status = status;
  response.body = "{\"error\":";
  append_json_string(response.body, code);
  response.body += ",\"message\":";
  append_json_string(response.body, domain::printable(message));
  response.body += '}';
  return response;
}

}  // namespace http
