"""Shared by the tests of the page: the browser at a real sidecar, a tunnel, and the checks of every state.

Screenshots go to the folder named by SCREENSHOTS; axe-core, which looks for what bars people from using a page, is
the file named by AXE. Whatever the browser's console complains of fails the test, unless the test expects it.
"""
import contextlib
import http.server
import os
import pathlib
import socket
import threading

from sidecar import Case, toml, wait_until
from webdriver import Browser

AXE = pathlib.Path(os.environ["AXE"]).read_text(encoding="utf-8")
SCREENSHOTS = pathlib.Path(os.environ["SCREENSHOTS"])
PHONE, LARGE = (360, 800), (1360, 900)


class Tunnel:
    """As `ssh -L` does: another port that leads to the sidecar, and may be cut."""

    def __init__(self, port):
        self._target = port
        self._open = set()
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        self._is_cut = False
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                here = self._server.accept()[0]
                if self._is_cut:
                    here.close()
                    continue
                there = socket.create_connection(("127.0.0.1", self._target))
                self._open |= {here, there}
                for ends in ((here, there), (there, here)):
                    threading.Thread(target=self._pass_on, args=ends, daemon=True).start()

    def _pass_on(self, source, target):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
        for end in (source, target):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def cut(self):
        self._is_cut = True
        for end in list(self._open):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def mend(self):
        self._is_cut = False

    def close(self):
        self.cut()
        self._server.close()


class Healthy(http.server.BaseHTTPRequestHandler):
    """A living gateway."""

    def do_GET(self):
        body = b'{"janus":"server_info"}'
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Page(Case):
    @classmethod
    def setUpClass(cls):
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        cls.browser = Browser()
        cls.addClassCleanup(cls.browser.quit)

    def setUp(self):
        self.expected = []  # complaints that the console may have
        self.browser.open("about:blank")
        self.browser.size(*LARGE)
        self.browser.prefer(color_scheme="light", reduced_motion="reduce")
        self.browser.console()

    def tearDown(self):
        complaints = [entry for entry in self.browser.console()
                      if not any(part in entry[1] for part in self.expected)]
        self.assertEqual(complaints, [])

    # -- the steps of tests

    def open(self, sidecar, port=None):
        self.browser.open(f"http://127.0.0.1:{port or sidecar.port}/")

    def sees(self, text, selector="body"):
        wait_until(lambda: text in self.browser.text(selector), f"{text!r} in {selector}")

    def poll(self):
        """Makes the page ask at once, as when its tab becomes visible."""
        self.browser.run("document.dispatchEvent(new Event('visibilitychange'))")

    def refreshes(self, sidecar):
        """The number of the page's full refreshes."""
        for line in sidecar.get("/metrics").body.decode().splitlines():
            if line.startswith('room_sidecar_http_requests_total{method="GET",route="/v2/config"'):
                return float(line.split()[-1])
        return 0

    def refreshed(self, sidecar, times):
        until = self.refreshes(sidecar) + times

        def are_over():
            self.poll()
            return self.refreshes(sidecar) >= until

        wait_until(are_over, f"{times} refreshes")

    def later(self, seconds):
        """Lets that much time pass at once for the page."""
        self.browser.run("const real = performance.now.bind(performance);"
                         "performance.now = () => real() + 1000 * arguments[0];", seconds)

    def has_focus(self, selector):
        return self.browser.run("return document.activeElement.matches(arguments[0])", selector)

    def gateways(self):
        return self.browser.texts("#gateway-list h3")

    def accessible(self, name):
        """No violation of axe's rules, a picture, no scrolling sideways: by day on a screen, at night on a phone."""
        for theme, device, size in (("light", "large", LARGE), ("dark", "phone", PHONE)):
            self.browser.prefer(color_scheme=theme, reduced_motion="reduce")
            self.browser.size(*size)
            self.browser.screenshot(SCREENSHOTS / f"{name}-{device}-{theme}.png")
            wide = self.browser.run("return document.documentElement.scrollWidth")
            self.assertLessEqual(wide, size[0], f"{name} on a {device} scrolls sideways")
            self.assertEqual(self.violations(), [], f"{name}, {device}, {theme}")
        self.browser.size(*LARGE)
        self.browser.screenshot(SCREENSHOTS / f"{name}-large-dark.png")
        self.browser.size(*LARGE)
        self.browser.prefer(color_scheme="light", reduced_motion="reduce")

    def violations(self):
        if not self.browser.run("return 'axe' in window"):
            self.browser.run(AXE)
        found = self.browser.run_async(
            "const done = arguments[0]; axe.run().then(({violations}) => done(violations), (e) => done([String(e)]))")
        return [(one["id"], [(node["html"][:120], node["failureSummary"][:300]) for node in one["nodes"][:3]])
                if isinstance(one, dict) else one for one in found]

    def button(self, gateway):
        return f'#gateway-list button[aria-label$=" {gateway} …"]'

    def scale(self, rooms=(), **more):
        """A sidecar in scale mode: two regions, of three gateways one is small. rooms: (room, country, users)."""
        gateways = [{"name": name, "capacity": capacity}
                    for name, capacity in (("gxy1", 100), ("gxy2", 200), ("gxy3", 20))]
        settings = {"gateways": gateways, "regions": {"IL": ["gxy1", "gxy2"], "US": ["gxy3"]},
                    "rooms": {"2171": {"default_gateway": "gxy2", "name": "Evening lesson"}}, **more}
        sidecar = self.sidecar(toml(scale=True, unknown_rooms="accept", **settings))
        for room, country, users in rooms:
            sidecar.ask(room, country)
            for user in range(users):
                sidecar.put(f"/v2/rooms/{room}/sessions/{room}-{user}", {})
        return sidecar
