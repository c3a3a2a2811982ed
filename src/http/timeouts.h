// For how long a connection may keep a thread waiting (CONTRACT "Who may ask").
#pragma once

#include <chrono>

namespace http {

struct Timeouts {
  std::chrono::milliseconds idle = std::chrono::seconds{60};  // until the first byte of a request
  std::chrono::milliseconds head = std::chrono::seconds{5};   // from there to the end of its head
  std::chrono::milliseconds body = std::chrono::seconds{10};
  std::chrono::milliseconds write = std::chrono::seconds{5};  // one answer
};

}  // namespace http
