"""Silences, maintenance windows, acknowledgements, notes, and the record of changes."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

ROW_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def _made() -> tuple[sa.Column[str], sa.Column[int]]:
    return (
        sa.Column("made_by", sa.String(200), nullable=False),
        sa.Column("made_at", sa.BigInteger, nullable=False),
    )


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "silences",
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("scope", sa.JSON, nullable=False),
        sa.Column("starts", sa.BigInteger, nullable=False),
        sa.Column("ends", sa.BigInteger, nullable=False, index=True),
        sa.Column("comment", sa.Text, nullable=False),
        *_made(),
    )
    op.create_table(
        "windows",
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("scope", sa.JSON, nullable=False),
        sa.Column("starts", sa.BigInteger, nullable=False),
        sa.Column("ends", sa.BigInteger, nullable=False),
        sa.Column("every", sa.BigInteger, nullable=False),
        sa.Column("until", sa.BigInteger, nullable=True),
        *_made(),
    )
    op.create_table(
        "acknowledgements",
        sa.Column("subject", sa.String(200), primary_key=True),
        sa.Column("comment", sa.Text, nullable=False),
        *_made(),
    )
    op.create_table(
        "notes",
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("subject", sa.String(200), nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        *_made(),
    )
    op.create_index("notes_subject", "notes", ["subject", "made_at"])
    op.create_table(
        "changes",
        sa.Column("id", ROW_ID, primary_key=True, autoincrement=True),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("by", sa.String(200), nullable=False),
        sa.Column("of_table", sa.String(60), nullable=False),
        sa.Column("of_row", sa.String(200), nullable=False),
        sa.Column("before", sa.JSON, nullable=False),
        sa.Column("after", sa.JSON, nullable=False),
    )
    op.create_index("changes_row", "changes", ["of_table", "of_row"])


def downgrade() -> None:
    """Migrations go forward only."""
    raise NotImplementedError("migrations go forward only: restore a backup")
