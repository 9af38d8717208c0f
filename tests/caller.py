"""A browser without a window: it keeps cookies, follows nothing, and can send the researcher's pages whatever it likes."""

import http.client
import json
import re
from dataclasses import dataclass, field
from email.message import Message
from urllib.parse import urlencode, urlsplit

_TOKEN = re.compile(r'(?:name="form_token" value|data-form-token)="([0-9a-f]{64})"')


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: Message
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def form_token(self) -> str:
        found = _TOKEN.search(self.text)
        assert found, self.text
        return found[1]


@dataclass
class Caller:
    """One browser at one address."""

    address: str
    cookies: dict[str, str] = field(default_factory=dict)

    def get(self, path: str, **headers: str) -> Answer:
        return self.send("GET", path, headers=headers)

    def post(self, path: str, fields: dict[str, str], **headers: str) -> Answer:
        headers = {"Content-Type": "application/x-www-form-urlencoded"} | headers
        return self.send("POST", path, urlencode(fields).encode(), headers=headers)

    def post_json(self, path: str, content: object) -> Answer:
        return self.send("POST", path, json.dumps(content).encode(), headers={"Content-Type": "application/json"})

    def send(self, method: str, path: str, body: bytes | None = None, *, headers: dict[str, str]) -> Answer:
        parts = urlsplit(self.address)
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=120)
        kept = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())} if self.cookies else {}
        try:
            connection.request(method, path, body, {name.replace("_", "-"): value for name, value in (kept | headers).items()})
            response = connection.getresponse()
            answer = Answer(response.status, response.headers, response.read())
        finally:
            connection.close()
        for cookie in answer.headers.get_all("Set-Cookie") or ():
            name, _, value = cookie.partition(";")[0].partition("=")
            self.cookies[name] = value
        return answer

    def sign_in(self, password: str) -> Answer:
        return self.post("/login", {"password": password, "form_token": self.get("/login").form_token})
