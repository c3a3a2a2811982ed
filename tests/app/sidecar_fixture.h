// A sidecar without HTTP, for one test: a registry over a real database in a folder of its own, and a clock that the
// test sets. LoneSidecar claims for itself, cluster_test::FleetSidecar through a Fleet. Any thread may ask.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "app/catalogue_keeper.h"
#include "app/registry.h"
#include "store/journal.h"
#include "temporary_folder.h"

class SidecarFixture {
 public:
  // "gateway reason", or the code of a refusal.
  std::string ask(const std::string& room, const std::string& country = "");
  // "gateway users", or the code of a refusal.
  std::string report(const std::string& room, const std::string& session, const std::string& janus = "");
  // "room@gateway gateway:participants …" of each split room, one after the other.
  std::string splits();
  // How the room's row stands in the file: its gateway, or "".
  std::string row(const std::string& room);
  // The first column of the first row, by another connection.
  std::string text(const std::string& sql);

  // Any thread.
  void pass(std::chrono::milliseconds time) { service_ += time.count(); }
  void set_wall_clock(std::chrono::milliseconds by) { wall_ += by.count(); }
  // The number of transactions and views at the registry so far: each reads the clock once.
  int clock_reads() const { return clock_reads_; }
  std::string path() const { return folder_.file("test.db"); }

 protected:
  SidecarFixture() = default;
  ~SidecarFixture() = default;
  // As the daemon does it; what is in the file is what is known afterwards. `claims` come once there is a journal.
  void open(const app::Configured& with, const std::function<app::Claims&()>& claims);

 private:
  TemporaryFolder folder_;
  std::atomic<std::int64_t> service_{3'600'000};  // milliseconds, as the next
  std::atomic<std::int64_t> wall_{1'800'000'000'000};
  std::atomic<int> clock_reads_{0};
  std::unique_ptr<app::Clock> clock_;

 public:  // last, as these use what is above until they are destroyed
  app::Configured configured;
  std::unique_ptr<app::Registry> registry;
  std::unique_ptr<store::Journal> journal;
  std::unique_ptr<app::CatalogueKeeper> keeper;
};

// Scale mode; gateways gxy1 … gxy4, and no room.
app::Configured four_gateways();
