#!/usr/bin/env python3
"""The switch of the mode: the report of a reload, and `room-sidecar scale on|off`."""
import os
import unittest

from sidecar import Case, toml

NOTE = "# a note\n#SCALE=true\nOTHER=\"x\ny\"\n"


class InForce(Case):
    def test_a_reload_reports_the_mode_the_numbers_and_the_changes(self):
        sidecar = self.sidecar(toml(balancing={"max_server_capacity": 400}), dotenv="SCALE=true\n")
        sidecar.write_config(toml(gateways=["gxy1", "gxy2"], balancing={"max_server_capacity": 500},
                                  rooms={"2171": "gxy1", "2172": "gxy2"}))
        sidecar.write_dotenv("\nSCALE=false\nSERVER_ROOMS=2171:gxy2\n")
        answer = sidecar.post("/v2/reload").json
        self.assertEqual({key: answer[key] for key in ("mode", "mode_origin", "gateways", "rooms")},
                         {"mode": "legacy", "mode_origin": ".env:2", "gateways": 2, "rooms": 2})
        self.assertEqual({change["key"]: (change["before"], change["after"], change["origin"])
                          for change in answer["changed"]},
                         {"scale": ("true", "false", ".env:2"),
                          "balancing.max_server_capacity": ("400", "500", "config.toml:3"),
                          "pins": ("", "2171:gxy2", ".env:3")})
        sidecar.wait_for_log("Setting changed setting=scale before=true after=false")
        again = sidecar.run("reload")
        self.assertIn("legacy mode (.env:2)", again.stdout)
        self.assertIn("Gateways: 2, rooms: 2", again.stdout)
        self.assertIn("No setting changed", again.stdout)
        sidecar.write_dotenv("SCALE=true\n")
        changed = sidecar.run("reload").stdout
        self.assertIn("scale: false -> true (.env:1)", changed)
        self.assertIn("pins: 2171:gxy2 -> none", changed)

    def test_a_refusal_reports_the_mode_too(self):
        sidecar = self.sidecar(dotenv="SCALE=true\n")
        sidecar.write_dotenv("SCALE=maybe\n")
        answer = self.expect(sidecar.post("/v2/reload"), 409, "configuration_refused").json
        self.assertEqual((answer["mode"], answer["mode_origin"]), ("scale", ".env:1"))

    def test_a_setting_that_needs_a_restart_is_not_reported_as_changed(self):
        sidecar = self.sidecar()
        sidecar.write_config(toml(http={"max_connections": 17}))
        self.assertEqual(sidecar.post("/v2/reload").json["changed"], [])


class GluedLines(Case):
    def warnings(self, dotenv):
        sidecar = self.sidecar(dotenv="", start=False)
        sidecar.write_dotenv(dotenv)
        return sidecar.run("check").stdout

    def test_an_assignment_within_a_value_or_a_comment_causes_a_warning(self):
        for text in ("OTHER=gxydbSCALE=false\n", "OTHER=\"a b\"SCALE=false", "# the endSCALE=false\n",
                     "#SCALE=false", "DATABASE_PATH=/nowhereSCALE=false", "LOG_LEVEL=info # noteSCALE=false\n",
                     "#export SCALE=false # as usual", "OTHER=1ROOM_SIDECAR_SCALE=off", "# x\nOTHER=x SCALE=off # y"):
            with self.subTest(text=text):
                is_commented_out = text.startswith(("#SCALE", "#export"))
                found = self.warnings(text)
                self.assertEqual("SCALE: is not read" in found, not is_commented_out, found)

    def test_other_programs_names_and_prose_cause_no_warning(self):
        for text in ("IMAGE_SCALE=2", "OPTIONS=--x IMAGE_SCALE=2", "URL=https://x/?SCALE=2&LOG_LEVEL=3",
                     "# set SCALE=true to switch", "OTHER='say SCALE=true, then reload'", "SCALE_OF_IT=3"):
            with self.subTest(text=text):
                self.assertNotIn("warning", self.warnings(text + "\n"))

    def test_a_name_close_to_one_of_the_sidecars_causes_a_warning(self):
        for name, meant in (("SCAL", "SCALE"), ("SERVER_REGION", "SERVER_REGIONS"), ("scale", "SCALE"),
                            ("AVAILABLE_JANUS_SERVER", "AVAILABLE_JANUS_SERVERS"),
                            ("MAX_SERVER_CAPACTIY", "MAX_SERVER_CAPACITY"), ("ROOM_SIDECAR_SCLAE", "SCALE")):
            with self.subTest(name=name):
                found = self.warnings(f"{name}=1\n")
                self.assertIn(name, found)
                self.assertIn(f'did you mean "{meant}"', found)
        for name in ("PATH", "SCALA_HOME", "MQTT_PORT", "DB_URL", "LOG_FILE", "SHELL"):
            with self.subTest(name=name):
                self.assertNotIn("warning", self.warnings(f"{name}=1\n"))


class Switch(Case):
    def switch(self, sidecar, mode, code=0, **more):
        done = sidecar.run("scale", mode, **more)
        self.assertEqual(done.returncode, code, done)
        return done

    def test_the_switch_appends_a_missing_line_and_reports_the_mode_in_force(self):
        for before, after in (("", "SCALE=true\n"), (NOTE, NOTE + "SCALE=true\n"),
                              ("OTHER=x", "OTHER=x\nSCALE=true\n"), ("OTHER=x\r\n", "OTHER=x\r\nSCALE=true\r\n"),
                              ("OTHER=x \\\n", "OTHER=x \\\n\nSCALE=true\n"),
                              ("#SCALE=false", "#SCALE=false\nSCALE=true\n")):
            with self.subTest(before=before):
                sidecar = self.sidecar(dotenv="")
                (sidecar.folder / ".env").write_bytes(before.encode())
                self.assertIn("scale mode", self.switch(sidecar, "on").stdout)
                self.assertEqual((sidecar.folder / ".env").read_bytes().decode(), after)
                self.assertTrue(sidecar.get("/v2/config").json["scale"])
                self.assertEqual(sidecar.run("scale").stdout, "scale mode\n")

    def test_the_switch_creates_a_missing_file(self):
        sidecar = self.sidecar()
        os.chmod(sidecar.config_file, 0o640)
        self.switch(sidecar, "on")
        self.assertEqual((sidecar.folder / ".env").read_text(), "SCALE=true\n")
        self.assertEqual((sidecar.folder / ".env").stat().st_mode & 0o777, 0o640)

    def test_the_switch_changes_the_line_that_counts_and_no_other_byte(self):
        for before, after in (("SCALE=true\nA=1", "SCALE=false\nA=1\n"),
                              (" export  SCALE = 'on'  # why\r\nA=1\r\n", " export  SCALE = false  # why\r\nA=1\r\n"),
                              ("SCALE=\"true\"#x\n", "SCALE=false #x\n"),
                              ("SCALE=true\nB=2\nSCALE=1\n", "SCALE=true\nB=2\nSCALE=false\n"),
                              ("ROOM_SIDECAR_SCALE=yes\nSCALE=yes\n", "ROOM_SIDECAR_SCALE=false\nSCALE=yes\n"),
                              ("\ufeffSCALE=true\n", "\ufeffSCALE=false\n"),
                              ("SCALE=\n", "SCALE=false\n"), ("SCALE=off\n", "SCALE=off\n"),
                              ("SCALE=true", "SCALE=false\n"), ("SCALE=off", "SCALE=off\n")):
            with self.subTest(before=before):
                sidecar = self.sidecar(toml(scale=True), dotenv="")
                file = sidecar.folder / ".env"
                file.write_bytes(before.encode())
                os.chmod(file, 0o640)
                if os.geteuid() == 0:
                    os.chown(file, 12345, 54321)
                self.assertIn("legacy mode", self.switch(sidecar, "off").stdout)
                self.assertEqual(file.read_bytes().decode(), after)
                self.assertEqual(file.stat().st_mode & 0o777, 0o640)
                if os.geteuid() == 0:
                    self.assertEqual((file.stat().st_uid, file.stat().st_gid), (12345, 54321))
                self.assertEqual({f.name for f in sidecar.folder.glob(".env*")}, {".env"})

    def test_a_link_stays_a_link(self):
        sidecar = self.sidecar(dotenv="SCALE=false\n")
        (sidecar.folder / ".env").rename(sidecar.folder / "shared")
        (sidecar.folder / ".env").symlink_to("shared")
        self.switch(sidecar, "on")
        self.assertTrue((sidecar.folder / ".env").is_symlink())
        self.assertEqual((sidecar.folder / "shared").read_text(), "SCALE=true\n")
        (sidecar.folder / "shared").unlink()
        self.assertIn("link", self.switch(sidecar, "on", 1).stderr)

    def test_root_follows_no_link_of_another_users(self):
        if os.geteuid() != 0:
            self.skipTest("only root can play another user")
        sidecar = self.sidecar()
        victim = sidecar.folder / "victim"
        victim.write_text("SCALE=false\n")
        (sidecar.folder / ".env").symlink_to(victim)
        os.lchown(sidecar.folder / ".env", 12345, 12345)
        self.assertIn("link that root does not own", self.switch(sidecar, "on", 1).stderr)
        self.assertEqual(victim.read_text(), "SCALE=false\n")

    def test_another_mode_than_requested_is_a_failure_that_names_its_source(self):
        sidecar = self.sidecar(env={"SCALE": "true"})
        done = self.switch(sidecar, "off", 1)
        self.assertIn("scale mode (environment)", done.stderr)

    def test_a_refused_reload_is_a_failure_that_lists_the_problems(self):
        sidecar = self.sidecar(dotenv="SCALE=false\nLOG_LEVEL=loud\n", start=False)
        sidecar.write_dotenv("")
        sidecar.start()
        sidecar.write_dotenv("LOG_LEVEL=loud\n")
        done = self.switch(sidecar, "on", 1)
        self.assertIn("LOG_LEVEL", done.stderr)
        self.assertIn("legacy mode", done.stderr)

    def test_the_file_is_written_even_without_a_running_sidecar(self):
        sidecar = self.sidecar(start=False)
        done = self.switch(sidecar, "on", 1)
        self.assertIn("SCALE=true", done.stdout)
        self.assertEqual((sidecar.folder / ".env").read_text(), "SCALE=true\n")

    def test_wrong_usage_is_refused(self):
        sidecar = self.sidecar(start=False)
        self.assertEqual(sidecar.run("scale", "maybe").returncode, 2)


if __name__ == "__main__":
    unittest.main()
