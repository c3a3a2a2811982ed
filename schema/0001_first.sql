-- The first shape of the database file. The number in this file's name is PRAGMA user_version.
-- gateways and rooms may be edited with the sqlite3 shell while the sidecar runs. So the schema itself
-- refuses bad values, where the editor sees it, and not only the sidecar's reader.

CREATE TABLE gateways (
  id              INTEGER PRIMARY KEY,              -- kept for good: rooms point to it
  name            TEXT    NOT NULL UNIQUE,          -- what clients are answered with
  url             TEXT    NOT NULL DEFAULT '',
  type            TEXT    NOT NULL DEFAULT 'rooms', -- only "rooms" serves rooms
  capacity        INTEGER CHECK (capacity > 0),     -- users; NULL: balancing.max_server_capacity
  disabled        INTEGER NOT NULL DEFAULT 0 CHECK (disabled IN (0, 1)),
  draining        INTEGER NOT NULL DEFAULT 0 CHECK (draining IN (0, 1)),
  removed_at      TEXT,                             -- NULL: not removed
  -- What the configuration said when it was last synced. A field is written only when its
  -- configured value differs from this one, so that an operator's edit by SQL or import stays.
  from_config     INTEGER NOT NULL DEFAULT 0 CHECK (from_config IN (0, 1)),
  synced_url      TEXT,
  synced_type     TEXT,
  synced_capacity INTEGER,
  synced_disabled INTEGER
) STRICT;

CREATE TABLE rooms (
  id                 INTEGER PRIMARY KEY,
  name               TEXT    NOT NULL DEFAULT '',
  gateway_uid        TEXT    NOT NULL UNIQUE,       -- the Janus room id, by which clients know it
  -- No foreign key, and NULL is allowed: a room may point to a gateway that is not there, and the
  -- operator finds such rooms with one SELECT and mends them with one UPDATE.
  default_gateway_id INTEGER,
  disabled           INTEGER NOT NULL DEFAULT 0 CHECK (disabled IN (0, 1)),
  removed_at         TEXT,
  from_config        INTEGER NOT NULL DEFAULT 0 CHECK (from_config IN (0, 1)),
  synced_name        TEXT,
  synced_default_gateway_id INTEGER,
  synced_disabled    INTEGER
) STRICT;

-- No index on gateway_name: loads are counted in memory, and an index would cost each new room
-- another page.
-- Names instead of ids: a row must stay readable when its gateway or its room is gone.
CREATE TABLE room_server_assignments (
  room_id      TEXT NOT NULL PRIMARY KEY,           -- rooms.gateway_uid, or any id if accepted
  gateway_name TEXT NOT NULL,
  region       TEXT NOT NULL DEFAULT '',            -- country code, 'pinned' or ''
  assigned_at  TEXT NOT NULL,
  last_used_at TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Shows a restarted sidecar the occupied rooms. A keepalive writes nothing here.
CREATE TABLE sessions (
  session_id       TEXT NOT NULL PRIMARY KEY,
  room_id          TEXT NOT NULL,
  reported_gateway TEXT,                            -- the `janus` of its last report
  entered_at       TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Single facts about the file; "mode" is the one in which it was last served.
CREATE TABLE meta (
  key   TEXT NOT NULL PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
