#!/usr/bin/env python3
"""Root's commands in the service's folder, while the service's user changes files there."""
import os
import shutil
import subprocess
import sys
import unittest

from sidecar import Case, toml, wait_until

SERVICE = 65534
AS_SERVICE = ["setpriv", f"--reuid={SERVICE}", f"--regid={SERVICE}", "--clear-groups"]
RUNS = 25  # of each command while names are exchanged

# Exchanges two names, over and over (renameat2 with RENAME_EXCHANGE).
EXCHANGE = """
import ctypes, os, sys, time
one, other = (name.encode() for name in sys.argv[1:3])
pause = float(sys.argv[3])
libc = ctypes.CDLL(None, use_errno=True)
while os.getppid() == int(sys.argv[4]):
    if libc.renameat2(-100, one, -100, other, 2) != 0:
        sys.exit(os.strerror(ctypes.get_errno()))
    time.sleep(pause)
"""


class ServiceUser(Case):
    def setUp(self):
        if os.geteuid() != 0:
            self.skipTest("only root can play another user")

    def service(self, parent=""):
        """A sidecar that ran as the service's user, with a room on gxy1; `parent` lies above its folder."""
        one = self.sidecar(toml(scale=True), start=False)
        one.folder.chmod(0o755)
        state = one.folder / parent / "state"
        state.mkdir(parents=True)
        os.chown(state, SERVICE, SERVICE)
        one.database = state / "room-sidecar.db"
        one.env["DATABASE_PATH"] = str(one.database)
        one.wrapped_in = AS_SERVICE
        one.start()
        one.ask("2171")
        one.stop()
        return one

    def exchanged(self, one, other, pause=0.0):
        process = subprocess.Popen([*AS_SERVICE, sys.executable, "-c", EXCHANGE, str(one), str(other), str(pause),
                                    str(os.getpid())], stderr=subprocess.PIPE)
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        inode = one.lstat().st_ino
        wait_until(lambda: one.lstat().st_ino != inode, "the first exchange")
        return process

    def as_service(self, *command):
        subprocess.run([*AS_SERVICE, *map(str, command)], check=True, timeout=30)

    def owners(self, folder):
        return {file.name: file.lstat().st_uid for file in folder.iterdir()}


class Closed(ServiceUser):
    def test_commands_work_behind_a_folder_that_only_root_may_enter(self):
        """As /var/lib/private, which systemd makes for DynamicUser=, with a link beside it."""
        one = self.service("private")
        (one.folder / "private").chmod(0o700)
        state = one.database.parent
        (one.folder / "linked").symlink_to("private/state")
        one.env["DATABASE_PATH"] = str(one.folder / "linked" / one.database.name)
        copies = one.folder / "b.db", state / "b.db"
        for command in (["check"], ["rooms", "list"], ["rooms", "set", "2171", "--default-gateway", "gxy2"],
                        ["backup", copies[0]], ["backup", copies[1]], ["restore", copies[0]], ["restore", copies[1]],
                        ["rooms", "set", "2172", "--default-gateway", "gxy2"], ["check"]):
            done = one.run(*map(str, command))
            self.assertEqual(done.returncode, 0, (command, done.stderr, done.stdout))
        self.assertEqual(set(self.owners(state).values()), {SERVICE}, self.owners(state))
        self.assertEqual(copies[0].stat().st_uid, 0)
        (one.folder / "private").chmod(0o755)  # the service is let in by a mount of systemd's
        one.start()
        self.assertEqual(list(one.assignments()), ["2171"])


class Exchanged(ServiceUser):
    def test_roots_backup_is_not_restored_through_a_link_in_the_services_folder(self):
        one = self.service()
        roots = self.sidecar(toml(scale=True))
        roots.ask("2173")
        roots.stop()
        roots.database.chmod(0o600)
        copy = one.database.with_name("room-sidecar.db.v1")
        self.assertEqual(one.run("backup", str(copy)).returncode, 0)
        link = copy.with_name("link")
        self.as_service("ln", "-s", roots.database, link)
        self.exchanged(copy, link)
        codes = []
        for _ in range(RUNS):
            codes.append(one.run("restore", str(copy)).returncode)
            held = subprocess.run([*AS_SERVICE, "sqlite3", str(one.database), "SELECT room_id FROM "
                                   "room_server_assignments"], capture_output=True, text=True, timeout=30, check=True)
            self.assertEqual(held.stdout.split(), ["2171"], codes)
        self.assertLessEqual(set(codes), {0, 1})
        self.assertEqual(roots.database.stat().st_uid, 0)

    def test_pipes_delay_no_command(self):
        one = self.service()
        good = one.folder / "good.db"
        self.assertEqual(one.run("backup", str(good)).returncode, 0)
        pipe = one.database.with_name("pipe")
        self.as_service("mkfifo", pipe)
        exchanging = self.exchanged(one.database, pipe, 0.0002)
        for command in (["check"], ["backup", str(one.folder / "b.db")], ["rooms", "list"],
                        ["rooms", "set", "2171", "--default-gateway", "gxy1"], ["restore", str(good)]):
            for _ in range(RUNS):
                done = one.run(*command)  # run() gives up after a minute
                self.assertIn(done.returncode, (0, 1, 2), (command, done.stderr))
        self.assertIsNone(exchanging.poll())


class Links(ServiceUser):
    def test_a_link_in_place_of_a_folder_is_not_followed_by_root(self):
        one = self.service()
        good = one.folder / "good.db"
        self.assertEqual(one.run("backup", str(good)).returncode, 0)
        state = one.database.parent
        roots = one.folder / "roots"
        roots.mkdir(mode=0o700)
        self.as_service("ln", "-s", roots, state / "data")
        one.env["DATABASE_PATH"] = str(state / "data" / "room-sidecar.db")
        for command in (["restore", str(good)], ["rooms", "list"], ["check"], ["backup", str(one.folder / "b.db")],
                        ["rooms", "set", "2171", "--default-gateway", "gxy2"]):
            done = one.run(*command)
            self.assertIn(done.returncode, (1, 2), (command, done))
            self.assertIn(f"{state}/data is a link of user {SERVICE}'s to {roots}", done.stdout + done.stderr, command)
        self.assertEqual(list(roots.iterdir()), [])

    def test_a_link_at_the_default_env_file_shows_no_line_of_another_file(self):
        one = self.service()
        secret = one.folder / "secret"
        secret.write_text("= hunter2 scale\n", encoding="utf-8")
        secret.chmod(0o600)
        state = one.database.parent
        shutil.copy(one.config_file, state / "config.toml")
        self.as_service("ln", "-s", secret, state / ".env")
        for command in (["status"], ["check"], ["config"], ["rooms", "list"], ["scale", "on"]):
            done = one.run(*command, "--config", str(state / "config.toml"), config=False)
            self.assertNotEqual(done.returncode, 0, (command, done))
            if command != ["status"]:  # which asks in spite of problems, and shows none
                self.assertIn("is a link that root does not own", done.stdout + done.stderr, (command, done))
            self.assertNotIn("hunter2", done.stdout + done.stderr)
        self.assertEqual(secret.read_text(encoding="utf-8"), "= hunter2 scale\n")


if __name__ == "__main__":
    unittest.main()
