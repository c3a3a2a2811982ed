#include "files/read_file.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <climits>
#include <filesystem>
#include <system_error>
#include <utility>

#include "files/descriptor.h"

namespace files {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t largest = std::size_t{64} << 20;
// How long somebody at the other end of a pipe may take.
constexpr std::chrono::milliseconds patience{1000};

FileText problem(std::string why) { return {std::nullopt, false, std::move(why)}; }

std::string reason(int error) { return std::generic_category().message(error); }

enum class Coming { something, end, nothing };

// Without a deadline for as long as it takes.
Coming wait_for(int fd, std::optional<Clock::time_point> deadline) {
  pollfd watched{fd, POLLIN, 0};
  for (;;) {
    std::chrono::milliseconds left{-1};
    if (deadline) left = std::max(std::chrono::ceil<std::chrono::milliseconds>(*deadline - Clock::now()), {});
    const int ready = ::poll(&watched, 1, static_cast<int>(left.count()));
    if (ready == 0) return Coming::nothing;
    if (ready > 0) return (watched.revents & POLLIN) != 0 ? Coming::something : Coming::end;
    if (errno != EINTR) return Coming::end;
  }
}

constexpr int reading = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;

FileText read_opened(const Descriptor& file, Writer writer) {
  const auto deadline = Clock::now() + patience;
  if (file.get() < 0) {
    if (errno == ENOENT || errno == ENOTDIR) return {std::nullopt, true, reason(errno)};
    return problem(reason(errno));
  }
  struct stat status = {};
  if (::fstat(file.get(), &status) == 0 && S_ISDIR(status.st_mode)) return problem("is a directory");

  std::string text;
  std::array<char, 64 * 1024> buffer;
  while (true) {
    const ssize_t count = ::read(file.get(), buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno != EAGAIN) return problem(reason(errno));
    if (count > 0) {
      text.append(buffer.data(), static_cast<std::size_t>(count));
      if (text.size() > largest) return problem("is larger than 64 MiB");
      continue;
    }
    // A pipe that nobody has opened for writing yet reads as if it were at its end.
    const bool is_unopened = count == 0 && S_ISFIFO(status.st_mode) && text.empty();
    if (count == 0 && !is_unopened) break;
    const bool is_waited_for = !is_unopened && writer == Writer::may_take_its_time;
    const Coming coming = wait_for(file.get(), is_waited_for ? std::nullopt : std::optional(deadline));
    if (coming == Coming::end) break;
    if (coming == Coming::nothing) {
      return problem(text.empty() ? "nothing writes to it: waited 1 s" : "it does not end: waited 1 s");
    }
  }
  if (text.rfind("\xEF\xBB\xBF", 0) == 0) text.erase(0, 3);
  return {std::move(text), false, {}};
}

}  // namespace

FileText read_file(const std::string& path, Writer writer) {
  return read_opened(Descriptor(::open(path.c_str(), reading)), writer);
}

FileText read_usual_file(const std::string& path) {
  if (::geteuid() != 0) return read_file(path);
  std::filesystem::path place(path);
  constexpr int longest_chain = 40;
  for (int n = 0; n < longest_chain; ++n) {
    const Descriptor file(::open(place.c_str(), reading | O_NOFOLLOW));
    struct stat status = {};
    if (file.get() >= 0 || errno != ELOOP) {
      const bool is_foreign =
          file.get() >= 0 && ::fstat(file.get(), &status) == 0 && status.st_uid != 0 && !S_ISREG(status.st_mode);
      return is_foreign ? problem("is no plain file, and root does not own it")
                        : read_opened(file, Writer::must_be_quick);
    }
    const Descriptor link(::open(place.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
    std::array<char, PATH_MAX> target;
    const ssize_t size = link.get() < 0 ? -1 : ::readlinkat(link.get(), "", target.data(), target.size());
    if (size <= 0 || ::fstat(link.get(), &status) != 0) return problem(reason(ELOOP));
    if (status.st_uid != 0) return problem("is a link that root does not own, so root does not follow it");
    place = place.parent_path() / std::string(target.data(), static_cast<std::size_t>(size));
  }
  return problem(reason(ELOOP));
}

std::string problem_with_plain_file(const std::string& path) {
  struct stat status = {};
  if (::stat(path.c_str(), &status) != 0) return reason(errno);
  if (S_ISDIR(status.st_mode)) return "is a directory";
  return S_ISREG(status.st_mode) ? "" : "is no plain file";
}

std::string first_line(const std::string& text) {
  std::string line = text.substr(0, text.find('\n'));
  if (!line.empty() && line.back() == '\r') line.pop_back();
  return line;
}

}  // namespace files
