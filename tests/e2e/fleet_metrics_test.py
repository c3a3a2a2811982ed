#!/usr/bin/env python3
"""The metrics of sidecars that share a real etcd, as described in docs/monitoring.md."""
import concurrent.futures
import json
import subprocess
import unittest

from fleet import ENGINE_NONE, FleetCase, config
from metrics_test import PROMTOOL, labels_listed, metrics, unlisted_labels
from sidecar import wait_until

GAUGES = {"cluster_up", "cluster_age_seconds", "cluster_max_stale_seconds", "cluster_sidecars", "cluster_members"}


def names(sidecar):
    return {name for name, _ in metrics(sidecar).values}


class FleetMetrics(FleetCase):
    def wait_for(self, sidecar, name, value, **labels):
        wait_until(lambda: metrics(sidecar)(name, **labels) == value, f"{name}{labels} to be {value}")

    def test_a_claim_is_won_by_one_sidecar_and_lost_by_the_other(self):
        # No attempt may fail on a busy machine, so each has nearly all of the time.
        fleet = self.fleet(2, cluster={"timeout": "4s", "attempt_timeout": "3500ms"})
        outcome = {one: lambda what, one=one: metrics(one)("cluster_claims_total", outcome=what) for one in fleet}
        asked = 0
        with concurrent.futures.ThreadPoolExecutor(2) as both:
            def ask_both_until_one_has_lost():
                nonlocal asked
                asked += 1
                first, second = both.map(lambda one: one.ask(f"room-{asked}").janus, fleet)
                self.assertEqual(first, second)
                return sum(outcome[one]("lost") for one in fleet)
            wait_until(ask_both_until_one_has_lost, "both to ask for a room at once")
        self.assertEqual(sum(outcome[one]("won") for one in fleet), asked)
        self.assertEqual(sum(metrics(one)("assignments_created_total", cause="answer") for one in fleet), asked)
        for one in fleet:
            self.assertEqual((outcome[one]("again"), outcome[one]("failed")), (0, 0))
            self.assertEqual(metrics(one)("cluster_failures_total"), 0)
            wait_until(lambda one=one: metrics(one)("cluster_changes_total") >= asked, "the changes to be followed")
            rooms = sum(metrics(one)("gateway_rooms", gateway=f"gxy{number}") for number in range(1, 11))
            self.assertEqual(rooms, asked, "each reports all")

    def test_a_healthy_fleet_is_shown_as_such(self):
        fleet = self.fleet(2, cluster={"max_stale": "2m"})
        fleet[0].ask("1")
        for one in fleet:
            self.wait_for(one, "cluster_sidecars", 2)
            self.wait_for(one, "cluster_members", 1, state="well")
            now = metrics(one)
            self.assertEqual((now("cluster_up"), now("degraded", reason="cluster")), (1, 0))
            self.assertEqual((now("cluster_members", state="ill"), now("cluster_max_stale_seconds")), (0, 120))
            self.assertLess(now("cluster_age_seconds"), 15)
            self.assertGreaterEqual(now("cluster_listings_total"), 1)
            self.assertEqual(now("cluster_conflicts_total"), 0)
        now = metrics(fleet[0])
        answered = now("cluster_transaction_duration_seconds_count")
        self.assertGreaterEqual(answered, 1)
        self.assertEqual(now("cluster_transaction_duration_seconds_bucket", le="+Inf"), answered)
        self.assertGreater(now("cluster_transaction_duration_seconds_sum"), 0)

    def test_a_dead_store_is_shown_until_it_has_healed(self):
        one = self.member()
        one.ask("known")
        self.wait_for(one, "cluster_members", 1, state="well")
        failures = metrics(one)("cluster_failures_total")
        self.etcd.kill()
        self.expect(one.ask("new"), 503, "storage_unavailable")
        # The asker may give up before the claim does.
        self.wait_for(one, "cluster_claims_total", 1, outcome="failed")
        self.assertGreater(metrics(one)("cluster_failures_total"), failures)
        self.wait_for(one, "cluster_up", 0)
        self.wait_for(one, "degraded", 1, reason="cluster")
        self.wait_for(one, "cluster_members", 1, state="ill")
        self.assertEqual(metrics(one)("cluster_members", state="well"), 0)
        age = metrics(one)("cluster_age_seconds")
        wait_until(lambda: metrics(one)("cluster_age_seconds") > age, "what is known to grow older")
        for member in self.etcd:
            member.start()
        self.wait_for(one, "cluster_up", 1)
        self.wait_for(one, "degraded", 0, reason="cluster")
        self.wait_for(one, "cluster_members", 1, state="well")
        self.assertEqual(metrics(one)("cluster_members", state="ill"), 0)
        self.assertLess(metrics(one)("cluster_age_seconds"), 15)
        won = metrics(one)("cluster_claims_total", outcome="won")
        self.assertEqual(one.ask("new").status, 200)
        self.assertEqual(metrics(one)("cluster_claims_total", outcome="won"), won + 1)

    def test_a_room_with_another_gateway_in_the_store_is_a_conflict(self):
        one = self.begin(config(ENGINE_NONE, balancing={"available_servers": ["gxy1"]}))
        self.assertEqual(one.enter("torn", "alice").janus, "gxy1")
        self.assertEqual(metrics(one)("cluster_conflicts_total"), 0)
        self.etcd.put("room/torn", json.dumps({"gateway": "gxy2", "at": "2026-01-01T00:00:00.000Z"}))
        one.write_config(config(self.settings()))
        self.assertEqual(one.post("/v2/reload").status, 200)
        self.wait_for(one, "cluster_conflicts_total", 1)

    def test_a_sidecar_without_a_store_has_none_of_its_gauges(self):
        one = self.begin(config(ENGINE_NONE))
        self.assertEqual(GAUGES & names(one), set())
        for text, there in ((config(self.settings()), GAUGES), (config(self.settings(), scale=False), set()),
                            (config(ENGINE_NONE), set())):
            one.write_config(text)
            self.assertEqual(one.post("/v2/reload").status, 200)
            wait_until(lambda there=there: GAUGES & names(one) == there, f"{there}")
        self.assertEqual(metrics(one)("degraded", reason="cluster"), 0)

    def test_the_document_names_the_labels_and_promtool_reports_nothing(self):
        one = self.member()
        one.ask("1")
        self.assertEqual(unlisted_labels(metrics(one)), {})
        self.assertEqual(labels_listed()["cluster_members"], {"state"})
        done = subprocess.run([PROMTOOL, "check", "metrics"], input=one.get("/metrics").body,
                              capture_output=True, timeout=60, check=False)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, b"", b""))


if __name__ == "__main__":
    unittest.main()
