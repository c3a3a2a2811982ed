"""A real Prometheus for a test, on a free loopback port, with its storage in a scratch folder.

Debian's package, unpacked by ./dev below build/prometheus or installed.
"""
import json
import os
import pathlib
import re
import shutil
import urllib.error
import urllib.parse
import urllib.request

from process import Process, free_port
from scratch import Scratch
from sidecar import wait_until

TREE = pathlib.Path(__file__).resolve().parents[2]
PAGE = TREE / "docs" / "monitoring.md"
RULES = TREE / "packaging" / "monitoring" / "alerts.yml"
SECONDS = {"s": 1, "m": 60, "h": 3600}


def program():
    unpacked = TREE / "build" / "prometheus" / "root" / "usr" / "bin" / "prometheus"
    return str(unpacked) if os.access(unpacked, os.X_OK) else shutil.which("prometheus")


def shortened(rules, shortest=3, longest=5):
    """The same rules for a test: each duration (`for:`, a range, an offset) is a minute's second, within bounds that a
    busy machine's scrapes keep up with."""
    def shorter(match):
        seconds = int(match["number"]) * SECONDS[match["unit"]] / 60
        return f"{match['before']}{min(max(seconds, shortest), longest):g}s"
    return re.sub(r"(?P<before>\bfor: |\boffset |\[)(?P<number>\d+)(?P<unit>[smh])\b", shorter, rules)


def as_the_page_says(targets, token_file):
    """The page's example of a configuration, with these targets and this token."""
    example = re.search(r"```yaml\n(scrape_configs:.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)[1]
    for pattern, put in ((r'"127\.0\.0\.1:8082"', ", ".join(f'"{target}"' for target in targets)),
                         (r"# (authorization: \{credentials_file: )[^}]+", rf"\g<1>{token_file}")):
        example, count = re.subn(pattern, put, example)
        assert count == 1, (pattern, example)
    return example


class Prometheus(Process):
    def __init__(self, targets, token_file):
        self._scratch = Scratch("prometheus")
        super().__init__(self._scratch.folder, "prometheus")
        self.port = free_port()
        (self.folder / "alerts.yml").write_text(shortened(RULES.read_text(encoding="utf-8")), encoding="utf-8")
        (self.folder / "prometheus.yml").write_text(
            "global: {scrape_interval: 500ms, evaluation_interval: 500ms}\nrule_files: [alerts.yml]\n"
            + as_the_page_says(targets, token_file), encoding="utf-8")

    def start(self):
        self.launch(program(), f"--config.file={self.folder}/prometheus.yml",
                    f"--storage.tsdb.path={self.folder}/data", f"--web.listen-address=127.0.0.1:{self.port}")
        self.wait_until_up(self._is_ready)
        return self

    def _is_ready(self):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/-/ready", timeout=5) as answer:
                return answer.status == 200
        except OSError:
            return False

    def ask(self, what, **parameters):
        """The data of an answer of its API; a refused query is an AssertionError with the cause."""
        url = f"http://127.0.0.1:{self.port}/api/v1/{what}?{urllib.parse.urlencode(parameters)}"
        try:
            with urllib.request.urlopen(url, timeout=30) as answer:
                reply = json.load(answer)
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{parameters}: {error.read().decode()}") from None
        assert reply["status"] == "success" and not reply.get("warnings"), (parameters, reply)
        return reply["data"]

    def query(self, query, at=None):
        """[(labels, value)…] at that time, or now."""
        more = {"time": at} if at else {}
        return [(one["metric"], float(one["value"][1])) for one in self.ask("query", query=query, **more)["result"]]

    def rules(self):
        return [rule for group in self.ask("rules")["groups"] for rule in group["rules"]]

    def alerts(self, *states):
        """{(alert, instance)…} that are in one of these states now."""
        return {(alert["labels"]["alertname"], alert["labels"]["instance"])
                for alert in self.ask("alerts")["alerts"] if alert["state"] in states}

    def wait_until(self, condition, what):
        try:
            return wait_until(condition, what)
        except AssertionError as vain:
            raise AssertionError(f"{vain}\n{self.log()[-3000:]}\nalerts: {self.ask('alerts')['alerts']}") from None

    def remove(self):
        self.kill()
        self._scratch.remove()
