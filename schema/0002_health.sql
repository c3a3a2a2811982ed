-- Gateways that live and die.

-- 1: it drains, and the rooms on it are moved away.
ALTER TABLE gateways ADD COLUMN emptying INTEGER NOT NULL DEFAULT 0 CHECK (emptying IN (0, 1));
-- Where it is asked for its health and its rooms; '': at its url.
ALTER TABLE gateways ADD COLUMN admin_url TEXT NOT NULL DEFAULT '';
ALTER TABLE gateways ADD COLUMN synced_admin_url TEXT;

-- The gateways that rooms are being moved away from, so that a restart in the middle goes on with the
-- same standby. Gone when the gateway is well again.
CREATE TABLE failovers (
  gateway_name TEXT NOT NULL PRIMARY KEY,
  standby      TEXT                                 -- which takes all; NULL: each room is placed anew
) STRICT, WITHOUT ROWID;
