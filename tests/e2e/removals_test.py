#!/usr/bin/env python3
"""Entries that leave the configuration are removed, unless the file seems to be lost."""
import unittest

from sidecar import Case, toml
from storage_faults import mounting

ROOMS = {str(2170 + i): "gxy1" for i in range(10)}
FULL = toml(rooms=ROOMS)


def first(count):
    return dict(list(ROOMS.items())[:count])


class Reload(Case):
    def problems(self, sidecar, path="/v2/reload"):
        return " ".join(self.expect(sidecar.post(path), 409, "configuration_refused").json["problems"])

    def test_an_empty_file_is_refused_and_changes_nothing(self):
        for text in ("", "\n \t\r\n", "\ufeff", "# all gone\n", "[http]\n# and so on\n"):
            with self.subTest(text=text):
                sidecar = self.sidecar()  # three rooms: too few to be many
                sidecar.enter("2171", "alice")
                sidecar.write_config(text)
                for path in ("/v2/reload", "/v2/reload?allow_removals=true"):
                    self.assertRegex(self.problems(sidecar, path), "is empty|holds no settings")
                command = sidecar.run("reload")
                self.assertEqual(command.returncode, 2, command)
                self.assertEqual(sidecar.ask("2171").janus, "gxy1")
                self.assertEqual(sidecar.get("/v2/rooms/2171").json["users"], 1)
                sidecar.write_config(toml())
                self.assertEqual(sidecar.post("/v2/reload").status, 200)

    def test_a_missing_default_file_is_refused_too(self):
        namespace = mounting()
        if namespace is None:
            self.skipTest("nothing can be mounted here; see the loud line above")
        usual = 'mount -t tmpfs none /etc; ln -s "$PWD" /etc/room-sidecar; exec "$1" serve'
        sidecar = self.sidecar(wrapped_in=[*namespace, "sh", "-ec", usual, "sh"])
        sidecar.enter("2171", "alice")
        sidecar.config_file.unlink()
        for path in ("/v2/reload", "/v2/reload?allow_removals=true"):
            self.assertIn("/etc/room-sidecar/config.toml: has gone", self.problems(sidecar, path))
        self.assertEqual(sidecar.ask("2171").janus, "gxy1")
        self.assertEqual(sidecar.get("/v2/rooms/2171").json["users"], 1)
        sidecar.stop()
        sidecar.start()  # which removes nothing
        self.assertEqual(sidecar.ask("2171").janus, "gxy1")
        self.assertRegex(sidecar.log_of_this_run(), r"([1-9]+) of \1 configured gateways and 3 of 3 configured rooms")

    def test_a_file_of_comments_is_accepted_if_nothing_would_be_removed(self):
        sidecar = self.sidecar("scale = true\n", dotenv="AVAILABLE_JANUS_SERVERS=gxy1\n")
        sidecar.write_config("# scale = true\n")
        self.assertEqual(sidecar.post("/v2/reload").json["mode"], "legacy")

    def test_a_removal_of_most_rooms_is_refused_with_the_numbers(self):
        sidecar = self.sidecar(FULL)
        sidecar.write_config(toml(rooms=first(4)))
        self.assertIn("6 of 10 configured rooms", self.problems(sidecar))
        sidecar.hang_up()
        sidecar.wait_for_log("6 of 10 configured rooms")
        self.assertEqual(sidecar.ask("2179").janus, "gxy1")
        refused = sidecar.run("reload")
        self.assertEqual(refused.returncode, 2)
        self.assertIn("--allow-removals", refused.stderr)
        applied = sidecar.run("reload", "--allow-removals")
        self.assertEqual(applied.returncode, 0, applied)
        self.assertIn("6 of 10 configured rooms", applied.stderr)
        self.assertEqual(sidecar.ask("2179").status, 404)
        self.assertEqual(sidecar.ask("2171").janus, "gxy1")

    def test_a_removal_of_most_gateways_is_refused_even_in_use(self):
        names = [f"gxy{i}" for i in range(1, 9)]
        sidecar = self.sidecar(toml(scale=True, unknown_rooms="accept", gateways=names, rooms={}))
        for room in range(8):
            self.assertEqual(sidecar.ask(f"r{room}").status, 200)
        sidecar.write_config(toml(scale=True, unknown_rooms="accept", gateways=names[:3], rooms={}))
        self.assertIn("5 of 8 configured gateways", self.problems(sidecar))
        self.assertEqual(sidecar.post("/v2/reload?allow_removals=true").status, 200)
        self.assertEqual(sidecar.post("/v2/reload").status, 200, "they have left, and do not leave again")

    def test_a_removal_of_half_or_of_a_few_is_applied(self):
        for before, after in ((10, 5), (4, 0)):
            with self.subTest(before=before, after=after):
                sidecar = self.sidecar(toml(rooms=first(before)))
                sidecar.write_config(toml(rooms=first(after)))
                self.assertEqual(sidecar.post("/v2/reload").status, 200)

    def test_another_value_of_allow_removals_is_refused(self):
        sidecar = self.sidecar()
        self.expect(sidecar.post("/v2/reload?allow_removals=yes"), 400, "invalid_query")


class Start(Case):
    def test_a_start_without_settings_removes_nothing_with_one_warning(self):
        for text in ("", "# nothing\n"):
            with self.subTest(text=text):
                sidecar = self.sidecar(FULL)
                sidecar.stop()
                sidecar.write_config(text)
                self.assertIn("10 of 10 configured rooms", sidecar.run("check").stdout)
                sidecar.start()
                self.assertEqual(sidecar.ask("2179").janus, "gxy1")
                warnings = [line for line in sidecar.log_of_this_run().splitlines() if " WARN" in line]
                self.assertEqual(len(warnings), 1, warnings)
                self.assertIn("10 of 10 configured rooms", warnings[0])
                sidecar.write_config(toml(rooms=first(1)))
                self.assertIn("9 of 10 configured rooms", sidecar.post("/v2/reload").json["problems"][0])

    def test_a_mass_removal_at_the_start_is_applied_with_a_warning_with_the_numbers(self):
        sidecar = self.sidecar(FULL)
        sidecar.stop()
        sidecar.write_config(toml(rooms=first(2)))
        sidecar.start()
        self.assertEqual(sidecar.ask("2179").status, 404)
        self.assertIn("8 of 10 configured rooms", sidecar.log_of_this_run())


if __name__ == "__main__":
    unittest.main()
