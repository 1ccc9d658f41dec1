"""Registers every schema with a Schema Registry, under its very id of the catalogue.

Subjects are named by RecordNameStrategy: the record's full name (`praetor.ActionEvent`, `praetor.Decision`).
One schema is then one subject, whatever topics or prefixes carry it. Ids are fixed, so that a record means
the same with a registry and without one: each subject is put into IMPORT mode while a schema is imported,
and into READWRITE after.

Source: Confluent Schema Registry API reference: `PUT /mode/{subject}?force=true`, `POST /subjects/{subject}`
(look-up), `GET /schemas/ids/{id}`, `POST /subjects/{subject}/versions` with `id` and `version`; errors
40401 (no subject), 40403 (no schema), 42205 (operation not permitted).
"""

import json
from typing import Any

import fastavro
import httpx
from fastavro.schema import SchemaParseException, UnknownType, to_parsing_canonical_form

from runtime.errors import PraetorError
from runtime.settings import Settings
from runtime.tls import Files, client_context
from schemas.catalogue import Schema, all_schemas

CONTENT_TYPE = "application/vnd.schemaregistry.v1+json"
TIMEOUT_SECONDS = 10


def subject_of(of: Schema) -> str:
    """The subject of a schema: its record's full name."""
    return f"{of.definition['namespace']}.{of.definition['name']}"


def registry_client(settings: Settings) -> httpx.Client:
    """A client for the registry of the settings: its login (HTTP Basic), and whom we trust (Kafka's CA file).

    Raises:
        PraetorError: the CA file is not what it should be.
    """
    user, password = settings.schema_registry_username, settings.schema_registry_password.get_secret_value()
    context = client_context(Files("PRAETOR_KAFKA_SSL_", settings.kafka_ssl_cafile))
    return httpx.Client(timeout=TIMEOUT_SECONDS, verify=context, auth=(user, password) if user else None)


def register(url: str, client: httpx.Client | None = None) -> list[int]:
    """Register every schema that is not there yet; return the ids that were added.

    A registry that holds them all is only read. Every schema is looked up before the first is written.

    Args:
        url: of the registry, with a path if it has one.
        client: to use instead of a new one (credentials, certificates); it is not closed.

    Raises:
        PraetorError: the registry does not answer or refuses; or an id or a version of ours is taken by
            another schema: the message names id, subject and what stands there.
    """
    if client is None:
        with httpx.Client(timeout=TIMEOUT_SECONDS) as own:
            return register(url, own)
    registry = _Registry(url, client)
    missing = [of for of in all_schemas() if not registry.has(of)]
    for of in missing:
        registry.add(of)
    return [of.id for of in missing]


def _version(of: Schema, among: list[Schema]) -> int:
    """A subject's versions count from 1 in the order of ids; a decision's own has two parts."""
    return 1 + sum(other.name == of.name and other.id < of.id for other in among)


class _Registry:
    """One registry; every answer that is not expected becomes a PraetorError."""

    def __init__(self, url: str, client: httpx.Client) -> None:
        self._url = url.rstrip("/")
        self._client = client

    def has(self, of: Schema) -> bool:
        """Whether the schema stands under its id in its subject.

        Raises:
            PraetorError: the id holds another schema, or the subject holds this one under another id.
        """
        subject = subject_of(of)
        held = self._call("GET", f"/schemas/ids/{of.id}", absent=404)
        if held is not None and not _same(held.get("schema"), of):
            raise PraetorError(_taken(self._url, of, f"that id holds {_name(held.get('schema'))}"))
        found = self._call("POST", f"/subjects/{subject}", _body(of), absent=404)
        if found is None:
            return False
        if found["id"] != of.id:
            raise PraetorError(_taken(self._url, of, f"subject {subject} holds it under id {found['id']}"))
        return True

    def add(self, of: Schema) -> None:
        """Import the schema under its id.

        Raises:
            PraetorError: the registry refuses, or gives it another id.
        """
        subject = subject_of(of)
        self._call("PUT", f"/mode/{subject}?force=true", {"mode": "IMPORT"})
        try:
            body = _body(of) | {"id": of.id, "version": _version(of, all_schemas())}
            given = self._call("POST", f"/subjects/{subject}/versions", body)
        finally:
            self._call("PUT", f"/mode/{subject}", {"mode": "READWRITE"})
        if given is None or given.get("id") != of.id:
            raise PraetorError(_taken(self._url, of, f"the registry answered {given}"))

    def _call(self, method: str, path: str, body: Any = None, absent: int = 0) -> dict[str, Any] | None:
        """The answer's JSON; None where it has the status `absent`."""
        try:
            answer = self._client.request(
                method, self._url + path, json=body, headers={"Content-Type": CONTENT_TYPE}
            )
            if answer.status_code == absent:
                return None
            self._check_login(answer)
            found = answer.json()
        except httpx.HTTPError as error:
            trust = "; whom we trust is in PRAETOR_KAFKA_SSL_CAFILE" if "CERTIFICATE" in str(error) else ""
            raise PraetorError(f"Schema Registry at {self._url} does not answer: {error}{trust}") from error
        except ValueError as error:
            raise PraetorError(f"{self._url} is no Schema Registry: {method} {path} gave no JSON") from error
        if not answer.is_success or not isinstance(found, dict):
            said = found.get("message") if isinstance(found, dict) else found
            raise PraetorError(
                f"Schema Registry at {self._url} refuses {method} {path}: {answer.status_code} {said}"
            )
        return found

    def _check_login(self, answer: httpx.Response) -> None:
        if answer.status_code == 401:
            login = "PRAETOR_SCHEMA_REGISTRY_USERNAME and PRAETOR_SCHEMA_REGISTRY_PASSWORD (or its …_FILE)"
            raise PraetorError(f"Schema Registry at {self._url} refuses the login: check {login}")


def _body(of: Schema) -> dict[str, Any]:
    return {"schemaType": "AVRO", "schema": json.dumps(of.definition)}


def _same(text: Any, of: Schema) -> bool:
    """Whether a registry's text is our schema: by Avro's canonical form, as registries rewrite the text."""
    try:
        return bool(_canonical(json.loads(text)) == _canonical(of.definition))
    except (TypeError, ValueError, SchemaParseException, UnknownType):
        return False


def _canonical(definition: Any) -> Any:
    return to_parsing_canonical_form(fastavro.parse_schema(definition))


def _name(text: Any) -> str:
    try:
        held = json.loads(text)
    except (TypeError, ValueError):
        return "something else"
    if isinstance(held, dict) and "name" in held:
        fields = [field["name"] for field in held.get("fields", [])]
        full = ".".join(part for part in (held.get("namespace"), held["name"]) if part)
        return f"{full} with fields {', '.join(fields[:8])}"
    return str(held)[:200]


def _taken(url: str, of: Schema, what: str) -> str:
    return (
        f"Schema Registry at {url}: {of.name} v{of.version} must have id {of.id} in subject {subject_of(of)},"
        f" but {what}; use another registry, or a context of its own in this one"
    )
