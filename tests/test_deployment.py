"""A deployment: what is refused, what is written, and a study that goes on behind nginx when one of its processes is killed."""

import asyncio
import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import typer
from study_fixtures import Settings, make_experiment
from study_participant import GONE, Http, Participant
from study_servers import free_ports
from typer.testing import CliRunner
from visitor import request

from stimuli.experiment import Experiment, ExperimentError
from study.config import StudyTable
from study.deployment import commands
from study.deployment.files import write
from study.deployment.plan import Deployment
from study.opening import open_study
from study.session import Session

PATH = f"{os.environ['PATH']}:/usr/sbin:/sbin"
NGINX = shutil.which("nginx", path=PATH)
SETTINGS = Settings(study=StudyTable(min_ms=10, unreviewed=True, practice=1))
STUDY_TOML = """
[experiment]
title = "Does it work?"
seed = 7
[study]
min_ms = 10
practice = 1
unreviewed = true
[[prompt]]
id = "p1"
text = "A red boat on a lake"
[[condition]]
name = "plain"
[[condition]]
name = "steered"
scorer = "qalign-quality"
"""


@pytest.fixture
def plan(tmp_path: Path) -> Deployment:
    return Deployment(folder=tmp_path / "my-study", out=tmp_path / "deploy", url="postgresql://study:geheim@localhost/study")


def written(plan: Deployment, name: str) -> str:
    write(plan)
    return (plan.out / name).read_text(encoding="utf-8")


# --- What is refused ---


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        (
            {"url": "sqlite:////srv/study.sqlite"},
            r"2 processes cannot share an SQLite file.*Give --database postgresql://.*or --processes 1",
        ),
        ({"url": "localhost"}, r"no address of a database; expected postgresql://USER:PASSWORD@HOST/NAME"),
        ({"url": "postgresql://study:it's@localhost/study"}, r"apostrophe.*write an apostrophe as %27"),
        ({"host": "https://study.example.org"}, r"no name of a machine; expected one as in study\.example\.org"),
        ({"certificate": Path("/etc/full.pem"), "host": "a.org"}, r"--key is missing"),
        ({"key": Path("/etc/key.pem"), "host": "a.org"}, r"--certificate is missing"),
        ({"certificate": Path("/etc/full.pem"), "key": Path("/etc/key.pem")}, r"--host is missing"),
        ({"first_port": 65_535}, r"go beyond 65535; lower --first-port"),
        ({"port": 8512}, r"port 8512 would be nginx's and a process's"),
        ({"folder": Path("/srv/my study")}, r"/srv/my study: nginx or systemd would misread this"),
        ({"out": Path("/srv/a;b")}, r"/srv/a;b: nginx or systemd would misread this"),
    ],
)
def test_what_cannot_work_is_refused_and_nothing_written(plan: Deployment, changes: dict[str, object], told: str) -> None:
    with pytest.raises(ExperimentError, match=told) as error:
        write(replace(plan, **changes))  # type: ignore[arg-type]
    assert "geheim" not in str(error.value)
    assert not plan.out.exists()


def test_one_process_may_have_an_sqlite_file(plan: Deployment) -> None:
    assert "apt-get install nginx-light python3-venv certbot" in written(
        replace(plan, url="sqlite:////srv/study.sqlite", processes=1), "README.md"
    )


# --- What is written ---


def test_only_the_environment_knows_the_password_and_only_its_owner_reads_it(plan: Deployment) -> None:
    for path in write(plan):
        assert ("geheim" in path.read_text(encoding="utf-8")) == (path.name == "environment")
    assert stat.S_IMODE((plan.out / "environment").stat().st_mode) == 0o600
    assert stat.S_IMODE((plan.out / "start").stat().st_mode) == 0o755


def test_the_shell_reads_back_any_address_of_a_database(plan: Deployment) -> None:
    url = 'postgresql://study:$HOME`id`"%27;#@localhost/study?options=-c%20a'
    write(replace(plan, url=url))
    script = f'set -a; . {plan.out}/environment; printf "%s" "$TASTEBENCH_DATABASE"'
    assert subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True).stdout == url


def test_every_process_is_in_nginx_in_the_steps_and_in_the_trial(plan: Deployment) -> None:
    three = replace(plan, processes=3, first_port=9000)
    for name in ("study.conf", "start", "README.md"):
        assert set(re.findall(r"\b900\d\b", written(three, name))) == {"9000", "9001", "9002"}


def test_a_trial_is_reached_from_this_machine_only(plan: Deployment) -> None:
    assert "listen 127.0.0.1:80;" in written(plan, "study.conf")
    assert "listen 80;" in written(replace(plan, host="study.example.org"), "study.conf")


def test_with_a_certificate_everybody_is_sent_to_https(plan: Deployment) -> None:
    secure = replace(plan, host="study.example.org", port=443, certificate=Path("/etc/full.pem"), key=Path("/etc/key.pem"))
    configuration = written(secure, "study.conf")
    assert "listen 443 ssl;" in configuration
    assert "return 301 https://$host$request_uri;" in configuration
    assert "Strict-Transport-Security" in configuration
    assert "https://study.example.org/start" in written(secure, "README.md")


def test_the_rating_study_is_served_and_backed_up_as_such(plan: Deployment) -> None:
    rating = replace(plan, rating=True)
    for name in ("start", "backup", "tastebench-study@.service"):
        assert "--rating" in written(rating, name)
        assert "--rating" not in written(plan, name)


def test_the_scripts_are_sound_shell(plan: Deployment) -> None:
    write(plan)
    for name in ("start", "backup"):
        subprocess.run(["sh", "-n", plan.out / name], check=True)


@pytest.mark.deploy
def test_the_trial_does_not_start_beside_another_program_on_its_ports(plan: Deployment) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        write(replace(plan, first_port=port, processes=1, port=free_ports(1)[0]))
        needs_nginx()
        told = subprocess.run([plan.out / "start"], capture_output=True, text=True, check=False, env=os.environ | {"PATH": PATH})
    assert told.returncode == 2
    assert f"Port {port} cannot be used" in told.stderr


def test_the_command_writes_beside_the_experiment_and_hides_the_password(tmp_path: Path) -> None:
    app = typer.Typer()

    @app.callback()
    def _settle(context: typer.Context) -> None:
        context.obj = lambda folder: (Experiment(folder), SETTINGS)

    app.add_typer(commands.app)
    database = ["--database", "postgresql://study:geheim@localhost/study"]
    told = CliRunner().invoke(app, ["deploy", str(tmp_path), *database, "--host", "study.example.org"])
    assert told.exit_code == 0, told.output
    assert "2 processes with postgresql://study:***@localhost/study behind http://study.example.org" in told.output
    assert "Without a certificate, answers and cookies travel in the open" in told.output
    assert (tmp_path / "deploy" / "study.conf").exists()


# --- Tried with a real nginx ---


def needs_nginx() -> str:
    if NGINX is None:
        pytest.skip("no nginx on this machine")
    return NGINX


@pytest.mark.deploy
@pytest.mark.parametrize("secure", [False, True])
def test_nginx_finds_no_mistake_in_what_is_written(plan: Deployment, tmp_path: Path, *, secure: bool) -> None:
    nginx = needs_nginx()
    if secure:
        files = {"certificate": tmp_path / "full.pem", "key": tmp_path / "key.pem"}
        options = ("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=study.example.org")
        subprocess.run(["openssl", *options, "-out", files["certificate"], "-keyout", files["key"]], check=True, stderr=subprocess.DEVNULL)
        plan = replace(plan, host="study.example.org", port=8443, **files)  # type: ignore[arg-type]
    write(plan)
    (plan.out / "run").mkdir()
    command = [nginx, "-t", "-p", f"{plan.out}/", "-c", "nginx.conf", "-e", "stderr"]
    told = subprocess.run(command, capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stderr
    assert "[warn]" not in told.stderr


@pytest.mark.deploy
def test_a_participant_goes_on_with_the_other_process_when_theirs_is_killed(tmp_path: Path, postgres_url: str) -> None:
    needs_nginx()
    experiment = make_experiment(tmp_path / "experiment")
    experiment.settings.write_text(STUDY_TOML, encoding="utf-8")
    first, port = neighbours(), neighbours()
    plan = Deployment(folder=experiment.folder, out=tmp_path / "deploy", url=postgres_url, port=port, first_port=first)
    write(plan)
    with started(plan):
        people = asyncio.run(take_part(plan))
        session = open_study(experiment, SETTINGS, url=postgres_url)
        for person in people:
            check_all_there(session, person)
        session.database.close()
        check_what_is_held_back(port)
    assert not alive(plan)


async def take_part(plan: Deployment) -> list[Participant]:
    """Let eight people take part, and kill a process when each of them has answered something."""
    people = [Participant(plan.address, f"person-{n}", thinking=0.1, seed=n) for n in range(8)]
    forever = asyncio.Event()

    async def whole_way(person: Participant) -> None:
        await person.answer_until(await person.to_first_pair(), forever)

    async with asyncio.timeout(300), asyncio.TaskGroup() as group:
        tasks = [group.create_task(whole_way(person)) for person in people]
        while not all(person.acknowledged for person in people):
            await asyncio.sleep(0.02)
        assert not all(task.done() for task in tasks)
        os.kill(serving(plan.ports[0]), signal.SIGKILL)
    for person in people:
        await person.close()
    return people


def check_all_there(session: Session, person: Participant) -> None:
    assert session.place(person.name).stage == "thanks"
    with session.database.reading() as rows:
        query = "SELECT token FROM answer JOIN trial ON trial.id = answer.trial WHERE participant = %s ORDER BY step"
        stored = [row.token for row in rows._connection.exec_driver_sql(query, (person.name,))]
    # One of practice and six comparisons; the one under way when the process died may be told of by the next page.
    assert len(stored) == 7
    assert [token for token in stored if token in set(person.acknowledged)] == person.acknowledged


def check_what_is_held_back(port: int) -> None:
    assert request(port, "/start", method="POST", body=b"x").status == 405
    assert request(port, "/", headers={"X-Long": "x" * 9000}).status == 400
    assert request(port, "/_stcore/metrics").status == 404
    assert "1." not in request(port, "/nothing").headers["Server"]
    # A lecture theatre behind one address comes in; one person's page that asks and asks does not.
    assert {request(port, f"/start?participant=listener-{n}").status for n in range(150)} == {303}
    asked = asyncio.run(ask_without_end(port))
    assert asked.count(429) > 0
    assert request(port, "/stim/unknown", headers={"Cookie": f"study={'b' * 32}"}).status == 404


async def ask_without_end(port: int) -> list[int]:
    connections = [Http(f"http://127.0.0.1:{port}") for _ in range(8)]
    found: list[int] = []

    async def ask(http: Http) -> None:
        http.cookie = f"study={'a' * 32}"
        for _ in range(60):
            try:
                found.append((await http.get("/stim/unknown"))[0])
            except GONE:
                http.close()
        http.close()

    await asyncio.gather(*(ask(http) for http in connections))
    return found


@contextmanager
def started(plan: Deployment) -> Iterator[None]:
    """Run the trial script until the study answers; an interrupt then ends all of it."""
    log = (plan.out / "log").open("wb")
    process = subprocess.Popen([plan.out / "start"], stdout=log, stderr=log, start_new_session=True, env=os.environ | {"PATH": PATH})
    try:
        until = time.monotonic() + 300
        while b"The study is open" not in (said := (plan.out / "log").read_bytes()):
            if process.poll() is not None or time.monotonic() > until:
                raise AssertionError(said.decode() + "".join(path.read_text() for path in (plan.out / "run").glob("*.log")))
            time.sleep(0.1)
        time.sleep(0.3)
        yield
        process.send_signal(signal.SIGINT)
        process.wait(timeout=120)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        log.close()


def serving(port: int) -> int:
    """Return the process that serves on a port."""
    return next(pid for pid, command in commands_running() if f"--server.port={port}" in command)


def alive(plan: Deployment) -> list[str]:
    ours = re.compile("|".join([re.escape(str(plan.out)), *(rf"port[= ]{port}\b" for port in plan.ports)]))
    return [command for _, command in commands_running() if ours.search(command)]


def commands_running() -> Iterator[tuple[int, str]]:
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            yield int(folder.name), (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue


def neighbours() -> int:
    """Return a port that is free, and whose neighbour is."""
    return free_ports(2)[0]
