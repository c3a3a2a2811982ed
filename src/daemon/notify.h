// Messages to systemd (sd_notify(3)); without effect where there is none. Any thread.
#pragma once

#include <chrono>
#include <string>

namespace sidecar {

// `status` is what `systemctl status` shows.
void notify_ready(const std::string& status);
void notify_reloading();
void notify_stopping();
// "All is well", to be sent more often than every watchdog_time(); 0 where systemd does not ask for it.
void notify_alive();
std::chrono::microseconds watchdog_time();

}  // namespace sidecar
