"""All that lint finds in files without mistakes."""

from collections.abc import Callable, Collection, Iterator

from policies.linting.conditions import find_in_conditions
from policies.linting.contradictions import find_contradictions
from policies.linting.finding import Finding
from policies.linting.ground import Ground
from policies.linting.notation import find_notations
from policies.linting.patterns import find_in_patterns
from policies.linting.shadowing import find_shadowed
from policies.linting.tried import find_untried
from policies.linting.unused import find_unused
from policies.linting.words import find_in_words
from policies.load import Loaded

LINTS: tuple[Callable[[Ground], Iterator[Finding]], ...] = (
    find_contradictions,
    find_in_conditions,
    find_shadowed,
    find_notations,
    find_in_patterns,
    find_unused,
    find_untried,
    find_in_words,
)


def lint_policies(loaded: Loaded, ignored: Collection[str] = ()) -> list[Finding]:
    """What is worth looking at, by file and line; codes in `ignored` are left out.

    Sound rather than complete: that a rule never matches or never decides is said only where it is certain.
    """
    ground = Ground(loaded)
    found = {finding for find in LINTS for finding in find(ground)}
    return sorted(f for f in found if f.code not in ignored)
