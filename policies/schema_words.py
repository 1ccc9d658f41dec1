"""What each key of the language means, with examples: for editors and the reference; all of them."""

from typing import Any, NamedTuple


class Words(NamedTuple):
    """A key's meaning, and values that it may have."""

    text: str
    examples: tuple[Any, ...] = ()


_PATTERNS = (
    "Patterns: a text as it stands, a prefix with `*` at its end, a glob; `{list: name}` for a named list."
)
_DURATION = "A number and s, m, h or d, up to 31 days"

WORDS: dict[str, dict[str, Words]] = {
    "Policy": {
        "apiVersion": Words("The language's version."),
        "kind": Words("What this document is."),
        "metadata": Words("What the policy is called and for."),
        "mode": Words(
            "enforce; shadow (what it would do is recorded on each decision, nothing is done); template"
            " (in force only in the policies that extend it)."
        ),
        "extends": Words("Policies whose rules this one has too.", (["coding-agents"],)),
        "without": Words("Inherited rules that this policy leaves out.", (["read-web"],)),
        "rules": Words("Rules in any order: the strongest effect wins, wherever it stands."),
        "cases": Words(
            "Examples with what must be decided, run by `praetor policy test`: at least one that is allowed"
            " and one that is not."
        ),
    },
    "Metadata": {
        "name": Words("Unique among all policies; decisions name it.", ("coding-agents",)),
        "description": Words("What it is for, in a sentence.", ("Coding agents stay in the workspace.",)),
    },
    "Rule": {
        "id": Words("Unique in its policy; decisions name it.", ("read-workspace",)),
        "effect": Words(
            "What is done with what matches: allow, deny, modify (allow with changed arguments),"
            " require_approval (somebody must agree), defer (not now). The strongest wins always: deny,"
            " defer, require_approval, modify, allow. What no rule allows is denied."
        ),
        "priority": Words("Within one effect the higher is named first. It never changes what is decided."),
        "match": Words("What the rule speaks of: every key given must hold; `{}` is every action."),
        "when": Words(
            "A condition in CEL, or several that must all hold, over action.<field>, args, agent.<field>,"
            " session.<field>, detections, recent_detections, risk, time, lists.<name>, conditions.<name>.",
            ("has(args.amount) && args.amount > 100", ["args.to in lists.payees", "conditions.at_work"]),
        ),
        "limit": Words("The rule takes effect beyond this much; within it, it says nothing."),
        "modify": Words("What to change in the arguments; goes with the effect modify."),
        "on_error": Words(
            "What happens where the rule cannot be judged: an argument that is not there, a wrong type."
        ),
        "severity": Words("How bad it is that this matched; medium for all but allow."),
        "message": Words(
            "Why, for the person who reads the decision.", ("files of the workspace may be read",)
        ),
        "tags": Words("OWASP, MITRE ATLAS or your own; carried to the SIEM.", (["ASI02", "AML.T0053"],)),
        "runbook": Words(
            "What a person does when it has fired; stays out of the bundle.", ("Ask the owner.",)
        ),
    },
    "Match": {
        "tenants": Words(f"Who the agent works for. {_PATTERNS}", (["acme"],)),
        "agents": Words(f"The agent's id. {_PATTERNS}", (["report-*"],)),
        "actions": Words(f"verb:object. {_PATTERNS}", (["read:file"], ["exec:*"])),
        "resources": Words(
            f"The resource as it is written. {_PATTERNS} A path or host can be written in many ways:"
            " use `paths` and `hosts` for those.",
            (["orders/*"],),
        ),
        "paths": Words(
            "The resource as a path, however it is written: a place and all beneath it. A rule that restricts"
            " matches if any reading lies within, an allow only if all do.",
            (["/workspace", "**/.env", "~/.ssh"],),
        ),
        "hosts": Words(
            "The resource's host, however it is written: a name, names beneath one, addresses and networks.",
            (["api.example.com", "*.example.com", "10.0.0.0/8"],),
        ),
        "tools": Words(f"The tool's name. {_PATTERNS}", (["send_*"],)),
        "tool_servers": Words(f"The (MCP) server that offers the tool. {_PATTERNS}", (["files"],)),
        "models": Words(f"The model's name. {_PATTERNS}", (["gpt-*"],)),
        "phases": Words("The moment of the action that the event tells of.", (["call"], ["definition"])),
        "labels": Words(
            f"The producer's labels by name; all given must fit. {_PATTERNS}", ({"env": ["prod"]},)
        ),
        "detections": Words(
            "Detections of which one is on at this very action; `praetor detect list` has their names.",
            (["denial-burst"],),
        ),
        "recent_detections": Words(
            "Detections of which one was found by an earlier action of the same session (of the agent, where"
            " it has none) and is still held.",
            (["source-gap"],),
        ),
        "fields": Words("Comparisons with the action's numbers.", ({"cost_usd": {"gt": 100}},)),
    },
    "ListRef": {"list": Words("A list of a document of kind Lists.", ("payees",))},
    "Fields": {
        "input_tokens": Words("Tokens of the prompt.", ({"gt": 100000},)),
        "output_tokens": Words("Tokens of the answer.", ({"gt": 100000},)),
        "cost_usd": Words("US dollars.", ({"gt": 100},)),
        "size_bytes": Words("Bytes that the action moves or writes.", ({"lte": 1000000},)),
    },
    "Comparisons": {
        "gt": Words("Above."),
        "gte": Words("At least."),
        "lt": Words("Below."),
        "lte": Words("At most."),
        "eq": Words("Equal."),
        "neq": Words("Not equal."),
    },
    "Limit": {
        "calls": Words("So many actions.", (100,)),
        "tokens": Words("So many tokens, of prompt and answer together.", (1000000,)),
        "cost_usd": Words("So many US dollars.", (50,)),
        "bytes": Words("So many bytes.", (100000000,)),
        "per": Words(
            "What has a count of its own: each agent, or each session or tool of one agent: exact. Or a"
            " tenant, or the bearers of a label within it: several agents together, which lags.",
            ("agent", "session", "tenant", "label:team"),
        ),
        "window": Words(f"A sliding window. {_DURATION}.", ("1h", "7d")),
        "calendar": Words(
            "A window that begins anew with its hour, day, week (Monday) or month, UTC.", ("day",)
        ),
    },
    "Edit": {
        "redact": Words(
            "The place whose value becomes [redacted]; `*` is any key or entry.", ("rows.*.email",)
        ),
        "remove": Words("The place that is taken out.", ("headers.authorization",)),
        "clamp": Words("The number that is brought between min and max.", ("amount",)),
        "min": Words("The least, for clamp."),
        "max": Words("The most, for clamp.", (100,)),
        "replace": Words("The place that is given another value.", ("dry_run",)),
        "value": Words("The value, for replace: a text, a number, true or false.", (True,)),
    },
    "Case": {
        "name": Words("What is tried, in a few words; unique in the policy.", ("a stranger",)),
        "action": Words("The action, with what the case does not care for left out."),
        "at": Words("When it is received.", ("2026-01-05T12:00:00Z",)),
        "agent": Words("What conditions see of the agent's past."),
        "session": Words("What conditions see of the session's past."),
        "detections": Words("Detections that are on.", (["denial-burst"],)),
        "recent_detections": Words("Detections that earlier actions left behind.", (["source-gap"],)),
        "risk": Words("How likely the agent is hijacked.", (0.8,)),
        "after": Words(
            "How often the same was done before, at the same time: what limits are tried with.", (3,)
        ),
        "expect": Words("What must be decided, by all the policies together."),
        "rule": Words("The rule of this policy that must decide it.", ("read-workspace",)),
        "arguments": Words("The arguments that must come out of a modify.", ({"amount": 100},)),
    },
    "CaseState": {
        "actions": Words("Actions so far."),
        "denials": Words("Denials so far."),
        "age_seconds": Words("Seconds since the first."),
        "idle_seconds": Words("Seconds since the last."),
    },
    "Lists": {
        "apiVersion": Words("The language's version."),
        "kind": Words("What this document is."),
        "lists": Words("Entries by the list's name.", ({"payees": ["bob", "alice"]},)),
    },
    "Conditions": {
        "apiVersion": Words("The language's version."),
        "kind": Words("What this document is."),
        "conditions": Words("CEL by the condition's name.", ({"at_work": "time.getHours() < 18"},)),
    },
}
