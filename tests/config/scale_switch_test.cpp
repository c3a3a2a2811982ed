#include "config/scale_switch.h"

#include "catch.h"
#include "written.h"

TEST_CASE("the switch of mode leaves a readable line, whatever the form of the old line") {
  const std::string values[] = {"true", "\"true\"", "'on'", "\" true \"", "''", ""};
  const std::string after[] = {"", " # why", "#x", "# x", "#", "\r#x", "#SCALE=true", "#'"};
  for (const char* name : {"SCALE=", "export ROOM_SIDECAR_SCALE ="}) {
    for (const char* blanks : {"", " \t"}) {
      for (const std::string& value : values) {
        for (const std::string& rest : after) {
          for (const char* end : {"\n", ""}) {
            const std::string text = std::string(name).append(blanks).append(value).append(rest).append(end);
            CAPTURE(text);
            if (!written::errors(written::load("scale = true", text)).empty()) continue;  // as SCALE=true#x
            for (const bool on : {false, true}) {
              const std::optional<std::string> edited = config::with_scale(text, on);
              REQUIRE(edited);
              CAPTURE(*edited);
              CHECK(edited->find(rest) != std::string::npos);
              const config::Loaded loaded = written::load(on ? "scale = false" : "scale = true", *edited);
              CHECK(written::errors(loaded).empty());
              CHECK(loaded.configuration.domain.scale == on);
            }
          }
        }
      }
    }
  }
}

TEST_CASE("a comment that begins at the closing quote stays one") {
  CHECK(config::with_scale("SCALE=\"true\"#x\n", false) == "SCALE=false #x\n");
  CHECK(config::with_scale("SCALE='true'# x\r\nA=1\r\n", false) == "SCALE=false # x\r\nA=1\r\n");
  CHECK(config::with_scale("SCALE='true'#\n", false) == "SCALE=false #\n");
  CHECK(config::with_scale("SCALE='true'  # x\n", false) == "SCALE=false  # x\n");
  CHECK(config::with_scale("SCALE=\"false\"#x\n", false) == "SCALE=\"false\"#x\n");
}

TEST_CASE("the switch of mode ends the last line of the file") {
  const std::pair<const char*, const char*> cases[] = {
      {"SCALE=true", "SCALE=false\n"},
      {"SCALE=off", "SCALE=off\n"},
      {"X=1\nSCALE=true", "X=1\nSCALE=false\n"},
      {"SCALE=true\nX=1", "SCALE=false\nX=1\n"},
      {"SCALE=false\nX=1", "SCALE=false\nX=1\n"},
      {"SCALE=true\nX=\"a", "SCALE=false\nX=\"a\n"},
      {"SCALE=true\r\n# x", "SCALE=false\r\n# x\r\n"},
      {"\xEF\xBB\xBFSCALE='on' # x", "\xEF\xBB\xBFSCALE=false # x\n"},
      {"SCALE=\"\"", "SCALE=false\n"},
      {"SCALE=true\n", "SCALE=false\n"},
      {"SCALE=true\n\n", "SCALE=false\n\n"},
      {"X=1", "X=1\nSCALE=false\n"},
      {"X=1\r\nY=2", "X=1\r\nY=2\r\nSCALE=false\r\n"},
      {"", "SCALE=false\n"},
  };
  for (const auto& [before, after] : cases) {
    CAPTURE(before);
    CHECK(config::with_scale(before, false) == after);
  }
}
