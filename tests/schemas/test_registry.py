"""Registration, against a real HTTP server that behaves as Confluent documents its Schema Registry.

No registry installs from the package index, so this is a contract test: the server below implements the
subset of the API that is used, by the reference (ids are global; IMPORT mode is needed to choose one, and is
refused for a subject that has schemas unless forced; an id is never overwritten; an id may be had in several
subjects). It is no proof that a given vendor's registry behaves so.
"""

import base64
import json
import threading
from contextlib import contextmanager

import fastavro
import pytest
import uvicorn
from fastavro.schema import to_parsing_canonical_form
from starlette.applications import Starlette
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Route

from runtime.errors import PraetorError
from runtime.settings import load_settings
from schemas.catalogue import all_schemas, schema
from schemas.registry import register, registry_client, subject_of
from tests.security.certificates import Authority


def refuse(status, code, message):
    return JSONResponse({"error_code": code, "message": message}, status)


def canonical(definition):
    return to_parsing_canonical_form(fastavro.parse_schema(definition))


class Registry:
    """The contract: ids, subjects and modes in memory; `writes` counts what changed something."""

    def __init__(self):
        self.ids = {}
        self.subjects = {}
        self.modes = {}
        self.writes = 0
        self.app = Starlette(
            routes=[
                Route("/schemas/ids/{id:int}", self.by_id),
                Route("/subjects/{subject}", self.look_up, methods=["POST"]),
                Route("/subjects/{subject}/versions", self.add, methods=["POST"]),
                Route("/mode/{subject}", self.set_mode, methods=["PUT"]),
            ]
        )

    def by_id(self, request):
        found = self.ids.get(request.path_params["id"])
        if found is None:
            return refuse(404, 40403, "Schema not found")
        return JSONResponse({"schema": json.dumps(found)})

    async def look_up(self, request):
        subject, wanted = request.path_params["subject"], json.loads((await request.json())["schema"])
        if subject not in self.subjects:
            return refuse(404, 40401, f"Subject '{subject}' not found.")
        for version, schema_id in self.subjects[subject].items():
            if canonical(self.ids[schema_id]) == canonical(wanted):
                return JSONResponse({"subject": subject, "id": schema_id, "version": version})
        return refuse(404, 40403, "Schema not found")

    async def set_mode(self, request):
        subject, mode = request.path_params["subject"], (await request.json())["mode"]
        forced = request.query_params.get("force") == "true"
        if mode == "IMPORT" and self.subjects.get(subject) and not forced:
            return refuse(422, 42205, f"Cannot import since found existing subjects {subject}")
        self.modes[subject] = mode
        self.writes += 1
        return JSONResponse({"mode": mode})

    async def add(self, request):
        subject, body = request.path_params["subject"], await request.json()
        if self.modes.get(subject) != "IMPORT":
            return refuse(422, 42205, f"Subject {subject} is not in import mode")
        wanted = json.loads(body["schema"])
        if self.ids.setdefault(body["id"], wanted) != wanted:
            return refuse(422, 42205, f"Overwrite new schema with id {body['id']} is not permitted.")
        self.subjects.setdefault(subject, {})[body["version"]] = body["id"]
        self.writes += 1
        return JSONResponse({"id": body["id"]})


@contextmanager
def serving(app, **more):
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error", lifespan="off", ws="none", **more))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        assert thread.is_alive()
    try:
        yield f"http{'s' if more else ''}://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


@pytest.fixture
def registry():
    return Registry()


@pytest.fixture
def url(registry):
    with serving(registry.app) as address:
        yield address


def test_every_schema_gets_its_very_id_and_a_second_time_nothing_is_written(registry, url):
    every = [of.id for of in all_schemas()]
    assert register(url + "/") == every
    assert registry.ids == {of.id: of.definition for of in all_schemas()}
    assert registry.subjects["praetor.ActionEvent"] == {1: 101, 2: 102}
    assert registry.subjects["praetor.Decision"] == {1: 201, 2: 202}
    assert set(registry.modes.values()) == {"READWRITE"}
    before = registry.writes
    assert register(url) == []
    assert registry.writes == before


def test_what_is_missing_is_added_to_what_is_there(registry, url):
    register(url)
    del registry.subjects["praetor.Threat"], registry.ids[301], registry.ids[302]
    assert register(url) == [301, 302]


def test_a_registry_may_write_our_schema_in_another_way(registry, url):
    """As Confluent's does: other order of keys, names in full, no docs."""
    register(url)
    definition = {**registry.ids[301], "name": "praetor.Threat"}
    del definition["namespace"], definition["doc"]
    registry.ids[301] = dict(reversed(definition.items()))
    assert register(url) == []
    changed = {**definition, "fields": definition["fields"][:-1]}
    registry.ids[301] = changed
    with pytest.raises(PraetorError, match=r"that id holds praetor\.Threat with fields log_id"):
        register(url)


def test_an_id_shared_with_another_subject_is_registered_in_ours_too(registry, url):
    registry.ids[101] = schema(101).definition
    registry.subjects["agent.actions-value"] = {1: 101}
    assert 101 in register(url)
    assert registry.subjects[subject_of(schema(101))] == {1: 101, 2: 102}


def test_an_id_that_holds_another_schema_stops_before_anything_is_written(registry, url):
    other = {
        "type": "record",
        "namespace": "shop",
        "name": "Order",
        "fields": [{"name": "sku", "type": "string"}],
    }
    registry.ids[301] = other
    with pytest.raises(PraetorError) as refused:
        register(url)
    said = str(refused.value)
    assert "threat v1 must have id 301 in subject praetor.Threat" in said
    assert "that id holds shop.Order with fields sku" in said
    assert registry.writes == 0


def test_our_schema_under_another_id_is_a_conflict(registry, url):
    registry.ids[7] = schema(501).definition
    registry.subjects["praetor.Checkpoint"] = {1: 7}
    with pytest.raises(PraetorError, match=r"id 501 in subject praetor\.Checkpoint, but .* under id 7"):
        register(url)
    assert registry.writes == 0


def test_a_refusal_is_said_in_the_registrys_words_and_import_mode_is_left(registry, url):
    async def full(request):
        return refuse(422, 42201, "Invalid schema: too long")

    registry.app.router.routes.insert(0, Route("/subjects/{subject}/versions", full, methods=["POST"]))
    with pytest.raises(
        PraetorError, match=r"refuses POST /subjects/praetor.ActionEvent/versions: 422 Invalid"
    ):
        register(url)
    assert registry.modes == {"praetor.ActionEvent": "READWRITE"}


def test_no_registry_is_said(unused_tcp_port):
    with pytest.raises(PraetorError, match=f"Schema Registry at http://127.0.0.1:{unused_tcp_port} does not"):
        register(f"http://127.0.0.1:{unused_tcp_port}")
    with (
        serving(PlainTextResponse("hello")) as page,
        pytest.raises(PraetorError, match="is no Schema Registry"),
    ):
        register(page)


def test_a_registry_that_wants_a_login_over_tls(registry, tmp_path):
    authority = Authority(tmp_path)
    held = str(authority.issue("registry"))

    async def asking(scope, receive, send):
        wanted = b"Basic " + base64.b64encode(b"me:planted")
        known = dict(scope["headers"]).get(b"authorization") == wanted
        await (registry.app if known else PlainTextResponse("who are you?", 401))(scope, receive, send)

    with serving(asking, ssl_certfile=held, ssl_keyfile=held) as address:

        def registered(cafile=authority.cafile, username="me", password="planted"):
            login = {"schema_registry_username": username, "schema_registry_password": password}
            settings = load_settings(tmp_path, schema_registry_url=address, kafka_ssl_cafile=cafile, **login)
            with registry_client(settings) as client:
                return register(settings.schema_registry_url, client)

        for changed, told in (
            ({"password": "other"}, r"refuses the login: check PRAETOR_SCHEMA_REGISTRY_USERNAME and"),
            ({"username": "", "password": ""}, "refuses the login"),
            ({"cafile": None}, "certificate verify failed.* whom we trust is in PRAETOR_KAFKA_SSL_CAFILE"),
        ):
            with pytest.raises(PraetorError, match=told) as refused:
                registered(**changed)
            assert "planted" not in str(refused.value)
        assert registered() == [of.id for of in all_schemas()]
