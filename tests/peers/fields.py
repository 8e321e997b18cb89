"""A captured request as fields that can be compared: each header and each part of the body under a name, with values
that always differ (ids, tokens, texts, versions of the machine) replaced by a word.
"""

import contextlib
import json
import re
import urllib.parse

# What is compared. The rest (usage statistics, lists of plugins, news) is not about answers.
ASKED = re.compile(r"/(oauth/token|responses|models|wham/accounts/check)$")
# About the connection, not about the request.
UNREAD = ("host", "connection", "content-length", "accept-encoding", "transfer-encoding")
MASKS = [
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"), "UUID"),
    (re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]+"), "TOKEN"),
    (re.compile(r"sk-peer-\w+"), "KEY"),
    (re.compile(r"\b(msg|rs|fc|ctc|call|at|rt|ac)_\w+"), r"\1_ID"),
    (re.compile(r"acct-\w+"), "ACCOUNT"),
    (re.compile(r"data:image/\w+;base64,.*", re.S), "PICTURE"),
    (re.compile(r"/var/tmp/[^\s\"',]+"), "PATH"),
    (re.compile(r"\b\d{10}\.\d+|\b\d{13}\b"), "TIME"),
]
# Parameters that are new each time, and texts that belong to each client.
RANDOM = ("state", "code_challenge", "code_verifier", "code")
TEXTS = ("content", "text", "instructions", "arguments", "output", "input", "encrypted_content")
# Objects whose contents belong to the client or the user.
CLOSED = ("schema", "parameters", "format")


def of(requests, address=None):
    """The fields of the requests of a scenario. `address` is the query of the address opened in a browser."""
    found = parameters("authorize", address) if address else {}
    asked = {}
    for request in requests:
        path = request["path"].split("?")[0]
        if not ASKED.search(path):
            continue
        if any(name == "upgrade" for name, _ in request["headers"]):
            found["websocket"] = "tried first"
            continue
        asked.setdefault(path.rsplit("/", 1)[1], []).append(fields(request))
    for name, each in asked.items():
        # Only answers are requested more than once for a reason.
        each = each if name == "responses" else each[:1]
        found[f"{name}: requests"] = str(len(each))
        for field in dict.fromkeys(field for one in each for field in one):
            values = [one.get(field, "(none)") for one in each]
            found[f"{name}: {field}"] = " then ".join(values if len(set(values)) > 1 else values[:1])
    return found


def fields(request):
    """The fields of one request."""
    split = urllib.parse.urlsplit(request["path"])
    found = {"address": f"{request['method']} {request['host']}{split.path}", **parameters("query", split.query)}
    headers = {name: value for name, value in request["headers"] if name not in UNREAD}
    found.update({f"header {name}": header(name, value) for name, value in headers.items()})
    if "json" in headers.get("content-type", "") and request["body"]:
        found.update(body(json.loads(request["body"])))
    else:
        found.update(parameters("form", request["body"]))
    return found


def header(name, value):
    value = masked(value)
    if name == "user-agent":
        # The text after the version is about the machine.
        return re.sub(r"/\d\S*", "/VERSION", re.sub(r" ?\(.*", " (MACHINE)", value))
    return value


def parameters(name, text):
    values = urllib.parse.parse_qs(text, keep_blank_values=True)
    return {f"{name} {key}": "random" if key in RANDOM else masked(" ".join(value)) for key, value in values.items()}


def masked(text):
    if text.startswith("{"):
        with contextlib.suppress(ValueError):
            return f"JSON of {' '.join(sorted(json.loads(text)))}"
    for mask, word in MASKS:
        text = mask.sub(word, text)
    return text


def body(sent):
    """A JSON body. The conversation is the sequence of its items, and the fields of each kind of item."""
    items = sent.pop("input", None)
    found = inside(sent, "body")
    if isinstance(items, list):
        found["body.input"] = " ".join(squeezed([kind(item) for item in items]))
        for item in items:
            add(found, inside(item, f"body.input[{kind(item)}]"))
    elif items is not None:
        found["body.input"] = type(items).__name__
    return found


def kind(item):
    """The kind of an item of the conversation."""
    name = item.get("type", "message")
    return item.get("role", "no role") if name == "message" else name


def squeezed(kinds):
    """Each run of the same kind as one, with its length."""
    runs = []
    for each in kinds:
        if runs and runs[-1][0] == each:
            runs[-1][1] += 1
        else:
            runs.append([each, 1])
    return [each if count == 1 else f"{each}*{count}" for each, count in runs]


def inside(value, name):
    """The fields of an object, by their path."""
    found = {}
    for key, inner in value.items():
        path = f"{name}.{key}"
        if key == "tools" and isinstance(inner, list):
            add(found, tools(inner, path))
        elif isinstance(inner, str):
            found[path] = ("text" if inner else "(empty)") if key in TEXTS else masked(inner)
        elif isinstance(inner, dict) and key not in CLOSED:
            add(found, inside(inner, path))
            found.update({} if inner else {path: "{}"})
        elif isinstance(inner, dict):
            found[path] = f"{{{' '.join(sorted(inner))}}}"
        elif isinstance(inner, list) and inner and all(isinstance(each, dict) for each in inner):
            for each in inner:
                add(found, inside(each, f"{path}[]"))
        else:
            found[path] = "{}" if inner == {} else masked(json.dumps(inner))
    return found


def tools(offered, name):
    """Tools: their kinds, and the fields of each kind."""
    found = {name: " ".join(sorted({each.get("type", "no type") for each in offered})) or "(none)"}
    for each in offered:
        path = f"{name}[{each.get('type')}]"
        add(found, {path: " ".join(sorted(each))})
        if "strict" in each:
            add(found, {f"{path}.strict": json.dumps(each["strict"])})
        if isinstance(each.get("tools"), list):
            add(found, tools(each["tools"], f"{path}.tools"))
    return found


def add(found, more):
    """Adds fields; an existing field gets both values."""
    for name, value in more.items():
        found[name] = " or ".join(sorted({*found.get(name, value).split(" or "), *value.split(" or ")}))
