#include "config/settings.h"

#include <cstddef>

#include "config/duration.h"
#include "config/etcd_member.h"
#include "config/listen_address.h"
#include "config/lists.h"
#include "config/mqtt_address.h"
#include "config/regions.h"
#include "logging/options.h"

namespace config {
namespace {

constexpr std::string_view variable_prefix = "ROOM_SIDECAR_";
constexpr std::string_view a_duration = "a duration above 0 like \"90s\", \"1m30s\" or \"500ms\"";
constexpr std::string_view a_duration_or_0 = "a duration like \"90s\", \"1m30s\" or \"500ms\"";
constexpr std::string_view a_list = "a list of gateway names";
constexpr std::string_view a_count = "a whole number above 0 (and not above 1000)";
constexpr std::int64_t most_words = 1000;
constexpr std::int64_t most_sessions = 10'000'000;
constexpr std::string_view a_wait =
    "a duration above 0 and not above 4s (a signaling server waits meanwhile), like \"3s\" or \"500ms\"";
constexpr domain::Duration shortest_wait = std::chrono::milliseconds{1};
constexpr domain::Duration longest_wait = std::chrono::seconds{4};  // a stop has five
constexpr std::string_view a_staleness =
    "a duration of at least 15s, like \"5m\" (while all is well, what is known of etcd is some seconds old)";
// Three beats and a look of cluster/membership.cpp.
constexpr domain::Duration shortest_staleness = std::chrono::seconds{15};
constexpr std::string_view a_prefix = "a text like \"/room-sidecar/\" (up to 200 bytes without control characters)";
constexpr std::size_t longest_prefix = 200;
constexpr std::string_view members_of_etcd = "a list of etcd's members like [\"http://127.0.0.1:2379\"]";
constexpr std::string_view a_user = "a user name without control characters";
constexpr std::string_view a_path = "a path without control characters";

constexpr std::string_view an_address =
    "an address like \"127.0.0.1:8082\", \"[::1]:8082\" or \"unix:/path\" (numbers, no host "
    "name; a port from 0 to 65535; an absolute path of at most 107 bytes)";

template <typename T>
struct Choice {
  std::string_view word;
  T value;
};

constexpr Choice<bool> occupancy_choices[] = {{"none", false}, {"janus", true}};
constexpr Choice<domain::UnknownRooms> unknown_rooms_choices[] = {{"reject", domain::UnknownRooms::reject},
                                                                  {"accept", domain::UnknownRooms::accept}};
constexpr Choice<domain::WhenFull> when_full_choices[] = {{"overflow", domain::WhenFull::overflow},
                                                          {"reject", domain::WhenFull::reject}};
constexpr Choice<domain::LoadBy> load_choices[] = {{"rooms", domain::LoadBy::rooms},
                                                   {"sessions", domain::LoadBy::sessions}};
constexpr Choice<cluster::EngineKind> engine_choices[] = {{"none", cluster::EngineKind::none},
                                                          {"etcd", cluster::EngineKind::etcd}};
constexpr Choice<logging::Level> level_choices[] = {{"debug", logging::Level::debug},
                                                    {"info", logging::Level::info},
                                                    {"warn", logging::Level::warn},
                                                    {"warning", logging::Level::warn},
                                                    {"error", logging::Level::error}};
constexpr Choice<logging::Format> format_choices[] = {{"text", logging::Format::text}, {"json", logging::Format::json}};

bool same_word(std::string_view word, std::string_view written) {
  if (word.size() != written.size()) return false;
  for (std::size_t i = 0; i < word.size(); ++i) {
    const char c = written[i];
    if ((c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c) != word[i]) return false;
  }
  return true;
}

template <typename T, std::size_t size>
Outcome take_choice(const Choice<T> (&choices)[size], const Value& value, const Spot& spot, T& target) {
  std::optional<T> chosen;
  for (const Choice<T>& choice : choices) {
    if (value.is_text() && same_word(choice.word, trimmed(value.text))) chosen = choice.value;
  }
  return take(chosen, value, spot, target);
}

template <typename T, std::size_t size>
std::string shown_choice(const Choice<T> (&choices)[size], T current) {
  for (const Choice<T>& choice : choices) {
    if (choice.value == current) return std::string(choice.word);
  }
  return {};
}

Outcome take_number(const Value& value, const Spot& spot, std::int64_t most, std::int64_t& target) {
  // "400" in config.toml: right but for the quotes, so say that.
  const bool needless_quotes =
      value.typed && value.is_text() && as_whole_number(untyped(value.text, value.line), 1, most).has_value();
  if (!needless_quotes) return take(as_whole_number(value, 1, most), value, spot, target);
  spot.refuse(value, std::string(spot.expected) + ": write it without the quotes");
  return Outcome::refused;
}

Outcome take_duration(const Value& value, const Spot& spot, bool may_be_0, domain::Duration& target) {
  std::optional<domain::Duration> read = as_duration(value);
  if (read && read->count() == 0 && !may_be_0) read.reset();
  return take(read, value, spot, target);
}

template <typename Target>
Outcome take_names(const Value& value, const Spot& spot, Target& target, std::string& where) {
  const auto names = read_names(value, spot);
  if (!names) return Outcome::refused;
  if (names->empty()) return Outcome::unset;
  target = *names;
  where = spot.where(value);
  return Outcome::taken;
}

Outcome take_listen(const Value& value, const Spot& spot, std::string& target) {
  std::optional<std::string> line = as_line(value);
  if (line && !is_listen_address(*line)) line.reset();
  return take(line, value, spot, target);
}

// "none", or a list of sources.
Outcome take_sources(const Value& value, const Spot& spot, domain::HealthOptions& target) {
  // In config.toml, too, one may stand without brackets.
  const auto names = read_names(value.is_text() ? untyped(value.text, value.line) : value, spot);
  if (!names) return Outcome::refused;
  domain::HealthOptions read = target;
  read.http = read.mqtt = false;
  bool none = false;
  for (const std::string& name : *names) {
    if (same_word("http", name)) {
      read.http = true;
    } else if (same_word("mqtt", name)) {
      read.mqtt = true;
    } else if (same_word("none", name)) {
      none = true;
    } else {
      spot.refuse(value);
      return Outcome::refused;
    }
  }
  if (none && read.watches()) {
    spot.refuse(value);
    return Outcome::refused;
  }
  if (names->empty()) return Outcome::unset;
  target = read;
  return Outcome::taken;
}

std::string shown_sources(const domain::HealthOptions& health) {
  if (!health.watches()) return "none";
  return health.http && health.mqtt ? "http,mqtt" : health.http ? "http" : "mqtt";
}

Outcome take_topic(const Value& value, const Spot& spot, std::string& target) {
  std::optional<std::string> line = as_line(value);
  if (line && !is_status_topic(*line)) line.reset();
  return take(line, value, spot, target);
}

Outcome take_broker(const Value& value, const Spot& spot, std::string& target) {
  std::optional<std::string> line = as_line(value);
  if (line && !is_broker_url(*line)) line.reset();
  return take(line, value, spot, target);
}

Outcome take_members(const Value& value, const Spot& spot, std::vector<std::string>& target) {
  const auto members = read_members(value, spot);
  if (!members) return Outcome::refused;
  if (members->empty()) return Outcome::unset;
  target = *members;
  return Outcome::taken;
}

Outcome take_prefix(const Value& value, const Spot& spot, std::string& target) {
  std::string prefix = as_line(value).value_or("");
  if (!prefix.empty() && prefix.back() != '/') prefix += '/';
  if (prefix.empty() || prefix.size() > longest_prefix) {
    spot.refuse(value);
    return Outcome::refused;
  }
  target = prefix;
  return Outcome::taken;
}

Outcome take_duration_between(const Value& value, const Spot& spot, domain::Duration least, domain::Duration most,
                              domain::Duration& target) {
  std::optional<domain::Duration> read = as_duration(value);
  if (read && (*read < least || *read > most)) read.reset();
  return take(read, value, spot, target);
}

std::string shown_part(double value) {
  std::string text = std::to_string(value);
  text.erase(text.find_last_not_of('0') + 1);
  return text.back() == '.' ? text + "0" : text;
}

std::string shown_boolean(bool value) { return value ? "true" : "false"; }

using C = Configuration;
using V = Value;
using S = Spot;
using Names = std::vector<std::string>;

const Row table[] = {
    {"scale", "SCALE", a_boolean,
     [](const V& v, const S& s, C& c) { return take(as_boolean(v), v, s, c.domain.scale); },
     [](const C& c) { return shown_boolean(c.domain.scale); }},
    {"unknown_rooms", "UNKNOWN_ROOMS", "\"reject\" or \"accept\"",
     [](const V& v, const S& s, C& c) { return take_choice(unknown_rooms_choices, v, s, c.domain.unknown_rooms); },
     [](const C& c) { return shown_choice(unknown_rooms_choices, c.domain.unknown_rooms); }},
    {"http.listen", "LISTEN_ADDRESS", an_address,
     [](const V& v, const S& s, C& c) { return take_listen(v, s, c.http.listen); },
     [](const C& c) { return c.http.listen; }},
    {"http.token_file", "API_TOKEN_FILE", a_path,
     [](const V& v, const S& s, C& c) { return take(as_line(v), v, s, c.http.token_file); },
     [](const C& c) { return c.http.token_file.value_or(""); }},
    {"http.max_connections", "MAX_CONNECTIONS", "a whole number of connections from 1 to 65536",
     [](const V& v, const S& s, C& c) { return take_number(v, s, 65536, c.http.max_connections); },
     [](const C& c) { return std::to_string(c.http.max_connections); }},
    {"database.path", "DATABASE_PATH", a_path,
     [](const V& v, const S& s, C& c) { return take(as_line(v), v, s, c.store.path); },
     [](const C& c) { return c.store.path; }},
    {"balancing.available_servers", "AVAILABLE_JANUS_SERVERS", a_list,
     [](const V& v, const S& s, C& c) {
       return take_names(v, s, c.domain.available_servers, c.domain.available_where);
     },
     [](const C& c) { return joined(c.domain.available_servers.value_or(Names{}), ","); }},
    {"balancing.max_server_capacity", "MAX_SERVER_CAPACITY", a_count_of_users,
     [](const V& v, const S& s, C& c) { return take_number(v, s, most_users, c.domain.max_server_capacity); },
     [](const C& c) { return std::to_string(c.domain.max_server_capacity); }},
    {"balancing.avg_room_occupancy", "AVG_ROOM_OCCUPANCY", a_count_of_users,
     [](const V& v, const S& s, C& c) { return take_number(v, s, most_users, c.domain.avg_room_occupancy); },
     [](const C& c) { return std::to_string(c.domain.avg_room_occupancy); }},
    {"balancing.when_full", "WHEN_FULL", "\"overflow\" or \"reject\"",
     [](const V& v, const S& s, C& c) { return take_choice(when_full_choices, v, s, c.domain.when_full); },
     [](const C& c) { return shown_choice(when_full_choices, c.domain.when_full); }},
    {"balancing.load", "BALANCING_LOAD", "\"rooms\" or \"sessions\"",
     [](const V& v, const S& s, C& c) { return take_choice(load_choices, v, s, c.domain.load_by); },
     [](const C& c) { return shown_choice(load_choices, c.domain.load_by); }},
    {"regions", "SERVER_REGIONS", "a table of countries like IL = [\"gxy1\", \"gxy2\"]",
     [](const V& v, const S& s, C& c) { return read_regions(v, s, c.domain.regions); },
     [](const C& c) { return to_text(c.domain.regions); }},
    {"pins", "SERVER_ROOMS", "a table of rooms like \"1234\" = \"gxy5\"",
     [](const V& v, const S& s, C& c) { return read_pins(v, s, c.domain.pins); },
     [](const C& c) { return to_text(c.domain.pins); }},
    {"sessions.dead_after", "DEAD_SESSION_PERIOD", a_duration,
     [](const V& v, const S& s, C& c) { return take_duration(v, s, false, c.domain.dead_after); },
     [](const C& c) { return to_text(c.domain.dead_after); }},
    {"sessions.clean_every", "CLEAN_SESSIONS_INTERVAL", a_duration,
     [](const V& v, const S& s, C& c) { return take_duration(v, s, false, c.domain.clean_every); },
     [](const C& c) { return to_text(c.domain.clean_every); }},
    {"sessions.join_grace", "JOIN_GRACE", a_duration_or_0,
     [](const V& v, const S& s, C& c) { return take_duration(v, s, true, c.domain.join_grace); },
     [](const C& c) { return to_text(c.domain.join_grace); }},
    {"sessions.max", "SESSIONS_MAX", "a whole number of sessions from 1 to 10000000",
     [](const V& v, const S& s, C& c) { return take_number(v, s, most_sessions, c.domain.max_sessions); },
     [](const C& c) { return std::to_string(c.domain.max_sessions); }},
    {"failover.standby_servers", "FAILOVER_JANUS_SERVERS", a_list,
     [](const V& v, const S& s, C& c) { return take_names(v, s, c.domain.standby_servers, c.domain.standby_where); },
     [](const C& c) { return joined(c.domain.standby_servers, ","); }},
    {"failover.wait", "FAILOVER_WAIT_TIME", a_duration_or_0,
     [](const V& v, const S& s, C& c) { return take_duration(v, s, true, c.domain.failover_wait); },
     [](const C& c) { return to_text(c.domain.failover_wait); }},
    {"failover.move_pinned", "FAILOVER_MOVE_PINNED", a_boolean,
     [](const V& v, const S& s, C& c) { return take(as_boolean(v), v, s, c.domain.move_pinned); },
     [](const C& c) { return shown_boolean(c.domain.move_pinned); }},
    {"health.source", "HEALTH_SOURCE", "\"none\", \"http\", \"mqtt\", or a list of the last two",
     [](const V& v, const S& s, C& c) { return take_sources(v, s, c.domain.health); },
     [](const C& c) { return shown_sources(c.domain.health); }},
    {"health.interval", "HEALTH_INTERVAL", a_duration,
     [](const V& v, const S& s, C& c) { return take_duration(v, s, false, c.domain.health.interval); },
     [](const C& c) { return to_text(c.domain.health.interval); }},
    {"health.timeout", "HEALTH_TIMEOUT", a_duration,
     [](const V& v, const S& s, C& c) { return take_duration(v, s, false, c.health.timeout); },
     [](const C& c) { return to_text(c.health.timeout); }},
    {"health.fall", "HEALTH_FALL", a_count,
     [](const V& v, const S& s, C& c) { return take_number(v, s, most_words, c.domain.health.fall); },
     [](const C& c) { return std::to_string(c.domain.health.fall); }},
    {"health.rise", "HEALTH_RISE", a_count,
     [](const V& v, const S& s, C& c) { return take_number(v, s, most_words, c.domain.health.rise); },
     [](const C& c) { return std::to_string(c.domain.health.rise); }},
    {"health.stale_after", "HEALTH_STALE_AFTER", a_duration,
     [](const V& v, const S& s, C& c) { return take_duration(v, s, false, c.domain.health.stale_after); },
     [](const C& c) { return to_text(c.domain.health.stale_after); }},
    {"health.brake", "HEALTH_BRAKE", "a part of the gateways from 0 to 1 like 0.5",
     [](const V& v, const S& s, C& c) { return take(as_part(v), v, s, c.domain.health.brake); },
     [](const C& c) { return shown_part(c.domain.health.brake); }},
    {"health.mqtt_url", "MQTT_URL", "a broker like \"mqtt://127.0.0.1:1883\" or \"mqtts://broker.example.org:8883\"",
     [](const V& v, const S& s, C& c) { return take_broker(v, s, c.health.mqtt_url); },
     [](const C& c) { return c.health.mqtt_url; }},
    {"health.mqtt_topic", "MQTT_TOPIC", "a topic with one + in place of the gateway's name, like \"janus/+/status\"",
     [](const V& v, const S& s, C& c) { return take_topic(v, s, c.health.mqtt_topic); },
     [](const C& c) { return c.health.mqtt_topic; }},
    {"health.mqtt_user", "MQTT_USER", a_user,
     [](const V& v, const S& s, C& c) { return take(as_line(v), v, s, c.health.mqtt_user); },
     [](const C& c) { return c.health.mqtt_user.value_or(""); }},
    {"health.mqtt_password_file", "MQTT_PASSWORD_FILE", a_path,
     [](const V& v, const S& s, C& c) { return take(as_line(v), v, s, c.health.mqtt_password_file); },
     [](const C& c) { return c.health.mqtt_password_file.value_or(""); }},
    {"health.mqtt_ca_file", "MQTT_CA_FILE", a_path,
     [](const V& v, const S& s, C& c) { return take(as_line(v), v, s, c.health.mqtt_ca_file); },
     [](const C& c) { return c.health.mqtt_ca_file.value_or(""); }},
    {"occupancy.source", "OCCUPANCY_SOURCE", "\"none\" or \"janus\"",
     [](const V& v, const S& s, C& c) { return take_choice(occupancy_choices, v, s, c.health.occupancy.janus); },
     [](const C& c) { return shown_choice(occupancy_choices, c.health.occupancy.janus); }},
    {"occupancy.interval", "OCCUPANCY_INTERVAL", a_duration,
     [](const V& v, const S& s, C& c) { return take_duration(v, s, false, c.health.occupancy.interval); },
     [](const C& c) { return to_text(c.health.occupancy.interval); }},
    {"occupancy.timeout", "OCCUPANCY_TIMEOUT", a_duration,
     [](const V& v, const S& s, C& c) { return take_duration(v, s, false, c.health.occupancy.timeout); },
     [](const C& c) { return to_text(c.health.occupancy.timeout); }},
    {"occupancy.secret_file", "OCCUPANCY_SECRET_FILE", a_path,
     [](const V& v, const S& s, C& c) { return take(as_line(v), v, s, c.health.occupancy.secret_file); },
     [](const C& c) { return c.health.occupancy.secret_file.value_or(""); }},
    {"occupancy.token_file", "OCCUPANCY_TOKEN_FILE", a_path,
     [](const V& v, const S& s, C& c) { return take(as_line(v), v, s, c.health.occupancy.token_file); },
     [](const C& c) { return c.health.occupancy.token_file.value_or(""); }},
    {"cluster.engine", "CLUSTER_ENGINE", "\"none\" or \"etcd\"",
     [](const V& v, const S& s, C& c) { return take_choice(engine_choices, v, s, c.cluster.engine); },
     [](const C& c) { return shown_choice(engine_choices, c.cluster.engine); }},
    {"cluster.endpoints", "CLUSTER_ENDPOINTS", members_of_etcd,
     [](const V& v, const S& s, C& c) { return take_members(v, s, c.cluster.endpoints); },
     [](const C& c) { return joined(c.cluster.endpoints, ","); }},
    {"cluster.prefix", "CLUSTER_PREFIX", a_prefix,
     [](const V& v, const S& s, C& c) { return take_prefix(v, s, c.cluster.prefix); },
     [](const C& c) { return c.cluster.prefix; }},
    {"cluster.user", "CLUSTER_USER", a_user,
     [](const V& v, const S& s, C& c) { return take(as_line(v), v, s, c.cluster.user); },
     [](const C& c) { return c.cluster.user.value_or(""); }},
    {"cluster.password_file", "CLUSTER_PASSWORD_FILE", a_path,
     [](const V& v, const S& s, C& c) { return take(as_line(v), v, s, c.cluster.password_file); },
     [](const C& c) { return c.cluster.password_file.value_or(""); }},
    {"cluster.ca_file", "CLUSTER_CA_FILE", a_path,
     [](const V& v, const S& s, C& c) { return take(as_line(v), v, s, c.cluster.ca_file); },
     [](const C& c) { return c.cluster.ca_file.value_or(""); }},
    {"cluster.cert_file", "CLUSTER_CERT_FILE", a_path,
     [](const V& v, const S& s, C& c) { return take(as_line(v), v, s, c.cluster.cert_file); },
     [](const C& c) { return c.cluster.cert_file.value_or(""); }},
    {"cluster.key_file", "CLUSTER_KEY_FILE", a_path,
     [](const V& v, const S& s, C& c) { return take(as_line(v), v, s, c.cluster.key_file); },
     [](const C& c) { return c.cluster.key_file.value_or(""); }},
    {"cluster.max_stale", "CLUSTER_MAX_STALE", a_staleness,
     [](const V& v, const S& s, C& c) {
       return take_duration_between(v, s, shortest_staleness, domain::Duration::max(), c.cluster.max_stale);
     },
     [](const C& c) { return to_text(c.cluster.max_stale); }},
    {"cluster.timeout", "CLUSTER_TIMEOUT", a_wait,
     [](const V& v, const S& s, C& c) {
       return take_duration_between(v, s, shortest_wait, longest_wait, c.cluster.timeout);
     },
     [](const C& c) { return to_text(c.cluster.timeout); }},
    {"cluster.attempt_timeout", "CLUSTER_ATTEMPT_TIMEOUT", a_duration,
     [](const V& v, const S& s, C& c) { return take_duration(v, s, false, c.cluster.attempt_timeout); },
     [](const C& c) { return to_text(c.cluster.attempt_timeout); }},
    {"log.level", "LOG_LEVEL", "\"debug\", \"info\", \"warn\" or \"error\"",
     [](const V& v, const S& s, C& c) { return take_choice(level_choices, v, s, c.log.level); },
     [](const C& c) { return shown_choice(level_choices, c.log.level); }},
    {"log.format", "LOG_FORMAT", "\"text\" or \"json\"",
     [](const V& v, const S& s, C& c) { return take_choice(format_choices, v, s, c.log.format); },
     [](const C& c) { return shown_choice(format_choices, c.log.format); }},
};

}  // namespace

std::string_view Row::section() const {
  const std::size_t dot = key.find('.');
  return dot == std::string_view::npos ? std::string_view{} : key.substr(0, dot);
}

std::string_view Row::name() const {
  const std::size_t dot = key.find('.');
  return dot == std::string_view::npos ? key : key.substr(dot + 1);
}

const Value* Row::find_in(const Value& config_file) const {
  const Value* place = section().empty() ? &config_file : config_file.find(section());
  return place ? place->find(name()) : nullptr;
}

std::span<const Row> settings() { return table; }

bool is_prefixed(std::string_view variable) { return variable.substr(0, variable_prefix.size()) == variable_prefix; }

std::string with_prefix(std::string_view variable) { return std::string(variable_prefix) + std::string(variable); }

std::string_view unprefixed(std::string_view variable) {
  return is_prefixed(variable) ? variable.substr(variable_prefix.size()) : variable;
}

const Row* row_of(std::string_view variable) {
  const std::string_view name = unprefixed(variable);
  for (const Row& row : table) {
    if (row.variable == name) return &row;
  }
  return nullptr;
}

bool is_variable(std::string_view name) { return row_of(name) != nullptr; }

}  // namespace config
