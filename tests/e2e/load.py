"""Clients that use a sidecar as signaling servers do, at once and at random, and record each answer that must hold,
whatever happens to the sidecar."""
import collections
import http.client
import random
import threading

from sidecar import Client

GONE = (OSError, http.client.HTTPException)


class Promise:
    """A room's gateway, as answered. It holds from the mark `since` to the mark `until`, after
    which the room may have been left by its last user; None: to this day."""

    def __init__(self, room, gateway, since):
        self.room, self.gateway, self.since, self.until = room, gateway, since, None

    def holds_at(self, mark):
        return self.since <= mark and (self.until is None or mark < self.until)

    def __repr__(self):
        return f"{self.room}→{self.gateway} [{self.since}, {self.until}]"


class Load:
    """Some threads until stop() or until the sidecar is gone. `mark` gives the time of an answer, as a
    number that never falls."""

    def __init__(self, sidecar, chance, name="", workers=4, mark=lambda: 0):
        self.sidecar, self.mark, self.name = sidecar, mark, name
        self.promises = []
        self.faults = []
        self.requests = collections.Counter()
        self._stop = threading.Event()
        self._shared = {}
        self._lock = threading.Lock()
        seeds = [chance.random() for _ in range(workers)]
        self._threads = [threading.Thread(target=self._work, args=(number, random.Random(seed)))
                         for number, seed in enumerate(seeds)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def standing(self):
        """room -> gateway of the promises that still hold."""
        return {promise.room: promise.gateway for promise in self.promises if promise.until is None}

    def standing_at(self, mark):
        return {promise.room: promise.gateway
                for promise in self.promises if promise.holds_at(mark)}

    def _work(self, number, chance):
        worker = Worker(self, f"{self.name}{number}", chance)
        try:
            while not self._stop.is_set():
                worker.step()
        except GONE:
            pass
        finally:
            worker.client.close()

    def promised(self, promise):
        with self._lock:
            self.promises.append(promise)

    def shared_answer(self, room, gateway):
        """A room that all workers ask for and nobody leaves."""
        with self._lock:
            known = self._shared.setdefault(room, gateway)
        if known != gateway:
            self.faults.append(f"{room} is on {known}, answered {gateway}")


class Worker:
    """One client with rooms of its own, so that it knows their promises."""

    def __init__(self, load, name, chance):
        self.load, self.name, self.chance = load, name, chance
        self.client = Client("127.0.0.1", load.sidecar.port)
        self.rooms = {}  # room -> its latest promise
        self.sessions = {}  # session -> room
        self.count = 0

    def step(self):
        action = self.chance.choices(
            [self.ask_new, self.ask_again, self.enter, self.leave, self.move, self.release,
             self.ask_shared, self.report_all], [30, 25, 18, 14, 4, 3, 5, 1])[0]
        action()
        self.load.requests[action.__name__] += 1

    def request(self, *request, may_be=(200,)):
        answer = self.client.request(*request)
        if answer.status not in may_be:
            self.load.faults.append(f"{request}: {answer}")
        return answer

    def any_room(self):
        return self.chance.choice(list(self.rooms)) if self.rooms else self.new_room()

    def new_room(self):
        self.count += 1
        return f"{self.name}-{self.count}"

    def answered(self, room, gateway):
        known = self.rooms.get(room)
        if known and known.until is None:
            if known.gateway != gateway:
                self.load.faults.append(f"{known}, answered {gateway}")
            return
        self.rooms[room] = Promise(room, gateway, self.load.mark())
        self.load.promised(self.rooms[room])

    def may_end(self, room):
        """Call it before a request that may end the promise."""
        known = self.rooms.get(room)
        if known and known.until is None:
            known.until = self.load.mark()

    def does_not_end(self, room):
        known = self.rooms.get(room)
        if known:
            known.until = None

    def ask(self, room):
        answer = self.request("POST", "/v2/room_server",
                              {"room": room, "geo": {"country_code": self.chance.choice("AB")}})
        if answer.status == 200:
            self.answered(room, answer.janus)

    def ask_new(self):
        self.ask(self.new_room())

    def ask_again(self):
        self.ask(self.any_room())

    def ask_shared(self):
        room = f"shared-{self.chance.randrange(20)}"
        answer = self.request("POST", "/v2/room_server", {"room": room})
        if answer.status == 200:
            self.load.shared_answer(room, answer.janus)

    def put(self, session, room):
        answer = self.request("PUT", f"/v2/rooms/{room}/sessions/{session}", {})
        if answer.status == 200:
            self.sessions[session] = room
            self.answered(room, answer.janus)

    def enter(self):
        room = self.new_room() if self.chance.random() < 0.3 else self.any_room()
        self.put(f"{self.name}:{self.chance.randrange(10**9)}", room)

    def leave(self):
        if not self.sessions:
            return
        session = self.chance.choice(list(self.sessions))
        room = self.sessions.pop(session)
        held = self.rooms[room].until is None
        self.may_end(room)
        answer = self.request("DELETE", f"/v2/rooms/{room}/sessions/{session}")
        if held and answer.status == 200 and not answer.json["assignment_removed"]:
            self.does_not_end(room)

    def move(self):
        if not self.sessions:
            return
        session = self.chance.choice(list(self.sessions))
        old, new = self.sessions[session], self.any_room()
        if old != new:
            self.may_end(old)
        self.put(session, new)

    def release(self):
        room = self.any_room()
        if room not in self.rooms:
            return
        held = self.rooms[room].until is None
        self.may_end(room)
        answer = self.request("DELETE", f"/v2/assignments/{room}", may_be=(200, 404, 409))
        if held and answer.status == 409:
            self.does_not_end(room)

    def report_all(self):
        """A snapshot of this client's sessions: other clients' users seem to have gone, which
        ends no assignment."""
        sessions = [{"session": session, "room": room} for session, room in self.sessions.items()]
        self.request("PUT", "/v2/sessions", {"sessions": sessions[:100], "age_ms": 0})
