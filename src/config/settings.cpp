#include "config/settings.h"

#include <cstddef>
#include <limits>

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
constexpr std::int64_t longest_wait = 4'000;  // ms; a stop has five seconds
constexpr std::string_view a_staleness =
    "a duration of at least 15s, like \"5m\" (while all is well, what is known of etcd is some seconds old)";
// In ms: three heartbeats and a look of cluster/membership.cpp.
constexpr std::int64_t shortest_staleness = 15'000;
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

// How settings of one type are read and shown.

struct Boolean {
  static Outcome read(const Value& value, const Spot& spot, bool& target) {
    return take(as_boolean(value), value, spot, target);
  }
  static std::string show(bool value) { return value ? "true" : "false"; }
};

constexpr bool is_any(std::string_view) { return true; }

template <bool (*is_fine)(std::string_view) = is_any>
struct OneLine {
  template <typename Target>
  static Outcome read(const Value& value, const Spot& spot, Target& target) {
    std::optional<std::string> line = as_line(value);
    if (line && !is_fine(*line)) line.reset();
    return take(line, value, spot, target);
  }
  static std::string show(const std::optional<std::string>& line) { return line.value_or(""); }
};

template <std::int64_t most>
struct NumberUpTo {
  static Outcome read(const Value& value, const Spot& spot, std::int64_t& target) {
    // "400" in config.toml: right but for the quotes, so say that.
    const bool needless_quotes =
        value.typed && value.is_text() && as_whole_number(untyped(value.text, value.line), 1, most).has_value();
    if (!needless_quotes) return take(as_whole_number(value, 1, most), value, spot, target);
    spot.refuse(value, std::string(spot.expected) + ": write it without the quotes");
    return Outcome::refused;
  }
  static std::string show(std::int64_t number) { return std::to_string(number); }
};

// In ms.
template <std::int64_t least = 1, std::int64_t most = std::numeric_limits<std::int64_t>::max()>
struct DurationFrom {
  static Outcome read(const Value& value, const Spot& spot, domain::Duration& target) {
    std::optional<domain::Duration> duration = as_duration(value);
    if (duration && (duration->count() < least || duration->count() > most)) duration.reset();
    return take(duration, value, spot, target);
  }
  static std::string show(domain::Duration duration) { return to_text(duration); }
};

template <const auto& choices>
struct OneOf {
  template <typename Target>
  static Outcome read(const Value& value, const Spot& spot, Target& target) {
    std::optional<Target> chosen;
    for (const auto& choice : choices) {
      if (value.is_text() && lower_case(trimmed(value.text)) == choice.word) chosen = choice.value;
    }
    return take(chosen, value, spot, target);
  }
  template <typename Target>
  static std::string show(Target current) {
    for (const auto& choice : choices) {
      if (choice.value == current) return std::string(choice.word);
    }
    return {};
  }
};

struct Fraction {
  static Outcome read(const Value& value, const Spot& spot, double& target) {
    return take(as_part(value), value, spot, target);
  }
  static std::string show(double value) {
    std::string text = std::to_string(value);
    text.erase(text.find_last_not_of('0') + 1);
    return text.back() == '.' ? text + "0" : text;
  }
};

struct Members {
  static Outcome read(const Value& value, const Spot& spot, std::vector<std::string>& target) {
    const auto members = read_members(value, spot);
    if (!members) return Outcome::refused;
    if (members->empty()) return Outcome::unset;
    target = *members;
    return Outcome::taken;
  }
  static std::string show(const std::vector<std::string>& members) { return joined(members, ","); }
};

struct Prefix {
  static Outcome read(const Value& value, const Spot& spot, std::string& target) {
    std::string prefix = as_line(value).value_or("");
    if (!prefix.empty() && prefix.back() != '/') prefix += '/';
    const bool is_fine = !prefix.empty() && prefix.size() <= longest_prefix;
    return take(is_fine ? std::optional(prefix) : std::nullopt, value, spot, target);
  }
  static std::string show(const std::string& prefix) { return prefix; }
};

// By a function for this type alone.
template <auto reader>
struct ReadBy {
  template <typename Target>
  static Outcome read(const Value& value, const Spot& spot, Target& target) {
    return reader(value, spot, target);
  }
  template <typename Target>
  static std::string show(const Target& target) {
    return to_text(target);
  }
};

// "none", or a list of sources.
struct HealthSources {
  static Outcome read(const Value& value, const Spot& spot, domain::HealthOptions& target) {
    // In config.toml, too, one may stand without brackets.
    const auto names = read_names(value.is_text() ? untyped(value.text, value.line) : value, spot);
    if (!names) return Outcome::refused;
    domain::HealthOptions found = target;
    found.http = found.mqtt = false;
    bool none = false;
    for (const std::string& name : *names) {
      const std::string word = lower_case(name);
      if (word == "http") {
        found.http = true;
      } else if (word == "mqtt") {
        found.mqtt = true;
      } else if (word == "none") {
        none = true;
      } else {
        spot.refuse(value);
        return Outcome::refused;
      }
    }
    if (none && found.watches()) {
      spot.refuse(value);
      return Outcome::refused;
    }
    if (names->empty()) return Outcome::unset;
    target = found;
    return Outcome::taken;
  }
  static std::string show(const domain::HealthOptions& health) {
    if (!health.watches()) return "none";
    return health.http && health.mqtt ? "http,mqtt" : health.http ? "http" : "mqtt";
  }
};

template <typename Target>
Outcome take_names(const Value& value, const Spot& spot, Target& target, std::string& where) {
  const auto names = read_names(value, spot);
  if (!names) return Outcome::refused;
  if (names->empty()) return Outcome::unset;
  target = *names;
  where = spot.where(value);
  return Outcome::taken;
}

// The place of a setting: the members that lead to it.
template <auto... path>
struct At {};

template <typename Type, auto... path>
constexpr Row row(std::string_view key, std::string_view variable, std::string_view expected, Type, At<path...>) {
  return {
      key, variable, expected,
      [](const Value& value, const Spot& spot, Configuration& c) { return Type::read(value, spot, (c.*....*path)); },
      [](const Configuration& c) { return Type::show((c.*....*path)); }};
}

using C = Configuration;
using D = domain::Options;
using Cluster = cluster::Options;
using Health = health::Options;
using Judging = domain::HealthOptions;
using Occupancy = health::OccupancyOptions;
using Names = std::vector<std::string>;

const Row table[] = {
    row("scale", "SCALE", a_boolean, Boolean{}, At<&C::domain, &D::scale>{}),
    row("unknown_rooms", "UNKNOWN_ROOMS", "\"reject\" or \"accept\"", OneOf<unknown_rooms_choices>{},
        At<&C::domain, &D::unknown_rooms>{}),
    row("http.listen", "LISTEN_ADDRESS", an_address, OneLine<is_listen_address>{},
        At<&C::http, &http::Options::listen>{}),
    row("http.token_file", "API_TOKEN_FILE", a_path, OneLine<>{}, At<&C::http, &http::Options::token_file>{}),
    row("http.max_connections", "MAX_CONNECTIONS", "a whole number of connections from 1 to 65536", NumberUpTo<65536>{},
        At<&C::http, &http::Options::max_connections>{}),
    row("database.path", "DATABASE_PATH", a_path, OneLine<>{}, At<&C::store, &store::Options::path>{}),
    {"balancing.available_servers", "AVAILABLE_JANUS_SERVERS", a_list,
     [](const Value& v, const Spot& s, C& c) {
       return take_names(v, s, c.domain.available_servers, c.domain.available_where);
     },
     [](const C& c) { return joined(c.domain.available_servers.value_or(Names{}), ","); }},
    row("balancing.max_server_capacity", "MAX_SERVER_CAPACITY", a_count_of_users, NumberUpTo<most_users>{},
        At<&C::domain, &D::max_server_capacity>{}),
    row("balancing.avg_room_occupancy", "AVG_ROOM_OCCUPANCY", a_count_of_users, NumberUpTo<most_users>{},
        At<&C::domain, &D::avg_room_occupancy>{}),
    row("balancing.when_full", "WHEN_FULL", "\"overflow\" or \"reject\"", OneOf<when_full_choices>{},
        At<&C::domain, &D::when_full>{}),
    row("balancing.load", "BALANCING_LOAD", "\"rooms\" or \"sessions\"", OneOf<load_choices>{},
        At<&C::domain, &D::load_by>{}),
    row("regions", "SERVER_REGIONS", "a table of countries like IL = [\"gxy1\", \"gxy2\"]", ReadBy<read_regions>{},
        At<&C::domain, &D::regions>{}),
    row("pins", "SERVER_ROOMS", "a table of rooms like \"1234\" = \"gxy5\"", ReadBy<read_pins>{},
        At<&C::domain, &D::pins>{}),
    row("sessions.dead_after", "DEAD_SESSION_PERIOD", a_duration, DurationFrom<>{}, At<&C::domain, &D::dead_after>{}),
    row("sessions.clean_every", "CLEAN_SESSIONS_INTERVAL", a_duration, DurationFrom<>{},
        At<&C::domain, &D::clean_every>{}),
    row("sessions.join_grace", "JOIN_GRACE", a_duration_or_0, DurationFrom<0>{}, At<&C::domain, &D::join_grace>{}),
    row("sessions.max", "SESSIONS_MAX", "a whole number of sessions from 1 to 10000000", NumberUpTo<most_sessions>{},
        At<&C::domain, &D::max_sessions>{}),
    {"failover.standby_servers", "FAILOVER_JANUS_SERVERS", a_list,
     [](const Value& v, const Spot& s, C& c) {
       return take_names(v, s, c.domain.standby_servers, c.domain.standby_where);
     },
     [](const C& c) { return joined(c.domain.standby_servers, ","); }},
    row("failover.wait", "FAILOVER_WAIT_TIME", a_duration_or_0, DurationFrom<0>{}, At<&C::domain, &D::failover_wait>{}),
    row("failover.move_pinned", "FAILOVER_MOVE_PINNED", a_boolean, Boolean{}, At<&C::domain, &D::move_pinned>{}),
    row("health.source", "HEALTH_SOURCE", "\"none\", \"http\", \"mqtt\", or a list of the last two", HealthSources{},
        At<&C::domain, &D::health>{}),
    row("health.interval", "HEALTH_INTERVAL", a_duration, DurationFrom<>{},
        At<&C::domain, &D::health, &Judging::interval>{}),
    row("health.timeout", "HEALTH_TIMEOUT", a_duration, DurationFrom<>{}, At<&C::health, &Health::timeout>{}),
    row("health.fall", "HEALTH_FALL", a_count, NumberUpTo<most_words>{}, At<&C::domain, &D::health, &Judging::fall>{}),
    row("health.rise", "HEALTH_RISE", a_count, NumberUpTo<most_words>{}, At<&C::domain, &D::health, &Judging::rise>{}),
    row("health.stale_after", "HEALTH_STALE_AFTER", a_duration, DurationFrom<>{},
        At<&C::domain, &D::health, &Judging::stale_after>{}),
    row("health.brake", "HEALTH_BRAKE", "a part of the gateways from 0 to 1 like 0.5", Fraction{},
        At<&C::domain, &D::health, &Judging::brake>{}),
    row("health.mqtt_url", "MQTT_URL", "a broker like \"mqtt://127.0.0.1:1883\" or \"mqtts://broker.example.org:8883\"",
        OneLine<is_broker_url>{}, At<&C::health, &Health::mqtt_url>{}),
    row("health.mqtt_topic", "MQTT_TOPIC", "a topic with one + in place of the gateway's name, like \"janus/+/status\"",
        OneLine<is_status_topic>{}, At<&C::health, &Health::mqtt_topic>{}),
    row("health.mqtt_user", "MQTT_USER", a_user, OneLine<>{}, At<&C::health, &Health::mqtt_user>{}),
    row("health.mqtt_password_file", "MQTT_PASSWORD_FILE", a_path, OneLine<>{},
        At<&C::health, &Health::mqtt_password_file>{}),
    row("health.mqtt_ca_file", "MQTT_CA_FILE", a_path, OneLine<>{}, At<&C::health, &Health::mqtt_ca_file>{}),
    row("occupancy.source", "OCCUPANCY_SOURCE", "\"none\" or \"janus\"", OneOf<occupancy_choices>{},
        At<&C::health, &Health::occupancy, &Occupancy::janus>{}),
    row("occupancy.interval", "OCCUPANCY_INTERVAL", a_duration, DurationFrom<>{},
        At<&C::health, &Health::occupancy, &Occupancy::interval>{}),
    row("occupancy.timeout", "OCCUPANCY_TIMEOUT", a_duration, DurationFrom<>{},
        At<&C::health, &Health::occupancy, &Occupancy::timeout>{}),
    row("occupancy.secret_file", "OCCUPANCY_SECRET_FILE", a_path, OneLine<>{},
        At<&C::health, &Health::occupancy, &Occupancy::secret_file>{}),
    row("occupancy.token_file", "OCCUPANCY_TOKEN_FILE", a_path, OneLine<>{},
        At<&C::health, &Health::occupancy, &Occupancy::token_file>{}),
    row("cluster.engine", "CLUSTER_ENGINE", "\"none\" or \"etcd\"", OneOf<engine_choices>{},
        At<&C::cluster, &Cluster::engine>{}),
    row("cluster.endpoints", "CLUSTER_ENDPOINTS", members_of_etcd, Members{}, At<&C::cluster, &Cluster::endpoints>{}),
    row("cluster.prefix", "CLUSTER_PREFIX", a_prefix, Prefix{}, At<&C::cluster, &Cluster::prefix>{}),
    row("cluster.user", "CLUSTER_USER", a_user, OneLine<>{}, At<&C::cluster, &Cluster::user>{}),
    row("cluster.password_file", "CLUSTER_PASSWORD_FILE", a_path, OneLine<>{},
        At<&C::cluster, &Cluster::password_file>{}),
    row("cluster.ca_file", "CLUSTER_CA_FILE", a_path, OneLine<>{}, At<&C::cluster, &Cluster::ca_file>{}),
    row("cluster.cert_file", "CLUSTER_CERT_FILE", a_path, OneLine<>{}, At<&C::cluster, &Cluster::cert_file>{}),
    row("cluster.key_file", "CLUSTER_KEY_FILE", a_path, OneLine<>{}, At<&C::cluster, &Cluster::key_file>{}),
    row("cluster.max_stale", "CLUSTER_MAX_STALE", a_staleness, DurationFrom<shortest_staleness>{},
        At<&C::cluster, &Cluster::max_stale>{}),
    row("cluster.timeout", "CLUSTER_TIMEOUT", a_wait, DurationFrom<1, longest_wait>{},
        At<&C::cluster, &Cluster::timeout>{}),
    row("cluster.attempt_timeout", "CLUSTER_ATTEMPT_TIMEOUT", a_duration, DurationFrom<>{},
        At<&C::cluster, &Cluster::attempt_timeout>{}),
    row("log.level", "LOG_LEVEL", "\"debug\", \"info\", \"warn\" or \"error\"", OneOf<level_choices>{},
        At<&C::log, &logging::Options::level>{}),
    row("log.format", "LOG_FORMAT", "\"text\" or \"json\"", OneOf<format_choices>{},
        At<&C::log, &logging::Options::format>{}),
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
