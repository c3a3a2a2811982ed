#include "app/journal_claims.h"

#include <utility>

#include "store/journal.h"

namespace app {

void JournalClaims::claim(const domain::Assignment& wished, Settled settled) {
  journal_.write_assignment(
      wished, [holder = wished.gateway_name, settled = std::move(settled)](bool committed) {
        settled(committed ? std::optional(holder) : std::nullopt);
      });
}

}  // namespace app
