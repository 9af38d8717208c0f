"""Attempts by what is written in an address, or around it: paths, ids, headers and verbs."""

import http.client
import re
import secrets
import socket
from contextlib import closing

from attacked_study import Attacked
from attempts import MARKUP, SQL, Attempts, named, refused
from served_study import PATIENCE_S
from visitor import request

CRLF = "x%0d%0aSet-Cookie:%20study=stolen"
BY_ADDRESS: Attempts = {}


@named("images of somebody who has finished", BY_ADDRESS)
def _(study: Attacked) -> None:
    addresses = [f"/stim/{token}" for row in study.trials("finished") for token in (row.left_token, row.right_token)]
    assert len(addresses) > 4
    for address in addresses:
        refused(study, address, (404,))
    assert study.get(f"/stim/{study.due('attacker').left_token}")[0] == 200


@named("image addresses that were made up", BY_ADDRESS)
def _(study: Attacked) -> None:
    own = study.due("attacker")
    stimulus = own.left_stimulus
    for token in (own.token, own.left_token[:-1], own.left_token + "A", "0", stimulus, SQL.replace(" ", "%20"), "%01", "%ff", "x" * 5000):
        refused(study, f"/stim/{token}", (404,))
    for _ in range(100):
        refused(study, f"/stim/{secrets.token_urlsafe(16)}", (404,))


@named("paths that climb out of a folder", BY_ADDRESS)
def _(study: Attacked) -> None:
    climbs = ("../", "..%2f", "%2e%2e/", "%2e%2e%2f", "%252e%252e%252f", "..\\", "..%5c", "....//", "%c0%ae%c0%ae/", "..%00/")
    for start in ("/stim/", "/static/", "/static/js/", "/", "/app/static/", "/_stcore/bidi-components/", "/favicon.png/"):
        for climb in climbs:
            for goal in ("etc/passwd", "study.sqlite", "study.key"):
                refused(study, start + climb * 9 + goal, (400, 403, 404))


@named("files of the experiment by their names", BY_ADDRESS)
def _(study: Attacked) -> None:
    for name in ("study.toml", "study.sqlite", "study.key", "stimuli.parquet", "images/", "app.py", "pages.py", ".git/config"):
        for start in ("/", "/static/", "/app/static/", "//", f"/{study.served.experiment.folder}/"):
            body = study.get(start + name)[2]
            assert body[:15] != b"SQLite format 3"
            assert not body or b"<!doctype html>" in body.lower() or len(body) < 200
            assert study.served.experiment.secret.read_bytes().strip() not in body


@named("what Streamlit offers and a study does not need", BY_ADDRESS)
def _(study: Attacked) -> None:
    paths = (
        "_stcore/upload_file/a/b",
        "_stcore/metrics",
        "_stcore/script-health-check",
        "_stcore/agent/interact",
        "component/x",
        "media/x",
    )
    for path in paths:
        for method in ("GET", "PUT", "POST", "DELETE"):
            reply = request(study.port, f"/{path}", method=method, body=b"x" * 1000 if method in ("PUT", "POST") else None)
            assert reply.status == 404
    for path in ("auth/login", "auth/logout", "oauth2callback"):
        assert request(study.port, f"/{path}?provider=x&state=y&code=z").status == 404


@named("other verbs than reading", BY_ADDRESS)
def _(study: Attacked) -> None:
    for path in ("/", "/start", "/start?participant=mallory", "/stim/x", "/_stcore/health", "/favicon.png"):
        for method in ("POST", "PUT", "PATCH", "DELETE", "TRACE", "CONNECT", "PROPFIND", "BREW"):
            assert request(study.port, path, method=method, body=b"participant=mallory").status in (400, 405)


@named("HTML, SQL, zero bytes and line breaks in the id", BY_ADDRESS)
def _(study: Attacked) -> None:
    for written in (MARKUP, "%3Cscript%3Ealert(1)%3C/script%3E", SQL.replace(" ", "%20"), "a%00b", "", "%", "%ff", "x" * 65, "a%20b", CRLF):
        status, headers, body = study.get(f"/start?participant={written}")
        assert status == 400
        assert b"<script" not in body
        assert "set-cookie" not in headers.lower()
        assert b"expected 1 to 64 letters, digits, - or _." in body


@named("line breaks that would end a header", BY_ADDRESS)
def _(study: Attacked) -> None:
    for path in (f"/start?{CRLF}", f"/?{CRLF}", f"/{CRLF}", f"/stim/{CRLF}", f"/start?a=b&{CRLF}#%0d%0a"):
        status, headers, _ = study.get(path)
        assert status in (200, 303, 400, 404)
        assert "stolen" not in re.sub(r"(?m)^location:.*$", "", headers.lower())


@named("being sent to another site", BY_ADDRESS)
def _(study: Attacked) -> None:
    elsewhere = {"Host": "evil.example", "X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example"}
    for query in ("next=https://evil.example", "return_to=//evil.example", "redirect=https:evil.example", "started=//evil.example"):
        status, headers, _ = study.get(f"/start?{query}", headers=elsewhere)
        assert status == 303
        assert re.findall(r"(?im)^location: (.*)$", headers) == ["/?started=1"]
    for path in (
        "//evil.example",
        "//evil.example/start",
        "/\\evil.example",
        "/start//evil.example",
        "/%2f%2fevil.example",
        "///evil.example/..",
    ):
        status, headers, _ = study.get(path, as_=None)
        assert not re.search(r"(?im)^location:\s*(https?:|[/\\]{2})", headers), path
    with study.page("finished") as page:
        message = page.message()
        message.rerun_script.query_string = "started=1&return_to=https://evil.example&cc=X"
        page.socket.send(message.SerializeToString())
        shown = page.shown().data
        assert (shown["code"], shown["back"]) == ("C0DE", "https://panel.example/?cc=C0DE")


@named("addresses and headers of unusual size", BY_ADDRESS)
def _(study: Attacked) -> None:
    for path, headers in (
        (f"/start?a={'x' * 60_000}", {}),
        (f"/?started=1&{'&'.join(f'p{number}=1' for number in range(5000))}", {}),
        (f"/stim/{'x' * 60_000}", {}),
        ("/start", {"X-Long": "y" * 60_000}),
        ("/", {"Cookie": f"study={'y' * 60_000}"}),
        ("/start", {f"X-{number}": "y" for number in range(2000)}),
    ):
        try:
            status = request(study.port, path, headers={"Cookie": f"study={study.keys['attacker']}"} | headers).status
        except (OSError, http.client.HTTPException):
            continue
        assert status in (200, 303, 400, 404, 413, 414, 431), (path[:30], status)


@named("requests that are no HTTP", BY_ADDRESS)
def _(study: Attacked) -> None:
    host = f"Host: 127.0.0.1:{study.port}\r\n".encode()
    for sent in (
        b"\x16\x03\x01" + bytes(500),
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n" + host + b"\r\n",
        b"GET /start\r\n x HTTP/1.1\r\n\r\n",
        b"POST /start HTTP/1.1\r\n"
        + host
        + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /start?participant=smuggled HTTP/1.1\r\n\r\n",
        b"POST /start HTTP/1.1\r\n" + host + b"Content-Length: -1\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + host + b"Host: evil.example\r\nCookie: \xff\xfe\r\n\r\n",
    ):
        with closing(socket.create_connection(("127.0.0.1", study.port), timeout=PATIENCE_S)) as line:
            line.sendall(sent)
            line.shutdown(socket.SHUT_WR)
            while line.recv(65536):
                pass
