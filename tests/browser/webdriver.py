"""A headless Chromium, driven by chromedriver: W3C WebDriver over HTTP, as much of it as the page's test needs.

Both are Debian's (chromium, chromium-driver). A Browser starts a chromedriver of its own on a free port, with a profile
that goes with it.
"""
import base64
import contextlib
import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # the standard's name for a reference to one
ENTER, TAB, ESCAPE, BACKSPACE, SPACE = "\ue007", "\ue004", "\ue00c", "\ue003", " "


class WebDriverError(Exception):
    """A refusal by the driver, with the standard's error code."""

    def __init__(self, code, message):
        super().__init__(f"{code}: {message.splitlines()[0] if message else ''}")
        self.code = code


class Browser:
    def __init__(self):
        self.profile = pathlib.Path(tempfile.mkdtemp(prefix="room-sidecar-browser-"))
        self._driver = self._session = None
        try:
            self._port = self._start_driver()
            self._open_session()
        except BaseException:
            self.quit()
            raise

    def _start_driver(self):
        """It takes a free port of IPv6, then the same one of IPv4, which another may have: then once more."""
        for _ in range(10):
            # A group of its own: the rest of the browser ends with it.
            self._driver = subprocess.Popen(
                ["chromedriver", "--port=0"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL, text=True, env={**os.environ, "HOME": str(self.profile)},
                start_new_session=True)
            output = ""
            for line in self._driver.stdout:
                output += line
                started = re.search(r"started successfully on port (\d+)", line)
                if started:
                    return int(started.group(1))
            self._driver.wait()
            self._driver.stdout.close()
            if "port not available" not in output:
                break
        raise AssertionError(f"chromedriver ended without printing its port:\n{output}")

    def _open_session(self):
        arguments = ["--headless=new", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
                     "--disable-background-networking", "--disable-component-update", "--disable-sync",
                     "--no-default-browser-check", "--window-size=1280,900",
                     f"--user-data-dir={self.profile / 'profile'}"]
        if os.geteuid() == 0:
            arguments.append("--no-sandbox")  # Chromium's refuses to work as root
        options = {"browserName": "chrome", "goog:chromeOptions": {"args": arguments},
                   "goog:loggingPrefs": {"browser": "ALL"}}
        answer = self._ask("POST", "/session", {"capabilities": {"alwaysMatch": options}})
        self._session = f"/session/{answer['sessionId']}"
        self.devtools("Emulation.setScrollbarsHidden", hidden=True)  # pictures are as wide as the page

    def _ask(self, method, path, body=None):
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self._port, timeout=120)) as connection:
            connection.request(method, path, None if body is None else json.dumps(body))
            value = json.loads(connection.getresponse().read())["value"]
        if isinstance(value, dict) and "error" in value:
            raise WebDriverError(value["error"], value["message"])
        return value

    def ask(self, method, path, body=None):
        """Sends one of the standard's commands within the session."""
        return self._ask(method, self._session + path, body)

    def quit(self):
        if self._session:
            with contextlib.suppress(OSError, WebDriverError, ValueError):
                self._ask("DELETE", self._session)
        if self._driver is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._driver.pid, signal.SIGKILL)
        self._driver.wait()
        self._driver.stdout.close()
        shutil.rmtree(self.profile, ignore_errors=True)

    # -- the page

    def open(self, url):
        self.ask("POST", "/url", {"url": url})

    def reload(self):
        self.ask("POST", "/refresh", {})

    def run(self, script, *arguments):
        """Runs JavaScript in the page, whatever its policy, and returns the result."""
        return self.ask("POST", "/execute/sync", {"script": script, "args": arguments})

    def run_async(self, script, *arguments):
        """The same for a script that answers later, by calling its last argument."""
        return self.ask("POST", "/execute/async", {"script": script, "args": arguments})

    def find(self, selector):
        return self.ask("POST", "/element", {"using": "css selector", "value": selector})

    def find_all(self, selector):
        return self.ask("POST", "/elements", {"using": "css selector", "value": selector})

    def text(self, selector):
        """The visible text."""
        return self.ask("GET", f"/element/{self.find(selector)[ELEMENT]}/text")

    def texts(self, selector):
        return [self.ask("GET", f"/element/{found[ELEMENT]}/text") for found in self.find_all(selector)]

    def is_shown(self, selector):
        return all(self.ask("GET", f"/element/{found[ELEMENT]}/displayed") for found in self.find_all(selector)[:1])

    # -- hands

    def click(self, selector):
        """As a mouse does: fails if something else is in the way."""
        self.ask("POST", f"/element/{self.find(selector)[ELEMENT]}/click", {})

    def hover(self, selector):
        move = {"type": "pointerMove", "duration": 0, "x": 0, "y": 0, "origin": self.find(selector)}
        self._act({"type": "pointer", "id": "mouse", "actions": [move]})

    def leave(self):
        """The mouse goes to the corner."""
        move = {"type": "pointerMove", "duration": 0, "x": 0, "y": 0, "origin": "viewport"}
        self._act({"type": "pointer", "id": "mouse", "actions": [move]})

    def press(self, keys):
        """Key by key, into whatever has the focus."""
        strokes = [{"type": kind, "value": key} for key in keys for kind in ("keyDown", "keyUp")]
        self._act({"type": "key", "id": "keyboard", "actions": strokes})

    def _act(self, source):
        self.ask("POST", "/actions", {"actions": [source]})

    # -- the look

    def devtools(self, command, **parameters):
        """Chromium's own command, which the standard lacks."""
        return self.ask("POST", "/goog/cdp/execute", {"cmd": command, "params": parameters})

    def size(self, width, height):
        self.devtools("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1,
                      mobile=width < 500)

    def prefer(self, **features):
        """prefer(color_scheme="dark"): the preference of the reader's system."""
        self.devtools("Emulation.setEmulatedMedia", features=[
            {"name": f"prefers-{name.replace('_', '-')}", "value": value} for name, value in features.items()])

    def screenshot(self, file):
        picture = self.devtools("Page.captureScreenshot", captureBeyondViewport=True)
        pathlib.Path(file).write_bytes(base64.b64decode(picture["data"]))

    def console(self):
        """Warnings and errors since the last call: (source, message)."""
        return [(entry["source"], entry["message"]) for entry in self.ask("POST", "/se/log", {"type": "browser"})
                if entry["level"] in ("WARNING", "SEVERE")]
