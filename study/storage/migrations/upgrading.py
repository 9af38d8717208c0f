"""Takes a database through every migration that it lacks; imported only when it lacks one."""

from pathlib import Path

import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import ScriptDirectory


def upgrade(connection: sa.Connection, *, held: str | None) -> None:
    """Bring the tables from version `held` (None: no tables yet) to today's, within the transaction of `connection`."""
    scripts = ScriptDirectory(Path(__file__).parent)
    context = MigrationContext.configure(connection)
    lacking = [script for script in scripts.walk_revisions() if held is None or script.revision > held]
    with Operations.context(context):
        for script in reversed(lacking):
            script.module.upgrade()
    context.stamp(scripts, "head")
