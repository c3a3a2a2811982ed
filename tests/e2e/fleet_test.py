#!/usr/bin/env python3
"""Three real sidecars that share three real members of etcd, under load while something breaks: no room ever has
two answers, and nothing that was answered is lost or changed. The harness counts by itself.

FLEET_ROOMS and FLEET_ROOMS_FULL say how many rooms (20 askers each), in all cases and in the largest one.
"""
import os
import random
import sys
import unittest

import netns
from fleet import SANITIZED, FleetCase
from fleet_load import AnswerLog, Load, Plan
from pace import Slowdown
from sidecar import wait_until

ROOMS = int(os.environ.get("FLEET_ROOMS", 100 if SANITIZED else 1000))
ROOMS_FULL = int(os.environ.get("FLEET_ROOMS_FULL", ROOMS if SANITIZED else 10000))
ASKERS = 6 if SANITIZED else 20
SECONDS = 6  # of a load during which something is to happen
DEADLINE = 3  # [cluster] timeout


class UnderLoad(FleetCase):
    """Shared by all cases: a fleet, askers, and the checks in the end."""

    members = 3

    def setUp(self):
        super().setUp()
        self.slowdown = Slowdown()
        self.addCleanup(self.slowdown.stop)
        self.sidecars = self.begin_fleet()
        self.answer_log = AnswerLog()
        self.chance = random.Random(self._testMethodName)

    def begin_fleet(self):
        return self.fleet(3)

    def load(self, rooms=None, first=0, seconds=SECONDS, at=None):
        """Starts askers at these sidecars. With seconds: so slowly that the load takes at least as long."""
        at = at or self.sidecars
        rooms = rooms or ROOMS
        plan = Plan(len(at), rooms, ASKERS, self.chance, first=first)
        load = Load([sidecar.port for sidecar in at], plan, rate=len(plan.questions) / seconds if seconds else 0)
        self.addCleanup(load.remove)
        return load

    def record(self, load):
        self.answer_log.record(load.plan, load.finish())

    def calm(self, **more):
        self.record(self.load(seconds=None, **more))

    def settle(self):
        self.etcd.wait_until_healthy()
        for sidecar in self.sidecars:
            sidecar.wait_until_live()

    def no_room_has_two_answers_and_nothing_is_lost(self):
        self.settle()
        wanted = self.answer_log.acknowledged()
        self.assertEqual(self.answer_log.never_answered(), set())
        again = Plan.of_each_at_each(wanted, len(self.sidecars))
        self.record(Load([sidecar.port for sidecar in self.sidecars], again))
        print(f"{self.id()}: {self.answer_log.summary()}", file=sys.stderr)
        self.assertEqual(self.answer_log.two_answers(), {})
        self.assertEqual(self.answer_log.lost_or_changed(self.etcd.rooms()), {})
        self.assertEqual(self.answer_log.unexpected(), [])
        self.assertEqual(self.answer_log.assigned_twice(), {})
        self.assertLessEqual(self.answer_log.slowest(), (DEADLINE + 1) * self.slowdown.stop())
        for sidecar in self.sidecars:
            self.assertEqual(self.answer_log.lost_or_changed(sidecar.assignments()), {}, "its replica")


class Full(UnderLoad):
    def test_no_room_has_two_answers_in_calm_or_while_the_leader_is_killed(self):
        load = self.load(rooms=ROOMS_FULL, seconds=SECONDS)
        load.wait_for(0.4)
        leader = self.etcd.leader()
        leader.kill()
        load.wait_for(0.7)
        leader.start()
        self.record(load)
        self.no_room_has_two_answers_and_nothing_is_lost()


class Calm(UnderLoad):
    def test_no_request_is_refused_while_nothing_breaks(self):
        self.calm()
        self.assertEqual({answer.status for answer in self.answer_log.answers}, {200})
        self.no_room_has_two_answers_and_nothing_is_lost()


class LeaderHung(UnderLoad):
    def test_no_room_has_two_answers_while_the_leader_hangs_and_comes_back(self):
        load = self.load()
        load.wait_for(0.3)
        leader = self.etcd.leader()
        leader.freeze()
        self.etcd.leader()
        load.wait_for(0.7)
        leader.thaw()
        self.record(load)
        self.no_room_has_two_answers_and_nothing_is_lost()


class QuorumLost(UnderLoad):
    def test_no_room_has_two_answers_while_two_of_three_members_go_and_come_back(self):
        load = self.load()
        load.wait_for(0.3)
        gone = [self.etcd.leader(), self.etcd.followers()[0]]
        for member in gone:
            member.kill()
        for sidecar in self.sidecars:
            wait_until(sidecar.degraded, "the sidecar to miss the engine")
        for member in gone:
            member.begin()
        self.etcd.wait_until_healthy()
        self.record(load)
        self.no_room_has_two_answers_and_nothing_is_lost()


class SidecarKilled(UnderLoad):
    def test_no_room_has_two_answers_while_a_sidecar_is_killed_and_restarted(self):
        load = self.load()
        for share in (0.25, 0.5, 0.75):
            load.wait_for(share)
            self.sidecars[1].kill()
            self.sidecars[1].start()
        self.record(load)
        self.no_room_has_two_answers_and_nothing_is_lost()


class Compacted(UnderLoad):
    def test_no_room_has_two_answers_after_a_compaction_with_one_sidecar_frozen_and_one_down(self):
        """Both know an earlier revision, and cannot resume from it."""
        self.calm(rooms=ROOMS // 2)
        awake, frozen, down = self.sidecars
        frozen.freeze()
        down.kill()
        self.calm(rooms=ROOMS // 2, first=ROOMS // 2, at=[awake])
        for member in self.etcd:  # no event on the way to the frozen sidecar is still to come
            member.kill()
            member.start()
        self.etcd.compact()
        frozen.thaw()
        down.start()
        self.settle()
        self.calm(first=ROOMS // 4)
        self.no_room_has_two_answers_and_nothing_is_lost()


class Restored(UnderLoad):
    def test_no_room_has_two_answers_after_a_restore_from_an_older_snapshot(self):
        """Three sidecars know the missing rooms, and go on."""
        snapshot = self.etcd.folder / "snapshot"
        self.calm(rooms=ROOMS // 2)
        self.etcd.save_snapshot(snapshot)
        self.calm(rooms=ROOMS // 2, first=ROOMS // 2)
        before = self.etcd.rooms()
        self.etcd.restore(snapshot)
        self.settle()
        self.calm(rooms=ROOMS // 10, first=ROOMS)
        wait_until(lambda: before.items() <= self.etcd.rooms().items(), "the rooms to be in the engine again")
        self.no_room_has_two_answers_and_nothing_is_lost()


class Secured(UnderLoad):
    tls = authentication = True

    def test_no_room_has_two_answers_with_certificates_and_passwords(self):
        load = self.load()
        load.wait_for(0.4)
        leader = self.etcd.leader()
        leader.kill()
        load.wait_for(0.7)
        leader.start()
        self.record(load)
        self.no_room_has_two_answers_and_nothing_is_lost()


class CutLink(UnderLoad):
    """Each in a network namespace of its own."""

    @classmethod
    def nodes(cls):
        cls.net = netns.Net()
        cls.addClassCleanup(cls.net.remove)
        return [cls.net.node(f"m{i}") for i in (1, 2, 3)]

    def begin_fleet(self):
        self.places = [self.net.node(f"s{i}") for i in (1, 2, 3)]
        return [self.member(node=place) for place in self.places]


class SidecarCut(CutLink):
    def test_no_room_has_two_answers_while_a_sidecar_is_cut_off_from_all_members(self):
        load = self.load()
        load.wait_for(0.3)
        place, members = self.places[1], [member.node for member in self.etcd]
        self.net.cut(place, *members)
        wait_until(self.sidecars[1].degraded, "the sidecar to miss the engine")
        known = self.sidecars[1].assignments()
        self.expect(self.sidecars[1].ask("never-asked-before"), 503, "storage_unavailable")
        for room in list(known)[:20]:
            self.assertEqual(self.sidecars[1].ask(room).janus, known[room])
        self.assertEqual(self.sidecars[0].ask("asked-elsewhere").status, 200)
        load.wait_for(0.6)
        self.net.heal(place, *members)
        self.record(load)
        self.no_room_has_two_answers_and_nothing_is_lost()


class LeaderCut(CutLink):
    def test_no_room_has_two_answers_while_the_leader_is_cut_off_from_other_members_only(self):
        load = self.load()
        load.wait_for(0.3)
        leader = self.etcd.leader()
        others = [member.node for member in self.etcd if member is not leader]
        self.net.cut(leader.node, *others)
        wait_until(lambda: self.etcd.leader() is not leader, "another leader")
        load.wait_for(0.7)
        self.net.heal(leader.node, *others)
        self.record(load)
        self.no_room_has_two_answers_and_nothing_is_lost()


if __name__ == "__main__":
    if any("Cut" in argument for argument in sys.argv[1:]) or len(sys.argv) == 1:
        netns.leave_if_impossible("THE TESTS OF CUT LINKS WERE")
    unittest.main()
