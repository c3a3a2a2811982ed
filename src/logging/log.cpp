#include "logging/log.h"

#include <spdlog/sinks/sink.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <random>
#include <vector>

#include "domain/printable.h"
#include "domain/time.h"
#include "logging/line_writer.h"
#include "logging/rate_limit.h"

namespace logging {
namespace {

// Enough for the morning rush to pass while a reader blinks; what is above is dropped, oldest first.
constexpr std::size_t queue_lines = 8192;

std::atomic<Format> format_in_force{Format::text};
std::atomic<Target> target_in_force{Target::plain};
std::unique_ptr<LineWriter> writer;
std::shared_ptr<spdlog::logger> logger;

RateLimit limit;

// They are given whole in the description of the interface: nothing may follow, and none is left out.
constexpr std::array<std::string_view, 5> exact{
    "Assigned room to server",
    "Cleaned up room assignment immediately",
    "Cleaned inactive room server assignments",
    "Gateway not found for room in legacy mode (SCALE=false). "
    "Ensure all rooms have valid default_gateway_id.",
    "Legacy mode begins; rooms that are in use elsewhere are answered with their default gateway",
};

// Lines of one event of which there may be a flood, and how many are written at once.
struct Flood {
  std::string_view event;
  double at_once = RateLimit::at_once;
};

// Each session that reports another gateway is logged. That may be a whole meeting, which is no flood.
constexpr double reports_at_once = 1000;

// Without a field `error`; they can be caused without end.
constexpr std::array floods{
    Flood{"Request failed"},
    Flood{"Periodic work failed and will be tried again"},
    Flood{"Database cannot be written; new rooms are refused"},
    Flood{"Configuration not yet in the database"},
    Flood{"Message ignored: it is not {\"online\":true} or {\"online\":false} of a gateway"},
    Flood{"Row left out"},
    Flood{"Log lines were dropped because their reader is too slow"},
    Flood{"Configuration reloaded"},
    Flood{"Setting changed"},
    Flood{"Token read from systemd's copy of its file"},
    Flood{"Gateway drains: no new rooms on it"},
    Flood{"Gateway drains and its rooms are moved: no rooms on it"},
    Flood{"Gateway takes new rooms again"},
    Flood{"Released room assignment"},
    Flood{"Session reports another gateway than its room is assigned to", reports_at_once},
};

struct CurrentRequest {
  std::string_view sent;
  bool make_up = false;
  std::string id;  // once it was asked for
};
thread_local CurrentRequest current_request;

std::string random_id() {
  static std::atomic<std::uint64_t> next{(std::uint64_t{std::random_device{}()} << 32) | std::random_device{}()};
  constexpr std::string_view hex = "0123456789abcdef";
  // Each number once, in an order that nobody takes for a count.
  std::uint64_t number = next.fetch_add(1, std::memory_order_relaxed) * 0x9E3779B97F4A7C15u;
  std::string id(12, '0');
  for (char& digit : id) {
    digit = hex[number >> 60];
    number <<= 4;
  }
  return id;
}

// spdlog's own asynchronous logger wakes its thread, and that writes, once a line.
class GatheringSink final : public spdlog::sinks::sink {
 public:
  void log(const spdlog::details::log_msg& line) override { writer->add({line.payload.data(), line.payload.size()}); }
  void flush() override {}
  void set_pattern(const std::string&) override {}
  void set_formatter(std::unique_ptr<spdlog::formatter>) override {}
};

std::string_view name_of(Level level) {
  switch (level) {
    case Level::debug:
      return "DEBUG";
    case Level::info:
      return "INFO";
    case Level::warn:
      return "WARN";
    case Level::error:
      return "ERROR";
  }
  return "";
}

spdlog::level::level_enum spdlog_level(Level level) {
  switch (level) {
    case Level::debug:
      return spdlog::level::debug;
    case Level::info:
      return spdlog::level::info;
    case Level::warn:
      return spdlog::level::warn;
    case Level::error:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

// sd-daemon(3): what journald takes off the front of a line.
std::string_view priority_of(Level level) {
  switch (level) {
    case Level::debug:
      return "<7>";
    case Level::info:
      return "<6>";
    case Level::warn:
      return "<4>";
    case Level::error:
      return "<3>";
  }
  return "<6>";
}

bool must_be_quoted(std::string_view text) {
  return text.find_first_of(" \"\\") != text.npos || !domain::is_printable(text);
}

// Ids are shorter, and no reason needs more; but what a client calls a gateway may be megabytes.
std::string_view cut(std::string_view text) {
  constexpr std::size_t longest = 1024;
  if (text.size() <= longest) return text;
  std::size_t end = longest;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;  // characters stay whole
  return text.substr(0, end);
}

void append_value(std::string& out, const Value& value, bool json) {
  if (const auto* text = std::get_if<std::string_view>(&value)) {
    const std::string_view shown = cut(*text);
    const bool quoted = json || must_be_quoted(shown);
    if (quoted) out += '"';
    domain::append_quoted(out, shown);
    if (shown.size() < text->size()) out += "…";
    if (quoted) out += '"';
  } else if (const auto* number = std::get_if<std::int64_t>(&value)) {
    out += std::to_string(*number);
  } else if (const auto* truth = std::get_if<bool>(&value)) {
    out += *truth ? "true" : "false";
  } else {
    out += "null";
  }
}

// Refusals have a limit for each kind, and so has each event that may come without end. Other events come once for what
// they are about, and each line of them is written.
bool is_over_limit(std::string_view message, Fields fields) {
  const auto now = RateLimit::Clock::now();
  for (const Field& field : fields) {
    const auto* text = std::get_if<std::string_view>(&field.value);
    if (field.key == "error" && text) return !limit.takes(std::string(message).append(": ") += *text, now);
  }
  const auto flood = std::find_if(floods.begin(), floods.end(), [&](const Flood& one) { return one.event == message; });
  return flood != floods.end() && !limit.takes(message, now, flood->at_once);
}

void write(Level level, std::string_view message, Fields fields) {
  if (!logger || !logger->should_log(spdlog_level(level))) return;
  const bool is_exact = std::find(exact.begin(), exact.end(), message) != exact.end();
  if (!is_exact && is_over_limit(message, fields)) return;
  const bool journald = target_in_force == Target::journald;
  const bool json = format_in_force == Format::json;
  std::string line(journald ? priority_of(level) : "");
  const std::string time =
      domain::to_text(std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now()));
  const std::string_view request = json || !is_exact ? request_id() : std::string_view{};
  if (json) {
    line += as_json(level, message, fields, time, request);
  } else {
    if (!journald) line += time + ' ';
    line += as_text(level, message, fields, request);
  }
  logger->log(spdlog_level(level), spdlog::string_view_t(line.data(), line.size()));
}

void log_left_out(const RateLimit::LeftOut& left_out) {
  warn("Lines of one event were left out, since there were too many",
       {{"event", left_out.event}, {"left_out", left_out.number}});
}

}  // namespace

Target target() {
  const char* stream = std::getenv("JOURNAL_STREAM");  // systemd.exec(5): device:inode
  struct stat status = {};
  if (!stream || fstat(STDERR_FILENO, &status) != 0) return Target::plain;
  const std::string here = std::to_string(status.st_dev) + ":" + std::to_string(status.st_ino);
  return here == stream ? Target::journald : Target::plain;
}

void start(const Options& options, Target target) {
  format_in_force = options.format;
  target_in_force = target;
  if (!logger) {
    writer = std::make_unique<LineWriter>(STDERR_FILENO, queue_lines);
    logger = std::make_shared<spdlog::logger>("room-sidecar", std::make_shared<GatheringSink>());
  }
  logger->set_level(spdlog_level(options.level));
}

bool drain(std::optional<std::chrono::milliseconds> patience) {
  if (!writer) return true;
  for (const auto& left_out : limit.all_left_out()) log_left_out(left_out);
  return writer->drain(patience);
}

void stop() {
  logger.reset();
  writer.reset();
}

void report_lost_lines() {
  static std::size_t logged = 0;
  if (!writer) return;
  const std::size_t lost = writer->dropped();
  if (lost == logged) return;
  warn("Log lines were dropped because their reader is too slow",
       {{"dropped", static_cast<std::int64_t>(lost - logged)}});
  logged = lost;
}

RequestScope::RequestScope(std::string_view sent, bool make_up) {
  current_request.sent = is_request_id(sent) ? sent : "";
  current_request.make_up = make_up;
  current_request.id.clear();
}

RequestScope::~RequestScope() {
  current_request.sent = {};
  current_request.make_up = false;
  current_request.id.clear();
}

bool is_request_id(std::string_view text) {
  constexpr std::string_view others = "-_.:/+=@";
  const auto may_stand = [&](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || others.find(c) != others.npos;
  };
  return !text.empty() && text.size() <= 128 && std::all_of(text.begin(), text.end(), may_stand);
}

const std::string& request_id() {
  if (current_request.id.empty() && !current_request.sent.empty()) current_request.id = current_request.sent;
  if (current_request.id.empty() && current_request.make_up) current_request.id = random_id();
  return current_request.id;
}

void count_left_out(std::string_view event) { limit.count(event); }

bool may_log(std::string_view event) { return limit.takes(event, RateLimit::Clock::now()); }

void report_left_out() {
  for (const auto& left_out : limit.left_out(RateLimit::Clock::now())) log_left_out(left_out);
}

void debug(std::string_view message, Fields fields) { write(Level::debug, message, fields); }
void info(std::string_view message, Fields fields) { write(Level::info, message, fields); }
void warn(std::string_view message, Fields fields) { write(Level::warn, message, fields); }
void error(std::string_view message, Fields fields) { write(Level::error, message, fields); }

std::string as_text(Level level, std::string_view message, Fields fields, std::string_view request) {
  std::string line(name_of(level));
  line += ": ";
  line += domain::printable(message);
  for (const Field& field : fields) {
    line += ' ';
    line += field.key;
    line += '=';
    append_value(line, field.value, false);
  }
  if (!request.empty()) line.append(" request_id=") += request;
  return line;
}

std::string as_json(Level level, std::string_view message, Fields fields, std::string_view time,
                    std::string_view request) {
  std::string line = "{\"time\":\"";
  line += time;
  line += "\",\"level\":\"";
  line += name_of(level);
  line += "\",\"message\":\"";
  domain::append_quoted(line, message);
  line += '"';
  for (const Field& field : fields) {
    line += ",\"";
    line += field.key;
    line += "\":";
    append_value(line, field.value, true);
  }
  if (!request.empty()) line.append(",\"request_id\":\"").append(request) += '"';
  line += '}';
  return line;
}

}  // namespace logging
