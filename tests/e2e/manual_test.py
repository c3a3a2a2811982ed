#!/usr/bin/env python3
"""The files shipped beside the binary agree with it: manual pages, completion, .env."""
import json
import pathlib
import re
import subprocess
import unittest

from sidecar import BINARY, Case, toml

SHIPPED = pathlib.Path(__file__).resolve().parents[2] / "packaging"
COMPLETION = SHIPPED / "completion/room-sidecar"
# The needed part of bash-completion.
BASH = r"""
_init_completion() { cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}
                     words=("${COMP_WORDS[@]}") cword=$COMP_CWORD; }
_filedir() { COMPREPLY=(FILES); }
room-sidecar() { "$BINARY" "$@"; }
source "$COMPLETION"
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
_room_sidecar
printf '%s\n' "${COMPREPLY[@]}"
"""


def help_of(*commands):
    return subprocess.run([BINARY, *commands, "--help"], capture_output=True, text=True, check=True,
                          timeout=60).stdout


def commands():
    listed = re.findall(r"^  ((?:rooms |cluster )?[a-z]+)  ", help_of(), re.MULTILINE)
    return [tuple(name.split()) for name in listed] + [
        (*"rooms import".split(),), ("rooms", "list"), ("rooms", "set"), ("explain",), ("why",), ("drain",), ("scale",),
        ("undrain",), ("release",), ("backup",), ("restore",)]


def options_of(command):
    return set(re.findall(r"--[a-z-]+", help_of(*command).partition("Options:")[2]))


class Manual(Case):
    def test_the_page_of_the_command_names_every_command_and_option(self):
        page = (SHIPPED / "man/room-sidecar.8").read_text(encoding="utf-8")
        described = set(re.findall(r"Fl -([a-z-]+)", page))
        items = re.findall(r"^\.It (Cm .*)$", page, re.MULTILINE)
        for command in commands():
            self.assertTrue([item for item in items if f"Cm {' '.join(command)}" in item], command)
            unsaid = {option for option in options_of(command) if option[2:] not in described}
            self.assertEqual(unsaid, set(), command)

    def test_the_page_of_the_settings_names_every_key_and_variable(self):
        page = (SHIPPED / "man/room-sidecar.toml.5").read_text(encoding="utf-8")
        one = self.sidecar(start=False)
        for setting in json.loads(one.run("config", "--json").stdout)["settings"]:
            item = rf"^\.It Li {re.escape(setting['key'])} , Ev {setting['variable']} "
            self.assertRegex(page, re.compile(item, re.MULTILINE))

    def test_the_page_of_the_command_names_every_event_of_the_log(self):
        page = (SHIPPED / "man/room-sidecar.8").read_text(encoding="utf-8").replace("\\\n", "")
        source = SHIPPED.parent / "src"
        events = []
        for file in source.rglob("*.cpp"):
            text = re.sub(r'"\s*\n\s*"', "", file.read_text(encoding="utf-8"))
            events += re.findall(r'\b(?:debug|info|warn|error)\(\s*(?:\w+ \? )?"([^"]+)"', text)
        for file in source.rglob("*.h"):
            events += re.findall(r'RateLimitedWarning \w+\{"([^"]+)"\}', file.read_text(encoding="utf-8"))
        self.assertGreater(len(events), 20)
        self.assertEqual([event for event in events if event not in page], [])


class Completion(Case):
    def complete(self, *words, sidecar=None):
        environment = sidecar.environment() if sidecar else {"PATH": "/usr/bin:/bin"}
        done = subprocess.run(["bash", "-c", BASH, "bash", "room-sidecar", *words], text=True, timeout=60,
                              capture_output=True, env={**environment, "BINARY": BINARY,
                                                        "COMPLETION": str(COMPLETION)})
        self.assertEqual(done.stderr, "")
        return set(done.stdout.split())

    def test_completion_knows_every_command_and_option(self):
        self.assertEqual(self.complete(""), {command[0] for command in commands()})
        self.assertEqual(self.complete("rooms", ""), {"import", "list", "set"})
        self.assertEqual(self.complete("cluster", ""), {"join", "leave"})
        for command in commands():
            self.assertEqual(self.complete(*command, "--"), options_of(command), command)

    def test_completion_knows_the_gateways_of_the_running_sidecar(self):
        sidecar = self.sidecar(toml(gateways=["gxy1", "gxy2", "other"], rooms={}))
        at = ("--config", str(sidecar.config_file))
        self.assertEqual(self.complete("drain", *at, "gxy", sidecar=sidecar), {"gxy1", "gxy2"})
        self.assertEqual(self.complete("assignments", *at, "--gateway", "", sidecar=sidecar),
                         {"gxy1", "gxy2", "other"})
        self.assertEqual(self.complete("drain", "gxy1", *at, "", sidecar=sidecar), set())


class DotEnv(Case):
    def test_the_examples_of_env_are_valid(self):
        lines = (SHIPPED / "env.example").read_text(encoding="utf-8").splitlines()
        self.assertEqual([line for line in lines if not line.startswith("#")], [])
        examples = [line[1:] for line in lines if re.match(r"#[A-Z_]+=", line) and "SCALE=false" not in line]
        one = self.sidecar(toml(gateways=[f"gxy{i}" for i in range(1, 13)]), start=False,
                           dotenv="\n".join(examples) + "\n")
        settings = json.loads(one.run("config", "--json").stdout)["settings"]
        taken = [setting for setting in settings if setting["origin"].startswith(".env:")]
        self.assertEqual(len(taken), len(examples))
        self.assertEqual(one.run("check").returncode, 0)


if __name__ == "__main__":
    unittest.main()
