#include "domain/suggestion.h"

#include <vector>

#include "catch.h"

TEST_CASE("the nearest known name is suggested, and nothing when none is near") {
  const std::vector<std::string> known = {"gxy1", "gxy12", "scale", "unknown_rooms"};
  CHECK(domain::did_you_mean("gyx1", known) == " (did you mean \"gxy1\"?)");
  CHECK(domain::did_you_mean("scael", known) == " (did you mean \"scale\"?)");
  CHECK(domain::did_you_mean("gab1", known).empty());  // two letters of four is another word
  CHECK(domain::did_you_mean("gxy2", known) == " (did you mean \"gxy1\"?)");
  CHECK(domain::did_you_mean("SCALE", known) == " (did you mean \"scale\"?)");
  CHECK(domain::did_you_mean("unknown_room", known) == " (did you mean \"unknown_rooms\"?)");
  CHECK(domain::did_you_mean("janus", known).empty());
  CHECK(domain::did_you_mean("x", {}).empty());
}
