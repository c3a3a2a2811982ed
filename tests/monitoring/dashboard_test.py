#!/usr/bin/env python3
"""packaging/monitoring/dashboard.json: every panel is explained, and in its place.

tests/e2e/prometheus_test.py checks that its queries are answered."""
import json
import pathlib
import re
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
DASHBOARD = json.loads((ROOT / "packaging" / "monitoring" / "dashboard.json").read_text(encoding="utf-8"))
PANELS = DASHBOARD["panels"]
SHOWING = [panel for panel in PANELS if panel["type"] != "row"]
WIDTH = 24  # Grafana's grid
# Not shown: parts of other metrics, or operators' own settings.
NOT_SHOWN = {"room_sidecar_room_occupancy_users"}


def objects(part):
    """Every object inside, at any depth."""
    if isinstance(part, dict):
        yield part
    for child in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
        yield from objects(child)


class Dashboard(unittest.TestCase):
    def test_each_panel_has_an_id_and_a_title_of_its_own(self):
        for key in ("id", "title"):
            values = [panel[key] for panel in PANELS]
            self.assertEqual(len(values), len(set(values)), sorted(values))

    def test_no_panel_covers_another_or_leaves_the_grid(self):
        taken = {}
        for panel in PANELS:
            place = panel["gridPos"]
            self.assertLessEqual(place["x"] + place["w"], WIDTH, panel["title"])
            for x in range(place["x"], place["x"] + place["w"]):
                for y in range(place["y"], place["y"] + place["h"]):
                    self.assertNotIn((x, y), taken, f"{panel['title']} covers {taken.get((x, y))}")
                    taken[x, y] = panel["title"]
        rows = [panel["title"] for panel in PANELS if panel["type"] == "row"]
        self.assertEqual(rows, ["Now", "Rooms and decisions", "Latency", "Gateways", "Headroom", "Storage",
                                "Shared store", "Mode, version, configuration"])

    def test_each_panel_has_a_description_and_a_unit(self):
        for panel in SHOWING:
            with self.subTest(panel["title"]):
                self.assertRegex(panel["description"], r"^[A-Z0-9].*\.$")
                self.assertTrue(panel["fieldConfig"]["defaults"]["unit"])
                for target in panel["targets"]:
                    self.assertTrue(target["legendFormat"] or panel["type"] == "stat")

    def test_the_data_source_and_the_sidecars_can_be_chosen(self):
        variables = {one["name"]: one for one in DASHBOARD["templating"]["list"]}
        self.assertEqual(variables["datasource"]["type"], "datasource")
        self.assertTrue(variables["instance"]["multi"] and variables["instance"]["includeAll"])
        sources = [one["datasource"] for one in objects(DASHBOARD) if "datasource" in one]
        self.assertGreater(len(sources), len(SHOWING))
        for source in sources:
            self.assertEqual(source, {"type": "prometheus", "uid": "${datasource}"})

    def test_every_query_keeps_to_the_chosen_sidecars(self):
        queries = [one["expr"] for one in objects(DASHBOARD) if "expr" in one]
        for query in queries:
            chosen = re.findall(r'\{instance=~"\$instance"|instance=~"\$instance"\}', query)
            self.assertEqual(len(chosen), len(re.findall(r"\b(?:room_sidecar_\w+|ALERTS\b)", query)), query)

    def test_all_metrics_are_shown(self):
        page = (ROOT / "docs" / "monitoring.md").read_text(encoding="utf-8")
        listed = set(re.findall(r"^\| `(room_sidecar_\w+)` \|", page, re.MULTILINE))
        shown = set(re.findall(r"\broom_sidecar_\w+", " ".join(
            target["expr"] for panel in SHOWING for target in panel["targets"])))
        shown = {name if name in listed else re.sub("_(bucket|sum|count)$", "", name) for name in shown}
        self.assertEqual(listed - shown, NOT_SHOWN)
        self.assertEqual(shown - listed, set())


if __name__ == "__main__":
    unittest.main()
