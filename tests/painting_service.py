"""A real HTTP server on this machine that speaks the part of Gemini's interface by which images are made."""

import base64
import io
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from anyio.to_thread import run_sync
from PIL import Image
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

Answer = Callable[[str], Response]
KEY = "AIza-not-a-real-key-0123"


def picture(size: tuple[int, int] = (96, 64), colour: tuple[int, int, int] = (200, 40, 30), kind: str = "PNG") -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size, colour).save(buffer, kind)
    return buffer.getvalue()


def painted(content: bytes) -> dict[str, Any]:
    parts = [{"text": "Here you are."}, {"inlineData": {"mimeType": "image/png", "data": base64.b64encode(content).decode()}}]
    return {"candidates": [{"content": {"role": "model", "parts": parts}, "finishReason": "STOP"}]}


class Service:
    """What was asked, and how the next questions are answered."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.keys: list[str | None] = []
        self.paths: list[str] = []
        self.at_once = 0
        self.most_at_once = 0
        self.answers: dict[str, Answer] = {}
        self.otherwise: Answer = lambda _: JSONResponse(painted(picture()))
        self.delay = 0.0
        self.address = ""
        self._lock = threading.Lock()

    @property
    def prompts(self) -> list[str]:
        return [body["contents"][0]["parts"][0]["text"] for body in self.asked]

    def handle(self, request: Request, body: dict[str, Any]) -> Response:
        with self._lock:
            self.asked.append(body)
            self.keys.append(request.headers.get("x-goog-api-key"))
            self.paths.append(request.url.path)
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        time.sleep(self.delay)
        with self._lock:
            self.at_once -= 1
        if request.headers.get("x-goog-api-key") != KEY:
            said = {"error": {"code": 400, "message": f"API key not valid: {request.headers.get('x-goog-api-key')}", "status": "INVALID"}}
            return JSONResponse(said, 403)
        prompt = body["contents"][0]["parts"][0]["text"]
        return self.answers.get(prompt, self.otherwise)(prompt)


@contextmanager
def serving() -> Iterator[Service]:
    """Serve on a free port until the block ends."""
    service = Service()

    async def take(request: Request) -> Response:
        return await run_sync(service.handle, request, json.loads(await request.body()))

    app = Starlette(routes=[Route("/{path:path}", take, methods=["POST"])])
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        while not server.started:
            time.sleep(0.005)
        service.address = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
        yield service
    finally:
        server.should_exit = True
        thread.join()
