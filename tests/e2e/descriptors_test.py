#!/usr/bin/env python3
"""Started with some of standard input, output and error closed."""
import os
import subprocess
import unittest

from sidecar import BINARY, Case, toml, wait_until


class ClosedDescriptors(Case):
    def closed(self, *descriptors):
        return ["bash", "-c", " ".join(f"exec {number}>&-;" for number in descriptors) + ' exec "$@"', "bash"]

    def test_the_log_is_never_written_into_the_sidecars_files(self):
        for descriptors in ((2,), (1, 2), (0, 1, 2)):
            sidecar = self.sidecar(toml(scale=True), start=False)
            sidecar.wrapped_in = self.closed(*descriptors)
            sidecar.launch()
            note = sidecar.folder / "room-sidecar.db.running"
            wait_until(lambda one=note: one.exists() and b"address=127" in one.read_bytes(), "the note")
            for number in descriptors:
                self.assertEqual(os.readlink(f"/proc/{sidecar.process.pid}/fd/{number}"), "/dev/null")
            self.assertEqual([line.split("=")[0] for line in note.read_text().splitlines()],
                             ["pid", "address", "generation"])
            self.assertEqual(sidecar.stop(), 0)
            self.assertFalse(note.exists())
            self.assertEqual((sidecar.folder / "room-sidecar.db.lock").read_bytes(), b"")
            self.assertEqual(sidecar.sql("PRAGMA integrity_check"), [("ok",)])

    def test_messages_of_commands_are_never_written_into_files(self):
        sidecar = self.sidecar()
        copy = sidecar.folder / "copy.db"
        for arguments in (["backup", str(copy)], ["rooms", "set", "2171", "--default-gateway", "gxy2"]):
            done = subprocess.run([*self.closed(0, 1, 2), BINARY, *arguments, "--config", str(sidecar.config_file)],
                                  env=sidecar.environment(), timeout=60, check=False)
            self.assertEqual(done.returncode, 1, "what it says could not be written")
        done = subprocess.run(["sqlite3", str(copy), "PRAGMA integrity_check"], capture_output=True, text=True,
                              timeout=60, check=True)
        self.assertEqual(done.stdout, "ok\n")
        self.assertEqual(sidecar.sql("PRAGMA integrity_check"), [("ok",)])


if __name__ == "__main__":
    unittest.main()
