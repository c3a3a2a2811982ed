"""docs/openapi.yaml, read for a test: its operations, the requests it gives as examples, and what it
says of each answer. Needs Debian's python3-yaml and python3-jsonschema."""
import itertools
import json
import pathlib
import urllib.parse

import jsonschema
import yaml

FILE = pathlib.Path(__file__).resolve().parents[2] / "docs" / "openapi.yaml"
METHODS = ("get", "put", "post", "delete")


class Operation:
    """One method of one path."""

    def __init__(self, description, path, method, parameters, entry):
        self.path, self.method = path, method.upper()
        self.name = f"{self.method} {path}"
        resolve = description.resolve
        self.parameters = [resolve(one) for one in parameters + entry.get("parameters", [])]
        content = entry.get("requestBody", {}).get("content", {}).get("application/json", {})
        self.takes_a_body = bool(content)
        self.bodies = [example["value"] for example in content.get("examples", {}).values()]
        self.responses = {int(status): resolve(one) for status, one in entry["responses"].items()}
        self.needs_token = entry.get("security") != []

    def target(self, query=False, **instead):
        """The path with the examples of its parameters, or others instead."""
        values = {one["name"]: str(one["example"]) for one in self.parameters}
        values.update(instead)
        path = self.path
        for one in self.parameters:
            if one["in"] == "path":
                quoted = urllib.parse.quote(values[one["name"]], safe="")
                path = path.replace("{" + one["name"] + "}", quoted)
        asked = {one["name"]: values[one["name"]] for one in self.parameters
                 if one["in"] == "query" and (query or one["name"] in instead)}
        return path + ("?" + urllib.parse.urlencode(asked) if asked else "")

    def requests(self):
        """(target, body) of each documented example."""
        targets = dict.fromkeys((self.target(), self.target(query=True)))
        return list(itertools.product(targets, self.bodies or [None]))

    def has(self, parameter):
        return any(one["name"] == parameter for one in self.parameters)


class Description:
    def __init__(self, text=None):
        self.root = yaml.safe_load(text or FILE.read_text(encoding="utf-8"))
        self.operations = []
        for path, item in self.root["paths"].items():
            for method in METHODS:
                if method in item:
                    self.operations.append(Operation(self, path, method, item.get("parameters", []),
                                                     item[method]))

    def resolve(self, entry):
        while "$ref" in entry and entry["$ref"].startswith("#/"):
            target = self.root
            for key in entry["$ref"][2:].split("/"):
                target = target[key.replace("~1", "/").replace("~0", "~")]
            entry = target
        return entry

    def enum(self, schema):
        return {one for one in self.root["components"]["schemas"][schema]["enum"] if one}

    def problems(self, schema, value):
        schema = {**schema, "components": self.root["components"]}
        checker = jsonschema.Draft202012Validator(schema)
        return [f"{'/'.join(map(str, one.path))}: {one.message}" for one in checker.iter_errors(value)]

    def examples(self, response):
        for content in response["content"].values():
            for name, example in content["examples"].items():
                yield name, content["schema"], self.resolve(example)["value"]

    def wrong_with(self, operation, answer):
        """The differences between an answer and its description."""
        response = operation.responses.get(answer.status)
        if response is None:
            return [f"the status {answer.status} is not described"]
        problems = []
        for name in ("Room-Server-Reason", "Retry-After", "WWW-Authenticate", "Allow", "ETag", "Location",
                     "Content-Security-Policy"):
            header = response.get("headers", {}).get(name)
            given = answer.headers.get(name)
            if header and given is not None:
                problems += self.problems(self.resolve(header)["schema"], given)
            elif header or given is not None:
                problems.append(f"the header {name} is {given!r}")
        content = response["content"].get(answer.headers["Content-Type"])
        if content is None:
            return problems + [f"the type {answer.headers['Content-Type']!r} is not described"]
        is_json = answer.headers["Content-Type"] == "application/json"
        body = json.loads(answer.body) if is_json else answer.body.decode()
        return problems + self.problems(content["schema"], body)
