// The real registry's answers and state, in the form of model::Rules. Any thread.
#pragma once

#include <string>
#include <vector>

#include "app/lone_sidecar.h"
#include "app/report_snapshot.h"

namespace model {

std::string explain(LoneSidecar& sidecar, const std::string& room, const std::string& country);
std::string leave(LoneSidecar& sidecar, const std::string& room, const std::string& session);
std::string snapshot(LoneSidecar& sidecar, const std::vector<app::SnapshotEntry>& entries,
                     std::chrono::milliseconds age);
std::string drain(LoneSidecar& sidecar, const std::string& gateway, bool draining);
std::string release(LoneSidecar& sidecar, const std::string& room, bool force);

std::string assignments(LoneSidecar& sidecar);   // from the listing, a page after the other
std::string rooms_in_use(LoneSidecar& sidecar);  // from the ledger itself, in no time
std::string gateways_listed(LoneSidecar& sidecar);
std::string rooms_listed(LoneSidecar& sidecar);
// Rows of the file, once all that was noted is in it.
std::string assignment_rows(LoneSidecar& sidecar);
std::string session_rows(LoneSidecar& sidecar);

}  // namespace model
