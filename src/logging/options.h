// How the log is written.
#pragma once

namespace logging {

enum class Level { debug, info, warn, error };
enum class Format { text, json };

struct Options {
  Level level = Level::info;
  Format format = Format::text;
};

}  // namespace logging
