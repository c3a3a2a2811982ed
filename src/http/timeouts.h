// For how long a connection may keep a thread waiting (CONTRACT "Who may ask").
#pragma once

#include <chrono>

namespace http {

struct Timeouts {
  std::chrono::milliseconds idle = std::chrono::seconds{60};  // until the first byte of a later request
  std::chrono::milliseconds head = std::chrono::seconds{5};   // from there to the end of its head
  std::chrono::milliseconds body = std::chrono::seconds{10};
  std::chrono::milliseconds write = std::chrono::seconds{5};  // one answer
  std::chrono::milliseconds first_byte = std::chrono::seconds{5};
  std::chrono::milliseconds reserved = std::chrono::milliseconds{500};  // until the first byte, in a reserved slot
  // Each 64 KiB of what holds a place for large bodies (http/minimum_rate.h).
  std::chrono::milliseconds piece = std::chrono::seconds{1};
};

}  // namespace http
