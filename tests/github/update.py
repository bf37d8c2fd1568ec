#!/usr/bin/env python3
"""Creates description.json: the operations of GitHub's API that we call, taken from GitHub's own description. See
README.md.

Run by hand, with npm and Python 3.9 or later: python3 tests/github/update.py
"""
import copy
import json
import pathlib
import subprocess
import sys
import tarfile
import tempfile

DESCRIPTION = ("@octokit/openapi@23.0.2", "package/generated/api.github.com.json")
HERE = pathlib.Path(__file__).parent

REPOSITORY = "/repos/{owner}/{repo}"
PULL = REPOSITORY + "/pulls/{pull_number}"
ISSUE = REPOSITORY + "/issues/{issue_number}"
TEAM = "/orgs/{org}/teams/{team_slug}"

# Calls of the client, and of the simulator's users (the local gate's session, the tests).
OPERATIONS = {
    "/app": "get",
    "/app-manifests/{code}/conversions": "post",
    "/app/hook/config": "get",
    "/app/hook/deliveries": "get",
    "/app/hook/deliveries/{delivery_id}": "get",
    "/app/hook/deliveries/{delivery_id}/attempts": "post",
    "/app/installations": "get",
    "/app/installations/{installation_id}": "get",
    "/app/installations/{installation_id}/access_tokens": "post",
    "/installation/repositories": "get",
    "/orgs/{org}/installation": "get",
    "/users/{username}/installation": "get",
    "/rate_limit": "get",
    "/user": "get",
    "/user/{account_id}": "get",
    "/users/{username}": "get",
    TEAM: "get",
    REPOSITORY: "get",
    REPOSITORY + "/installation": "get",
    REPOSITORY + "/activity": "get",
    REPOSITORY + "/collaborators/{username}/permission": "get",
    REPOSITORY + "/contents/{path}": "get",
    REPOSITORY + "/commits/{commit_sha}/pulls": "get",
    REPOSITORY + "/compare/{basehead}": "get",
    REPOSITORY + "/commits/{ref}/check-runs": "get",
    REPOSITORY + "/check-runs": "post",
    REPOSITORY + "/check-runs/{check_run_id}": "get patch",
    REPOSITORY + "/check-runs/{check_run_id}/rerequest": "post",
    REPOSITORY + "/deployments": "get post",
    REPOSITORY + "/deployments/{deployment_id}": "get",
    REPOSITORY + "/deployments/{deployment_id}/statuses": "get post",
    REPOSITORY + "/actions/runs/{run_id}/deployment_protection_rule": "post",
    REPOSITORY + "/issues/comments/{comment_id}": "get patch delete",
    ISSUE + "/comments": "get post",
    ISSUE + "/labels": "get post",
    ISSUE + "/labels/{name}": "delete",
    REPOSITORY + "/pulls": "get post",
    PULL: "get patch",
    PULL + "/merge": "put",
    PULL + "/files": "get",
    PULL + "/requested_reviewers": "get post delete",
    PULL + "/reviews": "get post",
    PULL + "/reviews/{review_id}": "get put",
    PULL + "/reviews/{review_id}/events": "post",
    PULL + "/reviews/{review_id}/dismissals": "put",
}

# GitHub's `Link` headers name things by id, on paths that its description lacks. Each gets the description of the path
# with names.
BY_ID = (
    (REPOSITORY, "/repositories/{repository_id}", ("owner", "repo"), ("repository_id",)),
    (TEAM, "/organizations/{organization_id}/team/{team_id}", ("org", "team_slug"), ("organization_id", "team_id")),
)

# Keys that do not constrain. Under `properties`, keys are names, and all stay.
PROSE = (
    *("default", "deprecated", "description", "example", "examples"),
    *("externalDocs", "readOnly", "summary", "tags", "title", "x-github", "x-octokit"),
)


def fetch(package, member):
    """Returns one JSON file of an npm package."""
    with tempfile.TemporaryDirectory() as directory:
        command = ["npm", "pack", "--silent", package]
        packed = subprocess.run(command, cwd=directory, check=True, capture_output=True, text=True)
        with tarfile.open(pathlib.Path(directory) / packed.stdout.split()[-1]) as archive:
            return json.load(archive.extractfile(member))


def without_prose(node, names=False):
    """Returns the description without keys that do not constrain. Responses keep an empty description, which is required."""
    if isinstance(node, dict):
        kept = {
            key: without_prose(value, key in ("properties", "responses", "schemas", "parameters", "headers") and not names)
            for key, value in node.items()
            if names or key not in PROSE
        }
        return kept
    return [without_prose(entry) for entry in node] if isinstance(node, list) else node


def described(responses):
    """Adds the description that OpenAPI requires for every response."""
    for response in responses.values():
        if "$ref" not in response:
            response["description"] = ""


def mend_installations(paths):
    """Describes the list of installations as a list of single installations. The original list requires, for every
    account, fields that only an enterprise has."""
    listed = paths["/app/installations"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    account = listed["items"]["properties"]["account"]
    if "allOf" not in account:
        sys.exit("the list of installations is now described correctly: remove this correction")
    listed["items"] = {"$ref": "#/components/schemas/installation"}


def mend_defaults(schema, names):
    """Accepts a URI or the empty text for these fields. The original requires a URI, but the default is the empty text,
    and GitHub's recorded events contain it."""
    for name in names:
        given = schema["properties"][name]
        if (given.get("format"), given.get("default")) != ("uri", ""):
            sys.exit(f"{name} is now described correctly: remove this correction")
        schema["properties"][name] = {"anyOf": [given, {"type": "string", "enum": [""]}]}


def by_id(path, methods):
    """Returns the path with ids in place of names, and its operations. `None` if GitHub has no such path."""
    for prefix, other, names, ids in BY_ID:
        if path == prefix or path.startswith(prefix + "/"):
            methods = copy.deepcopy(methods)
            for operation in methods.values():
                named = [p for p in operation.get("parameters", []) if p.get("$ref", "").rsplit("/", 1)[-1] not in
                         [name.replace("_", "-") for name in names] and p.get("name") not in names]
                numbers = [
                    {"name": name, "in": "path", "required": True, "schema": {"type": "integer"}} for name in ids
                ]
                operation["parameters"] = numbers + named
                operation["operationId"] += "-by-id"
            return other + path[len(prefix):], methods
    return None


def cut(description):
    """Returns the operations, and the components that they refer to."""
    mend_defaults(description["components"]["schemas"]["deployment-status"], ("target_url", "log_url", "environment_url"))
    paths = {}
    for path, methods in OPERATIONS.items():
        found = {method: description["paths"].get(path, {}).get(method) for method in methods.split()}
        missing = [method for method, operation in found.items() if operation is None]
        if missing:
            sys.exit(f"{path} has no {', '.join(missing)} in {DESCRIPTION[0]}")
        paths[path] = without_prose(found)
    mend_installations(paths)
    paths.update(filter(None, [by_id(path, methods) for path, methods in list(paths.items())]))
    for methods in paths.values():
        for operation in methods.values():
            described(operation["responses"])

    components = {}

    def reach(node):
        if isinstance(node, list):
            node = dict(enumerate(node))
        if not isinstance(node, dict):
            return
        if isinstance(node.get("$ref"), str):
            _, _, section, name = node["$ref"].split("/", 3)
            known = components.setdefault(section, {})
            if name not in known:
                known[name] = without_prose(description["components"][section][name])
                if section == "responses":
                    described({name: known[name]})
                reach(known[name])
        for child in node.values():
            reach(child)

    reach(paths)
    flat = {f"{section}/{name}": entry for section in sorted(components) for name, entry in sorted(components[section].items())}
    return dict(sorted(paths.items())), flat


def compact(value):
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def lines(entries):
    """Writes one line for each entry, for readable diffs."""
    return "{\n" + ",\n".join(f"{compact(key)}:{compact(entry)}" for key, entry in entries.items()) + "\n}"


def main():
    description = fetch(*DESCRIPTION)
    paths, flat = cut(description)
    sections = {}
    for name, entry in flat.items():
        section, name = name.split("/", 1)
        sections.setdefault(section, {})[name] = entry
    components = ",\n".join(f"{compact(section)}:{lines(entries)}" for section, entries in sections.items())
    info = {key: description["info"][key] for key in ("version", "title", "license") if key in description["info"]}
    text = (
        f'{{\n"openapi":{compact(description["openapi"])},\n"info":{compact(info)},\n'
        f'"paths":{lines(paths)},\n"components":{{\n{components}\n}}\n}}\n'
    )
    json.loads(text)
    (HERE / "description.json").write_text(text, encoding="utf-8")
    operations = sum(len(methods) for methods in paths.values())
    print("description.json", len(text), "bytes,", operations, "operations")


if __name__ == "__main__":
    main()
