"""What people set, and who changed it: the tables of the store.

Times are milliseconds since 1970. Ids are made here, short enough to be typed. Nothing is ever deleted.
"""

import secrets
from typing import Any

from sqlalchemy import JSON, BigInteger, Index, Integer, String, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, MappedAsDataclass, mapped_column

Scope = dict[str, list[str]]
"""What a silence or a window is for: patterns by field (see `store.scope`); all named fields must match."""

ROW_ID = BigInteger().with_variant(Integer, "sqlite")


def new_id() -> str:
    """Eight hex digits."""
    return secrets.token_hex(4)


class Base(MappedAsDataclass, DeclarativeBase):
    """What all tables share: rows are dataclasses."""

    type_annotation_map = {dict[str, Any]: JSON, Scope: JSON, int: BigInteger}  # noqa: RUF012


class Silence(Base, kw_only=True):
    """Nobody is told of what it is for, from `starts` until before `ends`."""

    __tablename__ = "silences"

    id: Mapped[str] = mapped_column(String(16), primary_key=True, default_factory=new_id)
    scope: Mapped[Scope]
    starts: Mapped[int]
    ends: Mapped[int] = mapped_column(index=True)
    comment: Mapped[str] = mapped_column(Text, default="")
    made_by: Mapped[str] = mapped_column(String(200))
    made_at: Mapped[int]


class Window(Base, kw_only=True):
    """A maintenance window: a silence that was planned, and may come again every `every` milliseconds."""

    __tablename__ = "windows"

    id: Mapped[str] = mapped_column(String(16), primary_key=True, default_factory=new_id)
    name: Mapped[str] = mapped_column(String(200))
    scope: Mapped[Scope]
    starts: Mapped[int]
    ends: Mapped[int]
    every: Mapped[int] = mapped_column(default=0)  # 0: once
    until: Mapped[int | None] = mapped_column(BigInteger, default=None)  # not after; None: for ever
    made_by: Mapped[str] = mapped_column(String(200))
    made_at: Mapped[int]


class Acknowledgement(Base, kw_only=True):
    """Somebody sees to a group of alerts or an incident: nobody is told again unless it gets worse."""

    __tablename__ = "acknowledgements"

    subject: Mapped[str] = mapped_column(String(200), primary_key=True)
    comment: Mapped[str] = mapped_column(Text, default="")
    made_by: Mapped[str] = mapped_column(String(200))
    made_at: Mapped[int]


class Note(Base, kw_only=True):
    """What somebody wrote about an incident or a group of alerts."""

    __tablename__ = "notes"
    __table_args__ = (Index("notes_subject", "subject", "made_at"),)

    id: Mapped[str] = mapped_column(String(16), primary_key=True, default_factory=new_id)
    subject: Mapped[str] = mapped_column(String(200))
    text: Mapped[str] = mapped_column(Text)
    made_by: Mapped[str] = mapped_column(String(200))
    made_at: Mapped[int]


class Change(Base, kw_only=True):
    """One change of one row of the tables above: written with it, and never changed itself."""

    __tablename__ = "changes"
    __table_args__ = (Index("changes_row", "of_table", "of_row"),)

    id: Mapped[int] = mapped_column(ROW_ID, primary_key=True, init=False, autoincrement=True)
    at: Mapped[int]
    by: Mapped[str] = mapped_column(String(200))
    of_table: Mapped[str] = mapped_column(String(60))
    of_row: Mapped[str] = mapped_column(String(200))
    before: Mapped[dict[str, Any]]
    after: Mapped[dict[str, Any]]
