#include "cli/target.h"

namespace cli {
namespace {

constexpr std::string_view kUnreserved = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
constexpr std::string_view kHex = "0123456789ABCDEF";

}  // namespace

std::string percent_encoded(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  for (const char character : text) {
    if (kUnreserved.find(character) != std::string_view::npos) {
      result += character;
      continue;
    }
    const auto byte = static_cast<unsigned char>(character);
    result += '%';
    result += kHex[byte >> 4];
    result += kHex[byte & 0x0F];
  }
  return result;
}

}  // namespace cli
