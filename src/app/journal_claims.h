// Claims of a sidecar that is alone: whoever asks first has the room, once it is in the file.
#pragma once

#include "app/claims.h"

namespace store {
class Journal;
}

namespace app {

class JournalClaims final : public Claims {
 public:
  explicit JournalClaims(store::Journal& journal) : journal_(journal) {}
  void claim(const domain::Assignment& wished, Settled settled) override;

 private:
  store::Journal& journal_;
};

}  // namespace app
