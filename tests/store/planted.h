// Plays the service's user, which may put anything into its own folder before a command of root's.
// Needs root. One thread.
#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>

#include "catch.h"
#include "store/backup.h"
#include "store/scratch.h"

namespace planted {

namespace fs = std::filesystem;

inline constexpr uid_t service = 12345;
inline constexpr const char* secret = "root's own";

inline bool is_root() {
  if (::geteuid() == 0) return true;
  WARN("not tried: only root can play another user");
  return false;
}

// In a process of that user's.
inline void as_service_user(const std::function<bool()>& task) {
  const pid_t child = ::fork();
  if (child == 0) {
    const bool changed = ::setgid(service) == 0 && ::setuid(service) == 0;
    ::_exit(changed && task() ? 0 : 1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  REQUIRE(status == 0);
}

// A folder of the service user's with a database, and a file of root's beside it.
class Planted {
 public:
  Planted() {
    ::chmod(scratch_.path().c_str(), 0755);
    ::umask(022);
    fs::create_directory(scratch_.file("state"));
    REQUIRE(::chown(scratch_.file("state").c_str(), service, service) == 0);
    as_service_user([&] {
      store::Database made(database(), store::OpenMode::read_write);
      store::write_assignment(made, assignment("a"));
      return true;
    });
    std::ofstream(victim()) << secret;
    ::chmod(victim().c_str(), 0600);
    backup_ = scratch_.file("backup");
    store::backup(database(), backup_);
  }

  std::string database() const { return scratch_.file("state/room-sidecar.db"); }
  std::string victim() const { return scratch_.file("victim"); }
  const std::string& backup() const { return backup_; }

  void put_link(const std::string& at, const std::string& to) const {
    as_service_user([&] {
      ::unlink(at.c_str());
      return ::symlink(to.c_str(), at.c_str()) == 0;
    });
  }
  void put_pipe(const std::string& at) const {
    as_service_user([&] {
      ::unlink(at.c_str());
      return ::mkfifo(at.c_str(), 0666) == 0;
    });
  }
  void check_victim() const {
    std::ifstream file(victim());
    CHECK(std::string(std::istreambuf_iterator<char>(file), {}) == secret);
    struct stat status = {};
    REQUIRE(::lstat(victim().c_str(), &status) == 0);
    CHECK(status.st_uid == 0);
    CHECK((status.st_mode & 07777) == 0600);
  }

 private:
  const Scratch scratch_;
  std::string backup_;
};

inline uid_t owner_of(const std::string& path) {
  struct stat status = {};
  REQUIRE(::lstat(path.c_str(), &status) == 0);
  return status.st_uid;
}

inline mode_t mode_of(const std::string& path) {
  struct stat status = {};
  REQUIRE(::lstat(path.c_str(), &status) == 0);
  return status.st_mode & 07777;
}

}  // namespace planted
