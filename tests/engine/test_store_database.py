"""What lies under the store: migrations, backups, transactions, passwords."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from argon2 import PasswordHasher
from sqlalchemy import inspect, text
from sqlalchemy.exc import IntegrityError, OperationalError

from engine.store import Link, NewerStore, Store, StoreError, Taken
from engine.store.database import Database
from engine.store.links import Links
from engine.store.migrate import SCRIPTS, current_revision, revisions, upgrade, upgrade_apart
from engine.store.passwords import hash_password, is_outdated, password_matches
from engine.store.tables import Base, LinkRow

HEAD = ScriptDirectory(str(SCRIPTS)).get_current_head()

OLD_HASH = (
    "scrypt$14$8$1$lTAfOSypxGGI09mkX3KxsQ==$LPa0Wz8QRBNjFWowgRDjcKAsHTUugoAYk0mzItI9fIA="  # of "pass wörd"
)


@pytest.fixture
def sqlite_file(tmp_path: Path) -> Path:
    return tmp_path / "store.sqlite3"


def a_store(path: Path) -> Store:
    store = Store(f"sqlite:///{path}")
    store.open()
    return store


def test_migrations_make_the_tables_of_the_models(store_url: str) -> None:
    """After the migrations the database is what the models say, to the last index."""
    upgrade(store_url)
    database = Database(store_url)
    with database.connection() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []
        assert current_revision(connection) is not None
    database.close()


def test_opening_again_changes_nothing(store_url: str) -> None:
    """A database that is up to date is neither migrated nor copied."""
    for _ in range(2):
        store = Store(store_url)
        store.open()
        assert store.backup is None
        store.close()


def test_a_newer_database_is_refused(store_url: str) -> None:
    """A store of a later version is left alone, with words that say what to do."""
    upgrade(store_url)
    database = Database(store_url)
    with database.connection() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(NewerStore, match=r"revision 9999.*upgrade Polyphony"):
        Store(store_url).open()
    database.close()


def test_a_pending_migration_copies_the_file_first(
    sqlite_file: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Before tables are changed the SQLite file is copied, WAL included, readable by its owner only."""
    store = a_store(sqlite_file)
    store.links.add(Link(name="kept", host="h"))
    scripts = _scripts_with_another(tmp_path, "op.add_column('links', sa.Column('note', sa.Text()))")
    monkeypatch.setattr("engine.store.migrate.SCRIPTS", scripts)
    backup = upgrade(f"sqlite:///{sqlite_file}")
    assert backup is not None
    assert backup.name == f"store.sqlite3.{HEAD}.backup"
    assert backup.stat().st_mode & 0o777 == 0o600
    assert _column(backup, "SELECT name FROM links") == ["kept"]
    assert "note" in _column(sqlite_file, "SELECT name FROM pragma_table_info('links')")
    assert "note" not in _column(backup, "SELECT name FROM pragma_table_info('links')")
    store.close()


def test_a_failed_migration_changes_nothing(
    store_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A migration is run whole or not at all."""
    upgrade(store_url)
    broken = "op.add_column('links', sa.Column('note', sa.Text())); op.execute('SELECT nothing FROM nowhere')"
    monkeypatch.setattr("engine.store.migrate.SCRIPTS", _scripts_with_another(tmp_path, broken))
    with pytest.raises(Exception, match="nowhere"):
        upgrade(store_url)
    database = Database(store_url)
    with database.connection() as connection:
        assert current_revision(connection) == HEAD
        assert "note" not in {column["name"] for column in inspect(connection).get_columns("links")}
    database.close()


def test_a_migration_that_orphans_rows_is_refused(
    sqlite_file: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Foreign keys are off while SQLite's tables are rebuilt, and checked before the commit."""
    upgrade(f"sqlite:///{sqlite_file}")
    orphan = (
        'op.execute("INSERT INTO automate_ranges (link_id, first_number, count, application, parameters,'
        " enabled) VALUES (7, '1', 1, 'echo', '{}', 1)\")"
    )
    monkeypatch.setattr("engine.store.migrate.SCRIPTS", _scripts_with_another(tmp_path, orphan))
    with pytest.raises(StoreError, match="automate_ranges referring to a missing links"):
        upgrade(f"sqlite:///{sqlite_file}")
    assert _column(sqlite_file, "SELECT count(*) FROM automate_ranges") == [0]


def test_the_file_is_private(sqlite_file: Path) -> None:
    """Secrets are in it: nobody else may read it, nor what SQLite keeps beside it."""
    store = a_store(sqlite_file)
    store.links.add(Link(name="a", host="h"))
    modes = {path.name: path.stat().st_mode & 0o777 for path in sqlite_file.parent.glob("store.sqlite3*")}
    assert len(modes) == 3  # the file, -wal and -shm
    assert set(modes.values()) == {0o600}
    store.close()
    assert not sqlite_file.with_name("store.sqlite3-wal").exists()


def test_readers_see_the_last_commit_while_one_writes(sqlite_file: Path) -> None:
    """In WAL mode a reader neither waits for the writer nor sees half of its work."""
    store = a_store(sqlite_file)
    database = Database(f"sqlite:///{sqlite_file}")
    with database.writing() as session:
        session.add(_row("half"))
        session.flush()
        assert store.links.all() == []
    assert [link.name for link in store.links.all()] == ["half"]
    database.close()
    store.close()


def test_a_writer_takes_the_lock_before_it_reads(sqlite_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """BEGIN IMMEDIATE: a second writer waits at its beginning, and gives up after the busy timeout."""
    monkeypatch.setattr("engine.store.database.BUSY_TIMEOUT_MS", 1)
    a_store(sqlite_file).close()
    first, second = Database(f"sqlite:///{sqlite_file}"), Database(f"sqlite:///{sqlite_file}")
    with first.writing() as session:
        session.execute(text("SELECT 1"))
        with pytest.raises(OperationalError, match="locked"), second.writing() as other:
            other.execute(text("SELECT 1"))
    first.close()
    second.close()


def test_an_exception_rolls_back(store_url: str) -> None:
    """What was written before an exception is not kept."""
    upgrade(store_url)
    database = Database(store_url)

    def write_and_fail() -> None:
        with database.writing() as session:
            session.add(_row("lost"))
            session.flush()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        write_and_fail()
    assert Links(database).all() == []
    database.close()


def test_foreign_keys_are_enforced(store_url: str) -> None:
    """The database itself refuses an automate on no link, should a check ever be forgotten."""
    upgrade(store_url)
    database = Database(store_url)
    with pytest.raises(IntegrityError), database.connection() as connection:
        connection.execute(
            text(
                "INSERT INTO automate_ranges (link_id, first_number, count, application, parameters, enabled)"
                " VALUES (7, '1', 1, 'echo', '{}', true)"
            )
        )
    database.close()


def test_a_race_between_nodes_is_told_as_taken(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Should another node commit the name after our check, the constraint's refusal is typed the same."""
    store.links.add(Link(name="a", host="h"))
    monkeypatch.setattr(Links, "check", lambda self, session, record: None)
    with pytest.raises(Taken):
        store.links.add(Link(name="a", host="h"))


def test_writers_in_threads_all_get_through(store: Store) -> None:
    """Concurrent writers wait for each other; none fails and nothing is lost."""
    failures: list[BaseException] = []

    def add(name: str) -> None:
        try:
            store.links.add(Link(name=name, host="h"))
        except BaseException as error:  # a thread's own would be lost
            failures.append(error)

    threads = [threading.Thread(target=add, args=(f"link{index}",)) for index in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(store.links.all()) == 8


def test_no_database_to_be_reached() -> None:
    """A PostgreSQL that is not there is an error at once, without the password in it."""
    with pytest.raises(OperationalError) as error:
        Store("postgresql://user:hidden@127.0.0.1:1/none").open()
    assert "hidden" not in str(error.value)


def test_passwords() -> None:
    """Equal passwords have different hashes; a damaged or foreign hash matches nothing."""
    one, two = hash_password("pass wörd"), hash_password("pass wörd")
    assert one != two
    assert one.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert password_matches("pass wörd", one)
    assert password_matches("pass wörd", two)
    assert not password_matches("pass word", one)
    assert not password_matches("", "")
    assert not password_matches("x", one.replace("argon2id", "md5"))
    assert not password_matches("x", one[:-20])
    assert not password_matches("\udcff", one)  # bytes that were no UTF-8
    assert not is_outdated(one)


def test_passwords_of_earlier_versions() -> None:
    """Scrypt is still taken, and known to be what should be replaced; so is argon2 that cost less than today."""
    assert password_matches("pass wörd", OLD_HASH)
    assert not password_matches("pass word", OLD_HASH)
    assert is_outdated(OLD_HASH)
    cheap = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1).hash("pass wörd")
    assert password_matches("pass wörd", cheap)
    assert is_outdated(cheap)


def _row(name: str) -> LinkRow:
    return LinkRow(
        name=name,
        host="h",
        transport="udp",
        pbx_type="generic",
        register=False,
        nat=False,
        dtmf="auto",
        symmetric=False,
        dialled_prefixes="",
        enabled=True,
    )


def _column(path: Path, query: str) -> list[object]:
    connection = sqlite3.connect(path)
    try:
        return [row[0] for row in connection.execute(query)]
    finally:
        connection.close()


def _scripts_with_another(folder: Path, statement: str) -> Path:
    """The migrations of this version and one more that runs ``statement``."""
    copy = folder / "migrations"
    shutil.copytree(SCRIPTS, copy, ignore=shutil.ignore_patterns("__pycache__"))
    (copy / "versions" / "v9000_another.py").write_text(
        "import sqlalchemy as sa\nfrom alembic import op\n"
        f"revision = '9000'\ndown_revision = '{HEAD}'\nbranch_labels = depends_on = None\n"
        f"def upgrade():\n    {statement}\n"
    )
    return copy


def test_a_process_apart_migrates_and_says_what_it_did(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/store.db"
    assert upgrade_apart(url) is None
    with contextlib.closing(sqlite3.connect(tmp_path / "store.db")) as database:
        assert database.execute("SELECT version_num FROM alembic_version").fetchall() == [(revisions()[-1],)]
    assert upgrade_apart(url) is None, "nothing is lacking now"


def test_a_process_apart_is_not_asked_about_a_newer_database(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/store.db"
    upgrade(url)
    with contextlib.closing(sqlite3.connect(tmp_path / "store.db")) as database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
        database.commit()
    with pytest.raises(NewerStore):
        upgrade_apart(url)


def test_the_engine_runs_without_alembic(tmp_path: Path) -> None:
    """It is a fifth of the engine's memory."""
    url = f"sqlite:///{tmp_path}/store.db"
    upgrade(url)
    code = (
        f"import sys; from engine.store import Store; Store({url!r}).open(); print('alembic' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
