"""Files of policies and detections, read together: all mistakes of all of them at once."""

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from detections.carried import write_content
from detections.registry import DETECTORS
from detections.settings import DetectionsDocument, Settings, settings_model, settings_of
from documents.node import Mistake, Node
from documents.validating import mistake_at, mistake_at_key, validate
from documents.wording import Parts, Wording
from policies.load import Loaded, Placed, Source, load_documents, read_nodes
from policies.signals import Detected

BESIDE: Mapping[str, type[BaseModel]] = {"Detections": DetectionsDocument}
"""The kinds of documents that are not policies' own."""

_PARTS: Parts = {("detections",): settings_model()}
_WORDING = Wording(_PARTS, tuple(DetectionsDocument.model_fields))


def load_rules(sources: Iterable[Source]) -> Loaded:
    """Read and validate all files.

    Raises:
        PolicyMistakes: something is wrong in any of them.
    """
    mistakes: list[Mistake] = []
    nodes = read_nodes(sources, mistakes)
    ours = [placed for placed in nodes if _kind(placed[1]) in BESIDE]
    others = [placed for placed in nodes if _kind(placed[1]) not in BESIDE]
    return load_documents(others, mistakes, _read_detections(ours, mistakes))


def default_detections() -> Detected:
    """What a bundle carries of detections where no file says anything of them."""
    return Detected(*write_content(Settings.read({})))


def set_detections(settings: Mapping[str, Any]) -> Detected:
    """The same with some settings, as `kind: Detections` has them.

    Raises:
        pydantic.ValidationError: they are no settings.
    """
    return Detected(*write_content(Settings.read(settings)))


def _kind(node: Node) -> Any:
    return node.value.get("kind") if isinstance(node.value, dict) else None


def _read_detections(documents: Sequence[Placed], mistakes: list[Mistake]) -> Detected:
    for source, node in documents[1:]:
        first = f"{documents[0][0]}:{documents[0][1].line}"
        told = f"detections are set already in {first}; keep one"
        mistakes.append(mistake_at(source, node, ("kind",), told))
    settings = Settings.read({})
    for source, node in documents:
        made = validate(source, node, DetectionsDocument, _WORDING, mistakes)
        if made is not None:
            settings = settings_of(made)
            mistakes += _unknown(source, node, settings)
    return Detected(*write_content(settings))


def _unknown(source: str, node: Node, settings: Settings) -> Iterator[Mistake]:
    """Blocks that are of no detector and no kind of finding."""
    _, names = write_content(settings)
    known = [*names, *(d.name for d in DETECTORS)]
    for name in settings.others():
        if name not in names:
            near = difflib.get_close_matches(name, known, 1)
            hint = f"did you mean '{near[0]}'?" if near else f"known here: {', '.join(sorted(set(known)))}"
            yield mistake_at_key(source, node, ("detections", name), f"no detection '{name[:80]}'; {hint}")
