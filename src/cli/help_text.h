// What `room-sidecar --help` prints: written by hand, since it has to fit a screen and read well.
#pragma once

namespace cli {

inline constexpr const char* kHelp =
    R"(room-sidecar runs beside a signaling server and answers one question:
which Janus gateway serves this room?

Usage: room-sidecar COMMAND [OPTIONS]

Running it
  serve                 run in the foreground
  check                 validate the configuration and the database, print every problem
  config                show the effective settings, and where each came from
  reload                make the running sidecar read its configuration again
  scale [on|off]        which mode answers; switch it in .env, and reload

Looking and steering (asks the running sidecar)
  status                mode, health, gateways and their load; --watch: again and again
  assignments           which room is on which gateway
  splits                rooms with users on the wrong gateway, as reported
  explain ROOM          where the room would go now, and why
  why ROOM              why it is where it is: the newest decisions about it
  drain GW [--move]     no new rooms on the gateway; the rooms there stay, or move
  undrain GW            new rooms on it again
  release ROOM          forget the room's assignment

The database file
  rooms import FILE     add and update rooms from CSV or JSON
  rooms list            the rooms of the file
  rooms set ROOM        give a room another default gateway
  backup FILE           a consistent copy, also while the sidecar runs
  restore FILE          put such a copy in place, only while it does not run

Many sidecars that share assignments in etcd
  cluster join          copy this sidecar's rooms into etcd; --dry-run: only compare
  cluster leave         remove this sidecar from etcd, once it is alone again

Options, before or after the command
  --config FILE         default: /etc/room-sidecar/config.toml, which may be missing
  --env-file FILE       default: .env beside the config file
  --                    ends the options: what follows is a room, a gateway or a file
  -h, --help; --version this page (after a command: about that command); the version

Exit codes: 0 fine, 1 failed while running, 2 wrong usage or configuration.
)";

inline constexpr const char* kImportHelp =
    R"(FILE is CSV with a header, or a JSON array of objects with the same names; - is standard
input. Columns: gateway_uid and default_gateway; id and name may be missing. Known rooms (by
gateway_uid) are updated, new ones are added, none is deleted. An empty default_gateway means none
for a new room, and no change for a known one. The import is all or nothing: if anything is wrong,
each problem is listed with its line, and nothing is written.

Examples:
  room-sidecar rooms import rooms.csv
      gateway_uid,name,default_gateway
      2171,Morning lesson,gxy1
      2172,"Questions, answers",gxy2
  echo '[{"gateway_uid":"2171","default_gateway":"gxy1"}]' | room-sidecar rooms import -
  curl -s https://gxydb.example.org/groups | room-sidecar rooms import --janus-is-default -)";

}  // namespace cli
