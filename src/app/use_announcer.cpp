#include "app/use_announcer.h"

#include <utility>
#include <vector>

#include "app/registry.h"

namespace app {

void UseAnnouncer::announce(domain::Ledger& ledger, Claims& claims, Registry& registry) {
  if (!ledger.announces_uses()) return;
  std::vector<UseAnnouncement> announcements;
  for (domain::RoomUse& use : ledger.take_uses()) {
    UseAnnouncement announcement{std::move(use), {}};
    if (announcement.use.is_first) {
      auto completion = std::make_shared<Completion>();
      announcement.announced = [this, &registry, room = announcement.use.room_id, completion] {
        {
          const Registry::Transaction transaction(registry);
          const auto it = announcing_.find(room);
          if (it != announcing_.end() && it->second == completion) announcing_.erase(it);
        }
        completion->settle(true);
      };
      announcing_.insert_or_assign(announcement.use.room_id, std::move(completion));
    }
    announcements.push_back(std::move(announcement));
  }
  if (!announcements.empty()) claims.use(std::move(announcements));
}

std::shared_ptr<Completion> UseAnnouncer::announcing(const domain::RoomId& room) const {
  const auto it = announcing_.find(room);
  return it == announcing_.end() ? nullptr : it->second;
}

}  // namespace app
