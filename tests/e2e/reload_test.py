#!/usr/bin/env python3
"""Reload: by HTTP, by signal and by command; a bad configuration never replaces a good one."""
import re
import unittest

from sidecar import Case, toml, wait_until

GOOD = toml(rooms={"2171": "gxy2"})
BAD = toml(rooms={"2171": "gxy3"}, balancing={"max_server_capacity": -1},
           sessions={"dead_aftr": "1s"})


class Sync(Case):
    """The rows of [[gateways]] and [[rooms]] in the database."""

    def test_names_in_the_lists_are_gateways_without_gateways_tables(self):
        sidecar = self.sidecar(toml(gateways=(), rooms={}, unknown_rooms="accept"), dotenv=(
            "SCALE=true\nAVAILABLE_JANUS_SERVERS=gxy1, gxy2,,gxy1\nSERVER_REGIONS=IL:gxy3\n"
            "SERVER_ROOMS=77:gxy4\nFAILOVER_JANUS_SERVERS=gxy5\n"))
        self.assertEqual([sidecar.ask(room).janus for room in ("1", "2", "3", "77")],
                         ["gxy1", "gxy2", "gxy1", "gxy4"])
        self.assertEqual({row["name"] for row in sidecar.get("/v2/gateways").json["gateways"]},
                         {f"gxy{i}" for i in range(1, 6)})

    def test_a_room_gets_its_number_as_id_if_that_is_free(self):
        sidecar = self.sidecar(toml(rooms={"2171": "gxy1", "lobby": "gxy1",
                                           "7": {"default_gateway": "gxy1", "id": 9}}))
        ids = dict(sidecar.sql("SELECT gateway_uid, id FROM rooms"))
        self.assertEqual((ids["2171"], ids["7"]), (2171, 9))

    def test_an_id_of_another_row_is_refused_with_both_named(self):
        sidecar = self.sidecar(toml(gateways=["gxy1"], rooms={}))
        sidecar.shell("INSERT INTO gateways (id, name) VALUES (50, 'handmade');")
        sidecar.write_config(toml(gateways=["gxy1", {"name": "gxy2", "id": 50}], rooms={}))
        problems = " ".join(self.expect(sidecar.post("/v2/reload"), 409,
                                        "configuration_refused").json["problems"])
        self.assertIn("gxy2", problems)
        self.assertIn("handmade", problems)

    def test_a_gateway_in_use_is_not_removed_with_its_entry(self):
        sidecar = self.sidecar(toml(scale=True, rooms={"1": "gxy2", "2": "gxy2"}))
        self.assertEqual(sidecar.ask("1").janus, "gxy1")
        sidecar.write_config(toml(scale=True, gateways=["gxy4"], rooms={"1": "gxy4", "2": "gxy4"}))
        self.assertEqual(sidecar.post("/v2/reload").status, 200)
        self.assertEqual(sidecar.ask("1").janus, "gxy1", "it has an assignment")
        removed = dict(sidecar.sql("SELECT name, removed_at IS NOT NULL FROM gateways"))
        self.assertEqual((removed["gxy1"], removed["gxy3"]), (0, 1))
        self.assertEqual(sidecar.ask("2").janus, "gxy4", "no configuration names the others")


class Reload(Case):
    def test_a_good_configuration_is_applied(self):
        sidecar = self.sidecar()
        sidecar.write_config(GOOD)
        answer = sidecar.post("/v2/reload")
        self.assertEqual((answer.status, answer.json["applied"]), (200, True))
        self.assertIsInstance(answer.json["warnings"], list)
        self.assertEqual(sidecar.ask("2171").janus, "gxy2")

    def test_a_bad_configuration_is_refused_whole_with_every_problem(self):
        sidecar = self.sidecar()
        sidecar.write_config(BAD)
        answer = self.expect(sidecar.post("/v2/reload"), 409, "configuration_refused")
        problems = " ".join(answer.json["problems"])
        self.assertIn("max_server_capacity", problems)
        self.assertIn("dead_after", problems, "with the name that was meant")
        self.assertIn("config.toml:", problems)
        self.assertEqual(sidecar.ask("2171").janus, "gxy1")

    def test_a_hang_up_signal_reloads(self):
        sidecar = self.sidecar()
        sidecar.write_config(GOOD)
        sidecar.hang_up()
        wait_until(lambda: sidecar.ask("2171").janus == "gxy2", "the new default")

    def test_a_reload_by_signal_logs_every_problem_of_a_bad_configuration(self):
        sidecar = self.sidecar()
        sidecar.write_config(BAD)
        sidecar.hang_up()
        sidecar.wait_for_log("max_server_capacity")
        sidecar.wait_for_log("dead_aftr")
        self.assertEqual(sidecar.ask("2171").janus, "gxy1")
        sidecar.write_config(GOOD)
        sidecar.hang_up()
        wait_until(lambda: sidecar.ask("2171").janus == "gxy2", "the good one after the bad one")

    def test_the_command_waits_and_reports_by_its_exit_code(self):
        sidecar = self.sidecar()
        sidecar.write_config(GOOD)
        applied = sidecar.run("reload")
        self.assertEqual(applied.returncode, 0, applied.stderr)
        self.assertEqual(sidecar.ask("2171").janus, "gxy2")
        sidecar.write_config(BAD)
        refused = sidecar.run("reload")
        self.assertEqual(refused.returncode, 2)
        self.assertIn("max_server_capacity", refused.stderr)
        self.assertIn("dead_aftr", refused.stderr)
        self.assertEqual(sidecar.ask("2171").janus, "gxy2")
        sidecar.stop()
        self.assertEqual(sidecar.run("reload").returncode, 1)

    def test_an_edited_env_file_takes_effect(self):
        sidecar = self.sidecar(toml(), dotenv="SCALE=false\n")
        self.assertFalse(sidecar.get("/v2/config").json["scale"])
        sidecar.write_dotenv("SCALE=true\nSERVER_REGIONS=IL:gxy3\n")
        self.assertEqual(sidecar.post("/v2/reload").status, 200)
        self.assertTrue(sidecar.get("/v2/config").json["scale"])
        self.assertEqual(sidecar.ask("2171", "IL").janus, "gxy3")

    def test_settings_that_need_a_restart_wait_for_it_and_the_rest_is_applied(self):
        sidecar = self.sidecar()
        del sidecar.env["LISTEN_ADDRESS"]  # the running one keeps its environment
        sidecar.write_config(toml(rooms={"2171": "gxy2"}, http={"max_connections": 17},
                                  cluster={"engine": "etcd", "endpoints": ["http://127.0.0.1"]}))
        answer = sidecar.post("/v2/reload")
        self.assertEqual(answer.status, 200)
        waiting = [warning for warning in answer.json["warnings"] if "restart" in warning]
        self.assertEqual(len(waiting), 1, answer.json)
        self.assertIn("http.max_connections: ", waiting[0])
        self.assertEqual(sidecar.ask("2171").janus, "gxy2")
        self.assertEqual(sidecar.get("/v2/cluster").json["engine"], "etcd")
        sidecar.wait_for_log("restart")
        self.assertEqual(len([line for line in sidecar.log().splitlines()
                              if " WARN" in line and "restart" in line]), 1)

    def test_a_file_of_the_cluster_that_cannot_be_read_is_refused(self):
        sidecar = self.sidecar()
        missing = str(sidecar.folder / "none")
        sidecar.write_config(toml(cluster={"engine": "etcd", "endpoints": ["https://127.0.0.1"], "ca_file": missing}))
        problems = self.expect(sidecar.post("/v2/reload"), 409, "configuration_refused").json["problems"]
        self.assertEqual(len(problems), 1, problems)
        self.assertIn(f'cluster.ca_file: the file "{missing}" can\'t be read', problems[0])

    def test_gateways_and_rooms_are_synced(self):
        sidecar = self.sidecar(toml(gateways=["gxy1", "gxy2"], rooms={"1": "gxy1", "2": "gxy2"}))
        ids = dict(sidecar.sql("SELECT name, id FROM gateways"))
        sidecar.write_config(toml(gateways=["gxy3", "gxy2"], rooms={"2": "gxy3", "3": "gxy3"}))
        self.assertEqual(sidecar.post("/v2/reload").status, 200)
        self.assertEqual([(sidecar.ask(room).status) for room in ("1", "2", "3")], [404, 200, 200])
        self.assertEqual(sidecar.ask("2").janus, "gxy3")
        now = dict(sidecar.sql("SELECT name, id FROM gateways"))
        self.assertEqual(now["gxy2"], ids["gxy2"], "ids are kept for good")
        self.assertNotIn(now["gxy3"], ids.values())

    def test_a_value_changed_by_sql_survives_a_reload_with_a_warning(self):
        sidecar = self.sidecar()
        sidecar.shell("UPDATE rooms SET default_gateway_id = "
                      "(SELECT id FROM gateways WHERE name = 'gxy3') WHERE gateway_uid = '2171';")
        wait_until(lambda: sidecar.ask("2171").janus == "gxy3", "the edit")
        warnings = sidecar.post("/v2/reload").json["warnings"]
        self.assertEqual(sidecar.ask("2171").janus, "gxy3")
        about_it = [w for w in warnings if "config.toml:" in w and "2171" in w
                    and re.search(r"\b(gxy)?3\b", w) and re.search(r"\b(gxy)?1\b", w)]
        self.assertEqual(len(about_it), 1, warnings)
        sidecar.stop()
        sidecar.start()
        self.assertEqual(sidecar.ask("2171").janus, "gxy3")
        sidecar.write_config(toml(rooms={"2171": "gxy2", "2172": "gxy2", "2173": "gxy3"}))
        sidecar.post("/v2/reload")
        self.assertEqual(sidecar.ask("2171").janus, "gxy2", "a new configured value is written")

    def test_an_unknown_gateway_in_a_list_is_refused_with_a_suggestion(self):
        sidecar = self.sidecar()
        for tables in ({"balancing": {"available_servers": ["gyx1"]}},
                       {"regions": {"IL": ["gyx1"]}}, {"pins": {"2171": "gyx1"}},
                       {"failover": {"standby_servers": ["gyx1"]}}):
            with self.subTest(tables=tables):
                sidecar.write_config(toml(**tables))
                answer = self.expect(sidecar.post("/v2/reload"), 409, "configuration_refused")
                self.assertIn("did you mean", " ".join(answer.json["problems"]))


if __name__ == "__main__":
    unittest.main()
