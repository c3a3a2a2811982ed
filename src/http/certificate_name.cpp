#include "http/certificate_name.h"

#include <openssl/ssl.h>
#include <openssl/x509v3.h>

namespace http {

bool require_name(ssl_ctx_st& context, const std::string& host) {
  X509_VERIFY_PARAM* const parameters = SSL_CTX_get0_param(&context);
  X509_VERIFY_PARAM_set_hostflags(parameters, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
  return X509_VERIFY_PARAM_set1_ip_asc(parameters, host.c_str()) == 1 ||
         X509_VERIFY_PARAM_set1_host(parameters, host.c_str(), host.size()) == 1;
}

}  // namespace http
