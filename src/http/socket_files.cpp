#include "http/socket_files.h"

#include <algorithm>
#include <exception>

#include <unistd.h>

#include "logging/log.h"

namespace http {

bool SocketFiles::any(const std::vector<Listener>& listeners) {
  return std::any_of(listeners.begin(), listeners.end(), [](const Listener& one) { return one.inode != 0; });
}

void SocketFiles::keep(std::vector<Listener>& listeners) {
  const auto now = Clock::now();
  if (now < looked_ + between_looks) return;
  looked_ = now;
  for (Listener& listener : listeners) {
    if (!is_in_place(listener)) create_again(listener);
  }
}

void SocketFiles::create_again(Listener& listener) {
  try {
    const Listener fresh = open_listeners(listener.address).front();
    ::close(listener.fd);
    listener = fresh;
  } catch (const std::exception& failure) {
    if (!has_failed_) {
      logging::error("Socket file was deleted and cannot be created again",
                     {{"address", listener.address}, {"reason", failure.what()}});
    }
    has_failed_ = true;
    return;
  }
  if (has_failed_) {
    logging::info("Socket file created again", {{"address", listener.address}});
  } else {
    logging::error("Socket file was deleted; created it again", {{"address", listener.address}});
  }
  has_failed_ = false;
}

}  // namespace http
