"""`praetor detect lint`: all mistakes of all files, and what is worth another look."""

from datetime import UTC, datetime

from cli.detection_files import Paths, load_files
from cli.lint_formats import Kind, Told
from cli.linting import CodesOption, Format, FormatOption, Ignore, Strict, Wanted, lint_and_tell
from cli.options import JsonOutput
from cli.telling import count
from detections.linting.finding import CODES
from detections.linting.lint import lint_detections
from detections.loading import DetectionMistakes

KIND = Kind("praetor detect lint", "DL001", CODES)


def lint(
    paths: Paths = None,
    strict: Strict = False,
    ignore: Ignore = None,
    codes: CodesOption = False,
    output: FormatOption = Format.text,
    as_json_: JsonOutput = False,
) -> None:
    """Look over rules, correlations, cases and exceptions: all mistakes of all files, each with its place.

    And warnings and notes: rules without a name, cases, runbook or tag; rules that add nothing to others,
    or are evaluated on every action; exceptions that have expired or fit everything. Mistakes fail;
    warnings with --strict; notes never.

    Example: praetor detect lint my-detections/ --strict --ignore DL101
    """
    wanted = Wanted(strict, tuple(ignore or ()), codes, Format.json if as_json_ else output)
    lint_and_tell(KIND, wanted, lambda ignored: _look(paths, ignored))


def _look(paths: Paths, ignored: frozenset[str]) -> Told:
    try:
        loaded = load_files(paths)
    except DetectionMistakes as error:
        return Told(KIND, error.mistakes, [], {"rules": 0, "correlations": 0, "exceptions": 0}, "")
    counts = {
        "rules": len(loaded.rules),
        "correlations": len(loaded.correlations),
        "exceptions": len(loaded.exceptions),
    }
    size = ", ".join(count(number, noun.removesuffix("s")) for noun, number in counts.items())
    findings = lint_detections(loaded, datetime.now(UTC).date(), ignored)
    return Told(KIND, [], findings, counts, size)
