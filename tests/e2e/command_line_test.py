#!/usr/bin/env python3
"""The sub-commands, from a shell."""
import json
import os
import subprocess
import unittest

from sidecar import BINARY, Case, toml, wait_until


class Usage(Case):
    def setUp(self):
        self.one = self.sidecar(start=False)

    def run_it(self, *arguments):
        return subprocess.run([BINARY, *arguments], env=self.one.environment(),
                              capture_output=True, text=True, timeout=60, cwd=self.one.folder)

    def test_help_and_version_exit_0(self):
        for arguments in (["--help"], ["--version"], ["serve", "--help"], ["rooms", "--help"]):
            done = self.run_it(*arguments)
            self.assertEqual((done.returncode, bool(done.stdout)), (0, True), arguments)

    def test_wrong_usage_exits_2(self):
        for arguments in ([], ["--nonsense"], ["nonsense"], ["serve", "--nonsense"], ["explain"],
                          ["rooms"], ["rooms", "nonsense"], ["check", "extra"],
                          ["check", "--config"], ["drain"], ["backup"]):
            done = self.run_it(*arguments)
            self.assertEqual((done.returncode, bool(done.stderr)), (2, True), arguments)

    def test_a_named_configuration_must_be_there(self):
        for command in ("check", "config", "serve"):
            done = self.run_it(command, "--config", str(self.one.folder / "nowhere.toml"))
            self.assertEqual(done.returncode, 2, command)
            self.assertIn("nowhere.toml", done.stderr + done.stdout)


class Check(Case):
    def check(self, config, dotenv=None, env=None):
        one = self.sidecar(config, start=False, dotenv=dotenv)
        done = one.run("check", env=env)
        return done.returncode, done.stdout + done.stderr, one

    def test_a_good_configuration_exits_0_and_nothing_is_created(self):
        code, _, one = self.check(toml())
        self.assertEqual((code, one.database.exists()), (0, False))

    def test_every_problem_is_printed(self):
        code, text, _ = self.check(
            toml(balancing={"max_server_capcity": 1, "avg_room_occupancy": 0},
                 regions={"IL": []}, pins={"1": "gxy9"}),
            dotenv="CLEAN_SESSIONS_INTERVAL=soon\n")
        self.assertEqual(code, 2, text)
        for part in ("max_server_capcity", "max_server_capacity", "avg_room_occupancy", "IL",
                     "gxy9", "CLEAN_SESSIONS_INTERVAL", ".env:1", "soon", "config.toml:"):
            self.assertIn(part, text)

    def test_a_syntax_error_names_its_line(self):
        code, text, _ = self.check("scale = true\nscale == false\n")
        self.assertEqual(code, 2)
        self.assertIn("config.toml:2", text)

    def test_warnings_exit_0(self):
        code, text, _ = self.check(toml(), dotenv="SCALE=true\nSCALE=false\n")
        self.assertEqual(code, 0)
        self.assertIn(".env:2", text)

    def test_lines_of_other_programs_in_env_are_accepted(self):
        code, text, _ = self.check(
            toml(), dotenv="PS1='a'b\nX=\"unclosed\nexport FOO\n"
                           "KEY='-----BEGIN\n\nabc='\nSCALE=on\n")
        self.assertEqual((code, text), (0, "All is well.\n"))

    def test_a_missing_folder_of_the_database_is_an_error(self):
        one = self.sidecar(toml(), start=False)
        one.database = one.folder / "nowhere" / "rooms.db"
        done = one.run("check", env={"DATABASE_PATH": str(one.database)})
        self.assertEqual(done.returncode, 2, done.stdout)
        self.assertIn("environment: DATABASE_PATH: ", done.stdout)
        self.assertFalse(one.database.parent.exists())

    def test_rooms_without_a_valid_default_gateway_cause_a_warning_beside_a_running_sidecar(self):
        one = self.sidecar()
        one.shell("UPDATE rooms SET default_gateway_id = 999 WHERE id = 2172;")
        done = one.run("check")
        self.assertEqual(done.returncode, 0)
        self.assertIn("2172", done.stdout + done.stderr)
        self.assertNotIn("2171", done.stdout + done.stderr)
        self.assertEqual(one.ask("2171").status, 200)


class Config(Case):
    def test_each_setting_is_shown_with_its_source(self):
        one = self.sidecar("scale = true\n[balancing]\nmax_server_capacity = 77\n", start=False,
                           dotenv="AVG_ROOM_OCCUPANCY=7\nLOG_LEVEL=debug\n")
        done = one.run("config", env={"LOG_LEVEL": "warn"})
        self.assertEqual(done.returncode, 0, done.stderr)
        lines = {line.split()[0]: line for line in done.stdout.splitlines() if line.split()}
        for key, value, origin in (("scale", "true", "config.toml:1"),
                                   ("balancing.max_server_capacity", "77", "config.toml:3"),
                                   ("balancing.avg_room_occupancy", "7", ".env:1"),
                                   ("log.level", "warn", "environment"),
                                   ("sessions.clean_every", "1m", "default")):
            self.assertIn(value, lines[key].split())
            self.assertIn(origin, lines[key])


class EndOfOptions(Case):
    def test_two_dashes_end_the_options_of_every_command(self):
        one = self.sidecar(toml(scale=True, unknown_rooms="accept"))
        config = ["--config", str(one.config_file)]

        def run_it(*arguments):
            return one.run(*arguments, config=False)

        one.ask("--json")
        one.ask("-5")
        self.assertIn("--json", run_it("explain", *config, "--", "--json").stdout)
        self.assertIn("Room -5", run_it("why", *config, "--", "-5").stdout)
        self.assertEqual(run_it("release", *config, "--", "-5").returncode, 0)
        self.assertEqual(run_it("release", *config, "--force", "--", "--json").returncode, 0)
        self.assertEqual(one.assignments(), {})
        self.assertEqual(run_it("status", *config, "--").returncode, 0)
        self.assertEqual(run_it("drain", *config, "--", "gxy1").returncode, 0)
        self.assertTrue(one.gateway("gxy1")["draining"])
        self.assertEqual(run_it(*config, "--", "undrain", "gxy1").returncode, 0)
        self.assertFalse(one.gateway("gxy1")["draining"])
        for arguments in (["drain", "gxy1", "--", "--move"], ["status", "--", "--json"], ["check", "--", "-x"],
                          ["rooms", "list", "--", "--json"], ["explain", "5", "--", "--"]):
            done = run_it(*arguments)
            self.assertEqual(done.returncode, 2, arguments)
            self.assertIn(f'unexpected argument "{arguments[-1]}"', done.stderr)
        copy = one.folder / "-copy.db"
        self.assertEqual(run_it("backup", *config, "--", copy.name).returncode, 0)
        self.assertTrue(copy.exists())

    def test_messages_name_options_as_the_command_line_does(self):
        one = self.sidecar(toml(scale=True))
        one.enter("2171", "a")
        done = one.run("release", "2171")
        self.assertEqual(done.returncode, 1)
        self.assertIn("--force", done.stderr)
        self.assertNotIn("force=true", done.stderr)
        done = one.run("drain", "nowhere")
        self.assertNotIn("/v2/", done.stderr)
        done = one.run("why", "2171", "--limit", "0")
        self.assertEqual((done.returncode, done.stderr.splitlines()[0]),
                         (2, "error: --limit: a number from 1 to 1000 was expected"))


class AnotherSidecar(Case):
    """A command acts on the sidecar that its configuration describes, or on none."""
    COMMANDS = (["drain", "gxy1"], ["drain", "gxy1", "--move"], ["undrain", "gxy2"], ["release", "2171"],
                ["release", "2171", "--force"], ["reload"], ["reload", "--json"])

    def test_the_sidecar_of_another_database_is_not_steered(self):
        theirs = self.sidecar(toml(scale=True))
        theirs.ask("2171")
        theirs.put("/v2/gateways/gxy2/drain")
        ours = self.sidecar(toml(scale=True), start=False)
        ours.env["LISTEN_ADDRESS"] = f"127.0.0.1:{theirs.port}"
        for command in self.COMMANDS:
            done = ours.run(*command)
            self.assertEqual((done.returncode, done.stdout), (1, ""), command)
            for part in (str(theirs.database), str(ours.database), f"127.0.0.1:{theirs.port}", "--server"):
                self.assertIn(part, done.stderr)
        self.assertEqual((theirs.gateway("gxy1")["draining"], theirs.gateway("gxy2")["draining"]), (False, True))
        self.assertEqual(list(theirs.assignments()), ["2171"])
        self.assertNotIn("Configuration reloaded", theirs.log())
        for command in self.COMMANDS[:4]:
            done = ours.run(*command, "--server", f"127.0.0.1:{theirs.port}")
            self.assertEqual(done.returncode, 0, done.stderr)

    def test_another_file_under_the_same_name_is_another_database(self):
        theirs = self.sidecar(toml(scale=True))
        ours = self.sidecar(toml(scale=True))
        ours.stop()
        link = ours.folder / "link.db"
        link.symlink_to(ours.database)
        ours.env.update(LISTEN_ADDRESS=f"127.0.0.1:{theirs.port}", DATABASE_PATH=str(link))
        self.assertEqual(ours.run("drain", "gxy1").returncode, 1)
        link.unlink()
        link.symlink_to(theirs.database)
        self.assertEqual(ours.run("drain", "gxy1").returncode, 0)

    def test_every_answer_names_the_address(self):
        one = self.sidecar(toml(scale=True))
        address = f"127.0.0.1:{one.port}"
        for command in (["drain", "gxy1"], ["undrain", "gxy1"], ["reload"]):
            self.assertIn(f"Sidecar: {address}\n", one.run(*command).stdout)
            self.assertEqual(json.loads(one.run(*command, "--json").stdout)["address"], address)
        self.assertIn(address, one.run("drain", "nowhere").stderr)
        self.assertIn(address, one.run("release", "2171").stderr)

    def test_every_answer_names_the_socket_also_with_a_token(self):
        one = self.sidecar(start=False)
        token = one.folder / "token"
        token.write_text("secret\n")
        path = one.folder / "socket"
        one.env.update(LISTEN_ADDRESS=f"unix:{path}", API_TOKEN_FILE=str(token))
        one.start()
        done = one.run("drain", "gxy1")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(f"Sidecar: unix:{path}\n", done.stdout)
        done = one.run("drain", "gxy1", env={"DATABASE_PATH": str(one.folder / "other.db")})
        self.assertEqual(done.returncode, 1)
        self.assertIn(str(one.folder / "other.db"), done.stderr)
        token.write_text("wrong\n")
        done = one.run("drain", "gxy1")
        self.assertEqual(done.returncode, 1)
        self.assertIn("--token-file", done.stderr)


class InForce(Case):
    def test_config_shows_the_settings_in_force_and_the_changes_by_a_reload(self):
        one = self.sidecar(toml(balancing={"max_server_capacity": 77}))
        self.assertIn("A reload would change nothing.", one.run("config").stdout)
        one.write_config(toml(scale=True, gateways=["gxy1", "gxy4"], balancing={"max_server_capacity": 78}))
        done = one.run("config")
        self.assertEqual(done.returncode, 0, done.stderr)
        line = next(line for line in done.stdout.splitlines() if line.startswith("balancing.max_server_capacity"))
        self.assertIn(" 78 ", line)
        self.assertIn("77 (config.toml:3)", line)
        self.assertIn(f"In force in the sidecar at 127.0.0.1:{one.port}. A reload would change:", done.stdout)
        for part in ("  scale: false -> true (config.toml:1)\n",
                     "  balancing.max_server_capacity: 77 -> 78 (config.toml:3)\n",
                     "  [[gateways]]: 1 added (gxy4), 2 removed (gxy2, gxy3)\n"):
            self.assertIn(part, done.stdout)
        answer = json.loads(one.run("config", "--json").stdout)
        self.assertEqual(answer["running"]["address"], f"127.0.0.1:{one.port}")
        self.assertFalse(one.get("/v2/config").json["scale"], "nothing was changed by that")
        one.write_config("scale = 5\n")
        done = one.run("config")
        self.assertEqual(done.returncode, 2)
        self.assertIn("A reload would be refused:\n  config.toml:1: scale: ", done.stdout)
        one.stop()
        one.write_config(toml())
        self.assertNotIn("IN FORCE", one.run("config").stdout)
        self.assertIsNone(json.loads(one.run("config", "--json").stdout)["running"])

    def test_settings_that_need_a_restart_are_marked(self):
        one = self.sidecar(toml(http={"max_connections": 100}))
        one.write_config(toml(http={"max_connections": 200}))
        text = "http.max_connections: 100 -> 200 (config.toml:3), with the next restart only"
        self.assertIn(text, one.run("config").stdout)
        one.post("/v2/reload")
        self.assertIn(text, one.run("config").stdout)


class Rooms(Case):
    CSV = "id,name,gateway_uid,default_gateway\n7,Hall,4711,gxy2\n,Attic,4712,gxy3\n"

    def test_a_csv_is_imported_and_answered_within_a_second(self):
        one = self.sidecar()
        (one.folder / "rooms.csv").write_text(self.CSV)
        done = one.run("rooms", "import", str(one.folder / "rooms.csv"))
        self.assertEqual(done.returncode, 0, done.stderr)
        wait_until(lambda: one.ask("4711").status == 200, "the imported room")
        self.assertEqual((one.ask("4711").janus, one.ask("4712").janus), ("gxy2", "gxy3"))
        self.assertEqual(one.sql("SELECT id FROM rooms WHERE gateway_uid = '4711'"), [(7,)])
        self.assertEqual(one.ask("2171").janus, "gxy1", "nothing is deleted")

    def test_json_and_standard_input_are_accepted(self):
        one = self.sidecar()
        rooms = [{"gateway_uid": 2171, "default_gateway": "gxy3"},
                 {"name": "N", "gateway_uid": "x", "default_gateway": "gxy1"}]
        done = one.run("rooms", "import", "-", stdin=json.dumps(rooms))
        self.assertEqual(done.returncode, 0, done.stderr)
        wait_until(lambda: one.ask("2171").janus == "gxy3", "the update")
        self.assertEqual(one.ask("x").janus, "gxy1")

    def test_an_import_takes_all_or_nothing_and_names_lines(self):
        one = self.sidecar()
        for text, lines in (("1,gxy1\n,gxy1\n1,gxy2\n", "34"), ("1,gxy1\n2,gxy9\n3,gxy8\n", "34")):
            done = one.run("rooms", "import", "-", stdin="gateway_uid,default_gateway\n" + text)
            self.assertIn(done.returncode, (1, 2))
            for number in lines:
                self.assertIn(f"line {number}", done.stderr)
            self.assertEqual(one.sql("SELECT count(*) FROM rooms"), [(3,)])

    def test_rooms_without_a_default_gateway_are_accepted_with_a_warning(self):
        one = self.sidecar()
        text = "name,gateway_uid,default_gateway\nA,3001,gxy1\nB,3002,\nM,2171,\n"
        done = one.run("rooms", "import", "-", stdin=text)
        self.assertEqual(done.returncode, 0, done.stderr)
        for number in "34":
            self.assertIn(f"line {number}", done.stderr)
        wait_until(lambda: one.ask("3001").status == 200, "the imported room")
        self.assertEqual(one.ask("2171").janus, "gxy1", "a known room keeps its own")
        self.assertEqual(one.sql("SELECT default_gateway_id FROM rooms WHERE gateway_uid = '3002'"),
                         [(None,)])

    def test_unknown_gateways_are_created_on_request(self):
        one = self.sidecar()
        text = "gateway_uid,default_gateway\n1,new1\n"
        self.assertNotEqual(one.run("rooms", "import", "-", stdin=text).returncode, 0)
        done = one.run("rooms", "import", "-", "--create-gateways", stdin=text)
        self.assertEqual(done.returncode, 0, done.stderr)
        wait_until(lambda: one.ask("1").status == 200, "the room")
        self.assertEqual(one.ask("1").janus, "new1")

    def test_gxydbs_groups_are_accepted_with_the_option_for_their_janus(self):
        one = self.sidecar()
        groups = json.dumps({"rooms": [{"room": 4711, "janus": "gxy2", "description": "Hall",
                                        "num_users": 5}]})
        self.assertNotEqual(one.run("rooms", "import", "-", stdin=groups).returncode, 0)
        done = one.run("rooms", "import", "-", "--janus-is-default", stdin=groups)
        self.assertEqual(done.returncode, 0, done.stderr)
        wait_until(lambda: one.ask("4711").status == 200, "the room")
        self.assertEqual(one.ask(4711).janus, "gxy2")

    def test_imported_rooms_survive_a_reload_and_a_restart(self):
        one = self.sidecar()
        one.run("rooms", "import", "-", stdin=self.CSV)
        self.assertEqual(one.run("reload").returncode, 0)
        self.assertEqual(one.ask("4711").janus, "gxy2")
        one.stop()
        one.start()
        self.assertEqual(one.ask("4711").janus, "gxy2")

    def test_rooms_are_listed_and_set(self):
        one = self.sidecar()
        listed = one.run("rooms", "list")
        self.assertEqual(listed.returncode, 0)
        self.assertIn("2171", listed.stdout)
        done = one.run("rooms", "set", "2171", "--default-gateway", "gxy3")
        self.assertEqual(done.returncode, 0, done.stderr)
        wait_until(lambda: one.ask("2171").janus == "gxy3", "the new default")
        self.assertNotEqual(one.run("rooms", "set", "2171", "--default-gateway", "x").returncode, 0)
        unknown = one.run("rooms", "set", "nowhere", "--default-gateway", "gxy1")
        self.assertNotEqual(unknown.returncode, 0)
        self.assertEqual(one.ask("2171").janus, "gxy3")

    def test_import_needs_a_database_and_creates_none(self):
        one = self.sidecar(start=False)
        self.assertEqual(one.run("rooms", "import", "-", stdin=self.CSV).returncode, 1)
        self.assertFalse(one.database.exists())

    def test_the_file_keeps_its_owner(self):
        if os.geteuid() != 0:
            self.skipTest("only root can give files away")
        one = self.sidecar()
        one.stop()
        os.chown(one.folder, 65534, 65534)
        os.chown(one.database, 65534, 65534)
        self.assertEqual(one.run("rooms", "import", "-", stdin=self.CSV).returncode, 0)
        owners = {path.name: path.stat().st_uid for path in one.folder.glob("room-sidecar.db*")
                  if not path.name.endswith(".lock")}
        self.assertEqual(set(owners.values()), {65534}, owners)


class Steering(Case):
    def test_an_operator_steers_from_the_shell(self):
        one = self.sidecar(toml(scale=True))
        one.ask("2171", "IL")
        for arguments, words in ((["status"], ("gxy1", "gxy2", "gxy3")),
                                 (["assignments"], ("2171", "gxy1")),
                                 (["explain", "2172", "--country", "IL"], ("gxy2", "chosen")),
                                 (["drain", "gxy2"], ()), (["undrain", "gxy2"], ()),
                                 (["release", "2171"], ())):
            done = one.run(*arguments)
            self.assertEqual(done.returncode, 0, (arguments, done.stderr))
            for word in words:
                self.assertIn(word, done.stdout, arguments)
        self.assertEqual(one.assignments(), {})

    def test_commands_print_json_for_programs(self):
        one = self.sidecar(toml(scale=True))
        one.ask("2171", "IL")
        listed = json.loads(one.run("assignments", "--json").stdout)
        self.assertEqual(listed["assignments"][0]["room"], "2171")
        answer = json.loads(one.run("explain", "2172", "--json").stdout)
        self.assertEqual(answer["janus"], "gxy2")
        json.loads(one.run("status", "--json").stdout)

    def test_failures_exit_1(self):
        one = self.sidecar(toml(scale=True))
        one.enter("2171", "a")
        for arguments in (["drain", "gxy9"], ["release", "2172"], ["release", "2171"]):
            done = one.run(*arguments)
            self.assertEqual((done.returncode, bool(done.stderr)), (1, True), arguments)
        self.assertEqual(one.run("release", "2171", "--force").returncode, 0)
        one.stop()
        for command in (["status"], ["assignments"], ["explain", "1"], ["drain", "gxy1"],
                        ["reload"]):
            self.assertEqual(one.run(*command).returncode, 1, command)

    def test_a_room_with_odd_characters_is_found(self):
        one = self.sidecar(toml(scale=True, unknown_rooms="accept"))
        one.ask("a/b c?d")
        done = one.run("release", "a/b c?d")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(one.assignments(), {})


class Backup(Case):
    def test_a_backup_of_a_running_sidecar_is_restored_after_its_stop(self):
        one = self.sidecar(toml(scale=True))
        one.ask("2171")
        copy = str(one.folder / "copy.db")
        done = one.run("backup", copy)
        self.assertEqual(done.returncode, 0, done.stderr)
        one.ask("2172")
        refused = one.run("restore", copy)
        self.assertEqual(refused.returncode, 1)
        self.assertIn(str(one.process.pid), refused.stderr)
        one.stop()
        done = one.run("restore", copy)
        self.assertEqual(done.returncode, 0, done.stderr)
        one.start()
        self.assertEqual(list(one.assignments()), ["2171"])

    def test_a_damaged_file_is_replaced_by_a_restore(self):
        one = self.sidecar(toml(scale=True))
        one.ask("2171")
        copy = str(one.folder / "copy.db")
        one.run("backup", copy)
        one.stop()
        one.database.write_bytes(b"\xa5" * 40000)
        self.assertEqual(one.start_and_fail(), 1)
        done = one.run("restore", copy)
        self.assertEqual(done.returncode, 0, done.stderr)
        one.start()
        self.assertEqual(list(one.assignments()), ["2171"])

    def test_a_file_that_is_no_backup_is_not_restored(self):
        one = self.sidecar(toml(scale=True))
        one.ask("2171")
        one.stop()
        other = one.folder / "other"
        for text in (b"", b"not a database" * 999):
            other.write_bytes(text)
            self.assertEqual(one.run("restore", str(other)).returncode, 1)
        self.assertEqual(one.run("restore", str(one.folder / "nowhere")).returncode, 1)
        one.start()
        self.assertEqual(list(one.assignments()), ["2171"])


if __name__ == "__main__":
    unittest.main()
