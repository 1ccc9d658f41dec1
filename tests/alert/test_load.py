"""Documents of routes and receivers: what is wrong is told, all of it, with its place."""

import pytest

from consumers.alert.load import load_alerting
from runtime.errors import PraetorError

ROUTES = b"""\
apiVersion: praetor/v1
kind: Alerting
metadata: {name: main}
times:
  - {name: night, from: "22:00", to: "06:00", zone: Europe/Berlin}
routes:
  - name: urgent
    match: {severity: high, during: night}
    receivers: [oncall]
  - name: rest
    receivers: [oncall]
inhibit:
  - source: {kinds: [incident]}
    target: {kinds: [threat]}
"""
RECEIVER = b"""\
apiVersion: praetor/v1
kind: Receiver
metadata: {name: oncall}
to: {type: webhook, url: "https://hooks.example/in"}
"""


def mistakes(*texts: bytes) -> list[str]:
    with pytest.raises(PraetorError) as told:
        load_alerting([(f"f{n}.yaml", text) for n, text in enumerate(texts)])
    return str(told.value).splitlines()


def test_what_is_right_is_taken() -> None:
    found = load_alerting([("a.yaml", ROUTES + b"---\n" + RECEIVER)])
    assert [r.name for r in found.document.routes] == ["urgent", "rest"]
    assert list(found.receivers) == ["oncall"]
    assert found.warnings == ()


def test_every_mistake_of_every_file_with_its_line() -> None:
    wrong = (
        ROUTES.replace(b"severity: high, during: night", b"severty: high, during: nigt")
        .replace(b'from: "22:00"', b'from: "25:00"')
        .replace(b"Europe/Berlin", b"Europe/Berlln")
    )
    told = mistakes(wrong, RECEIVER.replace(b"webhook", b"webhok"))
    assert [line.split(" ")[0] for line in told] == [
        "f0.yaml:5:25:",
        "f0.yaml:5:53:",
        "f0.yaml:8:13:",
        "f1.yaml:4:12:",
    ]
    assert "did you mean 'severity'?" in told[2]
    assert "no time zone" in told[1]
    assert "unknown type 'webhok'" in told[3]


def test_names_that_nothing_has() -> None:
    wrong = ROUTES.replace(b"receivers: [oncall]\n  - name", b"receivers: [oncal]\n  - name")
    wrong = wrong.replace(b"during: night", b"outside: day")
    assert mistakes(wrong, RECEIVER) == [
        "f0.yaml:8:38: there is no entry of 'times' 'day'; there are night",
        "f0.yaml:9:17: there is no receiver 'oncal'; did you mean 'oncall'?",
    ]


def test_names_that_two_have_and_two_documents_of_routes() -> None:
    told = mistakes(ROUTES.replace(b"name: rest", b"name: urgent"), ROUTES, RECEIVER, RECEIVER)
    assert [line.partition(": ")[0] for line in told] == ["f0.yaml:10:11", "f1.yaml:2:7", "f3.yaml:3:18"]


@pytest.mark.parametrize("text", [b"", RECEIVER])
def test_no_routes_at_all(text: bytes) -> None:
    assert "no document of `kind: Alerting`" in mistakes(text)[0]


@pytest.mark.parametrize("text", [b"- a\n", b"kind: Route\n", b"just words\n"])
def test_other_documents(text: bytes) -> None:
    assert "'kind' must be 'Alerting' (the routes) or 'Receiver'" in mistakes(text)[0]


def test_a_secret_is_never_written() -> None:
    told = mistakes(
        ROUTES, RECEIVER.replace(b'webhook, url: "https://hooks.example/in"', b'slack, url: "https://s/x"')
    )
    assert any("must be a mapping" in line for line in told)


def test_what_is_seldom_meant_is_said() -> None:
    narrow = ROUTES.replace(b"  - name: rest\n    receivers: [oncall]\n", b"")
    (warning,) = load_alerting([("a", narrow), ("b", RECEIVER)]).warnings
    assert "no route takes what the others leave" in warning
    early = ROUTES.replace(b"    match: {severity: high, during: night}\n", b"")
    other = RECEIVER.replace(b"oncall", b"unused")
    warnings = load_alerting([("a", early), ("b", RECEIVER), ("c", other)]).warnings
    assert [w.partition(":")[0] for w in warnings] == [
        "route urgent takes everything",
        "receiver unused is named by no route",
    ]
