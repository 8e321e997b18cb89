"""The differences between the requests of the three clients, each with the reason for ours. Values are pinned:
a changed value is a new difference. A `*` in the name of a scenario or a field matches anything.
"""

import re
from collections import namedtuple

CLIENTS = ("official", "pi", "ours")
LONG = 60  # characters of a value in the table
ABSENT, UNASKED, SEVERAL = None, ..., "(several)"

# A difference in these scenarios: the values by client, and the reason, if known.
Row = namedtuple("Row", "scenarios field values why known")

# A known difference, in one or several fields. `...` matches any value, `None` a missing one.
Known = namedtuple("Known", "scenario field official pi ours why")

# How conversations begin, and what a round with a call adds.
OFFICIAL, OURS = "additional_tools developer*4 user*2", "additional_tools developer user"
PI = f"{OURS} configuration_update"
SCRIPT, CALL = "custom_tool_call custom_tool_call_output", "reasoning function_call function_call_output"
SAID, OTHERS = "reasoning assistant", "function_call function_call_output assistant user assistant user"
ITEMS = "The official client adds messages about skills, permissions and the machine, and pi an item with the effort."

KNOWN = [Known(*known) for known in (
    # The sign-in.
    ("login", "authorize redirect_uri", "http://127.0.0.1:1455/auth/callback", "http://localhost:1455/auth/callback",
     "http://localhost:1455/auth/callback", "Both spellings are registered; ours is the older one, which pi uses too."),
    ("login", "authorize scope",
     "openid profile email offline_access api.connectors.read api.connectors.invoke",
     "openid profile email offline_access", "openid profile email offline_access",
     "Connectors are not used, so they are not asked for."),
    ("login", "authorize originator", "codex_cli_rs", "pi", "codex-run", "Each client names itself."),
    ("login", "token: form redirect_uri", "http://127.0.0.1:1455/auth/callback", "http://localhost:1455/auth/callback",
     "http://localhost:1455/auth/callback", "It must be the one of the address."),
    ("login", "token: header accept", "*/*", "*/*", "application/json", "JSON is what is read."),
    ("login", "token: header user-agent", None, "undici", "codex-run/VERSION (MACHINE)", "Each client names itself."),
    ("login", ("token: header accept-language", "token: header sec-fetch-mode"), None, ..., None, "Node adds it."),
    # The list of models.
    ("login", "models: *", None, None, ...,
     "The list is asked for at the end of the sign-in, so that the first run knows it."),
    ("*", "models: *", ..., None, None,
     "Ours keeps its list for 300 s and asks beside a run, never before; pi has a list of its own."),
    # Requests that the official client makes for other purposes.
    ("*", "websocket", "tried first", "tried first", None, "HTTP is enough: one run has few requests."),
    ("key*", "websocket", "tried first", None, None, "HTTP is enough: one run has few requests."),
    ("*", "check: *", ..., None, None, "Only workspaces that are bound to a region need the answer."),
    ("*", ("responses: header x-codex-beta-features", "responses: header x-codex-window-id",
           "responses: header x-codex-turn-metadata", "responses: header x-codex-routing-hint",
           "responses: header thread-id", "responses: body.client_metadata.*",
           "responses: body.*.internal_chat_message_metadata_passthrough.*"), ..., None, None,
     "What the official client says about itself and its windows; nothing hidden is sent."),
    ("*", ("responses: body.input[additional_tools].id", "responses: body.input[developer].id",
           "responses: body.input[user].id", "responses: body.input[custom_tool_call_output].id"), ..., None, None,
     "Ids of its own items, which no answer depends on."),
    # The head of a request.
    ("*", "responses: header version", "0.171.0", None, "0.171.0",
     "The protocol that is spoken; without it, new models can be refused."),
    ("key*", "responses: header version", "0.171.0", None, None, "It is known to matter to the subscription alone."),
    ("*", "responses: header originator", "codex_exec", "pi", "codex-run", "Each client names itself."),
    ("key*", "responses: header originator", "codex_exec", None, "codex-run", "Each client names itself."),
    ("*", "responses: header user-agent", "codex_exec/VERSION (MACHINE)", ..., "codex-run/VERSION (MACHINE)",
     "Each client names itself."),
    ("*", "responses: header content-encoding", "zstd", "zstd", None,
     "Bodies are short or cached, and unpacked ones can be read on the way."),
    ("*", "responses: header openai-beta", None, "responses=experimental", None,
     "It is from the beta of the API, and the official client sends none."),
    ("key*", "responses: header accept", "text/event-stream", "application/json", "text/event-stream",
     "A stream is what is read."),
    ("*", ("responses: header accept-language", "responses: header sec-fetch-mode",
           "responses: header x-stainless-*"), None, ..., None, "Node and the SDK of pi add it."),
    ("tool round", "responses: header x-codex-turn-state", "(none) then state-1", None, "(none) then state-1",
     "It comes with the first answer and says where the further requests of the turn belong."),
    # Shape.
    ("*", "responses: header x-openai-internal-codex-responses-lite", "true", None, None,
     "Lite takes one call a turn; `additional_tools` without this header take several, as with pi."),
    ("*", "responses: body.parallel_tool_calls", "false", "true", "true",
     "Several calls in one answer save requests."),
    ("key*", "responses: body.parallel_tool_calls", "false", None, "true",
     "Several calls in one answer save requests."),
    ("*", "responses: body.reasoning.context", "all_turns", None, None, "It belongs to Lite."),
    ("*", "responses: body.reasoning.effort", "low", "medium", "low",
     "The default of the catalogue; pi has one of its own."),
    ("*", "responses: body.reasoning.summary", None, "auto", None, "A summary is asked for with --summary."),
    ("*", "responses: body.max_output_tokens", None, "128000", None, "The service's own limit is the right one."),
    ("key*", "responses: body.text.verbosity", "low", None, "low", "The default of the catalogue."),
    ("key*", "responses: body.tool_choice", "auto", None, "auto", "The default, in words."),
    # The conversation.
    ("plain", "responses: body.input", OFFICIAL, PI, OURS, ITEMS),
    ("image", "responses: body.input", OFFICIAL, PI, OURS, ITEMS),
    ("schema", "responses: body.input", OFFICIAL, ..., OURS, ITEMS),
    ("tool round", "responses: body.input", f"{OFFICIAL} then {OFFICIAL} {SCRIPT}",
     f"{PI} then {PI} {CALL} configuration_update", f"{OURS} then {OURS} {CALL}", ITEMS),
    ("resume", "responses: body.input", f"{OFFICIAL} {SCRIPT} {SAID} user",
     f"{PI} {CALL} configuration_update {SAID} user configuration_update", f"{OURS} {CALL} {SAID} user", ITEMS),
    ("other model", "responses: body.input",
     f"{OFFICIAL} {SCRIPT} {SAID} user {SAID} developer additional_tools developer*3 user",
     f"{OURS} {OTHERS} configuration_update", f"{OURS} {OTHERS}", ITEMS),
    ("key", "responses: body.input", OFFICIAL, PI, "developer user", ITEMS),
    ("key, tool round", "responses: body.input", f"{OFFICIAL} then {OFFICIAL} {SCRIPT}",
     f"{PI} then {PI} {CALL} configuration_update", f"developer user then developer user {CALL}", ITEMS),
    ("*", ("responses: body.input[developer].type", "responses: body.input[user].type",
           "responses: body.input[developer].content[].type", "responses: body.input[developer].content[].text"),
     ..., None, ..., "The long spelling of the same message, which is what the official client sends."),
    ("*", "responses: body.input[developer].content", None, "text", None, "The short spelling of the same message."),
    ("*", "responses: body.input[configuration_update].*", None, ..., None,
     "Ours sends it where the effort changes, and names the first one in the head."),
    # Tools.
    ("*", ("responses: body.input[additional_tools].tools[namespace]*",
           "responses: body.input[custom_tool_call*"), ..., None, None,
     "The official client has one tool that runs JavaScript, in a namespace."),
    ("*", "responses: body.input[additional_tools].tools", "namespace", "function", "function",
     "Tools are functions of their own."),
    ("*", "responses: body.input[additional_tools].tools[function]", None, ..., ...,
     "Tools are functions of their own."),
    ("*", "responses: body.input[additional_tools].tools[function].strict", None, "true", "false",
     "Strict schemas have no optional parameters; arguments are checked here."),
    ("key*", "responses: body.input[additional_tools]*", ..., ..., None,
     "With a key the public shape is right for every model: tools in their own field."),
    ("key*", "responses: body.input[additional_tools].tools[function]*", None, ..., None,
     "With a key the public shape is right for every model: tools in their own field."),
    ("key*", "responses: body.tools*", None, None, ...,
     "With a key the public shape is right for every model: tools in their own field."),
    ("*", ("responses: body.input[reasoning].*", "responses: body.input[function_call].*",
           "responses: body.input[function_call_output].*"), None, ..., ...,
     "The answer to the official client was a call of another kind."),
    ("*", "responses: body.input[function_call].status", None, None, ..., "The item is sent as it came."),
    # Images, and resumed conversations.
    ("resume", "responses: body.input[assistant].content[].logprobs", "[]", None, "[]", "The item is sent as it came."),
    ("*", "responses: body.input[reasoning].content", "null", None, None, "The item is sent as it came."),
    ("other model", "responses: body.input[reasoning].*", ..., None, None,
     "Reasoning of another model is not sent, as with pi: that model alone can read it."),
    ("other model", "responses: body.input[assistant].*", ..., ..., None,
     "What another model said is sent as plain text, without the id that names its reasoning."),
    ("other model", "responses: body.input[assistant].*", ..., None, None,
     "What another model said is sent as plain text, without the id that names its reasoning."),
    ("other model", "responses: body.input[assistant].content", None, None, "text",
     "What another model said is sent as plain text, without the id that names its reasoning."),
    ("image", "responses: body.input[user].content[].detail", None, "auto", "original",
     "The model takes pictures in their original size, and the catalogue says so."),
)]

def found(seen):
    """The differences, in the order of the scenarios, with the known reasons."""
    rows = {}
    scenarios = [name for fields in seen.values() for name in fields]
    for scenario in dict.fromkeys(scenarios):
        by_client = {name: fields.get(scenario) for name, fields in seen.items()}
        names = [name for fields in by_client.values() for name in fields or ()]
        for field in dict.fromkeys(names):
            values = {name: fields.get(field) if fields else UNASKED for name, fields in by_client.items()}
            if len({value for value in values.values() if value is not UNASKED}) > 1:
                known = reason(scenario, field, values)
                key = known or (field, *values.values())
                named = field if not known else known.field if isinstance(known.field, str) else ", ".join(known.field)
                row = rows.setdefault(key, Row([], named, dict(values), known.why if known else None, known))
                row.scenarios.extend({scenario} - {*row.scenarios})
                for name, value in values.items():
                    if row.values[name] is UNASKED or value not in (row.values[name], UNASKED):
                        row.values[name] = value if row.values[name] is UNASKED else SEVERAL
    return list(rows.values())


def reason(scenario, field, values):
    """The known entry for this difference."""
    return next((known for known in KNOWN if fits(known, scenario, field, values)), None)


def fits(known, scenario, field, values):
    patterns = known.field if isinstance(known.field, tuple) else (known.field,)
    if not (matches(known.scenario, scenario) and any(matches(pattern, field) for pattern in patterns)):
        return False
    wanted = {name: getattr(known, name) for name in values}
    return all(suits(wanted[name], value) for name, value in values.items())


def suits(wanted, value):
    """Whether a value is the known one. "Any value" does not match a missing one."""
    if value is UNASKED:
        return True
    return value is not ABSENT if wanted is ... else value == wanted


def matches(pattern, name):
    return re.fullmatch(re.escape(pattern).replace(r"\*", ".*"), name) is not None


def gone(rows):
    """Known differences that were not seen."""
    seen = {row.known for row in rows}
    return [f"{known.scenario}: {known.field}" for known in KNOWN if known not in seen]


def shown(value):
    """A value in a cell of the table."""
    if value is UNASKED:
        return "(not asked)"
    if value is ABSENT:
        return ""
    value = value if len(value) <= LONG else f"{value[:LONG]}..."
    return value if value == SEVERAL else f"`{value}`".replace("|", "\\|")


def draft(rows):
    """Prints new differences in the format of this file."""
    for row in rows:
        values = ", ".join("..." if value is UNASKED else repr(value) for value in row.values.values())
        scenario = "*" if len(row.scenarios) > 1 else row.scenarios[0]
        print(f"    ({scenario!r}, {row.field!r}, {values},\n     ''),  # {row.scenarios}")
