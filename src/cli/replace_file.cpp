#include "cli/replace_file.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>

#include "cli/table.h"
#include "cli/terminal.h"
#include "store/failure.h"
#include "store/files.h"

namespace cli {
namespace {

// A link to nothing is an error: what should be there is not known.
void refuse_dangling(const std::string& path, const std::string& target) {
  struct stat status {};
  const bool is_link = ::lstat(path.c_str(), &status) == 0 && S_ISLNK(status.st_mode);
  if (!is_link || store::exists(target)) return;
  throw CommandFailed(printable(path) + " is a link to a file that is not there; correct the link");
}

}  // namespace

std::optional<std::string> read_whole(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0 && errno == ENOENT) return std::nullopt;
  const store::AtFolderOf at(path);
  const auto file = store::open_plain(at.file(), O_RDONLY);
  if (file.get() < 0 && errno == EINVAL)
    throw CommandFailed(printable(path) + " is no plain file; nothing was changed");
  store::Bytes bytes;
  if (file.get() >= 0 && ::fstat(file.get(), &status) == 0) bytes.resize(static_cast<std::size_t>(status.st_size));
  if (file.get() < 0 || !store::fill(file, bytes)) {
    throw CommandFailed("cannot read " + printable(path) + ": " + std::strerror(errno));
  }
  return std::string(bytes.begin(), bytes.end());
}

void replace_file(const std::string& path, const std::string& text, const std::string& like) {
  refuse_dangling(path, store::resolved(path));
  const auto else_like = store::resolved(like);
  try {
    const store::AtFolderOf at(path);
    const std::string& model = store::exists(at.file()) ? at.file() : else_like;
    const bool has_model = store::exists(model);
    store::UnfinishedFile anew(at.file(), text, has_model ? 0600 : 0644);
    if (has_model) anew.look_like(model);
    anew.rename_to_final();
  } catch (const store::Failure& failure) {
    const auto& reason = failure.reason();
    throw CommandFailed("cannot write " + printable(path) + ": " + (reason.empty() ? failure.what() : reason) +
                        "; it is unchanged");
  }
}

}  // namespace cli
