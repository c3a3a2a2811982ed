#!/usr/bin/env python3
"""`room-sidecar cluster join` and `leave`: from one sidecar to many and back, with live rooms, none of which moves."""
import json
import unittest

from fleet import FleetCase, config
from sidecar import wait_until


class Journey(FleetCase):
    """Endpoints are configured all the time: only the engine's name is flipped."""

    def alone(self, **more):
        return self.settings(engine="none", **more)

    def reload(self, sidecar, cluster, **tables):
        sidecar.write_config(config(cluster, **tables))
        answer = sidecar.post("/v2/reload")
        self.assertEqual(answer.status, 200, answer)

    def single(self, rooms=60, cluster=None, **tables):
        """A lone sidecar with rooms, every third of them live; and the rooms."""
        one = self.begin(config(cluster or self.alone(), **tables))
        answered = {f"r{number}": one.ask(f"r{number}").janus for number in range(rooms)}
        for number in range(0, rooms, 3):
            one.enter(f"r{number}", f"s{number}")
        return one, answered

    def identity(self, sidecar):
        """The sidecar's id, which is in its file also while it is alone."""
        found = wait_until(lambda: sidecar.sql("SELECT value FROM meta WHERE key = 'sidecar_id'"), "an identity")
        return found[0][0]

    def join(self, sidecar, *arguments, status=0):
        done = sidecar.run("cluster", "join", "--json", *arguments)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return json.loads(done.stdout) if done.stdout else done.stderr

    def leave(self, sidecar, status=0):
        done = sidecar.run("cluster", "leave", "--json")
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return json.loads(done.stdout) if done.stdout else done.stderr

    def marks_of(self, name):
        return {key.split("/")[0] for key in self.etcd.range("use/", keys_only=True) if key.endswith(f"/{name}")}

    def expect_same(self, rooms, *sidecars):
        for sidecar in sidecars:
            self.assertEqual({room: sidecar.ask(room).janus for room in rooms}, rooms)


class Joining(Journey):
    def test_a_single_sidecar_joins_with_live_rooms_and_a_second_one_answers_the_same(self):
        a, rooms = self.single()
        name = self.identity(a)
        result = self.join(a, "--dry-run")
        self.assertEqual((result["dry_run"], result["carried"], result["there_already"]), (True, 60, 0))
        self.assertEqual(self.etcd.range(""), {}, "it only compared")
        result = self.join(a)
        self.assertEqual((result["dry_run"], result["carried"], result["there_already"], result["elsewhere"]),
                         (False, 60, 0, []))
        self.assertEqual(self.etcd.rooms(), rooms)
        self.assertEqual(self.marks_of(name), set(rooms), "or nobody would ever remove them")
        self.assertEqual(a.cluster()["engine"], "none", "it is alone until the switch")
        self.reload(a, self.settings())
        a.wait_until_live()
        self.assertEqual(a.id(), name)
        self.assertEqual(self.etcd.rooms(), rooms)
        b = self.member()
        self.expect_same(rooms, a, b)
        self.assertEqual(a.get("/v2/rooms/r0").json["users"], 1)
        self.assertFalse([line for line in a.log().splitlines() if "elsewhere" in line])
        a.leave("r0", "s0")

    def test_a_second_join_republishes_the_rooms_that_came_meanwhile(self):
        a, rooms = self.single()
        self.join(a)
        rooms["new"] = a.ask("new").janus
        result = self.join(a)
        self.assertEqual((result["carried"], result["there_already"]), (1, 60))
        self.assertEqual(self.join(a)["carried"], 0)
        self.assertEqual(self.etcd.rooms(), rooms)
        self.reload(a, self.settings())
        a.wait_until_live()
        result = self.join(a)
        self.assertEqual((result["shared_already"], result["carried"]), (True, 0))
        done = a.run("cluster", "join")
        self.assertEqual((done.returncode, done.stdout.split(";")[0]), (0, "This sidecar shares already"))
        self.expect_same(rooms, a)

    def test_rooms_with_another_gateway_in_the_engine_are_listed_and_left_alone(self):
        a = self.begin(config(self.alone(), balancing={"available_servers": ["gxy1"]}))
        b = self.member(balancing={"available_servers": ["gxy2"]})
        for room in ("both", "only-a"):
            self.assertEqual(a.ask(room).janus, "gxy1")
        self.assertEqual(b.ask("both").janus, "gxy2")
        for arguments in (["--dry-run"], []):
            result = self.join(a, *arguments, status=1)
            self.assertEqual(result["elsewhere"], [{"room": "both", "here": "gxy1", "there": "gxy2"}])
            self.assertEqual((result["carried"], result["there_already"]), (1, 0))
        self.assertEqual(self.etcd.rooms(), {"both": "gxy2", "only-a": "gxy1"})
        self.assertEqual(self.marks_of(self.identity(a)), {"only-a"})
        done = a.run("cluster", "join")
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stdout, r"both +gxy1 +gxy2\n")

    def test_a_room_with_the_same_row_gets_a_use_mark_so_that_no_other_sidecar_ends_it(self):
        a = self.begin(config(self.alone(), balancing={"available_servers": ["gxy1"]}))
        b = self.member(balancing={"available_servers": ["gxy1"]})
        a.enter("1", "at-a")
        b.enter("1", "at-b")
        result = self.join(a)
        self.assertEqual((result["carried"], result["there_already"]), (0, 1))
        self.assertEqual(b.leave("1", "at-b").json["assignment_removed"], False)
        self.assertEqual(self.etcd.rooms(), {"1": "gxy1"})

    def test_a_live_room_gets_a_use_mark_with_users_and_is_not_released_elsewhere(self):
        a, b = self.begin(config(self.alone())), self.member()
        rooms = {room: a.ask(room).janus for room in ("live", "empty")}
        a.enter("live", "at-a")
        wait_until(lambda: a.sql("SELECT room_id FROM sessions") == [("live",)], "the session to be in the file")
        self.join(a)
        self.seen_by_all([b], "live", rooms["live"])
        self.seen_by_all([b], "empty", rooms["empty"])
        self.expect(b.delete("/v2/assignments/live"), 409, "room_occupied")
        self.assertEqual(b.delete("/v2/assignments/empty").status, 200)
        self.assertEqual(set(self.etcd.rooms()), {"live"})

    def test_a_join_republishes_drains(self):
        a, _ = self.single(rooms=1)
        a.put("/v2/gateways/gxy3/drain")
        wait_until(lambda: a.sql("SELECT draining FROM gateways WHERE name = 'gxy3'") == [(1,)],
                   "the drain to be in the file")
        self.assertEqual(self.join(a, "--dry-run")["drains"], 1)
        self.assertEqual(self.etcd.range("gateway/"), {})
        self.assertEqual(self.join(a)["drains"], 1)
        self.assertEqual(list(self.etcd.range("gateway/")), ["gxy3"])
        self.assertEqual(self.join(a)["drains"], 0)
        b = self.member()
        wait_until(lambda: b.gateway("gxy3")["draining"], "the drain at another one")

    def test_a_stopped_sidecar_can_join_too(self):
        a, rooms = self.single()
        a.stop()
        self.assertEqual(self.join(a)["carried"], 60)
        b = self.member()
        self.expect_same(rooms, b)

    def test_an_unreachable_engine_ends_join_with_1_and_changes_nothing(self):
        a, rooms = self.single(cluster=self.alone(timeout="500ms", attempt_timeout="200ms"))
        self.etcd.freeze()
        self.addCleanup(self.etcd.thaw)
        self.assertIn("etcd cannot be reached", self.join(a, status=1))
        self.assertIn("etcd cannot be reached", self.join(a, "--dry-run", status=1))
        self.assertIn("etcd cannot be reached", self.leave(a, status=1))
        self.expect_same(rooms, a)
        self.etcd.thaw()
        a.write_config(config(self.alone()))  # the usual time
        self.assertEqual(self.join(a)["carried"], 60)

    def test_a_switch_without_a_join_republishes_the_rooms(self):
        a, rooms = self.single()
        self.reload(a, self.settings())
        a.wait_until_live()
        wait_until(lambda: self.etcd.rooms() == rooms, "the rooms to be in the engine")
        b = self.member()
        self.expect_same(rooms, a, b)


class LeavingIt(Journey):
    def shared(self):
        """Two sidecars that share; the first one was alone before."""
        a, rooms = self.single()
        self.join(a)
        self.reload(a, self.settings())
        a.wait_until_live()
        b = self.member()
        b.enter("r1", "at-b")
        wait_until(lambda: "r1" in self.marks_of(b.id()), "the other one's mark")
        return a, b, rooms

    def expect_gone(self, name):
        self.assertEqual(self.marks_of(name), set())
        self.assertNotIn(name, self.etcd.range("sidecar/"))

    def test_a_reload_takes_a_sidecar_out_and_no_room_moves(self):
        a, b, rooms = self.shared()
        name = a.id()
        self.reload(a, self.alone())
        a.wait_for_log("Sidecar removed from the shared store")
        self.expect_gone(name)
        self.assertEqual(set(self.etcd.rooms()), {"r1"}, "what others use stays")
        self.expect_same(rooms, a)
        self.assertEqual(a.get("/v2/rooms/r0").json["users"], 1)
        self.assertEqual(a.assignments_in_file(), rooms)
        self.assertEqual((a.cluster()["engine"], a.degraded()), ("none", []))
        self.assertEqual(self.leave(a), {"given_up": 0, "ended": 0}, "nothing is left to be done")
        self.assertEqual((b.ask("r1").janus, b.ask("r1").reason), (rooms["r1"], "sticky"))
        self.assertEqual(b.ask("r0").janus, rooms["r0"], "given up just now: it returns")
        self.assertEqual(b.state(), "live")

    def test_a_restart_takes_a_sidecar_out_too(self):
        a, b, rooms = self.shared()
        name = a.id()
        a.stop()
        a.write_config(config(self.alone()))
        a.start()
        a.wait_for_log("Sidecar removed from the shared store")
        self.expect_gone(name)
        self.expect_same(rooms, a)
        self.assertEqual(b.ask("r1").janus, rooms["r1"])

    def test_leave_takes_a_sidecar_out_if_the_engine_was_away_at_the_switch(self):
        a, _, rooms = self.shared()
        name = a.id()
        self.etcd.freeze()
        self.addCleanup(self.etcd.thaw)
        self.reload(a, self.alone())
        self.expect_same(rooms, a)
        a.wait_for_log("Shared store still lists this sidecar, which is alone now")
        self.etcd.thaw()
        self.assertEqual(self.marks_of(name), set(rooms))
        self.assertEqual(self.leave(a), {"given_up": 60, "ended": 59})
        self.expect_gone(name)
        self.assertEqual(set(self.etcd.rooms()), {"r1"})
        self.expect_same(rooms, a)
        self.assertEqual(self.leave(a), {"given_up": 0, "ended": 0})

    def test_leave_is_refused_while_the_sidecar_shares(self):
        a, _, rooms = self.shared()
        name = a.id()
        self.assertIn("set engine = \"none\"", self.leave(a, status=1))
        a.write_config(config(self.alone()))  # and not reloaded
        self.assertIn("reload it first", self.leave(a, status=1))
        a.kill()
        self.assertIn("etcd lists this sidecar", self.leave(a, status=1))
        self.assertEqual(self.marks_of(name), set(rooms))
        self.assertEqual(self.etcd.rooms(), rooms)

    def test_a_sidecar_can_join_again_at_once_and_no_room_moves(self):
        a, b, rooms = self.shared()
        name = a.id()
        self.reload(a, self.alone())
        self.reload(a, self.settings())
        a.wait_until_live()
        wait_until(lambda: self.etcd.rooms() == rooms and self.marks_of(name) >= {"r0", "r3"}, "the rooms to be back")
        wait_until(lambda: name in self.etcd.range("sidecar/"), "the sidecar to be back")
        self.expect_same(rooms, a, b)


class Secured(Journey):
    tls = authentication = True

    def test_join_and_leave_work_over_tls_with_a_password_limited_to_the_prefix(self):
        a, rooms = self.single()
        self.assertEqual(self.join(a)["carried"], 60)
        self.assertEqual(self.etcd.rooms(), rooms)
        self.assertEqual(self.leave(a), {"given_up": 60, "ended": 60})
        self.assertEqual(self.etcd.rooms(), {})
        self.expect_same(rooms, a)


if __name__ == "__main__":
    unittest.main()
