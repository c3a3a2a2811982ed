#!/usr/bin/env python3
"""Mistakes of operators, and settings of other programs: `check` and `serve` report them, and never act on half."""
import json
import os
import re
import subprocess
import unittest

from sidecar import BINARY, Case, toml

NO_NAMES = ('"gxy1', "gxy1'", "gxy1,\\", "${GXY}", '["gxy1","gxy2"]', "gxy1 gxy2", "\\N", "-gxy1", ".gxy", "gxy/1",
            "gxÿ1", "g" * 65, "gxy1=2")
NAMES = ("g", "0", "Gxy-1.example_org", "g" * 64)


class Checked(Case):
    def check(self, config="", dotenv="", code=None):
        one = self.sidecar(config, dotenv=dotenv, start=False)
        done = one.run("check")
        self.assertIn(done.returncode, (0, 2), done)
        if code is not None:
            self.assertEqual(done.returncode, code, done.stdout)
        return done.stdout


class GatewayNames(Checked):
    def test_a_name_that_breaks_the_rule_is_an_error_with_its_line(self):
        for name in NO_NAMES:
            quoted = "'" + name.replace("'", "") + "'" if "'" not in name else f'"{name}"'
            for variable, value in (("AVAILABLE_JANUS_SERVERS", name), ("SERVER_REGIONS", "IL:" + name),
                                    ("FAILOVER_JANUS_SERVERS", name), ("SERVER_ROOMS", "77:" + name)):
                with self.subTest(variable=variable, name=name):
                    output = self.check(dotenv=f"\n{variable}={quoted[0]}{value}{quoted[0]}\n", code=2)
                    self.assertIn(f".env:2: {variable}: ", output)
        output = self.check('[[gateways]]\nname = "gxy 1"\n[[rooms]]\ngateway_uid = "1"\ndefault_gateway = "ü"\n',
                            code=2)
        self.assertIn("config.toml:2: gateways.name: ", output)
        self.assertIn("config.toml:5: rooms.default_gateway: ", output)

    def test_names_within_the_rule_are_accepted(self):
        for name in NAMES:
            with self.subTest(name=name):
                self.check(dotenv=f"AVAILABLE_JANUS_SERVERS={name}\n", code=0)

    def test_a_name_of_an_unusual_form_causes_a_warning(self):
        output = self.check(dotenv="AVAILABLE_JANUS_SERVERS=gxy1,gxyy2,gxy3\n", code=0)
        self.assertIn('warning: .env:1: balancing.available_servers: only gateway "gxyy2"', output)
        self.assertIn("did you mean", output)
        self.assertNotIn("did you mean", self.check(dotenv="AVAILABLE_JANUS_SERVERS=gxy1,gxy2,gxy13\n", code=0))

    def test_a_row_with_such_a_name_is_left_out_and_keeps_its_id(self):
        sidecar = self.sidecar(toml(gateways=["gxy1"], rooms={"1": "gxy1"}))
        last = sidecar.sql("SELECT max(id) FROM gateways")[0][0]
        sidecar.stop()
        sidecar.sql("INSERT INTO gateways (id, name) VALUES (?, 'gxy\t2')", (last + 1,))
        sidecar.write_config(toml(gateways=["gxy1", "gxy3"], rooms={"1": "gxy1"}))
        sidecar.start()
        self.assertIn(f"gateway with id {last + 1} ", sidecar.log_of_this_run())
        rows = dict(sidecar.sql("SELECT name, id FROM gateways"))
        self.assertEqual(rows["gxy\t2"], last + 1)
        self.assertIn("gxy3", rows)
        self.assertNotIn("gxy\t2", [g["name"] for g in sidecar.get("/v2/gateways").json["gateways"]])


class Import(Case):
    def imported(self, text, *arguments):
        sidecar = self.sidecar(toml(gateways=["gxy1"], rooms={}))
        return sidecar, sidecar.run("rooms", "import", "-", *arguments, stdin=text)

    def test_backslash_n_means_none(self):
        sidecar, done = self.imported("id,name,gateway_uid,default_gateway\n\\N,\\N,2171,\\N\n", "--create-gateways")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(sidecar.sql("SELECT gateway_uid, name, default_gateway_id FROM rooms"), [("2171", "", None)])
        self.assertEqual(sidecar.sql("SELECT name FROM gateways"), [("gxy1",)])

    def test_placeholders_bad_names_and_damaged_ids_are_errors_with_their_line(self):
        lines = ["2171,NULL", "2172,None", "2173,nan", "2174,gxy 1", "2175,\"gxy,1\"", "1.23457E+15,gxy1",
                 "2171.0,gxy1", "\"1,23457E+15\",gxy1", "\"2,171\",gxy1", "#REF!,gxy1", "1.23457e15,gxy1",
                 "2171.,gxy1", "\"2171,00\",gxy1", "2\u00a0171,gxy1", "2171\u00a0,gxy1", "2\u202f171,gxy1",
                 "2'171,gxy1", "2’171,gxy1",
                 "'2171,gxy1", "=2171,gxy1", "2-Mar,gxy1", "Mar-71,gxy1", "#N/A,gxy1", "####,gxy1", "NULL,gxy1",
                 "None,gxy1", "\\N,gxy1", "2176,2171.0", "2177,#N/A", "2178,n/a", "2179,\\\\N"]
        for number, line in enumerate(lines):
            with self.subTest(line=line):
                _, done = self.imported("gateway_uid,default_gateway\n1,gxy1\n" + line + "\n", "--create-gateways")
                self.assertEqual(done.returncode, 2, done.stderr)
                self.assertIn("line 3: ", done.stderr)
        _, done = self.imported("id,gateway_uid,default_gateway\n1.0,1,gxy1\n")
        self.assertIn("line 2: id: ", done.stderr)
        for name in ("NULL", "gxy 1", "None", "\\\\N"):
            _, done = self.imported('[{"gateway_uid":"1","default_gateway":"%s"}]' % name, "--create-gateways")
            self.assertEqual(done.returncode, 2, name)

    def test_ids_that_only_resemble_damaged_ones_are_accepted(self):
        ids = ["2171", "0042", "12e5", "1e400", "2171a", "v1.5", "10.0.0.1", "#general", "3-4", "room-12", "nano"]
        sidecar, done = self.imported("gateway_uid,default_gateway\n" + "".join(f"{uid},gxy1\n" for uid in ids))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual({row[0] for row in sidecar.sql("SELECT gateway_uid FROM rooms")}, set(ids))

    def test_a_pipe_is_read_to_its_end_and_one_without_a_writer_is_an_error(self):
        sidecar = self.sidecar(toml(gateways=["gxy1"], rooms={}))
        pipe = sidecar.folder / "pipe"
        os.mkfifo(pipe)
        done = sidecar.run("rooms", "import", str(pipe))
        self.assertEqual(done.returncode, 2, done)
        self.assertIn("nothing writes to it", done.stderr)
        slow = subprocess.Popen(["sh", "-c", 'exec >"$0"; echo gateway_uid,default_gateway; sleep 1.5; echo 2171,gxy1',
                                 str(pipe)])
        self.addCleanup(slow.wait)
        self.assertEqual(sidecar.run("rooms", "import", str(pipe)).returncode, 0)
        self.assertEqual(sidecar.sql("SELECT gateway_uid FROM rooms"), [("2171",)])


class NoMatch(Checked):
    def test_a_region_key_is_two_letters_or_a_star(self):
        for key in ("ISR", "I", "1L", "Europe", "IL "):
            with self.subTest(key=key):
                output = self.check(toml(regions={key: ["gxy1"]}))
                self.assertEqual("country code" in output, key != "IL ", output)
        self.assertIn(".env:1: SERVER_REGIONS: ", self.check(toml(), "SERVER_REGIONS=IL,ISR:gxy1\n", 2))
        self.check(toml(), "SERVER_REGIONS=*:gxy1;IL:gxy2\n", 0)

    def test_a_group_may_name_two_countries(self):
        sidecar = self.sidecar(toml(scale=True), dotenv="SERVER_REGIONS=IL,PS:gxy3\n")
        self.assertEqual((sidecar.ask("2171", "IL").janus, sidecar.ask("2172", "ps").janus), ("gxy3", "gxy3"))

    def test_the_star_is_for_callers_whose_country_has_no_region(self):
        sidecar = self.sidecar(toml(scale=True, regions={"IL": ["gxy2"], "*": ["gxy3"]}))
        self.assertEqual([sidecar.ask(room, country).janus for room, country in (("2171", "IL"), ("2172", "US"),
                                                                                 ("2173", None))],
                         ["gxy2", "gxy3", "gxy3"])
        sidecar.wait_for_log("room_id=2172 gateway_name=gxy3 country_code=US regional_match=true")

    def test_a_pin_for_a_refused_room_causes_a_warning(self):
        for unknown, warned in (("reject", True), ("accept", False)):
            output = self.check(toml(unknown_rooms=unknown, pins={"21711": "gxy1", "2171": "gxy2"}), code=0)
            self.assertEqual("pins.21711: has no effect" in output, warned, output)
            self.assertNotIn("pins.2171:", output)

    def test_one_address_under_two_names_causes_a_warning(self):
        for key in ("url", "admin_url"):
            output = self.check(toml(gateways=[{"name": "gxy1", key: "https://a.example.org/janus"},
                                               {"name": "gxy2", key: "https://A.example.org/janus/"},
                                               {"name": "gxy3", key: "https://a.example.org:443/janus"},
                                               {"name": "gxy4", key: "https://a.example.org:444/janus"}], rooms={}),
                                code=0)
            warnings = re.findall(rf"warning: config\.toml:\d+: gateways\.{key}: .*\"gxy1\"", output)
            self.assertEqual(len(warnings), 2, output)
            self.assertNotIn("gxy4", output)

    def test_a_url_equal_to_another_gateways_admin_url_causes_a_warning(self):
        for first, second in (("url", "admin_url"), ("admin_url", "url")):
            output = self.check(toml(gateways=[{"name": "gxy1", first: "http://a:80/janus"},
                                               {"name": "gxy2", second: "http://A/janus/"}], rooms={}), code=0)
            self.assertIn(f'gateways.{second}: "http://A/janus/" of "gxy2" is the {first} of "gxy1", too', output)
            own = self.check(toml(gateways=[{"name": "gxy1", first: "http://a", second: "http://a"}], rooms={}), code=0)
            self.assertNotIn("one name", own)


class Secrets(Checked):
    def test_an_unreadable_secret_stops_the_start_and_names_file_and_cause(self):
        for table, key in (("health", "mqtt_password_file"), ("health", "mqtt_ca_file"),
                           ("occupancy", "secret_file"), ("occupancy", "token_file")):
            source = "mqtt" if table == "health" else "janus"
            for path, why in (("/nowhere/secret", "No such file"), ("/", "is a directory"), ("pipe", "pipe"),
                              ("empty", "nothing in its first line")):
                if path == "empty" and key == "mqtt_ca_file":
                    continue
                with self.subTest(key=key, path=path):
                    one = self.sidecar(toml(**{table: {"source": source, key: path}}), start=False)
                    os.mkfifo(one.folder / "pipe")
                    (one.folder / "empty").write_text(" \nsecret\n")
                    self.assertEqual(one.start_and_fail(), 2)
                    for output in (one.log(), one.run("check").stdout):
                        self.assertIn(f"{table}.{key}: the file", output)
                        self.assertIn(why, output)
                    self.assertEqual(one.run("check").returncode, 2)

    def test_a_reload_refuses_unreadable_secrets_too(self):
        one = self.sidecar()
        one.write_config(toml(health={"source": "mqtt", "mqtt_ca_file": "/nowhere/ca.pem"}))
        refused = self.expect(one.post("/v2/reload"), 409, "configuration_refused")
        self.assertIn("/nowhere/ca.pem", refused.json["problems"][0])


class Agreement(Checked):
    def test_a_mapped_loopback_address_is_loopback_for_both(self):
        one = self.sidecar(start=False, env={"LISTEN_ADDRESS": "[::ffff:127.0.0.1]:0"})
        self.assertEqual(one.run("check").returncode, 0)
        one.launch()
        one.wait_for_log("Listening")
        self.assertEqual(one.run("status").returncode, 0)

    def test_a_missing_table_is_an_error_for_both(self):
        for table in ("meta", "failovers", "room_server_assignments"):
            with self.subTest(table=table):
                one = self.sidecar()
                one.stop()
                one.sql(f"DROP TABLE {table}")
                self.assertEqual(one.run("check").returncode, 2)
                self.assertNotEqual(one.start_and_fail(), 0)

    def test_a_file_that_is_no_toml_causes_one_error(self):
        one = self.sidecar("= broken\n", start=False)
        del one.env["DATABASE_PATH"]
        output = one.run("check").stdout
        self.assertEqual(output.count("error: "), 1, output)
        self.assertEqual(one.start_and_fail(), 2)
        self.assertEqual(one.log().count("ERROR"), 2, one.log())

    def test_an_unreadable_path_is_not_replaced_by_the_default(self):
        for config, dotenv in (("database.path = 5\n", ""), ("", 'DATABASE_PATH="/x.db\n'),
                               ("", 'ROOM_SIDECAR_DATABASE_PATH=/x.db \\\n')):
            with self.subTest(config=config, dotenv=dotenv):
                one = self.sidecar(config, dotenv=dotenv, start=False)
                del one.env["DATABASE_PATH"]
                output = one.run("check").stdout
                self.assertEqual(output.count("error: "), 1, output)
                self.assertEqual(one.start_and_fail(), 2)
                self.assertEqual(one.log().count("ERROR"), 2, one.log())

    def test_a_reload_exits_2_for_every_broken_file(self):
        for broken in ("database.path = 5\n", "http.listen = 5\nhttp.token_file = 5\n", "http.token_file = \"/none\"\n",
                       "http.listen = \"127.0.0.1:1\"\nunknwon = 1\n", "scale = maybe\n"):
            with self.subTest(broken=broken):
                one = self.sidecar()
                path = "" if "path" in broken else f"database.path = {json.dumps(str(one.database))}\n"
                one.write_config(path + broken)
                one.env = {}
                done = one.run("reload")
                self.assertEqual(done.returncode, 2, done)
                self.assertIn("config.toml:", done.stderr)
                self.assertEqual(one.ask("2171").janus, "gxy1")

    def test_a_reload_with_an_emptied_file_that_named_the_sidecar_exits_2(self):
        for text in ("", "# all gone\n"):
            one = self.sidecar()
            one.write_config(text)
            one.env = {}
            done = one.run("reload")
            self.assertEqual(done.returncode, 2, done)
            self.assertIn("holds no settings", done.stderr)

    def test_a_reload_with_such_a_file_is_refused_wherever_the_sidecar_listens(self):
        one = self.sidecar()
        one.write_config("= broken\n")
        one.env = {}
        for arguments in ((), ("--json",)):
            done = one.run("reload", *arguments)
            self.assertEqual(done.returncode, 2, done)
            self.assertIn("config.toml:1: this is no valid TOML", done.stderr)


class OpenFiles(Checked):
    def test_too_low_a_limit_of_open_files_causes_a_warning_with_working_numbers(self):
        """512 connections and 3 gateways need 512 + 464 + 2 * 3 open files."""
        warning = "http.max_connections: so many connections need up to 982 open files .* the limit is 970; " \
                  "raise it to 982 .*, or set at most 500"
        limited = ["prlimit", "--nofile=970:970"]
        sidecar = self.sidecar(toml(http={"max_connections": 512}), wrapped_in=limited)
        self.assertRegex(sidecar.log(), "WARN: .*config.toml:[0-9]+: " + warning)
        self.assertRegex(" ".join(sidecar.post("/v2/reload").json["warnings"]), warning)
        check = subprocess.run([*limited, BINARY, "check", "--config", str(sidecar.config_file)], text=True, timeout=60,
                               env=sidecar.environment(), capture_output=True, check=True)
        self.assertRegex(check.stdout, "warning: .*" + warning)
        sidecar.write_config(toml(http={"max_connections": 500}))
        self.assertNotIn("open files", " ".join(sidecar.post("/v2/reload").json["warnings"]))
        self.assertNotIn("open files", sidecar.run("check").stdout)


class SharedFile(Checked):
    def test_other_programs_lines_are_left_alone(self):
        for lines in ("KEY=`a\n{b}\n(c`", 'JSON={\n  "a": [1,\n 2],\n  "b": "}"\n}', "LIST=[\n 1\n]",
                      "RUN=docker \\\n  --rm \\\n  (x)", "docker run \\\n (x)",
                      "PEM=-----BEGIN KEY-----\nAb+/c=\n/x\n-----END KEY-----"):
            for end in ("\n", "\r\n"):
                with self.subTest(lines=lines, end=end):
                    text = (lines + "\nLOG_LEVEL=nonsense\n").replace("\n", end)
                    output = self.check(toml(), text, 2)
                    self.assertEqual(output.count("error: "), 1, output)
                    self.assertIn(f".env:{lines.count(chr(10)) + 2}: LOG_LEVEL", output)

    def test_a_name_close_to_the_sidecars_is_a_warning_in_the_process_environment_too(self):
        environment = {"SCAL": "true", "SERVER_REGION": "IL:gxy1", "ROOM_SIDECAR_PORT": "tcp://x"}
        one = self.sidecar(start=False, env=environment)
        output = one.run("check").stdout
        for name in ("SCAL", "SERVER_REGION"):
            self.assertIn(f"warning: environment: {name}: is no setting", output)
        self.assertNotIn("ROOM_SIDECAR_PORT", output)

    def test_a_prefixed_name_counts_more_in_each_source(self):
        one = self.sidecar(dotenv="ROOM_SIDECAR_SCALE=true\nSCALE=false\n")
        self.assertTrue(one.get("/v2/config").json["scale"])
        self.assertIn("ROOM_SIDECAR_SCALE", one.run("config", env={"ROOM_SIDECAR_SCALE": "off"}).stderr)

    def test_gxydbs_names_and_idle_standbys_cause_warnings(self):
        output = self.check(toml(), "MQTT_BROKER_URL=a\nMQTT_CLIENT_ID=b\nMQTT_PASSWORD=c\nGATEWAY_PLUGIN_ADMIN_KEY=d\n"
                            "FAILOVER_JANUS_SERVERS=gxy3\n", 0)
        for number, names in enumerate((("MQTT_BROKER_URL", "MQTT_URL"), ("MQTT_CLIENT_ID", "MQTT_USER"),
                                        ("MQTT_PASSWORD", "MQTT_PASSWORD_FILE"),
                                        ("GATEWAY_PLUGIN_ADMIN_KEY", "OCCUPANCY_"),
                                        ("FAILOVER_JANUS_SERVERS", "HEALTH_SOURCE")), 1):
            line = [text for text in output.splitlines() if f".env:{number}: " in text]
            self.assertEqual(len(line), 1, output)
            for name in names:
                self.assertIn(name, line[0])
        self.assertNotIn("MQTT_BROKER", self.check(toml(), "MQTT_BROKER_URL=a\nMQTT_URL=mqtt://a\n", 0))

    def test_a_prefixed_secret_causes_a_warning_that_names_the_file_setting(self):
        for name, key, variable in (("MQTT_PASSWORD", "health.mqtt_password_file", "MQTT_PASSWORD_FILE"),
                                    ("GATEWAY_PLUGIN_ADMIN_KEY", "occupancy.secret_file", "OCCUPANCY_SECRET_FILE"),
                                    ("OCCUPANCY_SECRET", "occupancy.secret_file", "OCCUPANCY_SECRET_FILE"),
                                    ("OCCUPANCY_TOKEN", "occupancy.token_file", "OCCUPANCY_TOKEN_FILE"),
                                    ("CLUSTER_PASSWORD", "cluster.password_file", "CLUSTER_PASSWORD_FILE"),
                                    ("API_TOKEN", "http.token_file", "API_TOKEN_FILE")):
            wanted = f"ROOM_SIDECAR_{name}: is not read here: set {key} ({variable}) instead"
            output = self.check(toml(), f"ROOM_SIDECAR_{name}=s3cr3t\n", 0)
            self.assertIn("warning: .env:1: " + wanted, output)
            self.assertNotIn("s3cr3t", output)
            one = self.sidecar(start=False, env={"ROOM_SIDECAR_" + name: "s3cr3t"})
            self.assertIn("warning: environment: " + wanted, one.run("check").stdout)
        output = self.check(toml(), "ROOM_SIDECAR_MQTT_PASSWORD=a\nMQTT_PASSWORD_FILE=/nowhere\n", None)
        self.assertIn("ROOM_SIDECAR_MQTT_PASSWORD: is not read", output)
        self.assertNotIn("API_TOKEN", self.check(toml(), "API_TOKEN=another-programs\n", 0))


if __name__ == "__main__":
    unittest.main()
