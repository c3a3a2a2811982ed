// cluster join and cluster leave: between the database file and etcd, beside a running sidecar or without one.
#include <chrono>
#include <csignal>

#include "cli/answer_fields.h"
#include "cli/commands.h"
#include "cli/configured.h"
#include "cli/database_file.h"
#include "cli/sidecar.h"
#include "cli/table.h"
#include "cluster/migration.h"
#include "cluster/resume_point.h"
#include "etcd/followed_cluster.h"
#include "json/writer.h"
#include "store/assignments_table.h"
#include "store/failure.h"
#include "store/gateways_table.h"
#include "store/meta_table.h"
#include "store/owner.h"
#include "store/sessions_table.h"

namespace cli {
namespace {

// Enough for a hundred thousand rooms; each single call is bounded by cluster.timeout.
constexpr std::chrono::minutes longest_run{5};
// As etcd/authenticator.cpp has it.
constexpr std::chrono::seconds longest_check{30};

config::Configuration configuration_with_members(const CommandLine& line, Terminal& terminal) {
  auto configuration = sound_configuration(line, terminal);
  if (configuration.cluster.endpoints.empty()) {
    throw CommandFailed("cluster.endpoints is missing; name the members of etcd (with engine = \"none\", too)",
                        kWrongInput);
  }
  // A member that hangs up must not end the command.
  std::signal(SIGPIPE, SIG_IGN);
  return configuration;
}

struct File {
  std::string sidecar;
  cluster::LocalState local;
};

// Changes nothing in it: a running sidecar may have it.
File read_file(const std::string& path, Terminal& terminal) {
  require_database(path);
  File file;
  std::optional<std::string> id;
  read_database(path, [&](store::Database& database) {
    id = store::read_meta(database, cluster::identity_fact);
    std::vector<std::string> skipped;
    file.local.rooms = store::read_assignments(database, skipped);
    for (auto& session : store::read_sessions(database, skipped)) {
      file.local.live.insert(std::move(session.room_id));
    }
    for (const auto& row : store::read_gateways(database, skipped)) {
      const auto& gateway = row.gateway;
      if (!gateway.draining || gateway.removed) continue;
      file.local.drains.emplace_back(gateway.name,
                                     gateway.evacuating ? domain::Draining::and_evacuating : domain::Draining::yes);
    }
    for (const auto& sentence : skipped) terminal.err << "warning: " << printable(sentence) << '\n';
  });
  if (!id) {
    throw CommandFailed("the sidecar of " + path +
                        " has no identity yet; start this version once, which gives it one, then try again");
  }
  file.sidecar = std::move(*id);
  return file;
}

// Else rooms may be republished to where only some sidecars look for them.
void require_one_cluster(etcd::Client& client) {
  const auto different = etcd::different_clusters(client.members());
  if (!different) return;
  throw CommandFailed("cluster.endpoints lead to different etcd clusters: " + printable(etcd::to_text(*different)) +
                      "; name the members of one only");
}

std::string for_programs(const cluster::Republished& republished, bool dry_run) {
  json::Writer json;
  json.begin_object()
      .member("dry_run", dry_run)
      .member("shared_already", republished.is_shared_already)
      .member("carried", republished.republished)
      .member("there_already", republished.there_already)
      .member("drains", republished.drains);
  json.key("elsewhere").begin_array();
  for (const auto& room : republished.elsewhere) {
    json.begin_object().member("room", room.room).member("here", room.here).member("there", room.there).end_object();
  }
  json.end_array().end_object();
  return json.take() + '\n';
}

std::string for_people(const cluster::Republished& republished, bool dry_run) {
  if (republished.is_shared_already) return "This sidecar shares already; it copies what etcd lacks by itself.\n";
  Table counts({{"ROOMS"}, {"", Align::right}});
  counts.add_row({dry_run ? "to be copied" : "copied", std::to_string(republished.republished)});
  counts.add_row({"there already", std::to_string(republished.there_already)});
  counts.add_row({"elsewhere", std::to_string(republished.elsewhere.size())});
  std::string text = counts.text();
  if (republished.drains > 0) {
    text += std::string(dry_run ? "Drains of gateways to be copied: " : "Drains of gateways copied: ") +
            std::to_string(republished.drains) + '\n';
  }
  if (republished.elsewhere.empty()) return text;
  Table rooms({{"ROOM"}, {"HERE"}, {"THERE"}});
  for (const auto& room : republished.elsewhere) rooms.add_row({room.room.text(), room.here, room.there});
  return text + '\n' + rooms.text() +
         "\nThe gateway in etcd wins once this sidecar shares. Users in such a room here are then split from\n"
         "later ones; to avoid that, wait until the room is empty here.\n";
}

// Does the sidecar that runs on the file, or the one that was named, share? Nothing: none runs.
std::optional<bool> shares(const CommandLine& line, const std::string& database) {
  if (!line.server) {
    try {
      if (!store::read_owner_note(database)) return std::nullopt;
    } catch (const store::Failure&) {  // not ours to read: the configured address decides
    }
  }
  Sidecar sidecar(line, Sidecar::Purpose::steer);
  const auto answer = sidecar.ask("GET", "/v2/cluster");
  if (answer.status == 404) return false;  // an older one, which cannot
  if (!answer.is_fine()) throw CommandFailed(Sidecar::refusal(answer));
  return text_at(answer.body, "engine") != "none";
}

void require_alone(const CommandLine& line, const config::Configuration& configuration, etcd::Client& client,
                   const std::string& id) {
  const std::string wrong_order =
      "this sidecar shares its assignments; set engine = \"none\" in [cluster] and reload it first";
  if (configuration.cluster.is_shared()) throw CommandFailed(wrong_order);
  const auto shared = shares(line, configuration.store.path);
  if (shared) {
    if (*shared) throw CommandFailed(wrong_order);
    return;
  }
  std::string why;
  const auto announced = cluster::is_announced(client, configuration.cluster, id, &why);
  if (!announced) throw CommandFailed(why);
  if (!*announced) return;
  throw CommandFailed("etcd lists this sidecar as one that shares; if it was stopped just now, try again in 20 s");
}

}  // namespace

int cluster_join(const CommandLine& line, Terminal& terminal) {
  const auto configuration = configuration_with_members(line, terminal);
  const auto file = read_file(configuration.store.path, terminal);
  etcd::Client client(configuration.cluster);
  require_one_cluster(client);
  client.wait_for_password_check(etcd::Client::Clock::now() + longest_check);
  const auto republished = cluster::republish_all(client, configuration.cluster, file.sidecar, file.local, line.dry_run,
                                                  etcd::Client::Clock::now() + longest_run);
  if (republished.problem) {
    throw CommandFailed(printable(*republished.problem) + (republished.republished > 0 && !line.dry_run
                                                               ? "; " + std::to_string(republished.republished) +
                                                                     " rooms were copied before; run it again"
                                                               : ""));
  }
  terminal.out << (line.json ? for_programs(republished, line.dry_run) : for_people(republished, line.dry_run));
  return republished.elsewhere.empty() ? kFine : kFailed;
}

int cluster_leave(const CommandLine& line, Terminal& terminal) {
  const auto configuration = configuration_with_members(line, terminal);
  const auto file = read_file(configuration.store.path, terminal);
  etcd::Client client(configuration.cluster);
  require_one_cluster(client);
  client.wait_for_password_check(etcd::Client::Clock::now() + longest_check);
  require_alone(line, configuration, client, file.sidecar);
  const auto left =
      cluster::leave_store(client, configuration.cluster, file.sidecar, etcd::Client::Clock::now() + longest_run);
  if (left.problem) throw CommandFailed(printable(*left.problem) + "; run it again");
  if (line.json) {
    json::Writer json;
    json.begin_object().member("given_up", left.marks).member("ended", left.ended).end_object();
    terminal.out << json.take() << '\n';
  } else {
    terminal.out << "This sidecar is removed from etcd: " << left.marks << (left.marks == 1 ? " room" : " rooms")
                 << " given up there, " << left.ended << " of them used by no other sidecar.\n"
                 << "Here every room stays where it is.\n";
  }
  return kFine;
}

}  // namespace cli
