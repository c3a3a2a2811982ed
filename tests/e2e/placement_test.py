#!/usr/bin/env python3
"""Scale mode: which gateway a new room gets, step by step."""
import collections
import concurrent.futures
import unittest

from sidecar import Case, Client, toml

TINY = {"max_server_capacity": 20, "avg_room_occupancy": 10}  # two rooms a gateway


def scale(gateways, **tables):
    balancing = {**TINY, **tables.pop("balancing", {})}
    return toml(scale=True, gateways=gateways, rooms={}, unknown_rooms="accept",
                balancing=balancing, **tables)


class Placement(Case):
    def places(self, sidecar, country, expected):
        """Asks for new rooms, one for each (gateway, reason, regional_match) expected."""
        for number, (gateway, reason, match) in enumerate(expected):
            room = f"{country}-{number}"
            answer = sidecar.ask(room, country)
            self.assertEqual((answer.status, answer.janus, answer.reason), (200, gateway, reason),
                             f"{room}: {answer}")
            sidecar.wait_for_log(f"room_id={room} gateway_name={gateway} country_code={country} "
                                 f"regional_match={str(match).lower()}\n")

    def test_the_region_comes_first_then_gateways_of_no_region_then_overflow(self):
        sidecar = self.sidecar(scale(["gxy1", "gxy2", "gxy3"],
                                     regions={"IL": ["gxy1"], "US": ["gxy2"]}))
        self.places(sidecar, "IL", [("gxy1", "assigned", True), ("gxy1", "assigned", True),
                                    ("gxy3", "assigned", False), ("gxy3", "assigned", False),
                                    ("gxy1", "overflow", True), ("gxy3", "overflow", False)])

    def test_a_caller_without_region_gets_a_gateway_of_no_region(self):
        for country in ("FR", None, ""):
            with self.subTest(country=country):
                sidecar = self.sidecar(scale(["gxy1", "gxy2", "gxy3"],
                                             regions={"IL": ["gxy1"], "US": ["gxy2"]}))
                got = [sidecar.ask(str(i), country) for i in range(3)]
                self.assertEqual([(a.janus, a.reason) for a in got],
                                 [("gxy3", "assigned")] * 2 + [("gxy3", "overflow")])

    def test_another_regions_gateway_is_borrowed_only_as_the_last_choice(self):
        sidecar = self.sidecar(scale(["gxy1", "gxy2"], regions={"IL": ["gxy1"], "US": ["gxy2"]}))
        sidecar.put("/v2/gateways/gxy1/drain")
        self.places(sidecar, "IL", [("gxy2", "borrowed", False)] * 3)

    def test_a_full_region_borrows_and_then_refuses_with_reject(self):
        sidecar = self.sidecar(scale(["gxy1", "gxy2"], regions={"IL": ["gxy1"], "US": ["gxy2"]},
                                     balancing={"when_full": "reject"}))
        self.places(sidecar, "IL", [("gxy1", "assigned", True)] * 2
                    + [("gxy2", "borrowed", False)] * 2)
        answer = self.expect(sidecar.ask("more", "IL"), 503, "capacity_exhausted")
        self.assertTrue(int(answer.headers["Retry-After"]) > 0)
        self.assertEqual(len(sidecar.assignments()), 4)

    def test_no_candidate_is_503(self):
        sidecar = self.sidecar(scale(["gxy1"]))
        sidecar.put("/v2/gateways/gxy1/drain")
        answer = self.expect(sidecar.ask("1"), 503, "no_gateway_available")
        self.assertIn("Retry-After", answer.headers)

    def test_the_lowest_share_of_capacity_wins_and_equals_go_to_the_one_listed_first(self):
        sidecar = self.sidecar(scale([{"name": "small", "capacity": 20},
                                      {"name": "large", "capacity": 60}],
                                     balancing={"available_servers": ["large", "small"]}))
        # shares before each choice: 0/60 0/20 | 10/60 0/20 | 10/60 10/20 | 20/60 | 30/60 = 10/20
        self.assertEqual([sidecar.ask(str(i)).janus for i in range(5)],
                         ["large", "small", "large", "large", "large"])

    def test_only_available_enabled_gateways_of_type_rooms_get_rooms(self):
        sidecar = self.sidecar(scale([{"name": "off", "disabled": True},
                                      {"name": "odd", "type": "streaming"}, "gxy1", "gxy2"],
                                     balancing={"max_server_capacity": 400}))
        self.assertEqual([sidecar.ask(str(i)).janus for i in range(4)],
                         ["gxy1", "gxy2", "gxy1", "gxy2"])

    def test_the_country_is_trimmed_and_compared_without_regard_to_case(self):
        sidecar = self.sidecar(scale(["gxy1", "gxy2"], regions={"il": ["gxy2"]}))
        self.assertEqual(sidecar.ask("1", " il ").janus, "gxy2")
        sidecar.wait_for_log("room_id=1 gateway_name=gxy2 country_code=IL regional_match=true\n")

    def test_a_country_may_be_missing_null_or_long(self):
        sidecar = self.sidecar(scale(["gxy1"]))
        for number, body in enumerate(({}, {"geo": None}, {"geo": {}},
                                       {"geo": {"country_code": None}},
                                       {"geo": {"country_code": "A" * 17}})):
            answer = sidecar.post("/v2/room_server", {"room": str(number), **body})
            self.assertEqual(answer.status, 200, body)
            sidecar.wait_for_log(f"room_id={number} gateway_name=gxy1 country_code= regional_")
        self.expect(sidecar.post("/v2/room_server", {"room": "x", "geo": {"country_code": 7}}),
                    400, "invalid_country")

    def test_a_country_without_a_region_is_logged_all_the_same(self):
        sidecar = self.sidecar(scale(["gxy1"]))
        sidecar.ask("1", "fr")
        sidecar.wait_for_log("country_code=FR regional_match=false\n")

    def test_an_assignment_holds_for_every_caller_while_its_gateway_drains_or_is_removed(self):
        sidecar = self.sidecar(scale(["gxy1", "gxy2"]))
        self.assertEqual(sidecar.ask("1", "IL").janus, "gxy1")
        sidecar.put("/v2/gateways/gxy1/drain")
        self.assertEqual(sidecar.ask("1", "US").reason, "sticky")
        sidecar.write_config(scale([{"name": "gxy1", "disabled": True}, "gxy2"],
                                   balancing={"available_servers": ["gxy2"]}))
        self.assertEqual(sidecar.post("/v2/reload").status, 200)
        answer = sidecar.ask("1")
        self.assertEqual((answer.janus, answer.reason), ("gxy1", "sticky"))

    def test_simultaneous_first_requests_for_a_room_get_one_answer_and_one_row(self):
        sidecar = self.sidecar(scale(["gxy1", "gxy2", "gxy3"]))
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            for room in range(20):
                answers = list(pool.map(ask_anew, [(sidecar.port, f"r{room}")] * 16))
                self.assertEqual(len({answer.janus for answer in answers}), 1)
                reasons = collections.Counter(answer.reason for answer in answers)
                self.assertEqual(reasons["sticky"], 15, reasons)
        self.assertEqual(len(sidecar.assignments_in_file()), 20)

    def test_simultaneous_new_rooms_spread_as_if_they_came_one_by_one(self):
        sidecar = self.sidecar(scale([f"gxy{i}" for i in range(6)],
                                     balancing={"max_server_capacity": 400}))
        with concurrent.futures.ThreadPoolExecutor(24) as pool:
            answers = list(pool.map(ask_anew, [(sidecar.port, f"r{i}") for i in range(120)]))
        self.assertEqual(collections.Counter(answer.janus for answer in answers),
                         {f"gxy{i}": 20 for i in range(6)})

    def test_an_accepted_unknown_room_gets_no_rooms_row(self):
        sidecar = self.sidecar(scale(["gxy1"]))
        self.assertEqual(sidecar.ask("never heard of / it").status, 200)
        self.assertEqual(sidecar.sql("SELECT * FROM rooms"), [])
        self.assertEqual(list(sidecar.assignments()), ["never heard of / it"])

    def test_an_unknown_room_is_404_by_default(self):
        sidecar = self.sidecar(toml(scale=True))
        self.expect(sidecar.ask("9999"), 404, "room_not_found")
        self.expect(sidecar.enter("9999", "a"), 404, "room_not_found")
        self.assertEqual(sidecar.ask(2171).status, 200, "an integer is its decimal text")


def ask_anew(port_and_room):
    port, room = port_and_room
    client = Client("127.0.0.1", port)
    try:
        return client.request("POST", "/v2/room_server", {"room": room})
    finally:
        client.close()


if __name__ == "__main__":
    unittest.main()
