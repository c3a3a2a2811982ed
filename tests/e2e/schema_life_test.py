#!/usr/bin/env python3
"""The database's life: from every schema version that there was to the newest with real data, and a backup
and a restore by the documented commands."""
import pathlib
import sqlite3
import unittest

from sidecar import Case, toml

SCHEMA = sorted((pathlib.Path(__file__).resolve().parents[2] / "schema").glob("*.sql"))
NEWEST = len(SCHEMA)
THEN = "2026-01-02T03:04:05.678Z"
# As an older sidecar left it: gxy3 drained by an operator, gxy4 imported, room 900 too; one room occupied
# by two, one only assigned, one unknown.
DATA = f"""
INSERT INTO gateways (id, name, url, draining, from_config, synced_url) VALUES
  (1, 'gxy1', 'wss://gxy1.example.org/', 0, 1, 'wss://gxy1.example.org/'),
  (2, 'gxy2', 'wss://gxy2.example.org/', 0, 1, 'wss://gxy2.example.org/'),
  (3, 'gxy3', 'wss://gxy3.example.org/', 1, 1, 'wss://gxy3.example.org/'),
  (7, 'gxy4', '', 0, 0, NULL);
INSERT INTO rooms (id, name, gateway_uid, default_gateway_id, from_config, synced_default_gateway_id) VALUES
  (2171, 'Zohar', '2171', 1, 1, 1), (2172, '', '2172', 2, 1, 2), (2173, '', '2173', 3, 1, 3),
  (900, 'imported', '900', 7, 0, NULL);
INSERT INTO room_server_assignments (room_id, gateway_name, region, assigned_at, last_used_at) VALUES
  ('2171', 'gxy3', 'IL', '{THEN}', '{THEN}'), ('2172', 'gxy2', '', '{THEN}', '{THEN}');
INSERT INTO sessions (session_id, room_id, reported_gateway, entered_at) VALUES
  ('anna', '2171', 'gxy3', '{THEN}'), ('ben', '2171', NULL, '{THEN}');
INSERT INTO meta (key, value) VALUES ('mode', 'scale');
"""


def make_file(path, version):
    """The file as a sidecar of that schema version left it, cleanly stopped."""
    file = sqlite3.connect(path)
    file.execute("PRAGMA journal_mode = WAL")
    for schema in SCHEMA[:version]:
        file.executescript(schema.read_text())
    file.executescript(DATA)
    file.execute("PRAGMA application_id = 0x526d5363")
    file.execute(f"PRAGMA user_version = {version}")
    file.close()


class SchemaLife(Case):
    def check_data(self, sidecar):
        self.assertEqual(sidecar.sql("PRAGMA integrity_check"), [("ok",)])
        self.assertEqual(sidecar.sql("PRAGMA user_version"), [(NEWEST,)])
        listed = {row["room"]: row for row in sidecar.get("/v2/assignments").json["assignments"]}
        self.assertEqual({room: row["janus"] for room, row in listed.items()}, {"2171": "gxy3", "2172": "gxy2"})
        self.assertEqual(listed["2171"]["region"], "IL")
        self.assertEqual(listed["2171"]["assigned_at"], THEN)
        self.assertEqual(listed["2171"]["users"], 2)
        gateways = {row["name"]: row for row in sidecar.get("/v2/gateways").json["gateways"]}
        self.assertEqual({name: row["draining"] for name, row in gateways.items()},
                         {"gxy1": False, "gxy2": False, "gxy3": True, "gxy4": False})
        room = sidecar.get("/v2/rooms/900").json
        self.assertEqual((room["name"], room["default_gateway"]), ("imported", "gxy4"))

    def test_every_version_is_migrated_to_the_newest_with_all_its_data(self):
        for version in range(1, NEWEST + 1):
            with self.subTest(version=version):
                sidecar = self.sidecar(toml(scale=True), start=False)
                make_file(sidecar.database, version)
                copy = pathlib.Path(f"{sidecar.database}.v{version}")
                sidecar.start()
                self.check_data(sidecar)
                self.assertEqual(sidecar.ask("2171").reason, "sticky")
                self.assertEqual(copy.exists(), version < NEWEST)
                if copy.exists():
                    file = sqlite3.connect(f"file:{copy}?mode=ro", uri=True)
                    self.assertEqual(file.execute("PRAGMA user_version").fetchall(), [(version,)])
                    self.assertEqual(file.execute("SELECT count(*) FROM sessions").fetchall(), [(2,)])
                    file.close()

    def test_a_backup_of_each_version_is_restored_by_the_documented_commands(self):
        for version in range(1, NEWEST + 1):
            with self.subTest(version=version):
                sidecar = self.sidecar(toml(scale=True), start=False)
                make_file(sidecar.database, version)
                sidecar.start()
                backup = str(sidecar.folder / "copy.db")
                self.assertEqual(sidecar.run("backup", backup).returncode, 0)
                # Life goes on after the backup, and then the disk is lost.
                sidecar.delete("/v2/assignments/2171?force=true")
                sidecar.put("/v2/gateways/gxy1/drain")
                sidecar.kill()
                sidecar.database.unlink()
                self.assertEqual(sidecar.run("restore", backup).returncode, 0)
                sidecar.start()
                self.check_data(sidecar)

    def test_the_copy_of_an_older_version_is_restored_and_migrated_again(self):
        if NEWEST == 1:
            self.assertEqual([path.name for path in SCHEMA], ["0001_first.sql"])  # there is no older one
            return
        sidecar = self.sidecar(toml(scale=True), start=False)
        make_file(sidecar.database, 1)
        sidecar.start()
        sidecar.ask("2173")
        sidecar.stop()
        self.assertEqual(sidecar.run("restore", f"{sidecar.database}.v1").returncode, 0)
        sidecar.start()
        self.check_data(sidecar)


if __name__ == "__main__":
    unittest.main()
