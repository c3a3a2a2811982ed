"""Many askers at all sidecars of a fleet, and a log of their answers, which finds the wrong ones.

Nothing here trusts the product: tests/e2e/askers.cpp writes each answer down, the assignments are read in etcd, and
each room is requested again at every sidecar in the end.
"""
import collections
import os
import random
import subprocess

from scratch import Scratch
from sidecar import PATIENCE, wait_until

ASKERS = os.environ.get("ASKERS", "")
THREADS = 48
Answer = collections.namedtuple("Answer", "room sidecar status began ended gateway reason")


class Plan:
    """Requests in their order. Half of a room's askers come at once, at alternating sidecars; the other half later."""

    def __init__(self, sidecars, rooms, askers, chance, first=0, enter_every=4, name="r"):
        self.rooms = [f"{name}{number}" for number in range(first, first + rooms)]
        dated = []
        for number, room in enumerate(self.rooms):
            for asker in range(askers):
                at_once = asker < askers - askers // 2
                when = number + (chance.random() * 8 if at_once else chance.random() * rooms)
                dated.append((when, room, asker, (number + asker) % sidecars))
        dated.sort()
        self.questions = []
        for _, room, asker, sidecar in dated:
            enters = enter_every and int(room[len(name):]) % enter_every == 0 and asker % 5 == 1
            self.questions.append(("enter", room, sidecar, f"{room}-{asker}") if enters else ("ask", room, sidecar))

    @classmethod
    def of_each_at_each(cls, rooms, sidecars):
        plan = cls(1, 0, 0, random.Random(0))
        plan.rooms = list(rooms)
        plan.questions = [("ask", room, sidecar) for room in plan.rooms for sidecar in range(sidecars)]
        return plan


class Load(Scratch):
    """One run of a plan; it goes on beside the test until finish(). `patience`: seconds for which a
    refused asker asks again; `rate`: the most requests a second."""

    def __init__(self, ports, plan, rate=0, patience=30, threads=THREADS):
        self.plan = plan
        super().__init__("load")
        (self.folder / "plan").write_text("".join(" ".join(map(str, question)) + "\n" for question in plan.questions))
        self._progress = self.folder / "progress"
        with open(self._progress, "wb") as progress:
            self.process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", "--", ASKERS, str(self.folder / "plan"),
                 str(self.folder / "answers"), str(threads), str(rate), str(int(patience * 1000)), *map(str, ports)],
                stdin=subprocess.DEVNULL, stdout=progress, stderr=subprocess.PIPE)

    def done(self):
        """The share of answered requests."""
        lines = self._progress.read_bytes().split()
        return int(lines[-1]) / len(self.plan.questions) if lines else 0

    def wait_for(self, share):
        def has_come():
            assert self.process.poll() in (None, 0), self.process.stderr.read()
            return self.done() >= share or self.process.poll() == 0
        wait_until(has_come, f"{share:.0%} of the questions to be answered")

    def finish(self):
        """All answers, in no order; times in seconds of time.monotonic()."""
        try:
            self.process.wait(PATIENCE)
            assert self.process.returncode == 0, self.process.stderr.read()
            return [self._answer(*line.split("\t"))
                    for line in (self.folder / "answers").read_text().splitlines()]
        finally:
            self.remove()

    def _answer(self, question, _thread, status, began, ended, gateway, reason):
        _, room, sidecar, *_ = self.plan.questions[int(question)]
        return Answer(room, sidecar, int(status), int(began) / 1e6, int(ended) / 1e6, gateway, reason)

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.process.stderr.close()


class AnswerLog:
    """Records each answer of a case in which no room is moved or given up."""

    def __init__(self):
        self.answers = []
        self.gateways = collections.defaultdict(collections.Counter)  # room -> gateway -> answers
        self.asked = set()

    def record(self, plan, answers):
        self.asked.update(plan.rooms)
        self.answers += answers
        for answer in answers:
            if answer.status == 200:
                self.gateways[answer.room][answer.gateway] += 1

    def two_answers(self):
        """Rooms for which different gateways were answered, at any time, anywhere."""
        return {room: dict(gateways) for room, gateways in self.gateways.items() if len(gateways) != 1}

    def acknowledged(self):
        """room -> gateway, of those with one answer."""
        return {room: next(iter(gateways)) for room, gateways in self.gateways.items() if len(gateways) == 1}

    def lost_or_changed(self, now):
        """Acknowledged rooms that are missing or different in `now` (room -> gateway)."""
        return {room: (gateway, now.get(room)) for room, gateway in self.acknowledged().items()
                if now.get(room) != gateway}

    def never_answered(self):
        return self.asked - self.gateways.keys()

    def unexpected(self, expected=(200, 503, 0)):
        return [answer for answer in self.answers if answer.status not in expected][:5]

    def slowest(self, without=()):
        """Seconds, without requests at these sidecars."""
        return max((answer.ended - answer.began for answer in self.answers if answer.sidecar not in without),
                   default=0)

    def longest_wait_for_success(self):
        """Seconds between two successful answers of one sidecar with requests in between."""
        longest = 0
        ends = collections.defaultdict(list)
        for answer in self.answers:
            ends[answer.sidecar].append((answer.ended, answer.status == 200, answer.began))
        for answers in ends.values():
            answers.sort()
            last = answers[0][2]
            for ended, is_good, _ in answers:
                if is_good:
                    longest, last = max(longest, ended - last), ended
        return longest

    def reasons(self):
        """The number of each reason, in the first run and in later ones."""
        return collections.Counter(answer.reason for answer in self.answers if answer.status == 200 and answer.reason)

    def assigned_twice(self):
        """Rooms that were answered with a step's reason more than once."""
        steps = collections.Counter(answer.room for answer in self.answers
                                    if answer.reason in ("assigned", "overflow", "borrowed"))
        return {room: count for room, count in steps.items() if count > 1}

    def summary(self):
        statuses = collections.Counter(answer.status for answer in self.answers)
        return (f"{len(self.gateways)} rooms, {len(self.answers)} answers {dict(statuses)}, "
                f"slowest {self.slowest():.2f} s, longest without a good one {self.longest_wait_for_success():.2f} s, "
                f"{len(self.two_answers())} rooms with two answers")
