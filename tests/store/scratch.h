// Shared by the store's tests: a folder of their own, and rows.
#pragma once

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "comes_true.h"
#include "domain/assignment.h"
#include "store/assignments_table.h"
#include "store/database.h"
#include "store/failure.h"
#include "store/sessions_table.h"
#include "temporary_folder.h"

class Scratch : public TemporaryFolder {
 public:
  using TemporaryFolder::TemporaryFolder;
  std::string database() const { return file("room-sidecar.db"); }
};

inline domain::WallTime at(int seconds) { return domain::WallTime{std::chrono::seconds{1'800'000'000 + seconds}}; }

inline domain::Assignment assignment(const std::string& room, const std::string& gateway = "gxy1") {
  domain::Assignment row;
  row.room_id = domain::RoomId(room);
  row.gateway_name = gateway;
  row.region = "IL";
  row.assigned_at = at(0);
  row.last_used_at = at(1);
  return row;
}

inline domain::Session session(const std::string& id, const std::string& room) {
  domain::Session row;
  row.session_id = id;
  row.room_id = domain::RoomId(room);
  row.entered_at = at(2);
  return row;
}

// Read by a connection of its own, as a restarted sidecar would.
inline std::vector<domain::Assignment> assignments_in(const std::string& path) {
  std::vector<std::string> skipped;
  store::Database database(path, store::OpenMode::read_again);
  return store::read_assignments(database, skipped);
}

inline std::vector<domain::Session> sessions_in(const std::string& path) {
  std::vector<std::string> skipped;
  store::Database database(path, store::OpenMode::read_again);
  return store::read_sessions(database, skipped);
}

// Killed at every end of the test: ctest waits for all holders of its pipe.
struct Child {
  pid_t pid = ::fork();

  Child() = default;
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() { kill(); }
  void kill() {
    if (pid <= 0) return;
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
    pid = -1;
  }
};

// The kind and text of what is thrown.
struct Thrown {
  bool failed = false;
  store::Failure::Kind kind{};
  std::string text;

  bool names(const std::string& words) const { return text.find(words) != std::string::npos; }
};

inline Thrown thrown_by(const std::function<void()>& task) {
  try {
    task();
  } catch (const store::Failure& failure) {
    return {true, failure.kind(), failure.what()};
  }
  return {};
}
