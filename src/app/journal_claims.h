// Claims of a sidecar that is alone: the first request has the room, once it is in the file.
#pragma once

#include "app/claims.h"

namespace store {
class Journal;
}

namespace app {

class JournalClaims : public Claims {
 public:
  explicit JournalClaims(store::Journal& journal) : journal_(journal) {}
  void claim(ClaimRequest request, Settled settled) override;
  bool give_up(const domain::RoomId&, Ended) override { return true; }
  void use(std::vector<UseAnnouncement>) override {}
  void end_evacuation(const std::string&) override {}
  domain::StoreView store_view() const override { return {}; }
  std::chrono::milliseconds patience() const override { return std::chrono::seconds{2}; }
  Released release(const domain::RoomId& room, bool force, Deadline deadline) override;
  bool share_draining(const std::string&, domain::Draining, Deadline) override { return true; }

 private:
  store::Journal& journal_;
};

}  // namespace app
