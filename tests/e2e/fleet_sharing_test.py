#!/usr/bin/env python3
"""Sidecars that share one etcd: their common state, and how one begins and ends to share."""
import pathlib
import random
import re
import shutil
import subprocess
import tempfile
import time
import unittest

from etcd import bcrypt_cost_for
from fleet import ENGINE_NONE, GATEWAYS, FleetCase, config
from fleet_load import AnswerLog, Load, Plan
from metrics_test import metrics
from sidecar import toml, wait_until


def lines_of(sidecar, *words):
    return [line for line in sidecar.log().splitlines() if all(word in line for word in words)]


class OneAnswer(FleetCase):
    def test_the_first_user_at_one_sidecar_and_the_first_at_another_get_one_gateway(self):
        a, b, _ = self.fleet()
        for room in map(str, range(30)):
            first, second = a.ask(room), b.ask(room)
            self.assertEqual((first.status, second.status), (200, 200))
            self.assertEqual(first.janus, second.janus)
            self.assertEqual((first.reason, second.reason), ("assigned", "sticky"))
        self.assertEqual(self.etcd.rooms(), a.assignments())

    def test_one_of_many_simultaneous_answers_has_a_steps_reason_and_the_rest_are_sticky(self):
        fleet = self.fleet()
        plan = Plan(3, 100, 9, random.Random(1), enter_every=0)
        load = Load([sidecar.port for sidecar in fleet], plan)
        self.addCleanup(load.remove)
        answer_log = AnswerLog()
        answer_log.record(plan, load.finish())
        self.assertEqual(answer_log.two_answers(), {})
        self.assertEqual(answer_log.reasons(), {"assigned": 100, "sticky": 800})
        self.assertEqual(answer_log.assigned_twice(), {})

    def test_new_rooms_are_spread_by_the_load_of_the_whole_fleet(self):
        fleet = self.fleet(gateways=["gxy1", "gxy2", "gxy3"])
        for number in range(90):
            fleet[number % 3].ask(str(number))
        loads = sorted(list(self.etcd.rooms().values()).count(name) for name in ("gxy1", "gxy2", "gxy3"))
        self.assertGreaterEqual(loads[0], 25, loads)

    def test_a_room_name_that_needs_encoding_is_one_room_everywhere(self):
        a, b, _ = self.fleet()
        for room in ("a/b c", "söße", "100%", "..a", "x" * 255):
            self.assertEqual(a.ask(room).janus, b.ask(room).janus)
        self.assertEqual(set(self.etcd.rooms()), {"a/b c", "söße", "100%", "..a", "x" * 255})

    def test_the_environment_can_set_the_same_as_the_file(self):
        a = self.member()
        b = self.begin(config(ENGINE_NONE), env={
            "CLUSTER_ENGINE": "etcd", "CLUSTER_ENDPOINTS": ",".join(self.etcd.endpoints),
            "CLUSTER_PREFIX": self.etcd.prefix, "CLUSTER_MAX_STALE": "90s", "CLUSTER_TIMEOUT": "2s",
            "CLUSTER_ATTEMPT_TIMEOUT": "500ms"}).wait_until_live()
        self.assertEqual(a.ask("1").janus, b.ask("1").janus)
        self.assertEqual(b.cluster()["max_stale_ms"], 90000)

    def test_a_sidecar_that_shares_no_store_says_so(self):
        cluster = self.begin(config(ENGINE_NONE)).cluster()
        self.assertEqual([cluster[key] for key in ("engine", "state", "sidecars", "members")], ["none", None, [], []])


class LastUsers(FleetCase):
    def test_only_the_last_leave_at_any_sidecar_ends_a_room(self):
        a, b, c = self.fleet()
        a.enter("1", "at-a")
        b.enter("1", "at-b")
        self.assertEqual(a.leave("1", "at-a").json["assignment_removed"], False)
        self.assertIn("1", self.etcd.rooms())
        self.assertEqual(c.enter("1", "at-c").status, 200)
        self.assertEqual(b.leave("1", "at-b").json["assignment_removed"], False)
        self.assertEqual(c.leave("1", "at-c").json["assignment_removed"], True)
        self.assertNotIn("1", self.etcd.rooms())
        for sidecar in (a, b, c):
            wait_until(lambda sidecar=sidecar: "1" not in sidecar.assignments(), "the room to go everywhere")
        c.wait_for_log("INFO: Cleaned up room assignment immediately room_id=1\n")
        for sidecar in (a, b):
            self.assertEqual(lines_of(sidecar, "Cleaned up room assignment"), [])

    def test_users_are_counted_over_the_fleet_in_every_answer(self):
        a, b, c = self.fleet(balancing={"load": "sessions", "avg_room_occupancy": 2})
        gateway = a.enter("1", "a0").janus
        for i in range(1, 4):
            a.enter("1", f"a{i}")
        b.enter("1", "b0")
        b.enter("1", "b1")
        for sidecar in (a, b, c):
            wait_until(lambda sidecar=sidecar: sidecar.get("/v2/rooms/1").json["users"] == 6, "users to be counted")
            listed, = [room for room in sidecar.get("/v2/rooms").json["rooms"] if room["room"] == "1"]
            assigned, = sidecar.get("/v2/assignments").json["assignments"]
            shown = sidecar.gateway(gateway)
            self.assertEqual((listed["users"], assigned["users"], shown["users"], shown["load"]), (6, 6, 6, 6))
            self.assertEqual(metrics(sidecar)("gateway_users", gateway=gateway), 6)
            candidates = sidecar.get("/v2/rooms/other/explain").json["candidates"]
            self.assertEqual([one["load"] for one in candidates if one["name"] == gateway], [6])
            self.assertRegex(sidecar.run("status").stdout, rf"(?m)^{gateway} .* 1 +6 +6 ")
        self.assertEqual(c.enter("1", "c0").json["users"], 7)
        wait_until(lambda: a.get("/v2/rooms/1").json["users"] == 7, "the user at c to be counted")
        self.assertEqual(c.leave("1", "c0").json["users"], 6)
        wait_until(lambda: a.get("/v2/rooms/1").json["users"] == 6, "the user who left c to be counted no more")
        self.assertEqual(a.leave("1", "a0").json["users"], 5)

    def test_users_forgotten_by_a_killed_sidecar_are_counted_nowhere(self):
        a, b = self.fleet(2, sessions={"join_grace": "1h", "dead_after": "1h"})
        b.enter("1", "b0")
        wait_until(lambda: a.get("/v2/rooms/1").json["users"] == 1, "the user at b to be counted")
        a.enter("1", "a0")
        wait_until(lambda: b.get("/v2/rooms/1").json["users"] == 2, "the user at a to be counted")
        a.kill()
        a.sql("DELETE FROM sessions")  # as after a kill before the write
        a.start()
        for sidecar in (a, b):
            wait_until(lambda sidecar=sidecar: sidecar.get("/v2/rooms/1").json["users"] == 1, "one user to be left")

    def test_a_rooms_life_costs_six_changes(self):
        a, b = self.fleet(2)
        before = metrics(b)("cluster_changes_total")
        rooms = [str(room) for room in range(60)]
        for room in rooms:
            a.enter(room, f"s{room}")
            self.assertTrue(a.leave(room, f"s{room}").json["assignment_removed"])
        a.enter("last", "s")
        wait_until(lambda: "last" in b.assignments(), "all of it to be followed")
        # Room and use mark; first user; room and use mark gone, and a tombstone. A heartbeat may come in between.
        cost = (metrics(b)("cluster_changes_total") - before) / len(rooms)
        self.assertGreater(cost, 5)
        self.assertLess(cost, 7)

    def test_a_user_on_the_way_at_another_sidecar_keeps_the_room(self):
        a, b = self.fleet(2)
        a.enter("1", "at-a")
        gateway = b.ask("1").janus  # and has not entered yet
        a.leave("1", "at-a")
        self.assertEqual(b.enter("1", "at-b").janus, gateway)
        # If the answer's use mark came after the leave, the room was given up, and is brought back.
        wait_until(lambda: self.etcd.rooms() == {"1": gateway}, "the room to be in the store")

    def test_a_tombstone_returns_a_room_to_its_gateway_at_every_sidecar(self):
        a, b = self.fleet(2)
        was = {}
        for room in map(str, range(20)):
            was[room] = a.enter(room, f"s{room}").janus
            self.assertTrue(a.leave(room, f"s{room}").json["assignment_removed"])
        self.assertEqual(self.etcd.rooms(), {})
        self.assertEqual(len(self.etcd.range("left/")), 20)
        self.assertEqual({room: b.ask(room).janus for room in was}, was)

    def test_the_rooms_of_a_killed_sidecar_have_a_grace(self):
        sessions = {"join_grace": "2s", "clean_every": "200ms"}
        a, b = self.fleet(2, sessions=sessions, cluster={"max_stale": "15s"})
        gateway = a.enter("1", "at-a").janus
        others = {room: a.enter(room, f"s{room}").janus for room in ("2", "3")}
        b.enter("3", "at-b")
        name = a.id()
        a.kill()
        self.assertEqual((b.ask("1").janus, b.ask("1").reason), (gateway, "sticky"))

        def is_given_up():
            missed = name not in self.etcd.range("sidecar/")
            self.assertLessEqual({**others, "1": gateway}.items(), self.etcd.rooms().items(), "never at once")
            return missed
        wait_until(is_given_up, "the sidecar to be given up")
        wait_until(lambda: set(self.etcd.rooms()) == {"3"}, "the grace to end")
        self.assertEqual(b.ask("3").janus, others["3"])

    def test_a_killed_sidecar_that_is_back_keeps_its_rooms(self):
        a, b = self.fleet(2)
        rooms = {room: a.enter(room, f"s{room}").janus for room in map(str, range(10))}
        a.kill()
        a.start().wait_until_live()
        self.assertEqual({room: a.ask(room).janus for room in rooms}, rooms)
        self.assertEqual({room: b.ask(room).janus for room in rooms}, rooms)
        self.assertEqual(self.etcd.rooms(), rooms)


class Steering(FleetCase):
    def test_a_drain_at_one_sidecar_is_seen_at_all_and_so_is_its_end(self):
        fleet = self.fleet(gateways=["gxy1", "gxy2"])
        self.assertEqual(fleet[0].put("/v2/gateways/gxy1/drain").status, 200)
        for sidecar in fleet:
            wait_until(lambda sidecar=sidecar: sidecar.gateway("gxy1")["draining"], "the drain")
        self.assertEqual({fleet[number % 3].ask(str(number)).janus for number in range(12)}, {"gxy2"})
        late = self.member(gateways=["gxy1", "gxy2"])
        wait_until(lambda: late.gateway("gxy1")["draining"], "the drain at one that came later")
        self.assertEqual(late.delete("/v2/gateways/gxy1/drain").status, 200)
        for sidecar in (*fleet, late):
            wait_until(lambda sidecar=sidecar: not sidecar.gateway("gxy1")["draining"], "the drain's end")
        self.assertEqual(fleet[1].ask("new").janus, "gxy1")

    def test_a_release_is_refused_while_another_sidecar_has_a_session_unless_it_is_forced(self):
        a, b, c = self.fleet()
        b.enter("1", "at-b")
        self.seen_by_all([a, c], "1", b.ask("1").janus)
        self.expect(a.delete("/v2/assignments/1"), 409, "room_occupied")
        self.assertIn("1", self.etcd.rooms())
        self.assertEqual(a.delete("/v2/assignments/1?force=true").json, {"released": True})
        self.assertNotIn("1", self.etcd.rooms())
        for sidecar in (a, b, c):
            wait_until(lambda sidecar=sidecar: "1" not in sidecar.assignments(), "the room to be forgotten")
        self.assertEqual(b.get("/v2/rooms/1").json["users"], 0)
        gateway = c.ask("1").janus
        self.assertEqual((a.ask("1").janus, b.ask("1").janus), (gateway, gateway))

    def test_a_release_of_an_empty_room_holds_at_every_sidecar(self):
        a, b = self.fleet(2)
        self.seen_by_all([b], "1", a.ask("1").janus)
        self.assertEqual(b.delete("/v2/assignments/1").json, {"released": True})
        wait_until(lambda: "1" not in a.assignments(), "the room to be forgotten")
        self.expect(a.delete("/v2/assignments/1"), 404, "assignment_not_found")

    def test_a_new_pin_waits_until_the_room_is_empty_everywhere(self):
        a, b = self.fleet(2)
        gateway = b.enter("1", "at-b").janus
        self.seen_by_all([a], "1", gateway)
        pin = "gxy1" if gateway != "gxy1" else "gxy2"
        a.write_config(config(self.settings(), pins={"1": pin}))
        self.assertEqual(a.run("reload").returncode, 0)
        for _ in range(3):
            self.assertEqual((a.ask("1").janus, b.ask("1").janus), (gateway, gateway))
        self.assertEqual(self.etcd.rooms(), {"1": gateway})
        b.delete("/v2/assignments/1?force=true")
        wait_until(lambda: "1" not in a.assignments(), "the room to be forgotten")
        self.assertEqual((a.ask("1").janus, a.ask("2").status), (pin, 200))
        self.seen_by_all([b], "1", pin)

    def test_an_occupied_room_stays_where_its_users_are_when_scale_mode_begins(self):
        rooms = {"1": "gxy1", "2": "gxy2", "3": "gxy3"}
        fleet = [self.begin(toml(gateways=GATEWAYS, rooms=rooms, cluster=self.settings())) for _ in range(2)]
        a, b = fleet
        a.enter("1", "at-a")
        a.enter("3", "also-at-a", "gxy5")
        b.enter("1", "at-b")
        self.assertEqual(a.state(), "idle")
        for sidecar in fleet:
            sidecar.write_config(toml(scale=True, gateways=GATEWAYS, rooms=rooms, cluster=self.settings()))
            self.assertEqual(sidecar.run("reload").returncode, 0)
            self.assertEqual(self.etcd.rooms(), {"1": "gxy1", "3": "gxy5"})
        b.wait_until_live()
        self.assertEqual([b.ask(room).janus for room in ("1", "3")], ["gxy1", "gxy5"])
        self.assertEqual(a.leave("1", "at-a").json["assignment_removed"], False)
        self.assertEqual(a.ask("1").janus, "gxy1")


class Looking(FleetCase):
    members = 3

    def test_the_fleet_and_the_engine_are_shown_at_each_sidecar(self):
        fleet = self.fleet()
        ids = {sidecar.id() for sidecar in fleet}
        self.assertEqual(len(ids), 3)
        for sidecar in fleet:
            wait_until(lambda sidecar=sidecar: {row["id"] for row in sidecar.cluster()["sidecars"]} == ids,
                       "all sidecars to be seen")
            cluster = wait_until(lambda sidecar=sidecar: self.all_members_well(sidecar), "the engine's members")
            self.assertEqual((cluster["engine"], cluster["state"]), ("etcd", "live"))
            self.assertEqual([row["id"] for row in cluster["sidecars"] if row["self"]], [cluster["sidecar"]])
            self.assertEqual({row["endpoint"] for row in cluster["members"]}, set(self.etcd.endpoints))
            self.assertEqual([row["endpoint"] for row in cluster["members"] if row["leader"]], [self.etcd.leader().url])
            self.assertLess(cluster["age_ms"], cluster["max_stale_ms"])
            self.assertLessEqual(cluster["revision"], self.etcd.revision())
            shown = sidecar.run("status")
            self.assertEqual(shown.returncode, 0, shown.stderr)
            for word in (*self.etcd.endpoints, *(row["name"] for row in cluster["sidecars"])):
                self.assertIn(word, shown.stdout)

    def all_members_well(self, sidecar):
        cluster = sidecar.cluster()
        is_well = len(cluster["members"]) == 3 and not any(row["problem"] for row in cluster["members"])
        return cluster if is_well and any(row["leader"] for row in cluster["members"]) else None

    def test_a_dead_member_shows_a_problem_and_a_stopped_sidecar_is_not_listed(self):
        a, b = self.fleet(2)
        gone = self.etcd.followers()[0]
        gone.kill()
        self.addCleanup(gone.start)
        wait_until(lambda: [row["endpoint"] for row in a.cluster()["members"] if row["problem"]] == [gone.url],
                   "the member to be missed")
        name = b.id()
        b.stop()
        wait_until(lambda: name not in [row["id"] for row in a.cluster()["sidecars"]], "the sidecar to be missed")


class FromOneToManyAndBack(FleetCase):
    def reload(self, sidecar, cluster, **tables):
        sidecar.write_config(config(cluster, **tables))
        answer = sidecar.post("/v2/reload")
        self.assertEqual(answer.status, 200, answer)
        self.assertFalse([warning for warning in answer.json["warnings"] if "restart" in warning])

    def test_a_sidecar_joins_and_leaves_by_reload_with_live_rooms_and_moves_none(self):
        a = self.begin(config(ENGINE_NONE))
        rooms = {str(number): a.ask(str(number)).janus for number in range(100)}
        for number in range(0, 100, 3):
            a.enter(str(number), f"s{number}")
        self.reload(a, self.settings())
        self.assertEqual({room: a.ask(room).janus for room in rooms}, rooms, "also at once")
        a.wait_until_live()
        wait_until(lambda: self.etcd.rooms() == rooms, "the rooms to be in the engine")
        b = self.member()
        self.assertEqual({room: b.ask(room).janus for room in rooms}, rooms)
        b.stop()
        self.etcd.freeze()
        self.addCleanup(self.etcd.thaw)
        self.reload(a, ENGINE_NONE)
        self.assertEqual({room: a.ask(room).janus for room in rooms}, rooms)
        self.assertEqual(a.ask("new").status, 200, "alone it needs no engine")
        self.assertEqual(a.degraded(), [])
        self.assertEqual(a.get("/v2/rooms/0").json["users"], 1)

    def test_the_engines_row_wins_over_a_lone_sidecars_and_the_conflict_is_logged(self):
        alone = [self.begin(config(ENGINE_NONE, balancing={"available_servers": [name]}))
                 for name in ("gxy1", "gxy2")]
        a, b = alone
        self.assertEqual((a.ask("1").janus, b.ask("1").janus), ("gxy1", "gxy2"))
        self.assertEqual(b.ask("only-b").janus, "gxy2")
        for sidecar in alone:
            self.reload(sidecar, self.settings())
            sidecar.wait_until_live()
            wait_until(lambda: "1" in self.etcd.rooms(), "the first one's rooms")
        wait_until(lambda: self.etcd.rooms() == {"1": "gxy1", "only-b": "gxy2"}, "both sidecars' rooms")
        wait_until(lambda: b.ask("1").janus == "gxy1", "the engine's row")
        conflicts = wait_until(lambda: lines_of(b, "WARN", "gxy1", "gxy2"), "the conflict to be conflicts")
        self.assertTrue(re.search(r'\b(room_id|room)="?1\b', conflicts[0]), conflicts)
        self.assertEqual(a.ask("1").janus, "gxy1")
        self.assertEqual(a.ask("only-b").janus, "gxy2")

    def test_a_change_of_endpoints_by_reload_is_applied(self):
        dead = self.settings()
        dead["endpoints"] = ["http://127.0.0.1:1"]
        a = self.begin(config(dead))
        self.expect(a.ask("1"), 503, "storage_unavailable")
        self.reload(a, self.settings())
        a.wait_until_live()
        self.assertEqual(a.ask("1").status, 200)


class Secured(FleetCase):
    tls = authentication = True

    def test_two_sidecars_share_over_tls_with_a_password_limited_to_the_prefix(self):
        a, b = self.fleet(2)
        self.assertEqual(a.ask("1").janus, b.ask("1").janus)
        self.assertEqual(list(self.etcd.rooms()), ["1"])
        self.etcd.kill()  # and with it the tokens
        for member in self.etcd:
            member.start()
        wait_until(lambda: a.ask("2").status == 200, "a new token")
        self.assertEqual(a.ask("2").janus, b.ask("2").janus)

    def test_a_wrong_password_is_reported_and_not_shown(self):
        settings = self.settings()
        other = self.etcd.folder / "another-password"
        other.write_text("not the secret\n")
        other.chmod(0o600)
        settings["password_file"] = str(other)
        wrong = self.begin(config(settings))
        reasons = wait_until(wrong.degraded, "the refusal")
        self.assertTrue(reasons[0].startswith("cluster: "), reasons)
        self.expect(wrong.ask("1"), 503, "storage_unavailable")
        self.assertNotIn("not the secret", wrong.log())


class SlowPasswordCheck(FleetCase):
    """etcd takes longer to check a password than any request waits."""

    authentication = True
    impatient = {"attempt_timeout": "200ms", "timeout": "600ms"}

    @classmethod
    def flags(cls):
        return "--bcrypt-cost", str(bcrypt_cost_for(0.8))

    def restarted(self, count):
        """That many sidecars, with tokens that etcd no longer knows."""
        fleet = self.fleet(count, cluster=self.impatient)
        wait_until(lambda: fleet[-1].ask(self._testMethodName).status == 200, "a key that is put last")
        self.etcd.restart()
        return fleet

    def test_each_sidecar_places_new_rooms_again_by_one_check_after_a_restart_of_etcd(self):
        fleet = self.restarted(3)
        for number, sidecar in enumerate(fleet):
            wait_until(lambda sidecar=sidecar, room=f"room-{number}": sidecar.ask(room).status == 200, "a new token")
        self.assertEqual(self.etcd.password_checks(), 3)
        for sidecar in fleet:
            sidecar.wait_until_live()

    def test_a_sidecar_stops_while_its_password_is_being_checked(self):
        sidecar, = self.restarted(1)
        wait_until(lambda: self.etcd.password_checks() == 1, "the check")
        self.away()  # so that the check would go on until its own deadline
        begun = time.monotonic()
        self.assertEqual(sidecar.stop(), 0)
        self.assertLess(time.monotonic() - begun, 10)

    def test_a_command_waits_for_the_check(self):
        sidecar = self.begin(config({**self.settings(**self.impatient), **ENGINE_NONE}))
        self.assertEqual(sidecar.ask("alone").status, 200)
        joined = sidecar.run("cluster", "join", "--dry-run")
        self.assertEqual(joined.returncode, 0, joined.stderr)


class LastingTokens(FleetCase):
    """JWT, as in docs/cluster.md."""

    authentication = True

    @classmethod
    def flags(cls):
        keys = pathlib.Path(tempfile.mkdtemp(prefix="room-sidecar-jwt-"))
        cls.addClassCleanup(shutil.rmtree, keys)
        for command in ("genrsa -out jwt.key 2048", "rsa -in jwt.key -pubout -out jwt.pub"):
            subprocess.run(["openssl", *command.split()], cwd=keys, check=True, capture_output=True)
        return "--auth-token", f"jwt,pub-key={keys}/jwt.pub,priv-key={keys}/jwt.key,sign-method=RS256,ttl=1h"

    def test_a_restart_of_etcd_costs_no_password_check_but_a_change_of_rights_costs_one(self):
        sidecar = self.member()
        self.assertEqual(sidecar.ask("1").status, 200)
        self.etcd.restart()
        wait_until(lambda: sidecar.ask("2").status == 200, "etcd to be back")
        self.assertEqual(self.etcd.password_checks(), 0)
        self.etcd.call("/v3/auth/role/add", {"name": "more"})
        wait_until(lambda: self.etcd.password_checks() == 1, "a new token")
        wait_until(lambda: sidecar.ask("3").status == 200, "the new token to do")
        self.assertEqual(self.etcd.password_checks(), 1)


if __name__ == "__main__":
    unittest.main()
