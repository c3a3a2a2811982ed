// The log: one line an event, `LEVEL: message key=value …`, or one JSON object a line.
// Any thread; a line is handed over to a writer of its own and never waits for the reader. If lines come
// faster than they can be written the oldest are dropped, and the number is logged.
#pragma once

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "logging/options.h"

namespace logging {

using Value = std::variant<std::string_view, std::int64_t, bool, std::nullptr_t>;
struct Field {
  std::string_view key;
  Value value;
};
using Fields = std::initializer_list<Field>;

// What stands on the other end of standard error.
enum class Target { plain, journald };
Target target();  // journald if JOURNAL_STREAM names this process's standard error

// To be called once, before the first line; later calls change level and format.
void start(const Options& options, Target target);
// Writes out what waits. False if the reader takes nothing for as long as `patience`; none: it waits for ever.
bool drain(std::optional<std::chrono::milliseconds> patience);
// Ends the log's thread, which writes out what waits. At exit, when no other thread logs any more.
void stop();
// Logs, in one line, how many lines were dropped since the last call.
void report_lost_lines();

void debug(std::string_view message, Fields fields = {});
void info(std::string_view message, Fields fields = {});
void warn(std::string_view message, Fields fields = {});
void error(std::string_view message, Fields fields = {});

// While it lives, what this thread logs belongs to one request, and ends with its id: the one that was
// sent, if it is one, else one that is made up. The lines that stand exactly so in the documentation end
// as they do there; in JSON they have it as well. `sent` is not copied.
class RequestScope {
 public:
  explicit RequestScope(std::string_view sent, bool make_up = false);  // "" and no making up: no request
  ~RequestScope();
  RequestScope(const RequestScope&) = delete;
  RequestScope& operator=(const RequestScope&) = delete;
};
// 1 to 128 of A-Z a-z 0-9 - _ . : / + = @
bool is_request_id(std::string_view text);
// The id of the request that this thread works on; "" if there is none.
const std::string& request_id();

// An event that comes so often that not each is logged: the number is logged, as for those that are
// left out because there are too many of one kind (logging/rate_limit.h).
void count_left_out(std::string_view event);
// For an event of several lines, to be written all or not at all. False: there are too many of it, and one more is counted.
bool may_log(std::string_view event);
// Logs these numbers, a line an event; to be called every now and then.
void report_left_out();

// The two forms, without timestamp or priority. A value that holds blanks, quotes, control characters or
// nothing but itself unreadable is quoted and escaped, so that nobody can forge a line or a field.
std::string as_text(Level level, std::string_view message, Fields fields, std::string_view request = {});
std::string as_json(Level level, std::string_view message, Fields fields, std::string_view time,
                    std::string_view request = {});

}  // namespace logging
