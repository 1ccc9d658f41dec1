"""Results of cases as JUnit XML, which CI systems draw."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree as Xml

from runtime.errors import PraetorError

_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Tried(NamedTuple):
    """What came of one case.

    Attributes:
        suite: the policy or detection that it is of.
        case: its name.
        place: its file and line.
        failure: what went otherwise than expected; empty if nothing did.
        message: more of that.
    """

    suite: str
    case: str
    place: str
    failure: str
    message: str


def write_junit(path: Path, results: Sequence[Tried]) -> None:
    """Write a suite a policy or detection, a test a case.

    Raises:
        PraetorError: the file cannot be written.
    """
    root = Xml.Element("testsuites", _counts(results))
    for name in dict.fromkeys(r.suite for r in results):
        own = [r for r in results if r.suite == name]
        suite = Xml.SubElement(root, "testsuite", {"name": name, **_counts(own)})
        for result in own:
            _add(suite, result)
    Xml.indent(root)
    try:
        path.write_bytes(Xml.tostring(root, encoding="utf-8", xml_declaration=True))
    except OSError as error:
        raise PraetorError(f"{path}: {error.strerror}") from error


def _add(suite: Xml.Element, result: Tried) -> None:
    file, _, rest = result.place.partition(":")
    attributes = {
        "name": result.case,
        "classname": result.suite,
        "file": file,
        "line": rest.partition(":")[0],
    }
    case = Xml.SubElement(suite, "testcase", {key: _plain(text) for key, text in attributes.items()})
    if result.failure:
        failure = Xml.SubElement(case, "failure", {"message": _plain(result.failure)})
        failure.text = _plain(f"{result.place}: {result.failure}: {result.message}")


def _counts(results: Sequence[Tried]) -> dict[str, str]:
    return {"tests": str(len(results)), "failures": str(sum(bool(r.failure) for r in results)), "errors": "0"}


def _plain(text: str) -> str:
    """Without the characters that XML has no place for."""
    return _NO_XML.sub("\ufffd", text)
