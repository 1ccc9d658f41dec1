"""What is wrong with rules is told with file, line and column, all of it together, and what to do."""

import subprocess
import sys

import pytest

from detections.loading import DetectionMistakes
from tests.detections.sigma.spoken import HEAD, action, found, load_sigma, read, rule_text

LINE = HEAD.count("\n")


def mistakes(*texts: bytes, lists: dict[str, list[str]] | None = None) -> list[str]:
    with pytest.raises(DetectionMistakes) as told:
        load_sigma([(f"{i}.yml", text) for i, text in enumerate(texts)], lists or {})
    return [str(m) for m in told.value.mistakes]


DETECTIONS = [
    ("one: {tol: x}\ncondition: one", "1:14", "there is no field 'tol'; did you mean 'tool'?"),
    ("one: {a.b: x}\ncondition: one", "1:14", "an argument is args.<name>, a label labels.<name>"),
    (
        "one: {tool|contain: x}\ncondition: one",
        "1:9",
        "there is no modifier 'contain'; the modifiers are: all, ",
    ),
    ("one:\n  tool|re: a(\ncondition: one", "2:14", "missing )"),
    ("one:\n  tool|re: (?=a)b\ncondition: one", "2:14", "look-around is not supported"),
    (r"one:" "\n" r"  tool|re: (a)\1" "\ncondition: one", "2:14", "no backreferences"),
    (
        "one:\n  tool|re:\n    - ok\n    - " + "a" * 1001 + "\ncondition: one",
        "4:9",
        "at most 1000 are allowed",
    ),
    ("one:\n  tool|re: ((a{100}){100}){100}\ncondition: one", "2:14", "repetition"),
    ("one:\n  tool:\n    - ''\n    - null\ncondition: one", "4:9", "null cannot stand in a list"),
    ("one:\n  - null\ncondition: one", "2:7", "null"),
    ("one:\n  '|all': null\ncondition: one", "2:13", "null is asked of a field"),
    ("one:\n  args.ip|cidr: 10.0.0.0/33\ncondition: one", "2:19", "10.0.0.0/33"),
    ("one:\n  args.ip|cidr: 10.0.0.1/8\ncondition: one", "2:19", "10.0.0.1/8"),
    ("one:\n  cost_usd|gt: five\ncondition: one", "2:18", "five"),
    ("one:\n  tool|exists: maybe\ncondition: one", "2:18", "maybe"),
    ("one:\n  tool|base64: a*b\ncondition: one", "2:18", "wildcards"),
    ("one:\n  tool|expand: '%who%'\ncondition: one", "2:18", "no list is called 'who'"),
    (
        "one:\n  tool|hour: 3\ncondition: one",
        "2:16",
        "tool is no time: 'hour' is asked of occurred_at, received_at",
    ),
    ("one:\n  tool: {a: b}\ncondition: one", "2:11", "a value is a text, a number"),
    ("one:\n  tool|fieldref: nothing\ncondition: one", "2:20", "there is no field 'nothing'"),
    ("one:\n  tool: 99999999999999999999\ncondition: one", "2:11", "2**53"),
    ("one: {tool: x}\ncondition: one and", "2:14", "Expected"),
    ("one: {tool: x}\ncondition: two", "2:14", "'two' not defined"),
    ("one: {tool: x}\ncondition: 1 of b*", "2:14", "doesn't match any detection"),
    ("one: {tool: x}\ncondition: one | count() > 5", "2:14", "pipe"),
    ("one: {tool: x}\ncondition: " + "not " * 3000 + "one", "2:14", "nested too deeply"),
    ("one: {tool: x}\ncondition: " + "not " * 30 + "one", "1:3", "deeper than 24 levels"),
    ("one: {tool: x}", "1:3", "condition"),
    ("one: {}\ncondition: one", "1:3", "empty"),
    (
        "one:\n  args|windash|contains|all:\n" + "    - ' -a -b -c'\n" * 45 + "condition: one",
        "1:3",
        "comparisons",
    ),
]


@pytest.mark.parametrize("detection, place, words", DETECTIONS)
def test_a_mistake_of_a_detection_has_its_place(detection, place, words):
    line, column = place.split(":")
    told = mistakes(rule_text(detection))
    assert len(told) == 1, told
    assert told[0].startswith(f"0.yml:{LINE + int(line)}:{column}: ") and words in told[0], told


FILTERING = "title: F\nlogsource: {product: ai_agent}\nfilter: "
FILTER = FILTERING + "{rules: [%s], ours: {agent_id: ci}, condition: not ours}\n"
RULE = (
    "title: A rule\nname: a-rule\nlogsource: {product: ai_agent}\ndetection: {a: {tool: x}, condition: a}\n"
)


@pytest.mark.parametrize(
    "text, place, words",
    [
        (RULE + "level: bad\n", "5:8", "'bad' is not a valid Sigma rule level"),
        (RULE + "status: [x]\n", "5:9", "status"),
        (RULE + "id: x\n", "5:5", "UUID"),
        (RULE + "tags: [x]\n", "5:7", "tag"),
        (RULE + "date: yesterday\n", "5:7", "yyyy-mm-dd"),
        (RULE + "falsepositives: x\n", "5:17", "list"),
        (RULE + "runbook: [x]\n", "5:10", "string"),
        (RULE.replace("title: A rule\n", ""), "1:1", "title"),
        (RULE.replace("name: a-rule\n", ""), "1:1", "no 'name:' and no 'id:'"),
        (RULE.replace("a-rule", "A rule"), "2:7", "pattern"),
        (RULE.replace("ai_agent", "windows"), "3:22", "rules on actions have 'product: ai_agent'"),
        (RULE.replace("ai_agent", "ai_agent, category: proxy"), "3:42", "the phase of an action: prompt,"),
        (RULE.replace("ai_agent", "ai_agent, service: x"), "3:41", "there are no services"),
        (RULE.replace("logsource: {product: ai_agent}\n", ""), "1:1", "log source"),
        ("- a\n", "1:1", "a mapping that begins with 'title:'"),
        ("a: [\n", "2:1", "not YAML"),
        (RULE + "name: twice\n", "5:1", "stands here already"),
        (FILTERING + "{rules: [no-one], a: {tool: x}, condition: a}\n", "3:18", "there is no rule no-one"),
        (FILTERING + "{rules: any, a: {tol: x}, condition: a}\n", "3:31", "did you mean 'tool'?"),
        (FILTERING + "{a: {tool: x}, condition: a}\n", "3:9", "rules"),
        ("title: C\nname: c\ncorrelation: {type: sum, rules: [a], timespan: 5m}\n", "3:14", "sum"),
    ],
)  # fmt: skip
def test_a_mistake_of_a_document_has_its_place(text, place, words):
    told = mistakes(text.encode())
    assert [t for t in told if t.startswith(f"0.yml:{place}: ") and words in t], told


def test_all_mistakes_of_all_files_are_told_together_and_sorted():
    bad = rule_text("one:\n  tol: x\n  tool|re: [ok, 'a(', '(?=b)']\ncondition: one")
    told = mistakes(bad, (RULE.replace("a-rule", "b") + "level: bad\nstatus: worse\n").encode(), b"\xff")
    assert [t.partition(": ")[0] for t in told[:5]] == [
        "0.yml:6:10",
        "0.yml:7:19",
        "0.yml:7:25",
        "1.yml:5:8",
        "1.yml:6:9",
    ]
    assert told[5].startswith("2.yml:1:")


def test_a_name_is_taken_once():
    told = mistakes(RULE.encode(), RULE.encode())
    assert told == ["1.yml:2:7: a-rule is taken in 0.yml:1; choose another"]


def test_without_a_name_a_rule_is_called_by_its_id():
    uuid = "DD11C51B-870A-573B-8E13-7C32FD0B1ABA"
    rules = load_sigma([("r.yml", RULE.replace("name: a-rule", f"id: {uuid}").encode())])
    assert rules.rules[0].name == uuid.lower() and rules.places == {uuid.lower(): "r.yml:1"}


def test_a_filter_is_part_of_the_rules_that_it_names():
    for rules_named, filtered in (("a-rule", True), ("b-rule", False)):
        both = (RULE + "---\n" + RULE.replace("a-rule", "b-rule") + "---\n" + FILTER % rules_named).encode()
        read_rules = load_sigma([("rules.yml", both)])
        first = read_rules._replace(rules=read_rules.rules[:1])
        assert (
            found(first, action(tool="x")) and found(first, action(tool="x", agent_id="ci")) is not filtered
        )


def test_a_filter_of_any_rule_is_part_of_all_of_its_logsource():
    text = (RULE + "---\n" + FILTER.replace("[%s]", "any")).encode()
    rules = load_sigma([("rules.yml", text)])
    assert found(rules, action(tool="x")) and not found(rules, action(tool="x", agent_id="CI"))


def test_a_correlation_is_handed_on_with_its_document():
    counting = "{type: event_count, rules: [a-rule], group-by: [agent_id], timespan: 5m, condition: {gte: 3}}"
    text = RULE + f"---\ntitle: C\nname: c\ncorrelation: {counting}\n"
    rules = load_sigma([("rules.yml", text.encode())])
    assert [c.parsed.name for c in rules.correlations] == ["c"] and rules.names["c"] == "c"


def test_what_a_rule_says_of_itself_is_kept():
    text = RULE + "level: high\nstatus: test\ntags: [owasp.asi05]\nfalsepositives: [builds]\n"
    text += "runbook: Go.\ndescription: D\n"
    rule = load_sigma([("r.yml", text.encode())]).rules[0]
    said = (rule.level, rule.status, rule.tags, rule.falsepositives, rule.runbook, rule.description)
    assert said == ("high", "test", ("owasp.asi05",), ("builds",), "Go.", "D")


def test_what_judges_never_imports_pysigma():
    """Workers read rules from bundles: pySigma, its parser and what it brings stay where people work."""
    judging = "judgement.engine, judgement.judge, detections.sigma.compiled, streams.partition, cli.govern"
    program = (
        f"import sys, {judging}; print({{'sigma', 'pyparsing', 'requests', 'jinja2'}} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("set()\n", "")


def test_lists_larger_than_can_be_evaluated_are_refused():
    many = {"words": [f"w{i}" for i in range(200)]}
    told = mistakes(rule_text("one:\n  tool|expand: '%words%%words%'\ncondition: one"), lists=many)
    assert "make 40000 texts; at most 5000" in told[0]
    assert len(read("one:\n  tool|expand: '%words%'\ncondition: one", many).rules) == 1
