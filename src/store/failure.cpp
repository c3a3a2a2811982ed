#include "store/failure.h"

#include <sqlite3.h>

#include <cerrno>
#include <system_error>

#include "domain/printable.h"

namespace store {
namespace {

const char* const make_room = "; free some space on that disk";
const char* const grant_rights = "; make sure that the file and its folder may be written by the user of room-sidecar";

}  // namespace

Failure system_failure(const std::string& action, const std::string& path, int error) {
  const std::string reason = std::generic_category().message(error);
  const std::string text = "cannot " + action + " " + path + ": " + reason;
  switch (error) {
    case ENOSPC:
    case EDQUOT:
      return {Failure::Kind::full, text + make_room, reason};
    case EROFS:
    case EACCES:
    case EPERM:
      return {Failure::Kind::read_only, text + grant_rights, reason};
    case ENOENT:
    case ENOTDIR:
    case EISDIR:
      return {Failure::Kind::unusable, text + "; check the path", reason};
    default:
      return {Failure::Kind::io, text + "; check the disk", reason};
  }
}

Failure sqlite_failure(const std::string& path, int code, const std::string& message) {
  // It names what it found in the file.
  const std::string reason = domain::printable(message);
  switch (code & 0xff) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return damaged(path, reason);
    case SQLITE_FULL:
      return {Failure::Kind::full, "cannot write to " + path + ": " + reason + make_room, reason};
    case SQLITE_READONLY:
    case SQLITE_PERM:
      return {Failure::Kind::read_only, "cannot write to " + path + ": " + reason + grant_rights, reason};
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return {Failure::Kind::busy,
              "cannot use " + path + ": " + reason + "; another program holds a lock on it, end its transaction",
              reason};
    case SQLITE_CONSTRAINT:
      return {Failure::Kind::constraint, "a row was refused by " + path + ": " + reason + "; change that row", reason};
    case SQLITE_AUTH:  // by store/connection
      return {Failure::Kind::constraint,
              "a row was refused by " + path +
                  ": a trigger that is not ours would change rows of room-sidecar; remove that trigger",
              "a trigger that is not ours would change rows of room-sidecar"};
    case SQLITE_CANTOPEN:
      return {Failure::Kind::unusable,
              "cannot open " + path + ": " + reason +
                  "; make sure that its folder is there and may be written by the user of room-sidecar",
              reason};
    case SQLITE_IOERR:
      return {Failure::Kind::io, "cannot read or write " + path + ": " + reason + "; check the disk", reason};
    case SQLITE_INTERRUPT:
      return {Failure::Kind::unusable,
              "cannot use " + path + ": a statement did not end; look at what else uses the file and its disk", reason};
    case SQLITE_ERROR:
      // Asked for what we always ask for, it says this of a head whose bytes are not what we wrote.
      if (reason.find("unsupported file format") != std::string::npos) return damaged(path, reason);
      [[fallthrough]];
    default:
      return {Failure::Kind::unusable,
              "cannot use " + path + ": " + reason + "; if it was edited by hand, undo that or restore a backup",
              reason};
  }
}

Failure damaged(const std::string& path, const std::string& message) {
  const std::string reason = domain::printable(message);
  return {Failure::Kind::damaged,
          "the database " + path + " is damaged (" + reason +
              "); restore a backup with `room-sidecar restore FILE`, or start anew with "
              "`room-sidecar serve --set-aside-damaged`, which keeps the damaged file",
          reason};
}

}  // namespace store
