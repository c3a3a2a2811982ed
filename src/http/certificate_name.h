// Which name a server's certificate has to have. Any thread, each with a context of its own.
#pragma once

#include <string>

struct ssl_ctx_st;  // OpenSSL's SSL_CTX

namespace http {

// Connections of that context are to a server with this name or address in its certificate's subjectAltName; its subject
// never counts (RFC 6125). False: there is no memory for that.
bool require_name(ssl_ctx_st& context, const std::string& host);

}  // namespace http
