"""${message}.

Revision ID: ${up_revision}
"""

from __future__ import annotations

from alembic import op

revision = ${repr(up_revision)}
down_revision: str | None = ${repr(down_revision)}
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    ${upgrades or "pass"}


def downgrade() -> None:
    raise NotImplementedError("revisions go forward only: restore a backup instead")
