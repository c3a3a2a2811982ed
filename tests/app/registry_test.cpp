// What a view of the registry must not do, and a transaction must.
#include "app/registry.h"

#include "app/answer_room.h"
#include "app/lone_sidecar.h"
#include "catch.h"

using namespace std::chrono_literals;
using app::Registry;

TEST_CASE("a view ends no silent session and writes nothing, and the next transaction does") {
  LoneSidecar sidecar;
  sidecar.report("7", "s");
  sidecar.journal->flush();
  sidecar.was_written();
  for (auto silent = 0s; silent <= sidecar.configured.options.dead_after; silent += 4s) {
    sidecar.pass(4s);
    const Registry::View view(*sidecar.registry);
    CHECK(view.ledger().sessions().live() == 1);
    CHECK(view.ledger().find("7")->has_users());
  }
  sidecar.journal->flush();
  CHECK_FALSE(sidecar.was_written());
  CHECK(Registry::Transaction(*sidecar.registry).ledger().sessions().live() == 0);
}
