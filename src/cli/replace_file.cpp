#include "cli/replace_file.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>

#include "cli/table.h"
#include "cli/terminal.h"
#include "store/failure.h"
#include "store/files.h"

namespace cli {
namespace {

// Where the links end. A link to nothing is an error: nobody can tell what was meant to stand there.
std::string target_of(const std::string& path) {
  auto target = store::resolved(path);
  struct stat status {};
  const bool is_link = ::lstat(path.c_str(), &status) == 0 && S_ISLNK(status.st_mode);
  if (!is_link || store::exists(target)) return target;
  throw CommandFailed(printable(path) + " is a link to a file that is not there; mend the link");
}

}  // namespace

std::optional<std::string> read_whole(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) {
    if (errno == ENOENT) return std::nullopt;
    throw CommandFailed("cannot read " + printable(path) + ": " + std::strerror(errno));
  }
  if (!S_ISREG(status.st_mode)) throw CommandFailed(printable(path) + " is no plain file; nothing was changed");
  std::ifstream file(path, std::ios::binary);
  std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  if (!file.is_open() || file.bad())
    throw CommandFailed("cannot read " + printable(path) + ": " + std::strerror(errno));
  return text;
}

void replace_file(const std::string& path, const std::string& text, const std::string& like) {
  const auto target = target_of(path);
  try {
    const std::string& model = store::exists(target) ? target : like;
    const bool has_model = store::exists(model);
    store::UnfinishedFile anew(target, text, has_model ? 0600 : 0644);
    if (has_model) anew.look_like(model);
    anew.rename_to_final();
  } catch (const store::Failure& failure) {
    const auto& reason = failure.reason();
    throw CommandFailed("cannot write " + printable(path) + ": " + (reason.empty() ? failure.what() : reason) +
                        "; it is unchanged");
  }
}

}  // namespace cli
