#include "rules.h"

#include <algorithm>
#include <cctype>

namespace model {
namespace {

std::string logged(std::string country) {
  const auto blank = [](char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; };
  while (!country.empty() && blank(country.back())) country.pop_back();
  while (!country.empty() && blank(country.front())) country.erase(country.begin());
  for (char& c : country) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return country.size() > 16 ? "" : country;
}

// A field is written only if its configured value differs from the one last synced.
template <typename Value, typename Configured>
void take(Value& value, std::optional<Configured>& synced, const std::optional<Configured>& configured) {
  if (configured == synced) return;
  synced = configured;
  if constexpr (std::is_same_v<Value, std::optional<Configured>>) {
    value = configured;
  } else {
    value = configured.value_or(Value{});
  }
}

}  // namespace

Rules::Rules(const app::Configured& configured, Milliseconds wall_now) : wall(wall_now) { restart(configured); }

void Rules::tick() {
  for (auto& [id, session] : sessions_) {
    session.dead = session.dead || now - session.refreshed >= options_.dead_after;
  }
}

// --- who is who

const std::string* Rules::pin(const std::string& room) const {
  for (const domain::Pin& pin : options_.pins) {
    if (pin.room_id.text() == room) return &pin.gateway;
  }
  return nullptr;
}

const Room* Rules::open_room(const std::string& room) const {
  const auto found = rooms.find(room);
  return found != rooms.end() && found->second.open() ? &found->second : nullptr;
}

bool Rules::admits(const std::string& room) const {
  if (rooms.count(room) > 0) return rooms.at(room).open();
  return options_.scale && options_.unknown_rooms == domain::UnknownRooms::accept;
}

bool Rules::is_known(const std::string& gateway) const {
  return gateways.count(gateway) > 0 && !gateways.at(gateway).removed;
}

std::optional<std::string> Rules::legacy_gateway(const std::string& room) const {
  std::optional<std::string> name;
  if (const std::string* pinned = pin(room)) {
    name = *pinned;
  } else if (const Room* known = open_room(room)) {
    name = known->default_gateway;
  }
  if (!name || gateways.count(*name) == 0 || !gateways.at(*name).serves()) return std::nullopt;
  return name;
}

std::optional<std::string> Rules::standing(const std::string& room) const {
  if (!options_.scale) return legacy_gateway(room);
  const auto held = assignments_.find(room);
  if (held != assignments_.end()) return held->second.gateway;
  const std::string* pinned = pin(room);
  return pinned ? std::optional(*pinned) : std::nullopt;
}

std::size_t Rules::users(const std::string& room) const {
  std::size_t count = 0;
  for (const auto& [id, session] : sessions_) count += session.room == room && !session.dead;
  return count;
}

std::size_t Rules::live() const {
  std::size_t count = 0;
  for (const auto& [id, session] : sessions_) count += !session.dead;
  return count;
}

std::int64_t Rules::rooms_on(const std::string& gateway) const {
  std::int64_t count = 0;
  for (const auto& [room, held] : assignments_) count += held.gateway == gateway;
  return count;
}

std::int64_t Rules::load(const std::string& gateway) const {
  const bool by_sessions = options_.load_by == domain::LoadBy::sessions;
  std::int64_t sum = 0;
  for (const auto& [room, held] : assignments_) {
    if (held.gateway != gateway) continue;
    const auto there = by_sessions ? static_cast<std::int64_t>(users(room)) : 0;
    sum += std::max(options_.avg_room_occupancy, there);
  }
  return sum;
}

std::int64_t Rules::capacity(const std::string& gateway) const {
  return gateways.at(gateway).capacity.value_or(options_.max_server_capacity);
}

bool Rules::full(const std::string& gateway) const {
  return load(gateway) + options_.avg_room_occupancy > capacity(gateway);
}

bool Rules::listed_by(const std::string& country, const std::string& gateway) const {
  for (const domain::Region& region : options_.regions) {
    if (region.country != country) continue;
    if (std::count(region.gateways.begin(), region.gateways.end(), gateway) > 0) return true;
  }
  return false;
}

std::vector<std::string> Rules::available() const { return options_.available_servers.value_or(configured_order_); }

// --- the answer

Rules::Decision Rules::place(const std::string& country) const {
  std::vector<std::string> candidates;
  for (const std::string& name : available()) {
    const auto found = gateways.find(name);
    if (found != gateways.end() && found->second.serves() && !found->second.draining) candidates.push_back(name);
  }
  const bool overflow = options_.when_full == domain::WhenFull::overflow;
  const auto is_candidate = [&](const std::string& name) {
    return std::count(candidates.begin(), candidates.end(), name) > 0;
  };
  const auto lowest = [&](const std::vector<std::string>& of, bool may_be_full) -> std::string {
    std::string best;
    for (const std::string& name : of) {
      if (full(name) && !may_be_full) continue;
      if (best.empty() || load(name) * capacity(best) < load(best) * capacity(name)) best = name;
    }
    return best;
  };
  std::vector<std::string> own, shared, both, rest;
  const bool has_region = std::any_of(options_.regions.begin(), options_.regions.end(),
                                      [&](const domain::Region& region) { return region.country == country; });
  const std::string key = has_region ? country : "*";
  for (const domain::Region& region : options_.regions) {
    if (region.country != key) continue;
    for (const std::string& name : region.gateways) {
      if (is_candidate(name)) own.push_back(name);
    }
  }
  for (const std::string& name : candidates) {
    bool other = false;
    for (const domain::Region& region : options_.regions) {
      other = other || (region.country != key && listed_by(region.country, name));
    }
    if (!other) shared.push_back(name);
    (!other || listed_by(key, name) ? both : rest).push_back(name);
  }
  Decision decision;
  decision.region = country;
  const auto is = [&](const std::string& name, const char* reason) {
    decision.gateway = name;
    decision.reason = reason;
    return !name.empty();
  };
  if (is(lowest(own, false), "assigned")) return decision;
  if (is(lowest(shared, false), "assigned")) return decision;
  if (overflow && is(lowest(both, true), "overflow")) return decision;
  if (is(lowest(rest, false), "borrowed")) return decision;
  if (overflow && is(lowest(rest, true), "borrowed")) return decision;
  decision.refusal = candidates.empty() ? "no_gateway_available" : "capacity_exhausted";
  return decision;
}

Rules::Decision Rules::decide(const std::string& room, const std::string& country, bool for_session,
                              const std::string& janus) const {
  Decision decision;
  if (!admits(room)) {
    decision.refusal = "room_not_found";
    return decision;
  }
  const std::string* pinned = pin(room);
  if (!options_.scale) {
    const auto gateway = legacy_gateway(room);
    if (!gateway)
      decision.refusal = "gateway_not_found";
    else
      decision.gateway = *gateway;
    decision.reason = pinned ? "pinned" : "default";
    decision.standing = true;
    return decision;
  }
  const auto held = assignments_.find(room);
  if (held != assignments_.end()) {
    decision.gateway = held->second.gateway;
    const bool pin_serves = pinned && gateways.at(*pinned).serves();
    decision.reason = pin_serves && *pinned == decision.gateway ? "pinned" : "sticky";
    decision.standing = true;
    const bool pin_waits = users(room) > 0 || for_session;
    if (!pin_serves || pin_waits || *pinned == decision.gateway) return decision;
    decision.standing = false;
  }
  if (pinned) {
    decision.gateway = *pinned;
    decision.reason = "pinned";
    decision.region = "pinned";
    if (!gateways.at(*pinned).serves()) decision.refusal = "no_gateway_available";
    return decision;
  }
  if (users(room) > 0) {
    if (const auto there = where_users_are(room)) {
      decision.gateway = *there;
      decision.reason = "assigned";
      decision.region = logged(country);
      return decision;
    }
  }
  if (for_session && !janus.empty()) {
    const auto known = gateways.find(janus);
    const auto until = quarantined_until_.find(room);
    const bool believed = until == quarantined_until_.end() || now >= until->second;
    if (believed && known != gateways.end() && known->second.serves()) {
      decision.gateway = janus;
      decision.reason = "assigned";
      return decision;
    }
  }
  return place(logged(country));
}

void Rules::assign(const std::string& room, const Decision& decision) {
  assignments_[room] = Assignment{decision.gateway, decision.region, wall, wall, std::nullopt};
}

std::string Rules::ask(const std::string& room, const std::string& country) {
  const Decision decision = decide(room, country, false, "");
  if (!decision.refusal.empty()) return decision.refusal;
  if (options_.scale) {
    if (!decision.standing) assign(room, decision);
    assignments_[room].grace_since = now;
    assignments_[room].last_used_at = wall;
  }
  return decision.gateway + " " + decision.reason;
}

std::string Rules::explain(const std::string& room, const std::string& country) const {
  const Decision decision = decide(room, country, false, "");
  return decision.refusal.empty() ? decision.gateway + " " + decision.reason : decision.refusal;
}

// --- sessions

bool Rules::end_if_emptied(const std::string& room) {
  const auto held = assignments_.find(room);
  if (!options_.scale || held == assignments_.end() || users(room) > 0) return false;
  if (held->second.grace_since && now - *held->second.grace_since < options_.join_grace) return false;
  assignments_.erase(held);
  return true;
}

std::string Rules::enter(const std::string& room, const std::string& session, const std::string& janus) {
  const Decision decision = decide(room, "", true, janus);
  if (decision.refusal == "room_not_found") return decision.refusal;
  if (options_.scale) {
    if (!decision.refusal.empty()) return decision.refusal;
    if (!decision.standing) assign(room, decision);
    assignments_[room].last_used_at = wall;
  }
  const auto known = sessions_.find(session);
  const bool was_live = known != sessions_.end() && !known->second.dead;
  const std::string before = known != sessions_.end() ? known->second.room : "";
  Session& session_entry = sessions_[session];
  if (!was_live || before != room) {
    if (assignments_.count(room) > 0) assignments_[room].grace_since.reset();
    session_entry.reported.reset();
  }
  session_entry.dead = false;
  session_entry.in_file = true;
  session_entry.room = room;
  session_entry.refreshed = now;
  session_entry.reported_itself = now;
  if (is_known(janus)) session_entry.reported = janus;
  if (was_live && before != room) end_if_emptied(before);
  const auto holds = standing(room);
  return (holds ? *holds : "null") + " " + std::to_string(users(room));
}

std::string Rules::leave(const std::string& room, const std::string& session) {
  const auto known = sessions_.find(session);
  bool removed = false;
  if (known != sessions_.end() && known->second.room == room) {
    sessions_.erase(known);
    removed = end_if_emptied(room);
  }
  return std::to_string(users(room)) + (removed ? " removed" : "");
}

std::string Rules::snapshot(const std::vector<app::SnapshotEntry>& entries, Milliseconds age) {
  std::string rejected;
  std::size_t entered = 0, left = 0;
  std::map<std::string, std::size_t> last;
  std::set<std::string> emptied;
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    last[*entries[i].session] = i;
    order.push_back(i);
  }
  // Rooms are placed in their order, and sessions enter only once the assignments are on disk.
  std::set<std::string> placed;
  const std::size_t all = order.size();
  for (std::size_t at = 0; at < order.size(); ++at) {
    const std::size_t i = order[at];
    if (at == all) placed.clear();
    const std::string& id = *entries[i].session;
    const std::string& room = *entries[i].room;
    const std::string janus = entries[i].janus.value_or("");
    if (last.count(id) == 0 || last[id] != i) continue;
    const auto known = sessions_.find(id);
    const bool was_live = known != sessions_.end() && !known->second.dead;
    const bool is_known_better =
        known != sessions_.end() && known->second.reported_itself && now - *known->second.reported_itself <= age;
    if (is_known_better) continue;
    const std::string before = known != sessions_.end() ? known->second.room : "";
    const Decision decision = decide(room, "", true, janus);
    if (decision.refusal == "room_not_found" || (options_.scale && !decision.refusal.empty())) {
      rejected += " " + std::to_string(i) + ":" + decision.refusal;
      // A session leaves its old room if the new one does not exist; after any other refusal it stays until it can move.
      if (decision.refusal == "room_not_found")
        last.erase(id);
      else if (was_live)
        known->second.refreshed = now;
      continue;
    }
    if (options_.scale) {
      if (!decision.standing) {
        assign(room, decision);
        placed.insert(room);
      }
      if (placed.count(room) > 0) {
        order.push_back(i);
        continue;
      }
      assignments_[room].last_used_at = wall;
    }
    Session& session_entry = sessions_[id];
    if (!was_live || before != room) {
      if (assignments_.count(room) > 0) assignments_[room].grace_since.reset();
      session_entry.reported.reset();
    }
    entered += !was_live;
    session_entry.dead = false;
    session_entry.in_file = true;
    session_entry.room = room;
    session_entry.refreshed = now;
    if (is_known(janus)) session_entry.reported = janus;
    if (was_live && before != room) emptied.insert(before);
  }
  for (auto at = sessions_.begin(); at != sessions_.end();) {
    const auto own = at->second.reported_itself;
    if (last.count(at->first) == 0 && !at->second.dead && !(own && now - *own <= age)) {
      emptied.insert(at->second.room);
      at = sessions_.erase(at);
      ++left;
    } else {
      ++at;
    }
  }
  for (const std::string& room : emptied) {
    if (assignments_.count(room) > 0 && users(room) == 0) assignments_[room].grace_since = now;
  }
  return std::to_string(live()) + " entered " + std::to_string(entered) + " left " + std::to_string(left) +
         " rejected" + rejected;
}

std::string Rules::clean_up() {
  std::set<std::string> silent;
  std::size_t dead = 0;
  const std::size_t all = sessions_.size();
  for (auto at = sessions_.begin(); at != sessions_.end();) {
    if (!at->second.dead) {
      ++at;
      continue;
    }
    ++dead;
    silent.insert(at->second.room);
    at = sessions_.erase(at);
  }
  if (dead >= 10 && 2 * dead > all) {
    for (const std::string& room : silent) {
      if (assignments_.count(room) > 0) assignments_[room].grace_since = now;
    }
  }
  std::size_t ended = 0;
  if (options_.scale) {
    for (auto at = assignments_.begin(); at != assignments_.end();) {
      const std::string room = (at++)->first;
      ended += end_if_emptied(room);
    }
  }
  return std::to_string(ended);
}

// --- operators

std::string Rules::drain(const std::string& gateway, bool draining) {
  const auto found = gateways.find(gateway);
  if (found == gateways.end() || found->second.removed) return "gateway_not_found";
  found->second.draining = draining;
  return "done";
}

std::string Rules::release(const std::string& room, bool force) {
  if (assignments_.count(room) == 0) return "assignment_not_found";
  if (!force && users(room) > 0) return "room_occupied";
  if (force) {
    for (auto at = sessions_.begin(); at != sessions_.end();) {
      at = at->second.room == room ? sessions_.erase(at) : std::next(at);
    }
    quarantined_until_[room] = now + options_.dead_after;
  }
  assignments_.erase(room);
  return "done";
}

Gateway& Rules::gateway(const std::string& name) {
  std::int64_t last = 0;
  for (const auto& [other, known] : gateways) last = std::max(last, known.id);
  Gateway& found = gateways[name];
  if (found.id == 0) found.id = last + 1;
  return found;
}

void Rules::sync(const app::Configured& configured) {
  options_ = configured.options;
  configured_order_.clear();
  std::set<std::string> named, named_rooms;
  for (const domain::ConfiguredGateway& entry : configured.gateways) {
    configured_order_.push_back(entry.name);
    named.insert(entry.name);
    Gateway& gateway = this->gateway(entry.name);
    gateway.type = entry.type.value_or("rooms");
    gateway.removed = gateway.removed && gateway.from_config;  // by an operator: it stays removed
    gateway.from_config = true;
    take(gateway.capacity, gateway.synced_capacity, entry.capacity);
    take(gateway.disabled, gateway.synced_disabled, entry.disabled);
  }
  for (const domain::ConfiguredRoom& entry : configured.rooms) {
    named_rooms.insert(entry.gateway_uid.text());
    Room& room = rooms[entry.gateway_uid.text()];
    room.removed = room.removed && room.from_config;
    room.from_config = true;
    take(room.default_gateway, room.synced_default, entry.default_gateway);
    take(room.disabled, room.synced_disabled, entry.disabled);
  }
  for (auto& [uid, room] : rooms) {
    if (!room.from_config || room.removed || named_rooms.count(uid) > 0) continue;
    room.removed = true;
    room.from_config = false;
    room.synced_default.reset();
    room.synced_disabled.reset();
  }
  for (auto& [name, gateway] : gateways) {
    if (!gateway.from_config || gateway.removed || named.count(name) > 0 || rooms_on(name) > 0) continue;
    bool is_default = false;
    for (const auto& [uid, room] : rooms) is_default = is_default || (!room.removed && room.default_gateway == name);
    if (is_default) continue;
    gateway.removed = true;
    gateway.from_config = false;
    gateway.synced_capacity.reset();
    gateway.synced_disabled.reset();
  }
}

void Rules::end_what_is_not_admitted() {
  for (auto at = sessions_.begin(); at != sessions_.end();) {
    at = admits(at->second.room) ? std::next(at) : sessions_.erase(at);
  }
  if (!options_.scale) return;
  for (auto at = assignments_.begin(); at != assignments_.end();) {
    at = admits(at->first) ? std::next(at) : assignments_.erase(at);
  }
}

std::optional<std::string> Rules::where_users_are(const std::string& room) const {
  std::map<std::string, int> votes;
  for (const auto& [id, session] : sessions_) {
    if (session.room == room && !session.dead && session.reported) ++votes[*session.reported];
  }
  std::string most;
  for (const auto& [name, count] : votes) {
    if (most.empty() || count > votes[most]) most = name;
  }
  if (is_known(most) && !gateways.at(most).disabled) return most;
  return legacy_gateway(room);
}

void Rules::begin_scale() {
  for (auto& [room, held] : assignments_) held.grace_since = now;
  std::set<std::string> occupied;
  for (const auto& [id, session] : sessions_) {
    if (!session.dead) occupied.insert(session.room);
  }
  for (const std::string& room : occupied) {
    const auto there = where_users_are(room);
    const auto held = assignments_.find(room);
    if (!there || (held != assignments_.end() && held->second.gateway == *there)) continue;
    const std::string* pinned = pin(room);
    const std::string region = pinned && *pinned == *there ? "pinned" : "";
    assignments_[room] = Assignment{*there, region, wall, wall, now};
  }
}

void Rules::reload(const app::Configured& configured) {
  const bool was_scale = options_.scale;
  sync(configured);
  end_what_is_not_admitted();
  tick();  // with the new dead_after
  if (options_.scale && !was_scale) begin_scale();
  if (!options_.scale || was_scale) return;
  for (auto& [id, session] : sessions_) session.in_file = !session.dead;
}

void Rules::catalogue_changed() { end_what_is_not_admitted(); }

void Rules::restart(const app::Configured& configured) {
  const bool was_scale = options_.scale;
  sync(configured);
  for (auto at = sessions_.begin(); at != sessions_.end();) {
    at = was_scale && at->second.in_file ? std::next(at) : sessions_.erase(at);
  }
  if (was_scale && !options_.scale) {
    options_.scale = true;
    end_what_is_not_admitted();
    options_.scale = false;
  }
  for (auto& [id, session] : sessions_) {
    session.refreshed = now;
    session.reported_itself.reset();
    session.dead = false;
  }
  for (auto& [room, held] : assignments_) held.grace_since = now;
  quarantined_until_.clear();
  end_what_is_not_admitted();
}

// --- how it stands

std::string Rules::assignments() const {
  std::string text;
  for (const auto& [room, held] : assignments_) {
    text += room + " " + held.gateway + " " + held.region + " " + std::to_string(held.assigned_at.count()) + " " +
            std::to_string(held.last_used_at.count()) + " " + std::to_string(users(room)) + "\n";
  }
  return text;
}

std::string Rules::assignment_rows() const {
  std::string text;
  for (const auto& [room, held] : assignments_) {
    text += room + " " + held.gateway + " " + held.region + " " + std::to_string(held.assigned_at.count()) + " " +
            std::to_string(held.last_used_at.count()) + "\n";
  }
  return text;
}

std::string Rules::session_rows() const {
  std::string text;
  for (const auto& [id, session] : sessions_) {
    if (!session.in_file) continue;
    text += id + " " + session.room + " " + session.reported.value_or("-") + "\n";
  }
  return text;
}

std::string Rules::gateways_listed() const {
  std::map<std::int64_t, std::string> lines;
  const auto list = available();
  for (const auto& [name, gateway] : gateways) {
    if (gateway.removed) continue;
    std::string line = name + (gateway.disabled ? " disabled" : "") + (gateway.draining ? " draining" : "") +
                       " rooms " + std::to_string(rooms_on(name)) + " load " + std::to_string(load(name)) + " of " +
                       std::to_string(capacity(name));
    for (const domain::Region& region : options_.regions) {
      if (listed_by(region.country, name)) line += " " + region.country;
    }
    std::size_t there = 0;
    for (const auto& [id, session] : sessions_) {
      there += !session.dead && standing(session.room) == name;
    }
    lines[gateway.id] = line + " users " + std::to_string(there) + "\n";
  }
  std::string text;
  for (const auto& [id, line] : lines) text += line;
  return text;
}

std::string Rules::rooms_listed() const {
  std::set<std::string> listed;
  for (const auto& [uid, room] : rooms) listed.insert(uid);
  for (const auto& [uid, held] : assignments_) listed.insert(uid);
  for (const auto& [id, session] : sessions_) listed.insert(session.room);
  std::string text;
  for (const std::string& uid : listed) {
    if (!admits(uid)) continue;
    text += uid + " " + standing(uid).value_or("null") + " users " + std::to_string(users(uid)) + "\n";
  }
  return text;
}

}  // namespace model
