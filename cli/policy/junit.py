"""Results of cases as JUnit XML, which CI systems draw."""

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from xml.etree import ElementTree as Xml

from policies.cases import CaseResult
from runtime.errors import PraetorError

_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write_junit(path: Path, results: Sequence[CaseResult], place: Callable[[CaseResult], str]) -> None:
    """Write a suite a policy, a test a case.

    Args:
        path: the file.
        results: of the cases.
        place: file and line of a case.

    Raises:
        PraetorError: the file cannot be written.
    """
    root = Xml.Element("testsuites", _counts(results))
    for policy in dict.fromkeys(r.policy for r in results):
        own = [r for r in results if r.policy == policy]
        suite = Xml.SubElement(root, "testsuite", {"name": policy, **_counts(own)})
        for result in own:
            _add(suite, result, place(result))
    Xml.indent(root)
    try:
        path.write_bytes(Xml.tostring(root, encoding="utf-8", xml_declaration=True))
    except OSError as error:
        raise PraetorError(f"{path}: {error.strerror}") from error


def _add(suite: Xml.Element, result: CaseResult, place: str) -> None:
    file, _, rest = place.partition(":")
    attributes = {
        "name": result.case,
        "classname": result.policy,
        "file": file,
        "line": rest.partition(":")[0],
    }
    case = Xml.SubElement(suite, "testcase", {key: _plain(text) for key, text in attributes.items()})
    if not result.passed:
        told = f"expected {result.expected}, got {result.got}"
        failure = Xml.SubElement(case, "failure", {"message": _plain(told)})
        failure.text = _plain(f"{place}: {told}: {result.message}")


def _counts(results: Sequence[CaseResult]) -> dict[str, str]:
    return {"tests": str(len(results)), "failures": str(sum(not r.passed for r in results)), "errors": "0"}


def _plain(text: str) -> str:
    """Without the characters that XML has no place for."""
    return _NO_XML.sub("\ufffd", text)
