"""`praetor policy lint`: all mistakes of all files, and what is worth another look."""

from cli.lint_formats import Kind, Told
from cli.linting import CodesOption, Format, FormatOption, Ignore, Strict, Wanted, lint_and_tell
from cli.options import JsonOutput
from cli.policy.options import Paths
from cli.policy_files import load_files
from cli.telling import count
from policies.linting.finding import CODES
from policies.linting.lint import lint_policies
from policies.load import PolicyMistakes

KIND = Kind("praetor policy lint", "PL001", CODES)


def lint(
    paths: Paths = None,
    strict: Strict = False,
    ignore: Ignore = None,
    codes: CodesOption = False,
    output: FormatOption = Format.text,
    as_json_: JsonOutput = False,
) -> None:
    """Look over policies: all mistakes of all files, each with its place and what to do.

    And warnings and notes: rules that never match or never decide, conditions that always hold or fail,
    places that escape by how they are written, what nothing uses, what no case tries. Mistakes fail;
    warnings with --strict; notes never.

    Example: praetor policy lint my-policies/ --strict --ignore PL104
    """
    wanted = Wanted(strict, tuple(ignore or ()), codes, Format.json if as_json_ else output)
    lint_and_tell(KIND, wanted, lambda ignored: _look(paths, ignored))


def _look(paths: Paths, ignored: frozenset[str]) -> Told:
    try:
        loaded = load_files(paths)
    except PolicyMistakes as error:
        return Told(KIND, error.mistakes, [], {"policies": 0, "rules": 0}, "")
    policies, rules = len(loaded.policies), sum(len(p.rules) for p in loaded.policies)
    counts = {"policies": policies, "rules": rules}
    size = f"{count(policies, 'policy')} with {count(rules, 'rule')}"
    return Told(KIND, [], lint_policies(loaded, ignored), counts, size)
