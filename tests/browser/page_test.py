#!/usr/bin/env python3
"""The page at GET / in a real browser, before a real sidecar: its texts, its actions, its look."""
import http.server
import re
import socket
import sys
import threading
import time
import unittest

from page import LARGE, PHONE, Healthy, Page, Tunnel
from sidecar import toml, wait_until
from webdriver import BACKSPACE, ENTER, ESCAPE, SPACE, TAB

HOSTILE = '<img src=x onerror="document.title=1">'
# The browser logs every answer other than 200; the page shows it in words.
NOT_200 = "Failed to load resource"


class Looks(Page):
    def test_the_page_shows_three_gateways(self):
        sidecar = self.scale([("2171", "IL", 3), ("2172", "IL", 1), ("5", "US", 2), ("6", "US", 0)])
        self.open(sidecar)
        self.sees("The sidecar is well, some gateways are not", "#state-title")
        self.sees("gxy3 is full.", "#troubles")
        self.sees("Scale mode (SCALE=true)", "#mode")
        self.sees("3 gateways, 4 rooms, 6 users. Load 40 of 320 (13 %).", "#sums")
        sidecar.put("/v2/gateways/gxy3/drain")
        self.sees("Load 20 of 300 (7 %) on the 2 that take new rooms, 20 on the others. Draining: gxy3.", "#sums")
        sidecar.delete("/v2/gateways/gxy3/drain")
        self.sees("Load 40 of 320 (13 %).", "#sums")
        self.assertEqual(self.gateways()[0], "gxy3", "problems first")
        self.sees("load 20 of 20 (100 %)", "#gateway-list li:first-child")
        self.sees("full", "#gateway-list li:first-child .conditions")
        self.sees("placed on gxy3: chosen by load, among the first that can take it", "#decision-list li:first-child")
        self.sees("a user asked, from US, which it serves first", "#decision-list li:first-child")
        self.accessible("three")

    def test_the_page_shows_a_healthy_sidecar(self):
        sidecar = self.scale([("2171", "IL", 1)])
        self.open(sidecar)
        self.sees("All is well", "#state-title")
        self.assertEqual(self.browser.run("return document.title"), "room-sidecar")
        label = "return document.querySelector('.sparkline').ariaLabel"
        words = re.compile(r"load of gxy1 in the last hour: \d+ to \d+, last \d+")
        wait_until(lambda: words.fullmatch(self.browser.run(label)), "the line of the last hour")

    def test_sixty_gateways_are_sorted_and_filtered(self):
        gateways = [{"name": f"gxy{i}", "capacity": 400} for i in range(1, 61)]
        regions = {country: [f"gxy{i}" for i in range(at, 61, 4)]
                   for at, country in enumerate(("US", "DE", "BR", "IL"), 1)}
        sidecar = self.scale(gateways=gateways, regions=regions, rooms={})
        for room in range(150):
            sidecar.ask(f"room-{room}", ("IL", "US", "DE", "BR", None)[room % 5])
        sidecar.put("/v2/gateways/gxy41/drain")
        self.open(sidecar)
        self.sees("Gateways (60)", "#gateways-title")
        self.assertEqual(self.gateways()[0], "gxy41", "problems first")
        self.sees("Draining: gxy41.", "#sums")
        self.accessible("sixty")
        self.browser.size(*PHONE)
        tall = self.browser.run("return document.documentElement.scrollHeight")
        self.assertLess(tall, 7000, "sixty gateways on a phone")
        first_row = "#gateway-list li:first-child "
        self.assertTrue(self.browser.is_shown(first_row + ".sparkline"), "problems are shown in full")
        self.sees("draining: takes no new rooms", first_row + ".conditions")
        well = "#gateway-list li:nth-child(2) "
        self.assertFalse(self.browser.is_shown(well + ".sparkline"))
        self.assertIn("of 400", self.browser.text(well + ".how-full"))
        self.browser.click(well + "button")
        self.sees("gets no new rooms until it is undrained", "#confirm")
        self.browser.press(ESCAPE)
        self.browser.size(*LARGE)
        self.assertTrue(self.browser.is_shown(well + ".sparkline"))
        self.browser.click("#filter")
        self.browser.press("drain")
        self.sees("Gateways (1 of 60)", "#gateways-title")
        self.assertEqual(self.gateways(), ["gxy41"])
        self.browser.press(BACKSPACE * 5 + "nowhere")
        self.sees("None of them matches “nowhere”.", "#none-shown")
        self.browser.press(BACKSPACE * 7)
        self.browser.click("#order")
        self.browser.press("by" + ENTER)
        wait_until(lambda: self.gateways()[:3] == ["gxy1", "gxy2", "gxy3"], "the order of names")

    def test_legacy_mode_shows_no_loads(self):
        sidecar = self.sidecar(toml(rooms={"2171": "gxy1", "2172": "gxy1"}))
        sidecar.enter("2171", "a", "gxy1")
        sidecar.enter("2172", "b", "gxy1")
        self.open(sidecar)
        self.sees("Legacy mode (SCALE=false)", "#mode")
        self.sees("3 gateways, 2 users.", "#sums")
        self.sees("2 users of 400", "#gateway-list")
        self.assertNotIn("load", self.browser.text("#gateway-list"))
        self.browser.click(self.button("gxy1"))
        self.sees("legacy mode, where draining changes nothing", "#confirm")
        self.browser.press(ESCAPE)
        self.accessible("legacy")

    def test_degraded_and_down_are_shown(self):
        alive = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Healthy)
        threading.Thread(target=alive.serve_forever, daemon=True).start()
        self.addCleanup(alive.server_close)
        self.addCleanup(alive.shutdown)
        with socket.create_server(("127.0.0.1", 0)) as free:
            nobody = free.getsockname()[1]
        ports = {"gxy1": alive.server_port, "gxy2": alive.server_port, "gxy3": nobody}
        sidecar = self.scale(
            gateways=[{"name": name, "admin_url": f"http://127.0.0.1:{port}"} for name, port in ports.items()],
            health={"source": ["http", "mqtt"], "interval": "200ms", "timeout": "1s",
                    "mqtt_url": f"mqtt://127.0.0.1:{nobody}"})
        self.open(sidecar)
        self.sees("Degraded", "#state-title")
        self.sees("gxy3 is down.", "#troubles")
        self.sees("Health: ", "#troubles")
        wait_until(lambda: self.gateways()[0] == "gxy3", "problems first")
        self.sees("down: does not answer", "#gateway-list li:first-child")
        self.assertIn("Degraded", self.browser.run("return document.title"))
        self.accessible("degraded")

    def test_the_last_hour_is_a_line_with_gaps_for_missing_samples(self):
        """The browser gets a made-up hour in place of the answer."""
        sidecar = self.scale()
        hour = """
          const real = window.fetch;
          window.fetch = async (path, options) => {
            if (path !== '/v2/load-history') return real(path, options);
            const at = [...Array(120).keys()].filter((i) => i < 40 || i > 60);
            const load = (i) => i === 80 ? null : Math.round(50 + 45 * Math.sin(i / 9));
            const times = at.map((i) => new Date(Date.now() - (119 - i) * 30000).toISOString());
            const gateways = ['gxy1', 'gxy2', 'gxy3'].map((name, n) =>
              ({name, load: at.map((i) => load(i + 7 * n)), users: at.map(load)}));
            return new Response(JSON.stringify({room_occupancy: 10, times, gateways}));
          };"""
        script = self.browser.devtools("Page.addScriptToEvaluateOnNewDocument", source=hour)["identifier"]
        self.addCleanup(self.browser.devtools, "Page.removeScriptToEvaluateOnNewDocument", identifier=script)
        self.open(sidecar)
        self.sees("All is well", "#state-title")
        path = self.browser.run("return document.querySelector('.sparkline .line').getAttribute('d')")
        self.assertEqual((path.count("M"), path.count("L")), (3, 98), path)  # three pieces of the 99 samples but one
        self.accessible("hour")


class Rooms(Page):
    def test_a_room_is_found_by_keyboard(self):
        sidecar = self.scale([("2171", "IL", 2)])
        self.open(sidecar)
        self.sees("All is well", "#state-title")
        self.browser.press("/")
        self.assertTrue(self.has_focus("#room"))
        self.browser.press("2171" + ENTER)
        self.sees("Room 2171", "#found-title")
        self.assertTrue(wait_until(lambda: self.has_focus("#found-title"), "the answer to have the focus"))
        self.sees("It is on gxy1 since", "#found-where")
        self.sees("with 2 users now. It is called “Evening lesson”. Its default gateway is gxy2.", "#found-where")
        self.sees("A new user of room 2171 is sent to gxy1: it is there already.", "#found-next")
        self.sees("placed on gxy1: chosen by load", "#found-decisions")
        self.browser.click("#found-decisions summary")
        self.sees("gxy2 load 0 of 200: another gateway is less loaded, or is listed first", "#found-decisions")
        sidecar.enter("2171", "another")
        self.poll()
        self.sees("with 3 users now", "#found-where")
        self.sees("gxy2 load 0 of 200", "#found-decisions")  # the details stay open
        self.accessible("room")
        self.browser.click("#close-found")
        self.assertFalse(self.browser.is_shown("#found"))

    def test_an_unplaced_room_is_explained_for_a_country(self):
        sidecar = self.scale()
        self.open(sidecar)
        self.browser.click("#room")
        self.browser.press("77" + TAB + "us" + ENTER)
        self.sees("It is on no gateway now.", "#found-where")
        self.sees("A new user of room 77 from US is sent to gxy3: chosen by load, among the first that can take it. "
                  "gxy3 serves callers from US first.", "#found-next")
        self.assertFalse(self.browser.is_shown("#release"))
        self.browser.click("#found-gateways summary")
        self.sees("gxy1 load 0 of 100: serves another region first", "#found-gateways")

    def test_an_unknown_room_is_explained_without_errors_in_the_console(self):
        sidecar = self.sidecar(toml(scale=True))
        self.open(sidecar)
        too_long = "\u05d0" * 200  # 400 bytes
        for room, words in (("no-such", "The sidecar does not know this room"), ("..", "No room can have this name."),
                            (too_long, "No room can have this name.")):
            self.browser.run("document.querySelector('#room').value = ''")
            self.browser.click("#room")
            self.browser.press(room + ENTER)
            self.sees(words, "#found")
            self.refreshed(sidecar, 4)
            self.sees(words, "#found")
            self.assertEqual(self.browser.console(), [], room)

    def test_names_are_text_and_never_html(self):
        sidecar = self.scale(rooms={})
        self.assertEqual(sidecar.ask(HOSTILE, "IL").status, 200)
        self.open(sidecar)
        self.sees(HOSTILE, "#decision-list")
        self.browser.click("#decision-list button")
        self.sees(HOSTILE, "#found-title")
        self.sees("It is on gxy1", "#found-where")
        self.browser.click("#release")
        self.sees(HOSTILE, "#confirm-title")
        self.browser.click("#confirm .action")
        self.sees(f"Room “{HOSTILE}” is released", "#notice")
        self.assertEqual(self.browser.find_all("img"), [])
        self.assertEqual(self.browser.run("return document.title"), "room-sidecar")

    def test_a_release_and_a_pins_refusal_are_explained(self):
        sidecar = self.scale([("2171", "IL", 0)], pins={"9": "gone"},
                             gateways=[{"name": "gxy1"}, {"name": "gxy2"}, {"name": "gxy3"},
                                       {"name": "gone", "disabled": True}])
        sidecar.delete("/v2/assignments/2171")
        sidecar.ask("9")
        self.open(sidecar)
        released = "released from gxy1"
        self.sees("placed on gxy1", "#decision-list")
        self.sees(released, "#decision-list li:nth-child(2)")
        self.sees("an operator asked for that", "#decision-list li:nth-child(2)")
        self.sees("refused: it is fixed by configuration to gone, which is disabled", "#decision-list li:first-child")
        self.browser.click("#room")
        self.browser.press("2171" + ENTER)
        self.sees("It is on no gateway now.", "#found-where")
        self.sees(released, "#found-decisions li:first-child")
        self.browser.click("#room")
        self.browser.run("document.querySelector('#room').value = ''")
        self.browser.press("9" + ENTER)
        self.sees("A new user of room 9 is refused: it may go to gone only, which is disabled", "#found-next")


class Actions(Page):
    def test_drain_and_undrain_work_by_keyboard(self):
        sidecar = self.scale([("2171", "IL", 2)])
        self.open(sidecar)
        self.sees("All is well", "#state-title")
        self.browser.run("document.querySelector(arguments[0]).focus()", self.button("gxy1"))
        self.browser.press(ENTER)
        self.sees("Drain gxy1?", "#confirm")
        self.sees("What is there stays until it ends by itself: 1 room, 2 users.", "#confirm")
        self.assertTrue(self.has_focus("#confirm .cancel"), "what does nothing comes first")
        self.accessible("dialog")
        self.browser.press(ENTER)
        self.assertFalse(self.browser.is_shown("#confirm"))
        self.assertTrue(self.has_focus(self.button("gxy1")), "the dialog gives the focus back")
        self.assertFalse(sidecar.gateway("gxy1")["draining"], "cancelled is not done")
        self.browser.press(ENTER + TAB + ENTER)
        self.sees("gxy1 gets no new rooms from now on; the rooms there stay.", "#notice")
        self.assertTrue(sidecar.gateway("gxy1")["draining"])
        self.sees("draining: takes no new rooms", "#gateway-list")
        self.assertTrue(self.has_focus(self.button("gxy1")), "updates do not take the focus away")
        self.browser.press(ENTER)
        self.sees("gxy1 gets new rooms again.", "#confirm")
        self.browser.press(TAB + ENTER)
        self.sees("gxy1 gets new rooms again.", "#notice")
        self.assertFalse(sidecar.gateway("gxy1")["draining"])
        self.assertEqual(sidecar.assignments(), {"2171": "gxy1"})

    def test_drain_may_move_the_rooms(self):
        sidecar = self.scale([("2171", "IL", 2)])
        self.open(sidecar)
        self.sees("All is well", "#state-title")
        self.browser.click(self.button("gxy1"))
        self.browser.click("#confirm-choice")
        self.browser.click("#confirm .action")
        self.sees("the rooms there move to others", "#notice")
        wait_until(lambda: sidecar.assignments() == {"2171": "gxy2"}, "the room to move")
        self.accessible("done")
        self.browser.click("#notice button")
        self.assertEqual(self.browser.text("#notice"), "")

    def test_the_rooms_of_a_draining_gateway_can_be_moved_later(self):
        sidecar = self.scale([("2171", "IL", 2)])
        sidecar.put("/v2/gateways/gxy1/drain")
        self.open(sidecar)
        move = '#gateway-list button[aria-label="Move rooms off gxy1 …"]'
        wait_until(lambda: self.browser.find_all(move) and self.browser.is_shown(move), "the button")
        self.assertFalse(self.browser.is_shown('#gateway-list button[aria-label="Move rooms off gxy2 …"]'))
        self.browser.run("document.querySelector(arguments[0]).focus()", move)
        self.browser.press(ENTER)
        self.sees("Move the rooms off gxy1?", "#confirm")
        self.sees("moves to other gateways now, as far as these can take it: 1 room, 2 users.", "#confirm")
        self.accessible("moving")
        self.browser.press(TAB + ENTER)
        self.sees("gxy1 gets no new rooms from now on; the rooms there move to others", "#notice")
        self.assertRegex(self.browser.text("#notice p"), r"^\d\d:\d\d:\d\d gxy1 gets")
        wait_until(lambda: sidecar.assignments() == {"2171": "gxy2"}, "the room to move")
        wait_until(lambda: not self.browser.is_shown(move), "the button to go")
        self.assertTrue(self.has_focus(self.button("gxy1")), "its neighbour has the focus")
        self.browser.click("#notice button")
        self.assertTrue(self.has_focus(self.button("gxy1")), "closing gives the focus back")

    def test_the_answer_shows_the_outcome_of_a_drain(self):
        other = """
          const real = window.fetch;
          window.fetch = async (path, options) => options?.method === 'PUT'
            ? new Response('{"name":"gxy1","draining":true,"move":false}') : real(path, options);"""
        script = self.browser.devtools("Page.addScriptToEvaluateOnNewDocument", source=other)["identifier"]
        self.addCleanup(self.browser.devtools, "Page.removeScriptToEvaluateOnNewDocument", identifier=script)
        self.open(self.scale([("2171", "IL", 2)]))
        self.sees("All is well", "#state-title")
        self.browser.click(self.button("gxy1"))
        self.browser.click("#confirm-choice")
        self.browser.click("#confirm .action")
        self.sees("the rooms there stay.", "#notice")

    def test_an_occupied_room_is_released_only_after_a_confirmation(self):
        sidecar = self.scale([("2171", "IL", 2)])
        self.open(sidecar)
        self.browser.click("#room")
        self.browser.press("2171" + ENTER)
        self.sees("It is on gxy1", "#found-where")
        self.browser.click("#release")
        self.sees("There are 2 users in it.", "#confirm")
        self.accessible("release")
        self.browser.click("#confirm .action")
        self.assertTrue(self.browser.is_shown("#confirm"), "nothing is done before the box is ticked")
        self.assertEqual(sidecar.assignments(), {"2171": "gxy1"})
        self.browser.run("document.querySelector('#confirm input').focus()")
        self.browser.press(SPACE)
        self.browser.click("#confirm .action")
        self.sees("Room 2171 is released; the next request places it anew.", "#notice")
        self.assertEqual(sidecar.assignments(), {})
        self.sees("It is on no gateway now.", "#found-where")
        self.assertFalse(self.browser.is_shown("#release"))
        self.assertTrue(wait_until(lambda: self.has_focus("#found-title"), "the room's heading to have the focus"))

    def test_errors_are_shown_as_sentences(self):
        self.expected = [NOT_200]
        sidecar = self.scale([("2171", "IL", 0)])
        self.open(sidecar)
        self.browser.click("#room")
        self.browser.press("2171" + ENTER)
        self.sees("with 0 users", "#found-where")
        self.browser.click("#release")
        self.sees("Release room 2171?", "#confirm")
        sidecar.enter("2171", "somebody")
        self.browser.click("#confirm .action")
        self.sees("Not done: users are in it by now. Wait until it is empty, or tick the box", "#confirm-problem")
        self.assertNotIn("force", self.browser.text("#confirm"))
        self.assertEqual(sidecar.assignments(), {"2171": "gxy1"})
        self.accessible("refused")
        self.browser.click("#confirm-choice")
        self.browser.click("#confirm .action")
        self.sees("Room 2171 is released", "#notice")
        self.assertEqual(sidecar.assignments(), {})

    def test_rows_keep_their_places_under_a_pointer(self):
        sidecar = self.scale()
        self.open(sidecar)
        self.sees("All is well", "#state-title")
        before = self.gateways()
        last = before[-1]
        self.browser.hover(self.button(before[0]))
        sidecar.put(f"/v2/gateways/{last}/drain")
        self.poll()
        self.sees("draining: takes no new rooms", "#gateway-list")
        self.assertEqual(self.gateways(), before)
        self.browser.leave()
        self.poll()
        wait_until(lambda: self.gateways()[0] == last, "problems first")

    def test_a_resting_pointer_holds_no_row(self):
        sidecar = self.scale()
        self.open(sidecar)
        self.sees("All is well", "#state-title")
        first, last = self.gateways()[0], self.gateways()[-1]
        self.browser.hover(self.button(first))
        self.browser.run("document.querySelector(arguments[0]).focus()", self.button(last))
        self.browser.press("\ue008")  # Shift
        sidecar.put(f"/v2/gateways/{last}/drain")
        self.sees("draining: takes no new rooms", "#gateway-list")
        self.assertEqual(self.gateways()[0], first)
        self.later(3)  # of 15; the browser takes some itself where the machine is busy
        self.refreshed(sidecar, 2)
        self.assertEqual(self.gateways()[0], first, "it may be about to press")
        self.later(15)
        wait_until(lambda: self.poll() or self.gateways()[0] == last, "problems first")
        self.assertTrue(self.has_focus(self.button(last)), "the row has taken the focus along")


class Connections(Page):
    def test_the_page_says_since_when_the_sidecar_is_unreachable_and_recovers(self):
        self.expected = [NOT_200]
        sidecar = self.scale([("2171", "IL", 2)])
        tunnel = Tunnel(sidecar.port)  # another port here, as with ssh -L: Host and Origin bear that one
        self.addCleanup(tunnel.close)
        self.open(sidecar, tunnel.port)
        self.sees("All is well", "#state-title")
        tunnel.cut()
        self.sees("Cannot reach the sidecar since ", "#state-title")
        self.assertRegex(self.browser.text("#state-title"), r"since \d\d:\d\d:\d\d$")
        self.assertRegex(self.browser.text("#updated"), r"Shown as of \d\d:\d\d:\d\d")
        self.assertTrue(self.browser.run("return document.body.matches('.stale')"))
        self.assertEqual(len(self.gateways()), 3, "what was known is still shown")
        self.browser.click(self.button("gxy1"))
        self.browser.click("#confirm .action")
        self.sees("The sidecar did not answer, so", "#confirm-problem")
        self.browser.press(ESCAPE)
        self.accessible("unreachable")
        tunnel.mend()
        self.sees("All is well", "#state-title")
        self.assertFalse(self.browser.run("return document.body.matches('.stale')"))
        self.browser.click(self.button("gxy1"))
        self.browser.click("#confirm .action")
        self.sees("gxy1 gets no new rooms", "#notice")
        self.assertTrue(sidecar.gateway("gxy1")["draining"])

    def test_the_page_reports_an_answer_that_it_does_not_understand(self):
        self.expected = ["TypeError"]
        strange = """
          const real = window.fetch;
          window.fetch = async (path, options) =>
            path === '/v2/gateways' ? new Response('{"gateways":null}') : real(path, options);"""
        script = self.browser.devtools("Page.addScriptToEvaluateOnNewDocument", source=strange)["identifier"]
        self.addCleanup(self.browser.devtools, "Page.removeScriptToEvaluateOnNewDocument", identifier=script)
        self.open(self.scale())
        self.sees("This page does not understand the answers", "#state-title")

    def test_a_restarted_sidecar_is_found_again(self):
        self.expected = [NOT_200]
        sidecar = self.scale([("before", "IL", 0)])
        self.open(sidecar)
        self.sees("All is well", "#state-title")
        self.assertEqual(sidecar.stop(), 0)
        self.sees("Cannot reach the sidecar since", "#state-title")
        sidecar.env["LISTEN_ADDRESS"] = f"127.0.0.1:{sidecar.port}"
        sidecar.start()
        sidecar.ask("after", "IL")  # its first decision, as the other was
        self.sees("All is well", "#state-title")
        self.sees("after", "#decision-list")
        self.assertNotIn("before", self.browser.text("#decision-list"))
        sidecar.write_dotenv("SCALE=false")
        sidecar.hang_up()
        self.sees("Legacy mode", "#mode")

    def test_the_page_updates_itself_and_pauses_while_hidden(self):
        sidecar = self.scale()
        self.open(sidecar)
        self.sees("3 gateways, 0 rooms", "#sums")
        sidecar.ask("2171", "IL")
        self.sees("3 gateways, 1 room", "#sums")

        def asked():
            return next(line for line in sidecar.get("/metrics").body.decode().splitlines() if line.startswith(
                'room_sidecar_http_requests_total{method="GET",route="/v2/config"'))

        # Headless tabs all count as visible, so the page's own query is replaced.
        self.browser.run("Object.defineProperty(document, 'hidden', {value: true, configurable: true})")
        time.sleep(4)  # the overdue refresh; the pause is 3 s
        before = asked()
        time.sleep(4)
        self.assertEqual(asked(), before)
        self.browser.run("delete document.hidden")
        self.poll()
        wait_until(lambda: asked() != before, "the page to ask again")

    def test_the_token_is_requested_and_kept_for_the_tab(self):
        folder = self.sidecar(start=False)
        token = folder.folder / "token"
        token.write_text("correct-horse\n")
        folder.write_config(toml(scale=True, http={"token_file": str(token)}))
        self.open(folder.start())
        self.sees("The sidecar wants its token", "#token-dialog")
        wait_until(lambda: self.has_focus("#token"), "the token to have the focus")
        self.accessible("token")
        self.browser.press(ESCAPE)
        self.sees("The sidecar wants its token", "#state-title")
        self.browser.click("#give-token")
        self.browser.press("correct\u2011horse" + ENTER)  # which no header can hold
        self.sees("A token has only A-Z a-z", "#token-problem")
        self.browser.run("document.querySelector('#token').value = ''")
        self.browser.press("wrong" + ENTER)
        self.sees("The sidecar does not take this token.", "#token-problem")
        self.browser.press("correct-horse" + ENTER)
        self.sees("All is well", "#state-title")
        self.browser.reload()
        self.sees("All is well", "#state-title")
        self.assertFalse(self.browser.is_shown("#token-dialog"))
        self.assertEqual(self.browser.run("return [localStorage.length, document.cookie]"), [0, ""])
        self.browser.click(self.button("gxy1"))
        self.browser.click("#confirm .action")
        self.sees("gxy1 gets no new rooms", "#notice")


class Head(Page):
    def test_the_head_is_strict_and_the_page_needs_no_token(self):
        sidecar = self.sidecar()
        page = sidecar.get("/")
        self.assertEqual(page.status, 200)
        policy = dict(part.split(" ", 1) for part in page.headers["Content-Security-Policy"].split("; "))
        self.assertEqual({name for name, value in policy.items() if value == "'none'"},
                         {"default-src", "base-uri", "form-action", "frame-ancestors"})
        self.assertEqual((policy["connect-src"], policy["img-src"]), ("'self'", "data:"))
        self.assertNotIn("unsafe", page.headers["Content-Security-Policy"])
        for name, value in {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer",
                            "Cache-Control": "no-store", "Content-Type": "text/html; charset=utf-8"}.items():
            self.assertEqual(page.headers[name], value)
        head = sidecar.request("HEAD", "/")
        self.assertEqual((head.status, head.headers["Content-Length"], head.body), (200, str(len(page.body)), b""))
        for outside in (b"http://", b"https://", b"//cdn", b"@import"):
            self.assertNotIn(outside, page.body.replace(b"http://www.w3.org/", b""))
        self.assertEqual(sidecar.get("/", {"Host": "example.org"}).status, 403)
        self.assertEqual(sidecar.get("/", {"Origin": "http://example.org"}).status, 403)
        self.expect(sidecar.post("/"), 405, "method_not_allowed")

    def test_the_policy_stops_all_scripts_but_the_pages_own(self):
        self.expected = ["Content Security Policy"]
        self.open(self.sidecar())
        self.sees("All is well", "#state-title")
        self.browser.run("""const script = document.createElement('script');
            script.textContent = 'window.foreign = 1';
            document.body.append(script);
            const image = document.createElement('div');
            image.innerHTML = '<b onclick="window.foreign = 2">b</b>';
            document.body.append(image);
            image.firstChild.click();""")
        self.assertIsNone(self.browser.run("return window.foreign"))
        self.assertTrue([entry for entry in self.browser.console() if "Content Security Policy" in entry[1]])

    def test_the_history_lists_each_gateway(self):
        sidecar = self.scale([("2171", "IL", 2)])
        wait_until(lambda: sidecar.get("/v2/load-history").json["times"], "a sample")
        history = sidecar.get("/v2/load-history").json
        self.assertEqual([row["name"] for row in history["gateways"]], ["gxy1", "gxy2", "gxy3"])
        for row in history["gateways"]:
            self.assertEqual(len(row["load"]), len(history["times"]))
            self.assertEqual(len(row["users"]), len(history["times"]))


if __name__ == "__main__":
    unittest.main(verbosity=2 if sys.stdout.isatty() else 1)
