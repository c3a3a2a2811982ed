#!/usr/bin/env python3
"""The power fails at any instant: answered means synced.

The real binary runs with POWER_LOSS_LIBRARY preloaded (tests/faults/power_loss.cpp), and from its
record the state of the disk at many instants is made. CRASH_ROUNDS and CRASH_SEED as in
crash_test.py.
"""
import contextlib
import os
import pathlib
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import unittest

from crash_test import GATEWAYS, ROUNDS, SEED, different, rows_in, scale
from load import Load
from power_loss import Disk, positions
from sidecar import Case, toml, wait_until

LIBRARY = os.environ["POWER_LOSS_LIBRARY"]
# The share of unsynced changes on the disk: none, some, all (as after kill -9).
SHARES = (None, 0.1, 0.5, 0.9, 1.0)


class Recorded:
    """A recorded folder, and the possible states of the disk."""

    def __init__(self, folder, record, chance):
        self.folder, self.record, self.chance = folder, record, chance
        record.touch()
        self.environment = {"LD_PRELOAD": LIBRARY, "POWER_LOSS_FOLDER": str(folder),
                            "POWER_LOSS_RECORD": str(record)}
        self._disk = Disk(record, folder)
        self._scratch = pathlib.Path(tempfile.mkdtemp(prefix="power-loss-"))
        self._count = 0

    def now(self):
        return self.record.stat().st_size

    def left_at(self, position, share):
        """A new folder. Positions may not fall from call to call."""
        self._disk.advance(position)
        self._count += 1
        return self._disk.leave(self._scratch / str(self._count),
                                None if share is None else self.chance, share)

    def remove(self):
        self._disk.close()
        self.record.unlink()
        shutil.rmtree(self._scratch)


class PowerLoss(Case):
    def setUp(self):
        self.chance = random.Random(f"{SEED} {self.id()}")

    def folder(self):
        folder = pathlib.Path(tempfile.mkdtemp(prefix="power-loss-")).resolve()
        self.addCleanup(shutil.rmtree, folder)
        return folder

    def recorded(self, folder):
        # Beside the folder, and not in it: the library would look at its own record.
        recorded = Recorded(folder, folder.with_name(folder.name + ".record"), self.chance)
        self.addCleanup(recorded.remove)
        return recorded

    def recorded_sidecar(self, config, **more):
        sidecar = self.sidecar(config, start=False, **more)
        recorded = self.recorded(sidecar.folder)
        sidecar.env.update(recorded.environment)
        return sidecar, recorded

    def start_on(self, folder, config):
        """The real binary after the power came back."""
        sidecar = self.sidecar(config, start=False)
        for file in folder.iterdir():
            if not file.name.startswith(sidecar.database.name):
                file.unlink()
        subprocess.run(["cp", "-a", f"{folder}/.", sidecar.folder], check=True)
        return sidecar.start()

    def run_well(self, sidecar, *arguments, **more):
        done = sidecar.run(*arguments, **more)
        self.assertEqual(done.returncode, 0, done.stderr)

    def every_disk(self, recorded, looks=10**6, shares=SHARES, since=0):
        """The possible states at each recorded instant, or at that many of them in 20
        rounds: position, share, folder."""
        every = [end for end in (0, *positions(recorded.record)) if end >= since]
        looks = min(looks * ROUNDS // 20, len(every))
        for position in sorted({*self.chance.sample(every, looks), every[0], every[-1]}):
            for share in shares:
                yield position, share, recorded.left_at(position, share)

    def test_the_record_shows_the_loss_of_an_unsynced_commit(self):
        """A proof that these tests can fail: the same in SQLite's shell, with and without syncs."""
        for synchronous, is_kept in (("FULL", True), ("NORMAL", False), ("OFF", False)):
            with self.subTest(synchronous):
                folder = self.folder()
                recorded = self.recorded(folder)
                shell = subprocess.Popen(["sqlite3", "-batch", str(folder / "file.db")],
                                         stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                         env={**os.environ, **recorded.environment})

                def answer(sql, shell=shell):
                    shell.stdin.write(f"{sql}; SELECT 'done';\n")
                    shell.stdin.flush()
                    while shell.stdout.readline() != "done\n":
                        pass
                answer("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE t (x)")
                answer(f"PRAGMA synchronous = {synchronous}; INSERT INTO t VALUES (1)")
                left = recorded.left_at(recorded.now(), None)
                shell.kill()
                shell.communicate()
                with contextlib.closing(sqlite3.connect(left / "file.db")) as file:
                    rows = file.execute("SELECT x FROM t").fetchall()
                self.assertEqual(rows, [(1,)] if is_kept else [])

    def test_answers_are_on_the_disk_when_the_power_fails_under_load(self):
        looked_at, promises = 0, 0
        for number in range(max(2, ROUNDS // 8)):
            sidecar, recorded = self.recorded_sidecar(scale())
            sidecar.start()
            # Enough for a checkpoint or two of its own.
            with Load(sidecar, self.chance, f"{number}-", mark=recorded.now) as load:
                wait_until(lambda load=load: len(load.promises) > 500, "some load")
                # Another program writes, and starts the -wal over.
                subprocess.run(
                    ["sqlite3", "-cmd", ".timeout 5000", sidecar.database,
                     "UPDATE gateways SET url = 'ws://x' WHERE name = 'gxy6';"
                     "PRAGMA wal_checkpoint(TRUNCATE); UPDATE gateways SET url = 'ws://y'"],
                    env={**os.environ, **recorded.environment}, check=True, capture_output=True)
                wait_until(lambda load=load: len(load.promises) > 600, "more load")
            sidecar.kill()
            self.assertEqual(load.faults, [])
            promises += len(load.promises)
            instants = self.chance.sample(list(positions(recorded.record)), 40)
            for instant in sorted([*instants, recorded.now()]):
                share = self.chance.choice(SHARES)
                left = recorded.left_at(instant, share)
                promised = load.standing_at(instant)
                looked_at += 1
                with self.subTest(instant=instant, share=share):
                    if looked_at % 10 == 0:
                        again = self.start_on(left, scale())
                        self.assertEqual(different(promised, again.assignments()), {})
                        again.kill()
                    file = left / sidecar.database.name
                    found = rows_in(file) if file.exists() else {}
                    self.assertEqual(different(promised, found), {})
        print(f"{looked_at} power failures, {promises} promises", file=sys.stderr)

    def test_a_first_start_can_be_cut_short_anywhere(self):
        sidecar, recorded = self.recorded_sidecar(scale())
        sidecar.start()
        sidecar.ask("1")
        asked = recorded.now()
        sidecar.kill()
        for position, share, left in self.every_disk(recorded, 8, (None, 0.5)):
            with self.subTest(position=position, share=share):
                again = self.start_on(left, scale())
                reason = again.ask("1").reason
                self.assertIn(reason, ("sticky",) if position >= asked else ("sticky", "assigned"))
                again.kill()

    def test_an_answered_operators_command_is_on_the_disk(self):
        config = toml(scale=False, gateways=GATEWAYS)
        sidecar, recorded = self.recorded_sidecar(config)
        sidecar.start()

        def on_the_disk(sql):
            left = recorded.left_at(recorded.now(), None)
            with contextlib.closing(sqlite3.connect(left / sidecar.database.name)) as file:
                return file.execute(sql).fetchall()

        self.assertEqual(sidecar.put("/v2/gateways/gxy2/drain").status, 200)
        self.assertEqual(on_the_disk("SELECT name FROM gateways WHERE draining"), [("gxy2",)])
        self.assertEqual(sidecar.delete("/v2/gateways/gxy2/drain").status, 200)
        self.assertEqual(on_the_disk("SELECT name FROM gateways WHERE draining"), [])
        default = ("SELECT g.name FROM rooms r JOIN gateways g ON g.id = r.default_gateway_id"
                   " WHERE r.gateway_uid = '2171'")
        self.run_well(sidecar, "rooms", "set", "2171", "--default-gateway", "gxy5")
        self.assertEqual(on_the_disk(default), [("gxy5",)])
        rooms = "gateway_uid,default_gateway\n2171,gxy6\n77,gxy1\n"
        self.run_well(sidecar, "rooms", "import", "-", stdin=rooms)
        self.assertEqual(on_the_disk(default), [("gxy6",)])
        wait_until(lambda: sidecar.enter("77", "s", janus="gxy3").status == 200, "the room")
        sidecar.write_config(toml(scale=True, gateways=GATEWAYS))
        self.run_well(sidecar, "reload")
        self.assertEqual(on_the_disk("SELECT room_id, gateway_name FROM room_server_assignments"),
                         [("77", "gxy3")])
        self.assertEqual(on_the_disk("SELECT room_id, session_id FROM sessions"), [("77", "s")])
        self.assertEqual(sidecar.delete("/v2/assignments/77?force=true").status, 200)
        self.assertEqual(on_the_disk("SELECT * FROM room_server_assignments"), [])

    def test_a_recreated_file_is_on_the_disk_before_the_next_answer(self):
        for vanished in (("",), ("", "-wal", "-shm")):
            sidecar, recorded = self.recorded_sidecar(scale())
            sidecar.start()
            kept = {f"r{i}": sidecar.ask(f"r{i}").janus for i in range(5)}
            before = recorded.now()
            unlink = "import os, sys\nfor name in sys.argv[1:]: os.unlink(name)"
            subprocess.run([sys.executable, "-c", unlink,
                            *(f"{sidecar.database}{end}" for end in vanished)],
                           env={**os.environ, **recorded.environment}, check=True)
            wait_until(sidecar.database.exists, "the file to be there again")
            wait_until(lambda one=sidecar: one.ask("later").status == 200, "new rooms again")
            later = {**kept, "later": sidecar.ask("later").janus}
            sidecar.kill()
            last = recorded.now()
            # A -wal removed by a person may be gone before the rest: the sidecar cannot repair that.
            since = before if vanished == ("",) else last
            for position, share, left in self.every_disk(recorded, 12, since=since):
                file = left / sidecar.database.name
                with self.subTest(vanished=vanished, position=position, share=share):
                    if position == last:
                        self.assertEqual(different(later, rows_in(file)), {})
                    elif file.exists():
                        self.assertEqual(different(kept, rows_in(file)), {})

    def test_an_answered_backup_is_on_the_disk_and_the_older_one_until_then(self):
        sidecar = self.sidecar(scale())
        folder = self.folder()
        target = folder / "backup"
        versions = []
        for room in ("first", "second"):
            sidecar.ask(room)
            versions.append(sidecar.assignments())
            if room == "second":
                recorded = self.recorded(folder)
                sidecar.env.update(recorded.environment)
            self.run_well(sidecar, "backup", str(target))
        found = []
        for position, share, left in self.every_disk(recorded):
            with self.subTest(position=position, share=share):
                found.append(versions.index(rows_in(left / "backup")))
        self.assertEqual((found[0], found[-len(SHARES):]), (0, [1] * len(SHARES)))

    def test_a_restore_cut_short_leaves_the_old_file_or_the_new_one(self):
        for how in ("stop", "kill"):
            sidecar = self.sidecar(scale())
            backup = sidecar.folder / "backup"
            sidecar.ask("saved")
            self.run_well(sidecar, "backup", str(backup))
            saved = sidecar.assignments()
            for i in range(20):
                sidecar.ask(f"newer-{i}")
            newer = sidecar.assignments()
            getattr(sidecar, how)()  # after a kill much is in the -wal only
            recorded = self.recorded(sidecar.folder)
            sidecar.env.update(recorded.environment)
            self.run_well(sidecar, "restore", str(backup))
            last = recorded.now()
            for position, share, left in self.every_disk(recorded, 12):
                with self.subTest(how, position=position, share=share):
                    if position == last:
                        kept = left / (sidecar.database.name + ".before-restore")
                        self.assertEqual(rows_in(kept), newer)
                    if share is None:
                        again = self.start_on(left, scale())
                        found = again.assignments()
                        again.kill()
                    else:
                        found = rows_in(left / sidecar.database.name)
                    if position == last:
                        self.assertEqual(found, saved)
                    elif found != saved:
                        # The old file is older without its -wal, and the -wal is kept beside it.
                        self.assertEqual(different(found, newer), {})


if __name__ == "__main__":
    print(f"CRASH_SEED={SEED} CRASH_ROUNDS={ROUNDS}", file=sys.stderr)
    unittest.main()
