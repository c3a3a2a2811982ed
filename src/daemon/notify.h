// What systemd is told (sd_notify(3)); without effect where there is none. Any thread.
#pragma once

#include <string>

namespace sidecar {

void notify_ready(const std::string& status);
void notify_reloading();
void notify_stopping();

}  // namespace sidecar
