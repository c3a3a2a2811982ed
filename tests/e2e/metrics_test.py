#!/usr/bin/env python3
"""GET /metrics: each family changes as described in docs/monitoring.md, which lists all of them."""
import contextlib
import pathlib
import re
import socket
import sqlite3
import subprocess
import tempfile
import unittest

from sidecar import Case, toml, wait_until

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "monitoring.md").read_text(encoding="utf-8")
FETCHED = ROOT / "build" / "prometheus" / "root" / "usr" / "bin" / "promtool"
PROMTOOL = str(FETCHED) if FETCHED.exists() else "promtool"
REGIONS = {"IL": ["gxy1"], "US": ["gxy2"]}
TINY = {"max_server_capacity": 20, "avg_room_occupancy": 10}  # two rooms a gateway


class Metrics:
    """One answer, read: name -> type, and (name, labels) -> value. The prefix is left out."""

    LINE = re.compile(r'(\w+)(?:\{(.*)\})? (\S+)')
    LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')

    def __init__(self, text):
        self.types, self.values = {}, {}
        for line in text.splitlines():
            if line.startswith("# TYPE "):
                name, kind = line.split()[2:]
                self.types[name] = kind
            elif line and not line.startswith("#"):
                name, labels, value = self.LINE.fullmatch(line).groups()
                key = frozenset(self.LABEL.findall(labels or ""))
                self.values[name.removeprefix("room_sidecar_"), key] = float(value)

    def __call__(self, name, **labels):
        """0 for a series that is not there yet."""
        return self.values.get((name, frozenset(labels.items())), 0)


def metrics(sidecar):
    answer = sidecar.get("/metrics")
    assert answer.status == 200, answer
    return Metrics(answer.body.decode())


def labels_listed():
    """The documented labels, by metric."""
    return {name: set(re.findall(r"`(\w+)`", labels)) for name, labels in
            re.findall(r"^\| `room_sidecar_(\w+)` \| \w+ \|([^|]*)\|", PAGE, re.MULTILINE)}


def unlisted_labels(exported):
    """series -> its labels, if they differ from the document's."""
    listed = labels_listed()
    found = [(name, {label for label, _ in labels} - {"le"}) for name, labels in exported.values]
    return {name: labels for name, labels in found
            if labels != listed[name if name in listed else re.sub(r"_(bucket|count|sum)$", "", name)]}


class Moves(Case):
    def setUp(self):
        self.before = {}

    def grown(self, sidecar, name, **labels):
        """The growth since the last call."""
        key = (name, tuple(sorted(labels.items())))
        now = metrics(sidecar)(name, **labels)
        grown, self.before[key] = now - self.before.get(key, 0), now
        return grown

    def scale(self, **tables):
        more = {"regions": REGIONS, "unknown_rooms": "accept", "balancing": TINY, **tables}
        return self.sidecar(toml(scale=True, **more))

    def test_requests_are_counted_by_route_and_status(self):
        one = self.sidecar()
        room = {"method": "POST", "route": "/v2/room_server"}
        for times in (1, 2):
            one.ask("2171")
            self.assertEqual(self.grown(one, "http_requests_total", **room, status="200"), 1, times)
        one.ask("nobody knows it")
        one.post("/v2/room_server", "nonsense")
        self.assertEqual(self.grown(one, "http_requests_total", **room, status="404"), 1)
        self.assertEqual(self.grown(one, "http_requests_total", **room, status="400"), 1)
        now = metrics(one)
        self.assertEqual(now("http_request_duration_seconds_count", **room), 4)
        self.assertEqual(now("http_request_duration_seconds_bucket", **room, le="+Inf"), 4)
        self.assertGreater(now("http_request_duration_seconds_sum", **room), 0)
        bounds = {dict(labels)["le"] for name, labels in now.values
                  if name == "http_request_duration_seconds_bucket"}
        self.assertEqual((len(bounds), {"5e-05", "1", "+Inf"} <= bounds), (15, True), bounds)
        one.get("/nowhere")
        one.delete("/healthz")
        nowhere = {"method": "none", "route": "none"}
        self.assertEqual(self.grown(one, "http_requests_total", **nowhere, status="404"), 1)
        self.assertEqual(self.grown(one, "http_requests_total", **nowhere, status="405"), 1)

    def test_connections_are_counted(self):
        one = self.sidecar(toml(http={"max_connections": 2}))
        self.assertEqual(metrics(one)("http_connections"), 1)
        with socket.create_connection(("127.0.0.1", one.port)) as second:
            wait_until(lambda: metrics(one)("http_connections") == 2, "the second connection")
            with socket.create_connection(("127.0.0.1", one.port)) as third:
                self.assertEqual(second.recv(1), b"")  # it gives way
                third.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
                third.recv(1)
                with socket.create_connection(("127.0.0.1", one.port)) as fourth:
                    fourth.recv(1)
            now = metrics(one)
            self.assertEqual((now("http_connections_displaced_total"), now("http_connections_shed_total")), (1, 1))

    def test_decisions_and_refusals_are_counted(self):
        one = self.scale(pins={"77": "gxy3"})
        for room, reason in (("1", "assigned"), ("1", "sticky"), ("77", "pinned"), ("2", "assigned"),
                             ("3", "assigned"), ("4", "overflow")):
            self.assertEqual(one.ask(room, "IL").reason, reason)
            self.assertEqual(self.grown(one, "decisions_total", reason=reason), 1, room)
        one.put("/v2/gateways/gxy1/drain")
        one.put("/v2/gateways/gxy3/drain")
        self.assertEqual(one.ask("5", "IL").reason, "borrowed")
        self.assertEqual(self.grown(one, "decisions_total", reason="borrowed"), 1)
        one.put("/v2/gateways/gxy2/drain")
        self.expect(one.ask("6", "IL"), 503, "no_gateway_available")
        self.assertEqual(self.grown(one, "refusals_total", error="no_gateway_available"), 1)

    def test_refusals_for_lack_of_capacity_are_counted(self):
        one = self.scale(balancing={**TINY, "when_full": "reject"})
        self.assertEqual(metrics(one)("headroom_rooms"), 6)
        for room in range(6):
            self.assertEqual(one.ask(str(room)).status, 200)
        self.expect(one.ask("one more"), 503, "capacity_exhausted")
        self.assertEqual(self.grown(one, "refusals_total", error="capacity_exhausted"), 1)
        self.expect(one.enter("full", "alice"), 503, "capacity_exhausted")
        self.assertEqual(self.grown(one, "session_refusals_total", error="capacity_exhausted"), 1)
        one.snapshot([("full", "alice"), ("too", "bob")])
        self.assertEqual(self.grown(one, "session_refusals_total", error="capacity_exhausted"), 2)
        one.put("/v2/rooms/full/sessions/%0a", {})
        self.assertEqual(self.grown(one, "session_refusals_total", error="invalid_session"), 1)
        self.assertEqual(metrics(one)("headroom_rooms"), 0)

    def test_legacy_answers_and_rooms_without_a_default_gateway_are_counted(self):
        one = self.sidecar()
        self.assertEqual(one.ask("2171").reason, "default")
        self.assertEqual(self.grown(one, "decisions_total", reason="default"), 1)
        self.assertEqual(metrics(one)("rooms_without_default_gateway"), 0)
        one.sql("UPDATE rooms SET default_gateway_id = 999 WHERE gateway_uid = '2172'")
        wait_until(lambda: metrics(one)("rooms_without_default_gateway") == 1, "the edit to be seen")
        self.assertEqual(metrics(one)("known_rooms"), 3)
        self.expect(one.ask("2172"), 500, "gateway_not_found")
        self.assertEqual(self.grown(one, "refusals_total", error="gateway_not_found"), 1)
        self.assertEqual(self.grown(one, "assignments_created_total", cause="answer"), 0)

    def test_assignments_are_counted_by_cause_and_loads_by_gateway(self):
        one = self.scale(sessions={"join_grace": "100ms", "clean_every": "200ms"})
        one.enter("1", "alice", "gxy2")
        one.enter("1", "bob")
        self.assertEqual(self.grown(one, "assignments_created_total", cause="report"), 1)
        now = metrics(one)
        self.assertEqual(now("sessions"), 2)
        for name, expected in (("rooms", 1), ("users", 2), ("load_users", 10), ("capacity_users", 20),
                               ("available", 1), ("disabled", 0), ("draining", 0)):
            self.assertEqual(now(f"gateway_{name}", gateway="gxy2"), expected, name)
        self.assertEqual(now("room_occupancy_users"), 10)
        self.assertEqual(now("region_headroom_rooms", region="US"), 1)
        one.leave("1", "alice")
        one.leave("1", "bob")
        self.assertEqual(self.grown(one, "assignments_removed_total", cause="leave"), 1)
        one.ask("2")
        self.assertEqual(self.grown(one, "assignments_created_total", cause="answer"), 1)
        wait_until(lambda: metrics(one)("assignments_removed_total", cause="cleaning") == 1,
                   "the cleaning")
        one.enter("3", "carol")
        one.delete("/v2/assignments/3?force=true")
        self.assertEqual(self.grown(one, "assignments_removed_total", cause="release"), 1)
        self.assertEqual(metrics(one)("sessions"), 0)

    def test_an_evacuated_gateway_is_shown(self):
        one = self.scale()
        one.enter("1", "alice", "gxy1")
        one.put("/v2/gateways/gxy1/drain", {"move": True})
        wait_until(lambda: metrics(one)("assignments_moved_total", cause="drain") == 1, "the move")
        now = metrics(one)
        self.assertEqual(now("gateway_draining", gateway="gxy1"), 1)
        self.assertEqual((now("gateway_rooms", gateway="gxy1"), now("region_headroom_rooms", region="IL")),
                         (0, 0))
        self.assertEqual(now("gateway_state", gateway="gxy1", state="unknown"), 1)

    def test_regional_matches_are_counted(self):
        one = self.scale()
        for room, country, result in (("1", "IL", "match"), ("2", "il", "match"), ("3", "IL", "miss"),
                                      ("4", "FR", "no_region"), ("5", None, "no_region")):
            one.ask(room, country)
            self.assertEqual(self.grown(one, "regional_assignments_total", result=result), 1, room)

    def test_commits_are_counted_and_an_unwritable_database_is_shown(self):
        one = self.scale()
        for number in range(3):
            one.ask(str(number))
        now = metrics(one)
        commits = now("commit_duration_seconds_count")
        self.assertGreaterEqual(commits, 3)
        self.assertEqual(now("commit_rows_count"), commits)
        self.assertGreaterEqual(now("commit_rows_sum"), 3)
        self.assertEqual((now("write_failures_total"), now("degraded", reason="storage")), (0, 0))
        with contextlib.closing(sqlite3.connect(one.database, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            self.expect(one.ask("one more"), 503, "storage_unavailable")
            self.assertEqual(self.grown(one, "refusals_total", error="storage_unavailable"), 1)
            wait_until(lambda: metrics(one)("write_failures_total") >= 1, "a failure")
            self.assertEqual(metrics(one)("degraded", reason="storage"), 1)
            one.enter("1", "alice")  # written behind, as soon as possible
            self.assertGreaterEqual(metrics(one)("journal_queue_rows"), 1)
            other.execute("ROLLBACK")
        wait_until(lambda: metrics(one)("degraded", reason="storage") == 0, "the recovery")
        wait_until(lambda: metrics(one)("journal_queue_rows") == 0, "the queue to be written")

    def test_reloads_mode_and_version_are_shown(self):
        one = self.sidecar()
        now = metrics(one)
        self.assertEqual((now("scale_mode"), now("config_last_reload_successful")), (0, 1))
        version = one.run("--version", config=False).stdout.split()[-1]
        self.assertEqual(now("build_info", version=version), 1)
        one.enter("2171", "alice", "gxy2")
        one.write_config(toml(scale=True))
        one.post("/v2/reload")
        now = metrics(one)
        self.assertEqual((now("scale_mode"), now("config_reloads_total", result="applied")), (1, 1))
        self.assertEqual(now("assignments_created_total", cause="mode_change"), 1)
        one.write_config(toml(balancing={"max_server_capacity": -1}))
        self.expect(one.post("/v2/reload"), 409, "configuration_refused")
        now = metrics(one)
        self.assertEqual((now("scale_mode"), now("config_reloads_total", result="refused"),
                          now("config_last_reload_successful")), (1, 1, 0))

    def test_a_gateway_that_is_down_is_shown(self):
        nobody = {"name": "gxy1", "url": "http://127.0.0.1:1/"}
        one = self.sidecar(toml(scale=True, gateways=[nobody], rooms={},
                                health={"source": "http", "interval": "100ms", "timeout": "100ms"}))
        wait_until(lambda: metrics(one)("gateway_state", gateway="gxy1", state="down") == 1, "the death")
        now = metrics(one)
        self.assertEqual((now("degraded", reason="brake"), now("headroom_rooms")), (1, 0))
        self.assertEqual(now("brakes_applied_total"), 1)
        self.assertEqual(now("gateway_state", gateway="gxy1", state="unknown"), 0)


class Page(Case):
    def test_metrics_need_the_token(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        token = pathlib.Path(folder.name, "token")
        token.write_text("s3cret\n")
        one = self.sidecar(env={"API_TOKEN_FILE": str(token)})
        self.assertEqual(one.get("/metrics").status, 401)
        answer = one.get("/metrics", {"Authorization": "Bearer s3cret"})
        self.assertEqual((answer.status, answer.headers["Content-Type"]),
                         (200, "text/plain; version=0.0.4; charset=utf-8"))
        refused = Metrics(answer.body.decode())("http_requests_total", method="GET", route="/metrics",
                                                status="401")
        self.assertEqual(refused, 1)

    def test_the_document_lists_all_metrics_and_no_other(self):
        listed = dict(re.findall(r"^\| `(room_sidecar_\w+)` \| (\w+) \|", PAGE, re.MULTILINE))
        self.assertEqual(listed, metrics(self.sidecar()).types)

    def test_the_document_names_the_labels(self):
        self.assertEqual(unlisted_labels(metrics(self.sidecar(toml(regions=REGIONS)))), {})

    def test_no_room_and_no_user_is_named(self):
        one = self.sidecar(toml(scale=True, unknown_rooms="accept"))
        one.ask("hidden-room")
        one.enter("hidden-room", "hidden-user")
        one.get("/v2/rooms/hidden-room")
        self.assertNotIn(b"hidden", one.get("/metrics").body)

    def test_the_number_of_series_depends_on_gateways_and_regions_only(self):
        letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

        def series(gateways, regions):
            names = [f"gxy{number}" for number in range(gateways)]
            one = self.sidecar(toml(scale=True, unknown_rooms="accept", gateways=names, rooms={},
                                    regions={f"C{letter}": names[:1] for letter in letters[:regions]}))
            one.get("/metrics")
            before = metrics(one).values.keys()
            for room in range(50):
                one.ask(str(room), f"C{letters[room % 26]}")
                one.enter(str(room), f"user-{room}")
            for _ in range(2):
                for path in ("/v2/rooms/1", "/v2/rooms/2", "/v2/decisions?room=3", "/v2/assignments"):
                    one.get(path)
            self.assertEqual(metrics(one).values.keys(), before)
            return len(before)
        few = series(3, 2)
        self.assertEqual(series(10, 5), few + 7 * 11 + 3)
        self.assertLess(few, 600)

    def test_promtool_reports_nothing(self):
        one = self.sidecar(toml(scale=True, regions=REGIONS))
        one.ask("2171", "IL")
        done = subprocess.run([PROMTOOL, "check", "metrics"], input=one.get("/metrics").body,
                              capture_output=True, timeout=60)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, b"", b""))

    def test_the_documents_queries_can_be_asked(self):
        queries = re.findall(r"`([^`]*\b(?:rate|increase|sum by|group_left) ?\([^`]*)`", PAGE)
        self.assertGreaterEqual(len(queries), 7)
        rules = "groups:\n- name: page\n  rules:\n"
        for number, query in enumerate(queries):
            plain = query.replace("\\|", "|")
            rules += f"  - record: page:query{number}\n    expr: '{plain}'\n"
        with tempfile.NamedTemporaryFile("w", suffix=".yml") as file:
            file.write(rules)
            file.flush()
            done = subprocess.run([PROMTOOL, "check", "rules", file.name], capture_output=True,
                                  text=True, timeout=60)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


if __name__ == "__main__":
    unittest.main()
