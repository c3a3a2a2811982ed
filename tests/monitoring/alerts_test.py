#!/usr/bin/env python3
"""packaging/monitoring/alerts.yml: promtool makes each rule fire, and stay silent for a healthy sidecar.

`./dev test` fetches promtool."""
import json
import pathlib
import re
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
RULES = ROOT / "packaging" / "monitoring" / "alerts.yml"
PAGE = (ROOT / "docs" / "monitoring.md").read_text(encoding="utf-8")
FETCHED = ROOT / "build" / "prometheus" / "root" / "usr" / "bin" / "promtool"
PROMTOOL = str(FETCHED) if FETCHED.exists() else "promtool"
ALERTS = re.findall(r"^ +- alert: (\w+)", RULES.read_text(encoding="utf-8"), re.MULTILINE)

TARGET = 'job="room-sidecar",instance="a:8082"'


def series(name, values, **labels):
    """One a minute; "0x90" is 0 and ninety more, "0+3x90" rises by 3 each time."""
    more = "".join(f',{label}="{value}"' for label, value in labels.items())
    prefix = "" if name == "up" else "room_sidecar_"
    return {"series": f"{prefix}{name}{{{TARGET}{more}}}", "values": values}


def waits(seconds):
    """A histogram with all answers of the last hour at `seconds`."""
    return [series("http_request_duration_seconds_bucket", "0+60x90" if bound >= seconds else "0x90",
                   route="/v2/room_server", le=text)
            for text, bound in (("0.0001", 0.0001), ("0.1", 0.1), ("0.25", 0.25), ("+Inf", 9e9))]


def matches(match, miss):
    return [series("regional_assignments_total", f"0+{match}x90", result="match"),
            series("regional_assignments_total", f"0+{miss}x90", result="miss"),
            series("regional_assignments_total", "0+50x90", result="no_region")]


HEALTHY = [
    series("up", "1x90"),
    *(series("degraded", "0x90", reason=reason)
      for reason in ("storage", "configuration", "health_sources", "brake", "cluster")),
    *(series("refusals_total", values, error=error)
      for error, values in (("room_not_found", "0+5x90"), ("gateway_not_found", "7x90"),
                            ("no_gateway_available", "7x90"), ("capacity_exhausted", "7x90"))),
    series("rooms_without_default_gateway", "0x90"),
    series("gateway_state", "0x90", gateway="gxy1", state="down"),
    series("gateway_state", "1x90", gateway="gxy1", state="up"),
    series("gateway_rooms", "40x90", gateway="gxy1"),
    series("gateway_capacity_users", "400x90", gateway="gxy1"),
    series("room_occupancy_users", "10x90"),
    series("region_headroom_rooms", "1x90", region="IL"),
    series("scale_mode", "1x90"),
    *matches(9, 1),
    series("config_last_reload_successful", "1x90"),
    series("split_rooms", "0x90"),
    *waits(0.0001),
    series("http_connections_shed_total", "7x90"),
    series("cluster_up", "1x90"),
    series("cluster_age_seconds", "2x90"),
    series("cluster_max_stale_seconds", "300x90"),
    series("cluster_conflicts_total", "7x90"),
    series("cluster_members", "3x90", state="well"),
    series("cluster_members", "0x90", state="ill"),
]

FIRES = {  # alert -> the differences from a healthy sidecar
    "RoomSidecarGone": [series("up", "0x90")],
    "RoomSidecarCannotWrite": [series("degraded", "1x90", reason="storage")],
    "RoomSidecarBrake": [series("degraded", "1x90", reason="brake")],
    "RoomSidecarRefusesRooms": [series("refusals_total", "0+1x90", error="capacity_exhausted")],
    "RoomSidecarDefaultGatewayMissing": [series("refusals_total", "0+1x90", error="gateway_not_found")],
    "RoomSidecarRoomsWithoutDefaultGateway": [series("rooms_without_default_gateway", "1x90")],
    "RoomSidecarGatewayDown": [series("gateway_state", "1x90", gateway="gxy1", state="down"),
                               series("gateway_state", "0x90", gateway="gxy1", state="up")],
    "RoomSidecarRoomsAboveCapacity": [series("gateway_rooms", "41x90", gateway="gxy1")],
    "RoomSidecarRegionFull": [series("region_headroom_rooms", "0x90", region="IL")],
    "RoomSidecarRegionalMatchRateLow": matches(7, 3),
    "RoomSidecarReloadRefused": [series("config_last_reload_successful", "0x90")],
    "RoomSidecarLessThanWell": [series("degraded", "1x90", reason="health_sources")],
    "RoomSidecarSplitRooms": [series("split_rooms", "1x90")],
    "RoomSidecarSlow": waits(0.25),
    "RoomSidecarSharedStoreAway": [series("cluster_up", "0x90")],
    "RoomSidecarSharedStoreStale": [series("cluster_age_seconds", "151x90")],
    "RoomSidecarSharedStoreConflict": [series("cluster_conflicts_total", "7x80 8x10")],
    "RoomSidecarSharedStoreMemberIll": [series("cluster_members", "2x90", state="well"),
                                        series("cluster_members", "1x90", state="ill")],
    "RoomSidecarShedsConnections": [series("http_connections_shed_total", "0+1x90")],
}


def a_case(name, different, firing, at="90m"):
    given = {one["series"]: one["values"] for one in [*HEALTHY, *different]}
    samples = [{"labels": f'{{alertname="{alert}"}}', "value": 1} for alert in firing]
    return {"interval": "1m", "name": name,
            "input_series": [{"series": key, "values": values} for key, values in given.items()],
            "promql_expr_test": [{"expr": 'count by (alertname) (ALERTS{alertstate="firing"})',
                                  "eval_time": at, "exp_samples": samples}]}


class Alerts(unittest.TestCase):
    def check(self, *cases):
        test = {"rule_files": [str(RULES)], "evaluation_interval": "1m", "tests": list(cases)}
        with tempfile.NamedTemporaryFile("w", suffix=".yml") as file:
            json.dump(test, file)
            file.flush()
            done = subprocess.run([PROMTOOL, "test", "rules", file.name], capture_output=True, text=True,
                                  timeout=120)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_a_healthy_sidecar_alerts_nobody(self):
        self.check(a_case("healthy", [], []))

    def test_each_alert_fires_for_its_cause_and_alone(self):
        self.assertEqual(sorted(FIRES), sorted(ALERTS))
        self.check(*(a_case(alert, different, [alert]) for alert, different in FIRES.items()))

    def test_a_single_event_fires_no_alert(self):
        quiet = [series("regional_assignments_total", "0x90", result="match"),
                 series("regional_assignments_total", "0x80 1x10", result="miss")]
        self.check(a_case("one refusal", [series("refusals_total", "7x87 8x3", error="no_gateway_available")], []),
                   a_case("one miss in a quiet hour", quiet, []))

    def test_a_database_that_now_and_then_refuses_pages(self):
        self.check(a_case("now and then", [series("refusals_total", "0+1x90", error="storage_unavailable")],
                          ["RoomSidecarRefusesRooms"]))

    def test_a_sidecar_without_a_shared_store_fires_no_store_alert(self):
        gauges = ("cluster_up", "cluster_age_seconds", "cluster_max_stale_seconds")
        self.check(a_case("alone", [*(series(name, "_x90") for name in gauges),
                                    series("cluster_members", "_x90", state="well"),
                                    series("cluster_members", "_x90", state="ill")], []))

    def test_a_store_that_is_back_within_a_minute_pages_nobody(self):
        blinks = [series("cluster_up", "1x89 0x1"), series("cluster_members", "0x85 1x5", state="ill")]
        self.check(a_case("a leader's death", blinks, []))

    def test_a_conflict_is_shown_for_an_hour_also_if_it_came_with_the_first_scrape(self):
        with_the_first = "_x60 1x300"
        self.check(*(a_case(f"at {at}", [series("cluster_conflicts_total", with_the_first)], firing, at)
                     for at, firing in (("70m", ["RoomSidecarSharedStoreConflict"]),
                                        ("119m", ["RoomSidecarSharedStoreConflict"]), ("123m", []))))

    def test_rows_of_assignments_fire_no_alert_in_legacy_mode(self):
        self.check(a_case("legacy", [series("scale_mode", "0x90"),
                                     series("gateway_rooms", "99x90", gateway="gxy1")], []))

    def test_a_region_without_headroom_alerts_in_scale_mode_only(self):
        self.check(a_case("legacy", [series("region_headroom_rooms", "0x90", region="IL"),
                                     series("scale_mode", "0x90")], []))

    def test_the_rules_query_only_known_metrics(self):
        known = set(re.findall(r"^\| `(room_sidecar_\w+)`", PAGE, re.MULTILINE))
        asked = set(re.findall(r"\broom_sidecar_\w+", RULES.read_text(encoding="utf-8")))
        self.assertEqual({re.sub("_bucket$", "", name) for name in asked} - known, set())


if __name__ == "__main__":
    unittest.main()
