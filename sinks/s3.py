"""Object storage that speaks S3: an object for each class and day of a batch, in Security Lake's layout.

Source: Amazon S3 API, "PutObject"; Security Lake user guide, "Collecting data from custom sources" (a source
for each OCSF class; region, account and day as partitions; Parquet, ordered by time). botocore signs.
"""

import asyncio
import gzip
import hashlib
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, Literal, NamedTuple
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field

from runtime.errors import PraetorError
from sinks.encoding import Encoding
from sinks.extra import need
from sinks.formats.words import iso, time_of
from sinks.http import Http, Outbound
from sinks.parquet import Parquet
from sinks.secret import Secret
from sinks.sink import DELIVERED, Event, Outcome

WHAT = "a destination of type s3"
NAME = r"^[A-Za-z0-9._-]+$"


class S3Settings(BaseModel):
    """The bucket, the key to it, how objects are written, and where in the bucket.

    `endpoint` is for others than AWS: the bucket is then the first part of the path. In `source`, `{class}`
    stands for the OCSF class, or for the kind where the format is another.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    type: Literal["s3"]
    bucket: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")]
    region: Annotated[str, Field(pattern=NAME)]
    access_key: Secret
    secret_key: Secret
    session_token: Secret | None = None
    endpoint: Annotated[str, Field(pattern=r"^(https?://[^/\s]+)?$")] = ""
    file: Literal["parquet", "jsonl"] = "parquet"
    prefix: Annotated[str, Field(pattern=r"^[A-Za-z0-9._/-]*$")] = "ext"
    source: Annotated[str, Field(pattern=r"^[A-Za-z0-9._{}-]+$")] = "praetor_{class}"
    account: Annotated[str, Field(pattern=NAME)] = "external"


class Part(NamedTuple):
    """What goes into one object: its folder, then its events in order."""

    folder: str
    events: list[Event]
    documents: list[dict[str, Any]]


class S3Sink:
    """Objects are named by the ids that they hold: the same batch written again replaces itself.

    A batch that is cut otherwise after a crash leaves its events in two objects, under the same ids.
    """

    def __init__(self, settings: S3Settings, encoding: Encoding, outbound: Outbound) -> None:
        """Take the settings, and how events are encoded.

        Raises:
            PraetorError: a secret or a library is not there, or the format does not go with the file.
        """
        if settings.file == "parquet" and encoding.name != "ocsf":
            raise PraetorError(f"parquet holds OCSF, but the format is {encoding.name}: set file: jsonl")
        self._auth = need("botocore.auth", WHAT).S3SigV4Auth
        self._request = need("botocore.awsrequest", WHAT).AWSRequest
        self._credentials = need("botocore.credentials", WHAT).Credentials
        self._write = _lines(encoding) if settings.file == "jsonl" else _parquet()
        self._settings = settings
        self._encoding = encoding
        self._http = Http(outbound, {})
        self._keys()

    def _keys(self) -> Any:
        token = self._settings.session_token
        return self._credentials(
            str(self._settings.access_key.read("s3's access_key")),
            str(self._settings.secret_key.read("s3's secret_key")),
            str(token.read("s3's session_token")) if token else None,
        )

    async def open(self) -> None:
        """Connections are made when something is sent."""

    async def write(self, events: Sequence[Event]) -> Outcome:
        """Put the objects of a batch; keys to the bucket are read anew, so that they may be renewed.

        Raises:
            Unavailable, Refused, PraetorError: as `sinks.http.judge_status` tells them apart.
        """
        for part in self._parts(events):
            body = await asyncio.to_thread(self._write, part)
            await self._put(f"{part.folder}/{_name(part.events)}.{SUFFIXES[self._settings.file]}", body)
        return DELIVERED

    def _parts(self, events: Sequence[Event]) -> list[Part]:
        found: dict[str, Part] = {}
        for event in events:
            document = self._encoding.document(event)
            folder = self._folder(event, document)
            part = found.setdefault(folder, Part(folder, [], []))
            part.events.append(event)
            part.documents.append(document)
        return list(found.values())

    def _folder(self, event: Event, document: Mapping[str, Any]) -> str:
        of = self._settings
        values = defaultdict(str, {"class": str(document.get("class_uid", event.kind)), "kind": event.kind})
        day = iso(time_of(event))[:10].replace("-", "")
        place = f"region={of.region}/accountId={of.account}/eventDay={day}"
        return "/".join(p for p in (of.prefix.strip("/"), of.source.format_map(values), place) if p)

    async def _put(self, key: str, body: bytes) -> None:
        url = self._url(key)
        request = self._request("PUT", url, data=body, headers={"content-type": "application/octet-stream"})
        self._auth(self._keys(), "s3", self._settings.region).add_auth(request)
        headers = {name: str(value) for name, value in request.headers.items()}
        await self._http.send("PUT", url, body, headers)

    def _url(self, key: str) -> str:
        of = self._settings
        path = quote(key, safe="/=-_.~")
        if of.endpoint:
            return f"{of.endpoint}/{of.bucket}/{path}"
        return f"https://{of.bucket}.s3.{of.region}.amazonaws.com/{path}"

    async def close(self) -> None:
        """Close the connections."""
        await self._http.close()


SUFFIXES = {"parquet": "zstd.parquet", "jsonl": "jsonl.gz"}


def _name(events: Sequence[Event]) -> str:
    return hashlib.sha256("\n".join(event.id for event in events).encode()).hexdigest()[:32]


def _lines(encoding: Encoding) -> Callable[[Part], bytes]:
    def write(part: Part) -> bytes:
        return gzip.compress(b"".join(encoding.line(event) + b"\n" for event in part.events), 6, mtime=0)

    return write


def _parquet() -> Callable[[Part], bytes]:
    parquet = Parquet()
    return lambda part: parquet.file(part.documents)
