#include "etcd/base64.h"

#include <openssl/evp.h>

namespace etcd {
namespace {

unsigned char* bytes_of(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }
const unsigned char* bytes_of(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

}  // namespace

std::string to_base64(std::string_view bytes) {
  std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');  // it ends what it writes with a zero
  const int written = EVP_EncodeBlock(bytes_of(text), bytes_of(bytes), static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(written));
  return text;
}

std::optional<std::string> from_base64(std::string_view text) {
  if (text.empty()) return std::string();
  if (text.size() % 4 != 0) return std::nullopt;
  // OpenSSL would pass over blanks and line ends.
  if (text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/") <
      text.size() - (text.substr(text.size() - 2) == "==" ? 2
                     : text.back() == '='                 ? 1
                                                          : 0)) {
    return std::nullopt;
  }
  std::string bytes(text.size() / 4 * 3, '\0');
  const int read = EVP_DecodeBlock(bytes_of(bytes), bytes_of(text), static_cast<int>(text.size()));
  if (read < 0) return std::nullopt;
  // It keeps padding as zeros.
  std::size_t size = static_cast<std::size_t>(read);
  if (text.back() == '=') --size;
  if (text[text.size() - 2] == '=') --size;
  bytes.resize(size);
  return bytes;
}

}  // namespace etcd
