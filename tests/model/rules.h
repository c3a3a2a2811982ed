// The contract's rules a second time, over plain maps. They are written from the contract, not from src/, and without
// regard to speed. All answers are text, to be compared. One thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "app/catalogue_sync.h"
#include "app/report_snapshot.h"
#include "domain/options.h"

namespace model {

using Milliseconds = std::chrono::milliseconds;

struct Gateway {
  std::int64_t id = 0;
  std::string type = "rooms";
  std::optional<std::int64_t> capacity, synced_capacity;
  bool disabled = false, draining = false, removed = false, from_config = false;
  std::optional<bool> synced_disabled;

  bool serves() const { return !disabled && !removed && type == "rooms"; }
};

struct Room {
  std::optional<std::string> default_gateway, synced_default;  // a name; the file has ids
  bool disabled = false, removed = false, from_config = false;
  std::optional<bool> synced_disabled;

  bool open() const { return !disabled && !removed; }
};

struct Assignment {
  std::string gateway, region;
  Milliseconds assigned_at{}, last_used_at{};
  std::optional<Milliseconds> grace_since;
};

struct Session {
  std::string room;
  std::optional<std::string> reported;
  Milliseconds refreshed{};
  std::optional<Milliseconds> reported_itself;
  bool dead = false;    // it was silent for dead_after, and is not cleaned up yet
  bool in_file = true;  // but for those that died in legacy mode
};

class Rules {
 public:
  Rules(const app::Configured& configured, Milliseconds wall_now);

  // --- time
  Milliseconds now{};   // the service's
  Milliseconds wall{};  // since 1970
  void tick();          // a transaction reads the clock

  // --- what is asked and reported; answers as text
  std::string ask(const std::string& room, const std::string& country);
  std::string explain(const std::string& room, const std::string& country) const;
  std::string enter(const std::string& room, const std::string& session, const std::string& janus);
  std::string leave(const std::string& room, const std::string& session);
  std::string snapshot(const std::vector<app::SnapshotEntry>& entries, Milliseconds age);
  std::string clean_up();
  std::string drain(const std::string& gateway, bool draining);
  std::string release(const std::string& room, bool force);
  void reload(const app::Configured& configured);
  void restart(const app::Configured& configured);
  Gateway& gateway(const std::string& name);  // created if it is new
  void catalogue_changed();                   // after an edit of the two maps below

  // --- how it stands
  std::string assignments() const;
  std::string gateways_listed() const;
  std::string rooms_listed() const;
  std::string assignment_rows() const;  // of the file
  std::string session_rows() const;     // of the file, in scale mode

  std::map<std::string, Gateway> gateways;
  std::map<std::string, Room> rooms;

 private:
  struct Decision {
    std::string refusal, gateway, reason, region;
    bool standing = false;
  };
  Decision decide(const std::string& room, const std::string& country, bool for_session,
                  const std::string& janus) const;
  Decision place(const std::string& country) const;
  const std::string* pin(const std::string& room) const;
  const Room* open_room(const std::string& room) const;
  bool admits(const std::string& room) const;
  bool is_known(const std::string& gateway) const;
  std::optional<std::string> legacy_gateway(const std::string& room) const;
  std::optional<std::string> where_users_are(const std::string& room) const;
  std::optional<std::string> standing(const std::string& room) const;
  std::size_t users(const std::string& room) const;  // live ones
  std::size_t live() const;
  std::int64_t rooms_on(const std::string& gateway) const;
  std::int64_t load(const std::string& gateway) const;
  std::int64_t capacity(const std::string& gateway) const;
  bool full(const std::string& gateway) const;
  bool listed_by(const std::string& country, const std::string& gateway) const;
  std::vector<std::string> available() const;
  void assign(const std::string& room, const Decision& decision);
  bool end_if_emptied(const std::string& room);
  void sync(const app::Configured& configured);
  void end_what_is_not_admitted();
  void begin_scale();

  domain::Options options_;
  std::vector<std::string> configured_order_;
  std::map<std::string, Assignment> assignments_;
  std::map<std::string, Session> sessions_;
  std::map<std::string, Milliseconds> quarantined_until_;
};

}  // namespace model
