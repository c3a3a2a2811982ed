// cpp-httplib's part in an exchange: it parses the head of a request and writes the answer.
// The only place of the folder that knows cpp-httplib. Its own listener and connection loop
// are not used; ARCHITECTURE.md says why.
// One HttplibCodec serves all connections; any thread. It throws what `answer` throws.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "http/message.h"

namespace http {

class HttplibCodec {
 public:
  // As cpp-httplib read it. It percent-decodes the values of fields: a `%` is to be given as `%25`.
  struct Parsed {
    std::string_view method;
    std::string_view target;  // as given, which is without a query
    std::string_view version;
    std::vector<std::pair<std::string_view, std::string_view>> fields;
  };
  struct Reply {
    Response response;
    bool keep = false;  // the connection, after this answer
  };
  using Answer = std::function<Reply(const Parsed&)>;

  HttplibCodec();
  ~HttplibCodec();

  // `head`: request line and fields with their line ends, and the empty line. The whole answer replaces
  // `out`. Returns false, and `out` is empty, if cpp-httplib takes the head for malformed.
  bool exchange(std::string_view head, const Answer& answer, std::string& out) const;

 private:
  class Inside;
  std::unique_ptr<Inside> inside_;
};

}  // namespace http
