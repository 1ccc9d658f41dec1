"""A bundle: everything that judging is done by, as one canonical JSON text named by its digest.

Cases and descriptions stay outside: a digest says how actions are judged, nothing else.
"""

import hashlib
import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Field, JsonValue, TypeAdapter, ValidationError

from documents.types import Id as AnyId
from documents.types import Model
from policies.canonical import canonical
from policies.model import API_VERSION, Entries, Policy
from policies.resolve import NO_NAMES, Unresolved, Vocabulary, inherit, named_lists, resolve_rule
from policies.rest import Rest, no_rest
from policies.rule import Rule
from policies.signals import AS_BEFORE, BEFORE, Detected
from policies.types import Id, Name
from runtime.errors import Newer, PraetorError

LARGEST_BUNDLE = 64 << 20
FEW = 4
"""Rules that are validated in one call, in which no other thread has its turn."""

_RULES = TypeAdapter(list[Rule])


class BundlePolicy(Model):
    """A policy as a bundle carries it."""

    name: Id
    mode: Literal["enforce", "shadow"]
    rules: list[Rule]


class Content(Model):
    """What a bundle says: policies by name, detections, what happens when no rule matches.

    `detections` is for the package of that name to read; `detected` are the names that rules may match.
    Lists are those that conditions use; all other names are written out.
    """

    version: Literal["praetor/v1"]
    default: Literal["deny"]
    detections: dict[str, JsonValue]
    detected: Annotated[list[AnyId], Field(max_length=100_000)] | None = None
    lists: dict[Name, Entries] = Field(default_factory=dict)
    policies: Annotated[list[BundlePolicy], Field(max_length=100_000)]

    @property
    def names(self) -> tuple[str, ...]:
        """The names that rules may match; a name's place is its bit."""
        return BEFORE if self.detected is None else tuple(self.detected)


@dataclass(frozen=True, slots=True)
class Bundle:
    """A validated bundle.

    Attributes:
        digest: `sha256:` and 64 hex digits, of `json`.
        json: the canonical bytes.
        content: the same, read.
    """

    digest: str
    json: bytes
    content: Content


def build_bundle(
    policies: Sequence[Policy],
    detections: Detected = AS_BEFORE,
    names: Vocabulary = NO_NAMES,
) -> Bundle:
    """Make the bundle of some policies; their order does not matter. Templates are in those that extend them.

    Raises:
        PraetorError: two policies share a name, a name stands for nothing, or the bundle is too large.
    """
    names = names._replace(detections=BEFORE if detections.names is None else detections.names)
    by_name = {p.metadata.name: p for p in policies}
    if len(by_name) != len(policies):
        raise PraetorError("two of the policies share one name")
    resolved = [
        BundlePolicy(name=name, mode=policy.mode, rules=_rules(policy, by_name, names))
        for name, policy in sorted(by_name.items())
        if policy.mode != "template"
    ]
    texts = [rule.condition() for policy in resolved for rule in policy.rules]
    content = Content(
        version=API_VERSION,
        default="deny",
        detections=dict(detections.content),
        detected=None if detections.names is None else list(detections.names),
        lists=named_lists(texts, names),
        policies=resolved,
    )
    return load_bundle(canonical(content.model_dump(mode="json", by_alias=True, exclude_none=True)))


def _rules(policy: Policy, by_name: Mapping[str, Policy], names: Vocabulary) -> list[Rule]:
    _check_ids(policy.metadata.name, policy.rules)
    try:
        return [resolve_rule(rule, names) for rule in inherit(policy, by_name)]
    except Unresolved as error:
        raise PraetorError(f"policy {policy.metadata.name}: {error}") from error


def load_bundle(data: bytes, rest: Rest = no_rest) -> Bundle:
    """Read and validate a bundle's JSON; `rest` is called after every few rules.

    Raises:
        Newer: canonical JSON, but no bundle of this version's language.
        PraetorError: too large, not JSON, or not canonical; the message says which.
    """
    if len(data) > LARGEST_BUNDLE:
        raise PraetorError(f"the bundle has {len(data)} bytes; at most {LARGEST_BUNDLE} are allowed")
    try:
        value = json.loads(data)
        same = canonical(value, rest) == data
    except (ValueError, RecursionError) as error:
        raise PraetorError(f"the bundle is no JSON that could be canonical: {error}") from error
    if not same:
        raise PraetorError(
            "the bundle's JSON is not canonical (RFC 8785); build it with `praetor policy build`"
        )
    try:
        _validate_rules(value, rest)
        content = Content.model_validate(value)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise Newer(
            f"not a bundle of {API_VERSION} as this version of praetor knows it: {where}: {first['msg']}"
        ) from error
    _check_names(content)
    _check_detections(content)
    return Bundle("sha256:" + hashlib.sha256(data).hexdigest(), data, content)


def _validate_rules(value: Any, rest: Rest) -> None:
    """Put rules in the place of what they are written as, a few in a call, as far as they are right."""
    policies = value.get("policies") if isinstance(value, dict) else None
    for policy in policies if isinstance(policies, list) else ():
        rules = policy.get("rules") if isinstance(policy, dict) else None
        if not isinstance(rules, list):
            continue
        for first in range(0, len(rules), FEW):
            try:
                rules[first : first + FEW] = _RULES.validate_python(rules[first : first + FEW])
            except ValidationError:
                return  # the whole is validated after this, and tells the place
            rest()


def _check_names(content: Content) -> None:
    names = [p.name for p in content.policies]
    if names != sorted(set(names)):
        raise PraetorError("the bundle's policies are not sorted by name, or two of them share one")
    for policy in content.policies:
        _check_ids(policy.name, policy.rules)


def _check_detections(content: Content) -> None:
    names = set(content.names)
    if content.detected is not None and content.detected != sorted(names):
        raise PraetorError("the bundle's detections are not sorted by name, or two of them share one")
    for policy in content.policies:
        for rule in policy.rules:
            wanted = {*(rule.match.detections or ()), *(rule.match.recent_detections or ())} - names
            if wanted:
                told = f"the bundle's rule {policy.name}/{rule.id} matches the detection {min(wanted)}"
                raise PraetorError(f"{told}, which the bundle does not have")


def _check_ids(policy: str, rules: Sequence[Rule]) -> None:
    ids = [r.id for r in rules]
    if len(set(ids)) != len(ids):
        twice = next(i for i in ids if ids.count(i) > 1)
        raise PraetorError(f"the bundle's policy {policy} has the rule id {twice} twice")


def pack_bundle(bundle: Bundle) -> bytes:
    """Compress a bundle for the wire (zlib). The digest is of the JSON, not of these bytes."""
    return zlib.compress(bundle.json, 9)


def unpack_bundle(data: bytes, rest: Rest = no_rest) -> Bundle:
    """Read a compressed bundle; memory stays bounded whatever the bytes are. `rest` as in `load_bundle`.

    Raises:
        PraetorError: not zlib, larger than allowed, cut short, followed by other bytes, or as `load_bundle`.
    """
    reader = zlib.decompressobj()
    try:
        text = reader.decompress(data, LARGEST_BUNDLE + 1)
    except zlib.error as error:
        raise PraetorError(f"the bundle does not decompress: {error}") from error
    if len(text) > LARGEST_BUNDLE:
        raise PraetorError(f"the bundle decompresses to more than {LARGEST_BUNDLE} bytes")
    if not reader.eof or reader.unused_data:
        raise PraetorError("the compressed bundle is cut short, or other bytes follow it")
    return load_bundle(text, rest)
