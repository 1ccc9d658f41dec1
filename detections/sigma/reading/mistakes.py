"""Where in a file what pySigma says belongs: it knows the document, not the line."""

from sigma import exceptions
from sigma.exceptions import SigmaError

from documents.node import Mistake, Node

Path = tuple[str | int, ...]

_KEYS: tuple[tuple[type[SigmaError], Path], ...] = (
    (exceptions.SigmaTitleError, ("title",)),
    (exceptions.SigmaIdentifierError, ("id",)),
    (exceptions.SigmaNameError, ("name",)),
    (exceptions.SigmaTaxonomyError, ("taxonomy",)),
    (exceptions.SigmaRelatedError, ("related",)),
    (exceptions.SigmaLevelError, ("level",)),
    (exceptions.SigmaStatusError, ("status",)),
    (exceptions.SigmaTagError, ("tags",)),
    (exceptions.SigmaDateError, ("date",)),
    (exceptions.SigmaModifiedError, ("modified",)),
    (exceptions.SigmaDescriptionError, ("description",)),
    (exceptions.SigmaReferencesError, ("references",)),
    (exceptions.SigmaAuthorError, ("author",)),
    (exceptions.SigmaFieldsError, ("fields",)),
    (exceptions.SigmaFalsePositivesError, ("falsepositives",)),
    (exceptions.SigmaScopeError, ("scope",)),
    (exceptions.SigmaLicenseError, ("license",)),
    (exceptions.SigmaLogsourceError, ("logsource",)),
    (exceptions.SigmaFilterConditionError, ("filter", "condition")),
    (exceptions.SigmaFilterRuleReferenceError, ("filter", "rules")),
    (exceptions.SigmaFilterError, ("filter",)),
    (exceptions.SigmaConditionError, ("detection", "condition")),
    (exceptions.SigmaDetectionError, ("detection",)),
    (exceptions.SigmaCorrelationRuleError, ("correlation",)),
    (exceptions.SigmaValueError, ("tags",)),  # what else a document's own values may raise
)
"""By the kind of error: which key it is about."""


class Told:
    """Collects the mistakes of one document."""

    def __init__(self, source: str, node: Node) -> None:
        """Begin with none, for a document of a file."""
        self.source = source
        self.node = node
        self.mistakes: list[Mistake] = []

    def at(self, path: Path, message: str) -> None:
        """Something is wrong with the value at a path, or with what is nearest to it."""
        found = self.node.find(path)
        self.mistakes.append(Mistake(self.source, found.line, found.column, message))

    def key_at(self, path: Path, message: str) -> None:
        """Something is wrong with the key that a path ends in."""
        line, column = self.node.find(path[:-1]).keys.get(str(path[-1]), (0, 0))
        if line:
            self.mistakes.append(Mistake(self.source, line, column, message))
        else:
            self.at(path, message)

    def errors(self, errors: list[SigmaError]) -> None:
        """What pySigma says."""
        for error in errors:
            self.at(place_of(error), words_of(error))


def place_of(error: SigmaError) -> Path:
    """The key that an error is about; none where it is about the document."""
    return next((path for kind, path in _KEYS if isinstance(error, kind)), ())


def words_of(error: SigmaError) -> str:
    """What an error says, on one line, without where."""
    return " ".join(" ".join(str(part) for part in error.args).split()) or type(error).__name__
