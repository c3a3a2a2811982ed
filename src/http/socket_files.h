// Sees that the files of Unix sockets stay where they are: one that was deleted is created again, since the listening
// socket lives on and nobody can reach it. For the accepting thread alone. A failure is logged once and tried again.
#pragma once

#include <chrono>
#include <vector>

#include "http/listeners.h"

namespace http {

class SocketFiles {
 public:
  static constexpr std::chrono::milliseconds between_looks{250};

  // Is there a file to look after? Then keep() is to be called that often.
  static bool any(const std::vector<Listener>& listeners);
  // Replaces each listener whose file has gone. The caller first accepts the connections that wait there.
  void keep(std::vector<Listener>& listeners);

 private:
  using Clock = std::chrono::steady_clock;

  void create_again(Listener& listener);

  Clock::time_point looked_{};
  bool has_failed_ = false;  // and was logged
};

}  // namespace http
