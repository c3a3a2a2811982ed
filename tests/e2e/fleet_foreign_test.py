#!/usr/bin/env python3
"""Sidecars with an endpoint that leads to another etcd cluster: a member lost its disk and was started as a new one, or
an address is wrong. Only the followed cluster counts; the harness counts rooms with two answers."""
import json
import random
import unittest

from etcd import Etcd
from fleet import FleetCase, config
from fleet_load import AnswerLog, Load, Plan
from sidecar import wait_until

ROOMS, ASKERS = 60, 6
FOREIGN = "Endpoint leads to another etcd cluster"


class Foreign(FleetCase):
    """Two members of the right cluster, and a third endpoint that each test fills."""

    members = 2

    def setUp(self):
        super().setUp()
        self.foreign = Etcd(prefix=self.etcd.prefix)
        self.addCleanup(self.foreign.remove)
        self.endpoint = self.foreign.endpoints[0]
        self.answer_log = AnswerLog()

    def settings(self, **cluster):
        return super().settings(**{"endpoints": [*self.etcd.endpoints, self.endpoint], **cluster})

    def load(self, sidecars, name="r", seconds=None):
        plan = Plan(len(sidecars), ROOMS, ASKERS, random.Random(name), name=name)
        load = Load([sidecar.port for sidecar in sidecars], plan,
                    rate=len(plan.questions) / seconds if seconds else 0)
        self.addCleanup(load.remove)
        return load

    def record(self, load):
        self.answer_log.record(load.plan, load.finish())

    def no_room_has_two_answers(self, sidecars):
        """No room is in the other cluster either."""
        wanted = self.answer_log.acknowledged()
        again = Load([sidecar.port for sidecar in sidecars], Plan.of_each_at_each(wanted, len(sidecars)))
        self.record(again)
        self.assertEqual(self.answer_log.two_answers(), {})
        self.assertEqual(self.answer_log.never_answered(), set())
        self.assertEqual(self.answer_log.lost_or_changed(self.etcd.rooms()), {})
        if any(member.is_running() for member in self.foreign):
            self.assertEqual(self.foreign.range(""), {})

    def names_it(self, sidecar):
        wait_until(lambda: any(self.endpoint in reason for reason in sidecar.degraded()),
                   "/readyz to name the endpoint")

    def errors(self, sidecar):
        return [line for line in sidecar.log_of_this_run().splitlines() if FOREIGN in line]


class FromTheBeginning(Foreign):
    def test_no_room_has_two_answers_and_the_endpoint_is_named(self):
        self.foreign.start()
        sidecars = self.fleet(3)
        load = self.load(sidecars, seconds=4)
        load.wait_for(0.4)
        sidecars[1].kill()
        sidecars[1].start()
        self.record(load)
        self.no_room_has_two_answers(sidecars)
        for sidecar in sidecars:
            self.names_it(sidecar)
            sidecar.wait_for_log("Several members of etcd claim to lead")
            errors = self.errors(sidecar)
            self.assertEqual(len(errors), 1, errors)
            self.assertIn("ERROR", errors[0])
            self.assertIn(f"endpoint={self.endpoint}", errors[0])

        def problem():
            members = sidecars[0].cluster()["members"]
            return next(member["problem"] for member in members if member["endpoint"] == self.endpoint) or ""
        wait_until(lambda: "another etcd cluster" in problem(), "/v2/cluster to name the endpoint")


class Later(Foreign):
    def test_a_member_started_as_another_cluster_is_left_out(self):
        """Sidecars keep connections there, or try to."""
        sidecars = self.fleet(3)
        load = self.load(sidecars, seconds=5)
        load.wait_for(0.3)
        self.foreign.start()
        load.wait_for(0.6)
        sidecars[2].kill()  # its knowledge of the cluster is in its file
        sidecars[2].start()
        self.record(load)
        for sidecar in sidecars:
            self.names_it(sidecar)
        self.no_room_has_two_answers(sidecars)
        self.foreign.kill()
        self.assertEqual(len(self.errors(sidecars[0])), 1)

    def test_no_new_room_is_answered_while_only_the_other_cluster_answers(self):
        sidecars = self.fleet(2)
        self.record(self.load(sidecars, "before"))
        self.foreign.start()
        for sidecar in sidecars:
            self.names_it(sidecar)
        self.etcd.kill()
        for sidecar in sidecars:
            wait_until(lambda sidecar=sidecar: sidecar.ask("new").status == 503, "the etcd to be missed")
            self.assertEqual(sidecar.ask("before1").janus, self.answer_log.acknowledged()["before1"])
        sidecars[1].kill()
        sidecars[1].start()
        self.expect(sidecars[1].ask("newer"), 503, "storage_unavailable")
        self.assertEqual(sidecars[1].ask("before1").janus, self.answer_log.acknowledged()["before1"])
        for member in self.etcd:
            member.begin()
        self.etcd.wait_until_healthy()
        for sidecar in sidecars:
            sidecar.wait_until_live()
        self.record(self.load(sidecars, "after"))
        self.no_room_has_two_answers(sidecars)


class Undecided(Foreign):
    def settings(self, **cluster):
        return super().settings(**{"endpoints": [self.etcd.endpoints[0], self.endpoint], **cluster})

    def test_two_endpoints_of_two_clusters_are_both_refused_by_a_sidecar_that_followed_none(self):
        self.foreign.start()
        sidecars = [self.begin(config(self.settings())) for _ in range(2)]
        for sidecar in sidecars:
            self.names_it(sidecar)
            self.expect(sidecar.ask("1"), 503, "storage_unavailable")
        for sidecar in sidecars:
            sidecar.write_config(config(self.settings(endpoints=self.etcd.endpoints)))
            self.assertEqual(sidecar.post("/v2/reload").status, 200)
            sidecar.wait_until_live()
            self.assertEqual(sidecar.degraded(), [])
        self.record(self.load(sidecars))
        self.no_room_has_two_answers(sidecars)


class Commands(Foreign):
    def test_check_and_join_compare_the_clusters_of_all_endpoints(self):
        text = config(self.settings(engine="none"))
        one = self.begin(text)
        one.ask("1")
        checked = one.run("check")
        self.assertEqual((checked.returncode, "different etcd clusters" in checked.stdout), (0, False), checked)
        self.foreign.start()
        checked = one.run("check")
        self.assertEqual(checked.returncode, 0, checked)
        warning = next(line for line in checked.stdout.splitlines() if "different etcd clusters" in line)
        self.assertTrue(warning.startswith("warning: "), warning)
        for endpoint in (*self.etcd.endpoints, self.endpoint):
            self.assertIn(endpoint, warning)
        for arguments in (["--dry-run"], []):
            joined = one.run("cluster", "join", *arguments)
            self.assertEqual(joined.returncode, 1, joined)
            self.assertIn("different etcd clusters", joined.stderr)
        self.assertEqual((self.etcd.range(""), self.foreign.range("")), ({}, {}))
        one.write_config(text.replace(f", \"{self.endpoint}\"", ""))
        joined = one.run("cluster", "join", "--json")
        self.assertEqual(json.loads(joined.stdout)["carried"], 1, joined)


if __name__ == "__main__":
    unittest.main()
