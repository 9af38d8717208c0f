"""How writers wait for each other where that has to be seen to: one chooses a place at a time, none answers while a study is replaced."""

import sqlalchemy as sa

# Any number will do that no other program takes locks with in the same database.
_STUDY_LOCK = 7_827_388_201


def exclusive(connection: sa.Connection) -> None:
    """Wait until no other transaction holds this lock, and hold it until the transaction of `connection` ends.

    On SQLite this is nothing: whoever writes is alone there from the beginning.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_STUDY_LOCK)))


def without_participants(connection: sa.Connection) -> None:
    """Let no participant change anything before the transaction of `connection` ends; whoever only looks is not kept waiting.

    Each answer begins with a sign of life of its participant, which waits here. On SQLite whoever writes is alone anyway.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(sa.text("LOCK TABLE participant IN EXCLUSIVE MODE"))
