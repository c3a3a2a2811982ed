-- Health of gateways.

-- 1: it drains, and the rooms on it are moved away.
ALTER TABLE gateways ADD COLUMN emptying INTEGER NOT NULL DEFAULT 0 CHECK (emptying IN (0, 1));
-- The address for probes and room lists; '': the url.
ALTER TABLE gateways ADD COLUMN admin_url TEXT NOT NULL DEFAULT '';
ALTER TABLE gateways ADD COLUMN synced_admin_url TEXT;

-- The gateways that rooms are being moved away from, so that a restart in the middle goes on with the
-- same standby. The row is removed when the gateway is up again.
CREATE TABLE failovers (
  gateway_name TEXT NOT NULL PRIMARY KEY,
  standby      TEXT                                 -- which takes all; NULL: each room is placed anew
) STRICT, WITHOUT ROWID;
