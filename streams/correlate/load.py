"""A response policy from YAML: every mistake at once, each with its place."""

from documents.node import Mistake
from documents.read import read_documents
from documents.validating import validate
from documents.wording import Wording
from policies.rule import seconds
from runtime.errors import PraetorError
from streams.correlate.responses import Guard, ResponsePolicy, ResponseRule, ResponsesMetadata, When

_WORDING = Wording(
    {
        ("metadata",): ResponsesMetadata,
        ("guard",): Guard,
        ("rules",): ResponseRule,
        ("rules", "when"): When,
    },
    tuple(ResponsePolicy.model_fields),
)


def load_responses(source: str, data: bytes) -> ResponsePolicy:
    """Read a file of one response policy.

    Raises:
        PraetorError: it is none: every mistake, a line each.
    """
    documents, mistakes = read_documents(source, data)
    if len(documents) != 1 and not mistakes:
        raise PraetorError(f"{source}: one document of `kind: Responses` was expected, not {len(documents)}")
    policy = validate(source, documents[0], ResponsePolicy, _WORDING, mistakes) if documents else None
    if policy is not None:
        for text in (policy.guard.within, *(rule.duration for rule in policy.rules)):
            try:
                seconds(text)
            except ValueError as error:
                mistakes.append(Mistake(source, documents[0].line, documents[0].column, str(error)))
    if mistakes or policy is None:
        raise PraetorError("\n".join(map(str, sorted(set(mistakes)))))
    return policy
