// config.toml, beside it a `.env` (behind a NUL), both loaded from real files that live in memory.
#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include <sys/mman.h>
#include <unistd.h>

#include "config/load.h"
#include "fuzz/expect.h"

namespace {

using fuzz::expect;

// A file without a folder, opened by others through /proc.
class MemoryFile {
 public:
  MemoryFile() : fd_(::memfd_create("fuzz", MFD_CLOEXEC)) {}
  std::string path() const { return "/proc/self/fd/" + std::to_string(fd_); }
  void write(std::string_view text) const {
    const bool done =
        ::ftruncate(fd_, 0) == 0 && ::pwrite(fd_, text.data(), text.size(), 0) == static_cast<ssize_t>(text.size());
    expect(done, "a file to write into");
  }

 private:
  int fd_;
};

void check_ids(const std::vector<std::string>& names) {
  const std::set<std::string> once(names.begin(), names.end());
  expect(once.size() == names.size(), "each gateway once in its list");
  for (const std::string& name : once) expect(fuzz::is_gateway_name(name), "a gateway's name");
}

void check_options(const domain::Options& options) {
  expect(options.avg_room_occupancy > 0, "an occupancy above 0");
  expect(options.max_server_capacity >= options.avg_room_occupancy, "room for a room on a gateway");
  expect(options.dead_after.count() > 0 && options.clean_every.count() > 0, "periods above 0");
  expect(options.max_sessions > 0 && options.max_sessions <= 10'000'000, "a bound for sessions");
  expect(options.join_grace.count() >= 0 && options.failover_wait.count() >= 0, "no time below 0");
  if (options.available_servers) check_ids(*options.available_servers);
  check_ids(options.standby_servers);
  std::set<std::string> countries;
  std::set<domain::RoomId> rooms;
  for (const domain::Region& region : options.regions) {
    expect(countries.insert(region.country).second, "each country once");
    expect(!region.gateways.empty(), "a region that is not empty");
    check_ids(region.gateways);
  }
  for (const domain::Pin& pin : options.pins) {
    expect(rooms.insert(pin.room_id).second, "each room pinned once");
    expect(fuzz::is_id(pin.room_id) && fuzz::is_gateway_name(pin.gateway), "a room on a gateway");
  }
}

void check_cluster(const cluster::Options& options) {
  const std::set<std::string> members(options.endpoints.begin(), options.endpoints.end());
  expect(members.size() == options.endpoints.size(), "each member once");
  expect(!options.is_shared() || !members.empty(), "an engine with members");
  expect(options.prefix.size() <= 200 && options.prefix.back() == '/', "a prefix with a slash");
  expect(options.user.has_value() == options.password_file.has_value(), "a user with a password");
  expect(options.cert_file.has_value() == options.key_file.has_value(), "a certificate with a key");
  expect(options.attempt_timeout.count() > 0 && options.attempt_timeout <= options.timeout, "attempts in time");
  expect(options.max_stale >= std::chrono::seconds{15} && options.timeout <= std::chrono::seconds{10},
         "times in bounds");
}

void check_entries(const config::Configuration& configuration) {
  std::set<std::string> names;
  std::set<domain::RoomId> uids;
  for (const domain::ConfiguredGateway& gateway : configuration.gateways) {
    expect(names.insert(gateway.name).second && fuzz::is_gateway_name(gateway.name), "a gateway of its own");
    expect(gateway.capacity.value_or(1) > 0 && gateway.id.value_or(domain::RowId{1}) > domain::RowId{0},
           "numbers above 0");
    expect(fuzz::is_one_line(gateway.url.value_or("")), "a URL in one line of UTF-8");
  }
  for (const domain::ConfiguredRoom& room : configuration.rooms) {
    expect(uids.insert(room.gateway_uid).second && fuzz::is_id(room.gateway_uid), "a room of its own");
    expect(room.id.value_or(domain::RowId{1}) > domain::RowId{0} &&
               room.default_gateway_id.value_or(domain::RowId{0}) >= domain::RowId{0},
           "ids of rows");
    expect(!room.default_gateway || !room.default_gateway_id, "one default gateway");
    expect(fuzz::is_gateway_name(room.default_gateway.value_or("gxy")), "a default gateway's name");
  }
}

// The environment's lists have no quotes, so they cannot hold a room id with a separator in it.
bool holds_separator(const config::Configuration& configuration) {
  const auto& pins = configuration.domain.pins;
  return std::any_of(pins.begin(), pins.end(), [](const domain::Pin& pin) {
    return pin.room_id.text().find_first_of(",;:") != std::string::npos;
  });
}

// What `config` shows, set as the environment.
void check_shown(const config::Loaded& loaded) {
  config::Sources sources;
  sources.config_file = "/proc/self/fd/none";
  for (const config::Setting& setting : loaded.settings) {
    for (const char c : setting.value) {  // a path may be of any bytes else
      expect(static_cast<unsigned char>(c) >= 0x20 && c != 0x7F, "a value in one line");
    }
    sources.environment.emplace_back(setting.variable, setting.value);
  }
  const config::Loaded again = config::load(sources);
  expect(again.ok(), "that what is shown is accepted");
  for (std::size_t i = 0; i < loaded.settings.size(); ++i) {
    expect(again.settings[i].value == loaded.settings[i].value, "the same values as shown");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const MemoryFile toml, env;
  const auto text = fuzz::as_text(data, size);
  const auto end = std::min(text.find('\0'), text.size());
  toml.write(text.substr(0, end));
  env.write(text.substr(std::min(end + 1, text.size())));

  config::Sources sources;
  sources.config_file = toml.path();
  sources.env_file = env.path();
  const config::Loaded loaded = config::load(sources);
  for (const config::Problem& problem : loaded.problems) {
    expect(fuzz::is_one_line(problem.text), "a problem in one line of UTF-8");
  }
  if (!loaded.ok()) return 0;
  check_options(loaded.configuration.domain);
  check_cluster(loaded.configuration.cluster);
  check_entries(loaded.configuration);
  if (!holds_separator(loaded.configuration)) check_shown(loaded);
  return 0;
}
