// What the real desk does and holds, told in the words of model::Rules. Any thread.
#pragma once

#include <string>
#include <vector>

#include "app/house.h"
#include "app/report_snapshot.h"

namespace model {

std::string explain(House& house, const std::string& room, const std::string& country);
std::string leave(House& house, const std::string& room, const std::string& session);
std::string snapshot(House& house, const std::vector<app::SnapshotEntry>& entries, std::chrono::milliseconds age);
std::string drain(House& house, const std::string& gateway, bool draining);
std::string release(House& house, const std::string& room, bool force);

std::string assignments(House& house);   // from the listing, a page after the other
std::string rooms_in_use(House& house);  // from the ledger itself, in no time
std::string gateways_listed(House& house);
std::string rooms_listed(House& house);
// Rows of the file, once all that was noted is in it.
std::string assignment_rows(House& house);
std::string session_rows(House& house);

}  // namespace model
