"""Keep the evidence complete as things happen: look at MLflow again and again, and at once when a webhook says so.

A webhook only wakes the watcher, which then asks MLflow itself: nothing that a delivery says is believed. What
happened while MLflow or the watcher was down is found at the next look, so an outage loses nothing.
"""

import asyncio
import threading
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from compliance.core.webhook import verify_delivery
from compliance.errors import Unavailable, VerificationFailed
from compliance.services import mirroring
from compliance.services.completeness import Look, capture_all

if TYPE_CHECKING:
    import socket

    from compliance.services.workspace import Workspace

SECRET = "COMPLIANCE_WEBHOOK_SECRET"
PATH = "/mlflow"
LARGEST = 1 << 20
"""Bytes of a delivery; MLflow's own are a few hundred."""
PATIENCE_SECONDS = 10.0
"""For a whole delivery, which is sent at once."""
CONNECTIONS = 100
REMEMBERED = 1_000
"""Ids of deliveries, so that a repeated one wakes nobody."""
Message = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]
Receive = Callable[[], Awaitable[Message]]


@dataclass(frozen=True, slots=True)
class Seen:
    """One look of the watcher, or why there was none."""

    look: Look | None
    problem: str = ""


def watch(ws: "Workspace", *, every: float, wake: threading.Event, key: str | None = None) -> Iterator[Seen]:
    """Yield what each look found, for ever: every `every` seconds, and whenever `wake` is set.

    Where MLflow cannot be reached, says so and tries again.
    """
    while True:
        wake.clear()
        try:
            yield Seen(capture_all(ws, key=key, thorough=False))
        except Unavailable as error:
            mirroring.forget(ws)
            yield Seen(None, error.problem)
        wake.wait(every)


@contextmanager
def listening(listener: "socket.socket", secret: bytes, wake: threading.Event) -> Iterator[None]:
    """Take webhook deliveries on `listener` in a thread of its own, until the block ends."""
    import uvicorn
    from uvicorn.protocols.http.h11_impl import H11Protocol

    class Brief(H11Protocol):
        """Ends every connection after a while, also one whose headers never end."""

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            self.loop.call_later(2 * PATIENCE_SECONDS, transport.abort)

    config = uvicorn.Config(
        Endpoint(secret, wake.set),
        http=Brief,
        access_log=False,
        log_level="warning",
        server_header=False,
        lifespan="off",
        limit_concurrency=CONNECTIONS,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.should_exit = True
        thread.join(timeout=5)


class Endpoint:
    """An ASGI application with one address: 204 for a delivery that is signed, 401 for one that is not."""

    def __init__(self, secret: bytes, wake: Callable[[], None], clock: Callable[[], float] = time.time) -> None:
        self._secret, self._wake, self._clock = secret, wake, clock
        self._taken: OrderedDict[str, None] = OrderedDict()

    async def __call__(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        status = 404
        if scope["path"] == PATH:
            status = await self._deliver(scope, receive) if scope["method"] == "POST" else 405
        await send({"type": "http.response.start", "status": status, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body"})

    async def _deliver(self, scope: Mapping[str, Any], receive: Receive) -> int:
        body = b""
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                more = True
                while more:
                    message = await receive()
                    body += message.get("body", b"")
                    if len(body) > LARGEST:
                        return 413
                    more = bool(message.get("more_body"))
        except TimeoutError:
            return 408
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        try:
            delivery = verify_delivery(self._secret, headers, body, self._clock())
        except VerificationFailed:
            return 401
        if delivery not in self._taken:
            self._taken[delivery] = None
            if len(self._taken) > REMEMBERED:
                self._taken.popitem(last=False)
            self._wake()
        return 204
