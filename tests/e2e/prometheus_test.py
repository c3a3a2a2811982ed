#!/usr/bin/env python3
"""A real Prometheus watches real sidecars: each alert is silent until its cause really happens, and then
fires; the queries of the document and the dashboard show the causes.

The scenario is played once; the tests then ask Prometheus about it. Its rules are those of the package with
shorter durations, its configuration is the document's."""
import contextlib
import json
import pathlib
import re
import sys
import tempfile
import threading
import time
import unittest

import janus_fleet
import prometheus
from etcd import Etcd
from health_test import QUICK
from metrics_test import Metrics
from occupancy_test import ASKED, Participant
from prometheus import Prometheus
from sidecar import Client, toml, wait_until
from storage_faults import Stored

TOKEN = "s3cret"
HEADERS = {"Authorization": f"Bearer {TOKEN}"}
DASHBOARD = json.loads((prometheus.TREE / "packaging" / "monitoring" / "dashboard.json").read_text(encoding="utf-8"))

# alert -> the sidecar that it must name, and its other expected labels
EXPECTED = {
    "RoomSidecarGone": ("legacy", {"job": "room-sidecar"}),
    "RoomSidecarCannotWrite": ("disk", {"reason": "storage"}),
    "RoomSidecarBrake": ("fleet", {"reason": "brake"}),
    "RoomSidecarRefusesRooms": ("fleet", {"error": "no_gateway_available"}),
    "RoomSidecarDefaultGatewayMissing": ("legacy", {"error": "gateway_not_found"}),
    "RoomSidecarRoomsWithoutDefaultGateway": ("legacy", {}),
    "RoomSidecarGatewayDown": ("fleet", {"gateway": "gxy1"}),
    "RoomSidecarRoomsAboveCapacity": ("disk", {"gateway": "gxy1"}),
    "RoomSidecarRegionFull": ("disk", {"region": "IL"}),
    "RoomSidecarRegionalMatchRateLow": ("disk", {}),
    "RoomSidecarReloadRefused": ("legacy", {}),
    "RoomSidecarLessThanWell": ("fleet", {"reason": "health_sources"}),
    "RoomSidecarSplitRooms": ("fleet", {}),
    "RoomSidecarSlow": ("disk", {}),
    "RoomSidecarShedsConnections": ("legacy", {}),
    "RoomSidecarSharedStoreAway": ("shared", {}),
    "RoomSidecarSharedStoreStale": ("shared", {}),
    "RoomSidecarSharedStoreConflict": ("shared", {}),
    "RoomSidecarSharedStoreMemberIll": ("shared", {"state": "ill"}),
}


class Watched(Stored):
    """A sidecar that requires a token."""

    def __init__(self, config, token_file, **more):
        super().__init__(config, env={"API_TOKEN_FILE": str(token_file)}, **more)
        self.failing()

    def request(self, method, path, body=None, headers=None):
        return self.client.request(method, path, body, {**HEADERS, **(headers or {})})

    @property
    def instance(self):
        return f"127.0.0.1:{self.port}"


class Going:
    """Does something again and again, as users do, until it is over. `action` gets its own connection's `say`."""

    def __init__(self, sidecar, action, pause=0.05):
        self._sidecar, self._action, self._pause = sidecar, action, pause
        self._over = threading.Event()
        self._fault = None
        self._thread = threading.Thread(target=self._go)

    def _go(self):
        with contextlib.closing(Client("127.0.0.1", self._sidecar.port)) as client:
            def say(method, path, body=None):
                return client.request(method, path, body, HEADERS)
            try:
                while not self._over.wait(self._pause):
                    self._action(say)
            except Exception as fault:  # raised by the thread's waiter
                self._fault = fault

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        self._thread.join()
        if self._fault:
            raise self._fault


def ask(say, room, country=None):
    return say("POST", "/v2/room_server", {"room": room, "geo": {"country_code": country}})


class Scenario:
    """Four sidecars, healthy for a while, and then each with problems of its own, all at the same time."""

    def __init__(self, clean_up):
        scratch = tempfile.TemporaryDirectory()
        clean_up(scratch.cleanup)
        token = pathlib.Path(scratch.name, "token")
        token.write_text(TOKEN + "\n", encoding="utf-8")
        self.gateways = janus_fleet.Fleet()
        clean_up(self.gateways.remove)
        self.gateways.start()
        self.etcd = Etcd()
        clean_up(self.etcd.remove)
        self.etcd.start()
        scale = {"scale": True, "unknown_rooms": "accept"}
        configs = {
            "legacy": toml(http={"max_connections": 8}),
            "disk": toml(**scale, regions={"IL": ["gxy1"], "US": ["gxy2"]},
                         balancing={"max_server_capacity": 20, "avg_room_occupancy": 10}),
            # One of three is enough for the brake here, so that the others can have a split room.
            "fleet": toml(**scale, rooms={}, gateways=self.gateways.entries(), occupancy=ASKED,
                          health={**QUICK, "brake": 0.3}),
            "shared": self.sharing({"engine": "none"}),
        }
        self.sidecars = {name: Watched(config, token) for name, config in configs.items()}
        for sidecar in self.sidecars.values():
            clean_up(sidecar.remove)
            sidecar.start()
        self.legacy, self.disk, self.fleet, self.shared = self.sidecars.values()
        self.prometheus = Prometheus([one.instance for one in self.sidecars.values()], token)
        clean_up(self.prometheus.remove)
        self.prometheus.start()
        self.new_rooms = 0

    def sharing(self, cluster):
        return toml(scale=True, unknown_rooms="accept", cluster=cluster, sessions={"join_grace": "20m"})

    def follows_the_store(self):
        return self.shared.get("/v2/cluster").json["state"] == "live"

    def place(self, alert):
        return alert, self.sidecars[EXPECTED[alert][0]].instance

    def wait_for(self, alerts):
        wanted = {self.place(alert) for alert in alerts}
        self.prometheus.wait_until(lambda: wanted <= self.prometheus.alerts("firing"), f"all of {sorted(wanted)}")

    def play(self):
        self.be_no_longer_alone()
        self.be_well()
        on_its_own = {"RoomSidecarGone", "RoomSidecarCannotWrite", "RoomSidecarSharedStoreConflict"}
        with contextlib.ExitStack() as problems:
            self.etcd.freeze()
            problems.callback(self.etcd.thaw)
            self.make_legacy_problems(problems)
            self.make_disk_problems(problems)
            self.make_fleet_problems(problems)
            self.wait_for(EXPECTED.keys() - on_its_own)
        wait_until(self.follows_the_store, "the shared store to be followed again")
        with Going(self.disk, self.use_new_room), Going(self.shared, self.use_shared):
            self.disk.fails("write ENOSPC")
            self.wait_for({"RoomSidecarCannotWrite"})
        # Nothing changes from now on, so queries agree with each sidecar's own state.
        self.scraped = {name: Metrics(one.get("/metrics").body.decode()) for name, one in self.sidecars.items()}
        seen = time.time()
        self.prometheus.wait_until(
            lambda: all(value > seen for _, value in self.prometheus.query("timestamp(room_sidecar_scale_mode)")),
            "the next scrape of each")
        self.troubled_at = time.time()
        self.legacy.kill()
        self.wait_for({"RoomSidecarGone"})

    def be_well(self):
        def use_disk(say):
            ask(say, "calm", "IL")
            say("DELETE", "/v2/assignments/calm")
            for _ in range(100):
                ask(say, "sticky", "US")
        with Going(self.legacy, lambda say: ask(say, "2171")), Going(self.disk, use_disk), \
                Going(self.fleet, lambda say: ask(say, "1")), Going(self.shared, self.use_shared):
            # Each rule has been evaluated over its whole range.
            self.prometheus.wait_until(
                lambda: sum(value >= 8 for _, value in self.prometheus.query("count_over_time(up[6s])"))
                == len(self.sidecars),
                "each to be scraped for a while")
            self.prometheus.wait_until(lambda: not self.prometheus.alerts("pending", "firing"), "calm")
            self.well_at = time.time()

    def use_shared(self, say):
        self.new_rooms += 1
        ask(say, f"room-{self.new_rooms}")
        for _ in range(200):
            ask(say, "sticky")

    def be_no_longer_alone(self):
        """Shares, with a room that another sidecar has on another gateway. That alert ends before the next begin."""
        one = self.shared
        here = ask(one.request, "torn").janus
        elsewhere = "gxy1" if here == "gxy2" else "gxy2"
        self.etcd.put("room/torn", json.dumps({"gateway": elsewhere, "at": "2026-01-01T00:00:00.000Z"}))
        one.write_config(self.sharing(self.etcd.settings(max_stale="20s")))
        assert one.post("/v2/reload").status == 200
        self.wait_for({"RoomSidecarSharedStoreConflict"})
        wait_until(self.follows_the_store, "the shared store to be followed")

    def make_legacy_problems(self, problems):
        one = self.legacy
        one.sql("UPDATE rooms SET default_gateway_id = 999 WHERE gateway_uid = '2172'")
        one.write_config(toml(balancing={"max_server_capacity": -1}))
        assert one.post("/v2/reload").status == 409

        def fill(say):
            ask(say, "2172")
            with contextlib.ExitStack() as all_of_them:
                for _ in range(8):  # answered once, none of them gives way
                    client = all_of_them.enter_context(contextlib.closing(Client("127.0.0.1", one.port)))
                    client.request("GET", "/v2/gateways", None, HEADERS)
        problems.enter_context(Going(one, fill, pause=0.2))

    def use_new_room(self, say):
        self.new_rooms += 1
        ask(say, f"room-{self.new_rooms}", "IL")

    def make_disk_problems(self, problems):
        self.disk.fails("fsync 250")
        problems.enter_context(Going(self.disk, self.use_new_room))

    def make_fleet_problems(self, problems):
        one = self.fleet
        Participant(self.gateways["gxy3"], "88")
        wait_until(lambda: one.assignments().get("88") == "gxy3", "the room to be adopted")
        Participant(self.gateways["gxy2"], "88")
        self.gateways["gxy1"].kill()
        for gateway in ("gxy1", "gxy2", "gxy3"):  # while the brake holds, one that is down still gets new rooms
            one.put(f"/v2/gateways/{gateway}/drain")
        number = iter(range(10**9))
        problems.enter_context(Going(one, lambda say: ask(say, f"new-{next(number)}")))


class Seen(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scenario = Scenario(cls.addClassCleanup)
        cls.scenario.play()
        cls.prometheus = cls.scenario.prometheus

    def query(self, query, at=None):
        return self.prometheus.query(query, at or self.scenario.troubled_at)

    def test_every_rule_is_loaded_and_none_failed(self):
        rules = self.prometheus.rules()
        self.assertEqual({rule["name"] for rule in rules}, EXPECTED.keys())
        self.assertEqual({rule["health"] for rule in rules}, {"ok"}, rules)

    def test_no_alert_fired_while_all_was_well(self):
        self.assertEqual(self.query("ALERTS", self.scenario.well_at), [])
        self.assertEqual(len(self.query('up{job="room-sidecar"} == 1', self.scenario.well_at)),
                         len(self.scenario.sidecars))

    def test_each_alert_names_the_sidecar_with_the_problem_and_no_other(self):
        fired = {alert: [] for alert in EXPECTED}
        for labels, _ in self.query('last_over_time(ALERTS{alertstate="firing"}[15m])', time.time()):
            fired[labels["alertname"]].append(labels)
        for alert, (name, more) in EXPECTED.items():
            with self.subTest(alert):
                instance = self.scenario.sidecars[name].instance
                instances = {labels["instance"] for labels in fired[alert]
                             if labels.get("error") != "storage_unavailable"}  # so it must be with the disk's
                self.assertEqual(instances, {instance})
                self.assertTrue(any(more.items() <= labels.items() for labels in fired[alert]), fired[alert])

    def test_the_five_things_to_watch_are_one_query_each(self):
        section = prometheus.PAGE.read_text(encoding="utf-8").split("## The five things")[1].split("\n## ")[0]
        rows = re.findall(r"^\| [A-Z][^|]* \| `(.*)` \|$", section, re.MULTILINE)
        load, created, removed, matched, filled = (self.query(row.replace("\\|", "|")) for row in rows)
        scraped = self.scenario.scraped
        loads = {labels["gateway"]: value for labels, value in load}
        self.assertEqual(loads, {gateway: sum(one("gateway_load_users", gateway=gateway) for one in scraped.values())
                                 for gateway in ("gxy1", "gxy2", "gxy3")})
        self.assertGreater(loads["gxy1"], 20)
        (_, rate), = created
        self.assertGreater(rate, 0)
        ended = {labels["cause"]: value for labels, value in removed}
        self.assertGreater(ended["release"], 0)
        self.assertEqual(ended["cleaning"], 0)
        (_, rate), = matched
        self.assertTrue(0 < rate < 1, rate)
        for labels, value in filled:
            name, = (name for name, one in self.scenario.sidecars.items() if one.instance == labels["instance"])
            one, gateway = scraped[name], labels["gateway"]
            self.assertAlmostEqual(value, one("gateway_rooms", gateway=gateway) * one("room_occupancy_users")
                                   / one("gateway_capacity_users", gateway=gateway))
        self.assertEqual(len(filled), 12)

    def test_every_other_query_of_the_document_has_an_answer(self):
        section = prometheus.PAGE.read_text(encoding="utf-8").split("## The five things")[1].split("\n## ")[0]
        plain = re.findall(r"`([^`]*room_sidecar_[^`]*)`", section)
        self.assertEqual(len(plain), 8)
        for query in plain:
            self.assertTrue(self.query(query.replace("\\|", "|")), query)

    def test_each_query_of_the_dashboard_has_an_answer(self):
        queries = list(queries_of_dashboard())
        self.assertGreater(len(queries), 25)
        for title, query in queries:
            with self.subTest(title, query=query):
                one = self.scenario.shared if "_cluster_" in query else self.scenario.disk
                for instance in (".*", one.instance):
                    asked = in_place(query, instance)
                    self.assertTrue(any(value == value for _, value in self.query(asked)), f"{asked} is empty")
                    self.assertTrue(self.prometheus.ask("query_range", query=asked, step="1s",
                                                        start=self.scenario.well_at,
                                                        end=self.scenario.troubled_at)["result"])

    def test_the_dashboard_knows_metrics_and_labels(self):
        known = {}
        for one in self.scenario.scraped.values():
            for name, labels in one.values:
                known.setdefault(f"room_sidecar_{name}", set()).update(label for label, _ in labels)
        for title, query in queries_of_dashboard():
            with self.subTest(title, query=query):
                named = re.findall(r"\b(room_sidecar_\w+)(?:\{([^}]*)\})?", query)
                labels = {"job", "instance"}
                for name, chosen in named:
                    self.assertIn(name, known)
                    labels |= known[name]
                    self.assertLessEqual(set(re.findall(r'(\w+)\s*=?[=!~]~?\s*"', chosen)),
                                         known[name] | {"job", "instance"}, name)
                for grouped in re.findall(r"\b(?:by|on) ?\(([^)]*)\)", query):
                    self.assertLessEqual(set(re.findall(r"\w+", grouped)), labels)


def queries_of_dashboard():
    """(title, query) of each annotation and panel."""
    for annotation in DASHBOARD["annotations"]["list"]:
        yield annotation["name"], annotation["expr"]
    for panel in DASHBOARD["panels"]:
        for target in panel.get("targets", ()):
            yield panel["title"], target["expr"]


def in_place(query, instance):
    for name, value in (("$__rate_interval", "30s"), ("$__range", "10m"), ("$instance", instance)):
        query = query.replace(name, value)
    assert "$" not in query, query
    return query


if __name__ == "__main__":
    if not prometheus.program():
        sys.exit("neither unpacked nor installed: prometheus (./dev test fetches it)")
    janus_fleet.leave_if_missing()
    unittest.main()
