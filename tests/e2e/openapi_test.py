"""docs/openapi.yaml against the binary: the routes, each documented example, status and code, and each answer
against its schema. And by a linter from npm, which `./dev test` fetches."""
import concurrent.futures
import http.client
import pathlib
import re
import signal
import socket
import subprocess
import unittest

from description import Description
from sidecar import Answer, Case, toml, wait_until
from storage_faults import Stored, scale

ROOT = pathlib.Path(__file__).resolve().parents[2]
MODULES = ROOT / "build" / "npm" / "node_modules"
DESCRIPTION = Description()
OPERATIONS = {one.name: one for one in DESCRIPTION.operations}
ROUTES = re.findall(r'^    \{"([A-Z]+)", "(/[^"]*)"',
                    (ROOT / "src" / "api" / "routes.cpp").read_text(encoding="utf-8"), re.MULTILINE)
FIVE = [{"name": f"gxy{number}"} for number in range(1, 6)]
REGIONS = {"IL": ["gxy5"], "US": ["gxy1", "gxy2"]}

# Statuses and codes that no test can provoke, and why.
NOT_SEEN = {
    "internal": "a fault of the sidecar's own; none is known",
}


def raw(port, text):
    """Sends exactly these bytes; returns the answer."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall(text.encode())
        return answer_on(connection)


def answer_on(connection):
    answer = http.client.HTTPResponse(connection)
    answer.begin()
    return Answer(answer.status, answer.headers, answer.read())


def is_refused(port):
    with socket.socket() as connection:
        return connection.connect_ex(("127.0.0.1", port)) != 0


def head(operation, *fields, target=None, host="localhost"):
    lines = [f"{operation.method} {target or operation.target()} HTTP/1.1", f"Host: {host}", *fields]
    return "\r\n".join(lines) + "\r\n\r\n"


def enough(operation):
    """A body larger than the largest permitted one."""
    return (8 << 20) + 1 if operation.path == "/v2/sessions" else (64 << 10) + 1


# The requests that provoke each code of the server itself, for every operation.
BY_THE_SERVER = {
    "invalid_request": lambda one: head(one, "Host: localhost"),
    "invalid_path": lambda one: head(one, target=one.target() + "%zz"),
    "invalid_query": lambda one: head(one, target=one.target() + "?a=%zz"),
    "foreign_host": lambda one: head(one, host="evil.example.org"),
    "foreign_origin": lambda one: head(one, "Origin: http://evil.example.org"),
    "too_large": lambda one: head(one, f"Content-Length: {enough(one)}"),
    "uri_too_long": lambda one: head(one, target=one.target() + "?" + "a" * 9000),
    "unsupported_encoding": lambda one: head(one, "Content-Encoding: gzip"),
    "headers_too_large": lambda one: head(one, *["X-More: 1"] * 70),
}


class OpenApi(Case):
    @classmethod
    def setUpClass(cls):
        cls.seen = set()

    def hold(self, name, answer, status=None, code=None):
        """The answer is as described, and is this one."""
        operation = OPERATIONS[name]
        problems = DESCRIPTION.wrong_with(operation, answer)
        self.assertEqual(problems, [], f"{name}: {answer}")
        if status is not None:
            self.assertEqual((answer.status, answer.error), (status, code), f"{name}: {answer}")
        self.seen.add((name, answer.status, answer.error))
        return answer

    def send(self, sidecar, name, target=None, body=None, headers=None):
        operation = OPERATIONS[name]
        if body is None and operation.bodies:
            body = operation.bodies[0]
        return sidecar.request(operation.method, target or operation.target(), body, headers)

    # -- without the binary

    def test_the_linter_reports_nothing(self):
        self.assertTrue(MODULES.exists(), "./dev test fetches the linter into build/npm")
        done = subprocess.run(["node", ROOT / "tests" / "npm" / "lint_openapi.cjs", MODULES,
                               ROOT / "docs" / "openapi.yaml"],
                              capture_output=True, text=True, timeout=120, check=False)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))

    def test_each_example_of_an_answer_fits_its_schema(self):
        count = 0
        for operation in DESCRIPTION.operations:
            for status, response in operation.responses.items():
                for name, schema, value in DESCRIPTION.examples(response):
                    self.assertEqual(DESCRIPTION.problems(schema, value), [],
                                     f"{operation.name} {status} {name}")
                    count += 1
        self.assertGreater(count, 200)

    def test_the_documented_words_are_those_of_the_source(self):
        def words(file, pattern):
            found = set(re.findall(pattern, (ROOT / "src" / file).read_text(encoding="utf-8")))
            self.assertTrue(found, f"{pattern} in {file}")
            return found
        self.assertEqual(DESCRIPTION.enum("Reason"),
                         words("domain/placement.cpp", r'case Reason::\w+:\s+return "(\w+)"'))
        refusals = words("domain/placement.cpp", r'case Refusal::\w+:\s+return "(\w+)"')
        self.assertEqual(DESCRIPTION.enum("RefusalOrNull"), refusals)
        schemas = DESCRIPTION.root["components"]["schemas"]
        self.assertEqual(set(schemas["Gateway"]["properties"]["state"]["enum"]),
                         words("domain/gateway_health.cpp", r'case GatewayState::\w+:\s+return "(\w+)"'))
        self.assertEqual(set(schemas["Decision"]["properties"]["asked_by"]["enum"]),
                         words("app/decision_log.cpp", r'case DecisionRecord::Asker::\w+:\s+return "(\w+)"'))
        codes = set(refusals) | {"invalid_request"}
        for file in [*(ROOT / "src" / "http").glob("*.cpp"), *(ROOT / "src" / "api").glob("*.cpp")]:
            text = file.read_text(encoding="utf-8")
            codes |= set(re.findall(r'\b[45]\d\d,\s+"([a-z_]+)"', text))
        self.assertEqual(schemas["Error"]["properties"]["error"]["enum"] and
                         set(schemas["Error"]["properties"]["error"]["enum"]) |
                         {"not_found", "method_not_allowed"}, codes)

    # -- its routes

    def test_the_documented_routes_are_those_of_the_binary(self):
        documented = sorted((one.method, one.path) for one in DESCRIPTION.operations)
        self.assertEqual(documented, sorted(ROUTES))
        sidecar = self.sidecar(toml(scale=True))
        for operation in DESCRIPTION.operations:
            wrong = sidecar.request("PATCH", operation.target())
            self.assertEqual((wrong.status, wrong.error), (405, "method_not_allowed"), operation.name)
            methods = {one.method for one in DESCRIPTION.operations if one.path == operation.path}
            if "GET" in methods:
                methods.add("HEAD")
            self.assertEqual(set(wrong.headers["Allow"].split(", ")), methods, operation.path)
        nowhere = sidecar.get("/v2/nowhere")
        self.assertEqual((nowhere.status, nowhere.error), (404, "not_found"))

    # -- every status and code; the last test, by its name, checks that all were seen

    def test_examples_get_the_described_answers(self):
        sidecar = self.sidecar(toml(scale=True, gateways=FIVE, regions=REGIONS,
                                    rooms={"2171": {"default_gateway": "gxy1", "name": "Lobby"},
                                           "2172": "gxy2", "2173": None}))
        for operation in DESCRIPTION.operations:
            for target, body in operation.requests():
                sidecar.leave("2171", "u-17")
                sidecar.ask("2171", "IL")
                answer = self.send(sidecar, operation.name, target, body, {"X-Request-Id": "req-1"})
                self.hold(operation.name, answer, 200)
                if operation.path in ("/v2/gateways", "/v2/rooms", "/v2/assignments", "/v2/decisions",
                                      "/v2/rooms/{room}/explain"):
                    items = [value for value in answer.json.values() if isinstance(value, list)][0]
                    self.assertTrue(items, f"{operation.name} {target} shows no item")
        # Rooms with different null fields.
        for room in ("2172", "2173", "2171"):
            sidecar.enter(room, f"in-{room}")
            for target in (f"/v2/rooms/{room}", f"/v2/rooms/{room}/explain?country_code=US"):
                name = "GET /v2/rooms/{room}" + ("/explain" if "explain" in target else "")
                self.hold(name, sidecar.get(target), 200)
        self.hold("GET /v2/rooms/{room}/explain", sidecar.get("/v2/rooms/nowhere/explain"), 200)
        sidecar.ask("nowhere")
        self.assertEqual(self.hold("GET /v2/decisions", sidecar.get("/v2/decisions?room=nowhere"))
                         .json["decisions"][0]["error"], "room_not_found")
        self.hold("DELETE /v2/assignments/{room}", sidecar.delete("/v2/assignments/2171"), 409, "room_occupied")
        self.hold("DELETE /v2/assignments/{room}", sidecar.delete("/v2/assignments/none"), 404,
                  "assignment_not_found")
        self.refused_for_what_they_say(sidecar)
        sidecar.write_config("nonsense = 1\n")
        self.hold("POST /v2/reload", sidecar.post("/v2/reload"), 409, "configuration_refused")

    def refused_for_what_they_say(self, sidecar):
        unknown = {"room": "nowhere", "name": "gxy99", "gateway": "gxy99"}
        for operation in DESCRIPTION.operations:
            bad = operation.responses[400]["content"]["application/json"]["examples"]
            if "invalid_json" in bad:
                self.hold(operation.name, self.send(sidecar, operation.name, body="["), 400, "invalid_json")
            if "invalid_room" in bad:
                if operation.has("room"):
                    answer = self.send(sidecar, operation.name, operation.target(room="a\nb"))
                else:
                    answer = self.send(sidecar, operation.name, body={"room": ""})
                self.hold(operation.name, answer, 400, "invalid_room")
            if "invalid_session" in bad:
                body = {"sessions": [{"room": "2171"}]} if operation.path == "/v2/sessions" else None
                self.hold(operation.name,
                          self.send(sidecar, operation.name, operation.target(session="\x7f"), body),
                          400, "invalid_session")
            if "invalid_country" in bad:
                self.hold(operation.name, self.send(sidecar, operation.name, body={"room": "2171", "geo": {
                    "country_code": 972}}), 400, "invalid_country")
            if operation.has("limit"):
                self.hold(operation.name, self.send(sidecar, operation.name, operation.target(limit="0")),
                          400, "invalid_query")
            if 404 in operation.responses:
                named = {key: value for key, value in unknown.items() if operation.has(key)}
                self.hold(operation.name, self.send(sidecar, operation.name, operation.target(**named),
                                                    None if named else {"room": "nowhere"}))
        force = OPERATIONS["DELETE /v2/assignments/{room}"].target(force="perhaps")
        self.hold("DELETE /v2/assignments/{room}", sidecar.delete(force), 400, "invalid_query")

    def test_legacy_mode_answers_as_described(self):
        sidecar = self.sidecar(toml(gateways=FIVE, rooms={"2171": "gxy1", "2172": None}))
        for operation in DESCRIPTION.operations:
            for target, body in operation.requests():
                if "reload" not in target:
                    self.hold(operation.name, self.send(sidecar, operation.name, target, body))
        answer = self.hold("POST /v2/room_server", sidecar.ask("2172"), 500, "gateway_not_found")
        self.assertTrue(answer.json["message"].startswith("gateway not found for room"))
        entered = self.hold("PUT /v2/rooms/{room}/sessions/{session}", sidecar.enter("2172", "a"), 200)
        self.assertIsNone(entered.json["janus"])

    def test_the_server_refuses_as_described(self):
        sidecar = self.sidecar(toml(scale=True))
        for operation in DESCRIPTION.operations:
            for code, request in BY_THE_SERVER.items():
                answer = raw(sidecar.port, request(operation))
                self.hold(operation.name, answer, answer.status, code)
        with concurrent.futures.ThreadPoolExecutor(len(OPERATIONS)) as pool:  # each takes 5 s
            begun = {one.name: pool.submit(raw, sidecar.port, head(one)[:-2]) for one in OPERATIONS.values()}
            for name, answer in begun.items():
                self.hold(name, answer.result(), 408, "request_timeout")

    def test_a_token_is_required_as_described(self):
        sidecar = self.sidecar(toml(scale=True), start=False)
        token = sidecar.folder / "token"
        token.write_text("right\n", encoding="utf-8")
        token.chmod(0o600)
        sidecar.env["API_TOKEN_FILE"] = str(token)
        sidecar.start()
        for operation in DESCRIPTION.operations:
            for fields in ((), ("Authorization: Bearer wrong",)):
                answer = raw(sidecar.port, head(operation, *fields))
                if operation.needs_token:
                    self.hold(operation.name, answer, 401, "unauthorized")
                else:
                    self.hold(operation.name, answer, 200)
            answer = raw(sidecar.port, head(operation, "Authorization: Bearer right"))
            self.assertNotEqual(self.hold(operation.name, answer).status, 401, operation.name)

    def test_the_connection_limit_refuses_as_described(self):
        sidecar = self.sidecar(toml(http={"max_connections": 1}))
        self.assertEqual(sidecar.get("/healthz").status, 200)  # the one, which stays
        for operation in DESCRIPTION.operations:
            answer = raw(sidecar.port, head(operation))
            if operation.name in ("GET /healthz", "GET /readyz", "GET /metrics"):
                self.hold(operation.name, answer, 200)
            else:
                self.hold(operation.name, answer, 503, "too_many_connections")

    def test_unplaceable_rooms_are_refused_as_described(self):
        tiny = {"max_server_capacity": 10, "avg_room_occupancy": 10, "when_full": "reject"}
        sidecar = self.sidecar(toml(scale=True, unknown_rooms="accept", gateways=["gxy1"], rooms={}, balancing=tiny))
        sidecar.ask("first")
        both = (("POST /v2/room_server", lambda: sidecar.ask("more", "IL")),
                ("PUT /v2/rooms/{room}/sessions/{session}", lambda: sidecar.enter("more", "a")))
        for name, request in both:
            self.hold(name, request(), 503, "capacity_exhausted")
        sidecar.put("/v2/gateways/gxy1/drain")
        for name, request in both:
            self.hold(name, request(), 503, "no_gateway_available")
        answer = self.hold("PUT /v2/sessions", sidecar.snapshot([("more", "a")]), 200)
        self.assertEqual(answer.json["rejected"][0]["error"], "no_gateway_available")
        explained = self.hold("GET /v2/rooms/{room}/explain", sidecar.get("/v2/rooms/more/explain"), 200).json
        self.assertEqual((explained["error"], explained["candidates"][0]["verdict"]),
                         ("no_gateway_available", "draining"))

    def test_too_many_sessions_are_refused_as_described(self):
        sidecar = self.sidecar(scale(sessions={"max": 1}))
        sidecar.enter("2171", "a")
        self.hold("PUT /v2/rooms/{room}/sessions/{session}", sidecar.enter("2171", "b"), 503, "too_many_sessions")

    def test_a_failing_disk_is_reported_as_described(self):
        sidecar = Stored(scale()).failing()
        self.addCleanup(sidecar.remove)
        sidecar.start()
        sidecar.ask("2171")
        self.hold("PUT /v2/gateways/{name}/drain", sidecar.put("/v2/gateways/gxy3/drain"), 200)
        sidecar.fails("write ENOSPC")
        self.hold("POST /v2/room_server", sidecar.ask("new"), 503, "storage_unavailable")
        self.hold("PUT /v2/rooms/{room}/sessions/{session}", sidecar.enter("new", "a"), 503, "storage_unavailable")
        for method, gateway in (("PUT", "gxy2"), ("DELETE", "gxy3")):
            answer = sidecar.request(method, f"/v2/gateways/{gateway}/drain")
            self.hold(f"{method} /v2/gateways/{{name}}/drain", answer, 503, "storage_unavailable")
        self.hold("DELETE /v2/assignments/{room}", sidecar.delete("/v2/assignments/2171"), 503,
                  "storage_unavailable")
        wait_until(lambda: self.hold("GET /readyz", sidecar.get("/readyz"), 200).json["status"] == "degraded",
                   "it to be degraded")

    def test_a_stopping_sidecar_is_not_ready_as_described(self):
        """A request that is half sent when the stop begins is answered for 3 s, though connections are refused."""
        sidecar = self.sidecar()
        with socket.create_connection(("127.0.0.1", sidecar.port), timeout=30) as connection:
            connection.sendall(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\nGET /readyz HTTP/1.1\r\n")
            self.hold("GET /readyz", answer_on(connection), 200)
            sidecar.process.send_signal(signal.SIGTERM)
            wait_until(lambda: is_refused(sidecar.port), "the stop")
            connection.sendall(b"Host: localhost\r\n\r\n")
            self.hold("GET /readyz", answer_on(connection), 503, "not_ready")

    def test_zz_every_status_and_code_was_seen(self):
        described = set()
        for operation in DESCRIPTION.operations:
            for status, response in operation.responses.items():
                for _, _, value in DESCRIPTION.examples(response):
                    described.add((operation.name, status, value["error"] if status >= 400 else None))
        missing = {one for one in described - self.seen if one[2] not in NOT_SEEN}
        self.assertEqual(missing, set())
        self.assertEqual(self.seen - described, set())
        for code in NOT_SEEN:
            self.assertFalse({one for one in self.seen if one[2] == code}, f"{code} can be provoked")


if __name__ == "__main__":
    unittest.main()
