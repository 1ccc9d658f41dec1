"""Files of policies and detections, read together: all mistakes of all of them at once."""

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from detections.beside import CASES
from detections.carried import CUT, Content, write_content
from detections.exceptions import ExceptionsDocument
from detections.loading import load_documents
from detections.registry import DETECTORS
from detections.settings import DetectionsDocument, Settings, settings_model
from detections.source import IDS as SOURCE_IDS
from documents.node import Mistake, Node
from documents.read import read_documents
from documents.validating import mistake_at, mistake_at_key, validate
from documents.wording import Parts, Wording
from policies.load import Loaded, Placed, Source, read_nodes
from policies.load import load_documents as load_policies
from policies.signals import Detected

BESIDE: Mapping[str, type[BaseModel]] = {
    "Detections": DetectionsDocument,
    "Exceptions": ExceptionsDocument,
}
"""The kinds of documents that are not policies' own."""
CODED = tuple(sorted({*SOURCE_IDS, CUT, *(name for d in DETECTORS for name in d.ids)}))
"""What detectors in code may find, and judgement itself."""

_SIGMA = frozenset({"detection", "correlation", "filter", "logsource"})
_PARTS: Parts = {("detections",): settings_model()}
_WORDING = Wording(_PARTS, tuple(DetectionsDocument.model_fields))


def load_rules(sources: Iterable[Source], library: Sequence[Source] = ()) -> Loaded:
    """Read and validate all files.

    Args:
        sources: of policies, and of detections: settings, Sigma rules, exceptions.
        library: of the shipped detections; left out where `kind: Detections` says `library: false`.

    Raises:
        PolicyMistakes: something is wrong in any of them.
    """
    mistakes: list[Mistake] = []
    settings: list[Placed] = []
    detections: list[Placed] = []
    policies: list[Placed] = []
    for source, node in read_nodes(sources, mistakes):
        value = node.value if isinstance(node.value, dict) else {}
        kind = value.get("kind")
        ours = kind == "Exceptions" or source.endswith(CASES) or (kind is None and _SIGMA & value.keys())
        held = settings if kind == "Detections" else detections if ours else policies
        held.append((source, node))
    return load_policies(policies, mistakes, _detected(settings, detections, library, mistakes))


def default_detections(library: Sequence[Source] = ()) -> Detected:
    """What a bundle carries of detections where no file says anything of them."""
    return set_detections({}, library)


def set_detections(settings: Mapping[str, Any], library: Sequence[Source] = ()) -> Detected:
    """The same with some settings, as `kind: Detections` has them.

    Raises:
        pydantic.ValidationError: they are no settings.
        PolicyMistakes: something is wrong in the library.
    """
    written = {"apiVersion": "praetor/v1", "kind": "Detections", "detections": dict(settings)}
    document = DetectionsDocument.model_validate(written)
    mistakes: list[Mistake] = []
    content = _content(document, [], library, mistakes)
    load_policies([], mistakes)
    return Detected(write_content(content), content.names())


def _detected(
    settings: Sequence[Placed],
    documents: Sequence[Placed],
    library: Sequence[Source],
    mistakes: list[Mistake],
) -> Detected:
    for source, node in settings[1:]:
        first = f"{settings[0][0]}:{settings[0][1].line}"
        told = f"detections are set already in {first}; keep one"
        mistakes.append(mistake_at(source, node, ("kind",), told))
    made = [validate(source, node, DetectionsDocument, _WORDING, mistakes) for source, node in settings]
    content = _content(made[0] if made else None, documents, library, mistakes)
    for (source, node), model in zip(settings, made, strict=True):
        if model is not None:
            mistakes += _unknown(source, node, content)
    return Detected(write_content(content), content.names())


def _content(
    document: Any, documents: Sequence[Placed], library: Sequence[Source], mistakes: list[Mistake]
) -> Content:
    """What the documents come to; `document` is the one of kind Detections, if any."""
    shipped = [
        (source, node)
        for source, data in (library if document is None or document.library else ())
        for node in read_documents(source, data)[0]
    ]
    loaded = load_documents([*shipped, *documents], mistakes, CODED)
    for name, placed in loaded.placed.items():
        if name in CODED:
            told = f"the name {name} is that of a detector in code; choose another"
            mistakes.append(mistake_at(placed.source, placed.node, ("name",), told))
    content = Content(
        Settings.read({}) if document is None else Settings(document.detections),
        loaded.rules,
        loaded.correlations,
        tuple(placed.exception for placed in loaded.exceptions),
    )
    return content if document is None else content._replace(skew_seconds=document.skew_seconds)


def _unknown(source: str, node: Node, content: Content) -> Iterator[Mistake]:
    """Blocks that are of no detector and no kind of finding."""
    names = content.names()
    known = sorted({*names, *(d.name for d in DETECTORS)})
    for name in content.settings.others():
        if name not in names:
            near = difflib.get_close_matches(name, known, 1)
            hint = f"did you mean '{near[0]}'?" if near else "`praetor detect list` names them"
            yield mistake_at_key(source, node, ("detections", name), f"no detection '{name[:80]}'; {hint}")
