#!/usr/bin/env python3
"""Creates the files of this directory from two npm packages. See README.md.

Run by hand, with npm and the Python package jsonschema: python3 tests/deliveries/update.py
"""
import copy
import json
import pathlib
import subprocess
import sys
import tarfile
import tempfile

from jsonschema import Draft4Validator

EXAMPLES = ("@octokit/webhooks-examples@7.6.1", "package/api.github.com/index.json")
DESCRIPTION = ("@octokit/openapi@23.0.2", "package/generated/api.github.com.json")
EVENTS = ("ping", "pull_request", "pull_request_review", "check_run")
HANDLED = {
    "pull_request": (
        *("opened", "synchronize", "closed", "reopened", "edited", "labeled", "unlabeled"),
        "review_request_removed",
    ),
    "pull_request_review": ("submitted", "edited", "dismissed"),
    "check_run": ("rerequested", "requested_action"),
    "deployment_protection_rule": ("requested",),
}
# Sent by GitHub or by the simulator. The webhook accepts them and does nothing.
DESCRIBED = {
    "ping": ("",),
    "pull_request": ("review_requested",),
    "check_run": ("created", "completed"),
}
PROSE = (
    *("default", "deprecated", "description", "example", "examples"),
    *("externalDocs", "format", "readOnly", "title", "x-github"),
)
REVIEWER = ("octocat", 583231)
HERE = pathlib.Path(__file__).parent


def fetch(package, member):
    """Returns one JSON file of an npm package."""
    with tempfile.TemporaryDirectory() as directory:
        packed = subprocess.run(["npm", "pack", "--silent", package], cwd=directory, check=True, capture_output=True, text=True)
        with tarfile.open(pathlib.Path(directory) / packed.stdout.split()[-1]) as archive:
            return json.load(archive.extractfile(member))


def compact(value):
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def write(name, value):
    """Writes compact JSON with one line for each entry of the outermost list or object."""
    if isinstance(value, list):
        text = "[\n" + ",\n".join(map(compact, value)) + "\n]\n"
    else:
        text = "{\n" + ",\n".join(f"{compact(key)}:{compact(entry)}" for key, entry in value.items()) + "\n}\n"
    (HERE / name).write_text(text, encoding="utf-8")
    print(name, len(text), "bytes,", len(value), "entries")


def without_prose(schema, names=False):
    """Returns the schema without keys that do not constrain. Under `properties`, keys are names, and all stay."""
    if isinstance(schema, dict):
        return {
            key: without_prose(value, key == "properties" and not names)
            for key, value in schema.items()
            if names or key not in PROSE
        }
    return [without_prose(entry) for entry in schema] if isinstance(schema, list) else schema


def cut(description):
    """Returns, by name, the schemas of the deliveries above and those they refer to. A delivery's is called `event.action`."""
    schemas, components = {}, description["components"]["schemas"]

    def reach(node):
        if isinstance(node, list):
            node = dict(enumerate(node))
        if not isinstance(node, dict):
            return
        if isinstance(node.get("$ref"), str):
            name = node["$ref"].rsplit("/", 1)[-1]
            if name not in schemas:
                schemas[name] = without_prose(components[name])
                reach(components[name])
        for child in node.values():
            reach(child)

    for event, actions in (*HANDLED.items(), *DESCRIBED.items()):
        for action in actions:
            hook = description["x-webhooks"][f"{event}-{action}".rstrip("-").replace("_", "-")]
            schema = hook["post"]["requestBody"]["content"]["application/json"]["schema"]
            schemas[f"{event}.{action}"] = without_prose(schema)
            reach(schema)
    return dict(sorted(schemas.items()))


def alternatives(schemas, schema):
    """Returns the schema and all its alternatives, as one list."""
    while "$ref" in schema:
        schema = schemas[schema["$ref"].rsplit("/", 1)[-1]]
    return [schema] + [
        found
        for key in ("allOf", "anyOf", "oneOf")
        for alternative in schema.get(key, ())
        for found in alternatives(schemas, alternative)
    ]


def complete(schemas, options, value):
    """Adds fields that the schema requires and the recording lacks: null, false, or an empty value of the type."""
    if isinstance(value, list):
        items = [found for option in options if "items" in option for found in alternatives(schemas, option["items"])]
        for entry in value:
            complete(schemas, items, entry)
    if not isinstance(value, dict):
        return
    known = {}
    for option in options:
        for key, schema in option.get("properties", {}).items():
            known.setdefault(key, []).extend(alternatives(schemas, schema))
    for key in [key for option in options for key in option.get("required", ()) if key not in value and key in known]:
        if any(schema.get("nullable") for schema in known[key]):
            value[key] = None
        else:
            kind = next(schema["type"] for schema in known[key] if "type" in schema)
            value[key] = {"array": [], "boolean": False, "integer": 0, "object": {}, "string": ""}[kind]
    for key, child in value.items():
        complete(schemas, known.get(key, []), child)


def by_reviewer(account):
    """Changes the account to that of the reviewer."""
    was = account["login"]
    for key, value in account.items():
        account[key] = value.replace(was, REVIEWER[0]) if isinstance(value, str) else value
    account["id"] = REVIEWER[1]
    return account


def derive(examples):
    """Derives one payload for everything that we handle, each from a recorded one."""
    reviews, pull_requests = examples["pull_request_review"], examples["pull_request"]

    def real(candidates, action):
        return copy.deepcopy([example for example in candidates if example["action"] == action][-1])

    def reviewed(payload):
        by_reviewer(payload["review"]["user"])
        return payload

    derived = []
    for state, body in (("approved", "/approve checkout:production"), ("changes_requested", "not yet"), ("commented", None)):
        payload = reviewed(real(reviews, "submitted"))
        payload["review"].update(state=state, body=body)
        payload["sender"] = copy.deepcopy(payload["review"]["user"])
        derived.append(("pull_request_review", payload))
    edited = copy.deepcopy(derived[0][1])
    edited.update(action="edited", changes={"body": {"from": "looks fine"}})
    derived += [("pull_request_review", edited), ("pull_request_review", reviewed(real(reviews, "dismissed")))]

    for action in ("opened", "synchronize", "closed", "reopened", "labeled", "unlabeled"):
        derived.append(("pull_request", real(pull_requests, action)))
    for changes in ({"title": {"from": "Update"}}, {"base": {"ref": {"from": "develop"}, "sha": {"from": "0" * 40}}}):
        payload = real(pull_requests, "reopened")
        payload.update(action="edited", changes=changes)
        derived.append(("pull_request", payload))
    person, team = real(pull_requests, "review_request_removed"), real(pull_requests, "review_request_removed")
    del team["requested_reviewer"]
    team["requested_team"] = real(examples["team"], "created")["team"]
    derived += [("pull_request", person), ("pull_request", team)]
    derived += [("check_run", of_our_check(real(examples["check_run"], action))) for action in HANDLED["check_run"]]
    return [*derived, ("deployment_protection_rule", protection(examples, real))]


def of_our_check(payload):
    """Turns a recorded check, which belongs to another App, into one of ours."""
    payload["check_run"].update(name="countersign / hello / production", external_id=f"req-{7:032x}")
    if "requested_action" in payload:
        payload["requested_action"]["identifier"] = "re-evaluate"
    return payload


def protection(examples, real):
    """Combines a deployment_protection_rule from other recordings. Its sender is not the deployer."""
    made = real(examples["deployment"], "created")
    deployment, repository = made["deployment"], made["repository"]
    run = [example["workflow_run"] for example in examples["deployment"] if example.get("workflow_run")][-1]["id"]
    return {
        "action": "requested",
        "environment": deployment["environment"],
        "event": "push",
        "sha": deployment["sha"],
        "ref": deployment["ref"],
        "deployment_callback_url": f"{repository['url']}/actions/runs/{run}/deployment_protection_rule",
        "deployment": deployment,
        "pull_requests": [real(examples["pull_request"], "synchronize")["pull_request"]],
        "repository": repository,
        "installation": made["installation"],
        "sender": by_reviewer(made["sender"]),
    }


def as_json_schema(node):
    """Converts OpenAPI 3.0's `nullable` into JSON Schema's null type."""
    if isinstance(node, list):
        return [as_json_schema(entry) for entry in node]
    if not isinstance(node, dict):
        return node
    schema = {key: as_json_schema(value) for key, value in node.items() if key not in ("nullable", "discriminator")}
    return {"anyOf": [schema, {"type": "null"}]} if node.get("nullable") is True else schema


def main():
    examples = {entry["name"]: entry["examples"] for entry in fetch(*EXAMPLES)}
    schemas = cut(fetch(*DESCRIPTION))
    checked = {"components": {"schemas": as_json_schema(schemas)}}
    handled, faults = [], []
    for event, payload in derive(examples):
        name = f"{event}.{payload['action']}"
        options = alternatives(schemas, schemas[name])
        # A review is requested from a person or a team. Each schema requires fields that the other lacks.
        wanted = [key for key in payload if key.startswith("requested_")]
        apart = [o for o in options if all(key in wanted for key in o.get("required", ()) if key.startswith("requested_"))]
        complete(schemas, apart, payload)
        validator = Draft4Validator(checked | {"allOf": [{"$ref": f"#/components/schemas/{name}"}]})
        for error in validator.iter_errors(payload):
            faults.append(f"{name}: {'.'.join(map(str, error.absolute_path))}: {error.message[:160]}")
        handled.append({"event": event, "payload": payload})
    if faults:
        sys.exit("\n".join(faults))
    for event in EVENTS:
        write(f"{event}.json", examples[event])
    write("handled.json", handled)
    write("schema.json", schemas)


if __name__ == "__main__":
    main()
