"""What every answer of the portal has in common: headers, the page frame, who asks, and the log of it.

Nothing here writes but the log. The content security policy allows this server's own style, script, fonts and
addresses, and nothing inline; what evidence contains can neither run nor call out.
"""

import base64
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from fastapi import Request, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from compliance.core.cited import visible
from compliance.core.evidence import EVIDENCE_NUMBER, evidence_number
from compliance.errors import ComplianceError, InvalidInput
from compliance.portal.records import Record, Records
from compliance.portal.scope import Scope as GrantScope
from compliance.portal.state import Portal, now
from compliance.storage import assets
from compliance.storage.access import Grant

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; font-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), interest-cohort=()",
}
_RAW_HEADERS = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]
_LONGEST_LOGGED = 500
_KEPT_LINES = 20_000


class SecurityHeaders:
    """ASGI middleware: every answer carries them, and only fonts and style may be kept by a browser."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = message["headers"]
                headers.extend(_RAW_HEADERS)
                if not any(name == b"cache-control" for name, _ in headers):
                    headers.append((b"cache-control", b"no-store"))
            await send(message)

        await self.app(scope, receive, send_with_headers)


class NotHere(InvalidInput):
    """There is no such page, or it is outside the grant's scope: the two are not told apart."""

    code = "not-here"

    def __init__(self) -> None:
        super().__init__(
            "There is no such page in the scope of your grant.", remedy="Check the address, or ask who granted access."
        )


@dataclass(frozen=True)
class Visit:
    """One authorised request: who asks for what, and what they may see."""

    pages: "Pages"
    request: Request
    grant: Grant
    scope: GrantScope

    @property
    def portal(self) -> Portal:
        return self.pages.portal

    @cached_property
    def records(self) -> Records:
        return self.portal.records()

    @property
    def query(self) -> Mapping[str, str]:
        return self.request.query_params

    def record(self, number: str) -> Record:
        """Return the row behind an EV number. Raises NotHere outside the scope."""
        index = int(number.removeprefix("EV-")) if EVIDENCE_NUMBER.fullmatch(number) else -1
        if not 0 <= index < len(self.records.rows):
            raise NotHere
        row = self.records.rows[index]
        if not self.scope.sees(row):
            raise NotHere
        return row

    def sees_number(self, number: str) -> bool:
        index = int(number.removeprefix("EV-"))
        return index < len(self.records.rows) and self.scope.sees(self.records.rows[index])

    def locate(self, name: str, sha256: str) -> str | None:
        """Return the page about a thing or record named by name and digest, or None outside the scope."""
        index = self.records.number_of(sha256) if name.startswith("EV-") else self.records.homes.get((name, sha256))
        if index is None or not self.scope.sees(self.records.rows[index]):
            return None
        return f"/evidence/{evidence_number(index)}"

    def linked(self, text: str) -> Markup:
        """Return text as HTML in which evidence numbers in scope are links."""
        shown = visible(text)
        return Markup(EVIDENCE_NUMBER.sub(lambda found: self._link(found[0]), shown))  # escaped by `visible`

    def _link(self, number: str) -> str:
        return f'<a class="ev" href="/evidence/{number}">{number}</a>' if self.sees_number(number) else number


Handler = Callable[[Visit], Awaitable[Response]]


class Pages:
    """Renders templates and guards handlers."""

    def __init__(self, portal: Portal) -> None:
        self.portal = portal
        folder = assets.folder("templates") / "portal"
        self.environment = Environment(
            loader=FileSystemLoader(folder),
            autoescape=True,
            undefined=StrictUndefined,
            finalize=_shown,
            auto_reload=False,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self.environment.globals["system"] = portal.ws.config.system
        self.environment.globals["number"] = evidence_number
        self.environment.globals["line"] = self.line
        self._lines: dict[tuple[str, str], Markup] = {}
        self.environment.filters["key_id"] = key_id
        self.environment.filters["moment"] = _moment
        self.environment.filters["short"] = lambda digest: digest[:12]

    def render(self, visit: Visit, template: str, status: int = 200, **context: Any) -> Response:
        """Return a page inside the frame."""
        records = visit.records
        last = records.rows[-1] if records.rows else None
        text = self.environment.get_template(template).render(
            visit=visit, grant=visit.grant, last=last, size=len(records.rows), **context
        )
        return Response(text, status, media_type="text/html")

    def line(self, record: Record, state: str) -> Markup:
        """Return a record's line of a list. What it prints never changes but for the state, so it is rendered once."""
        key = record.digest, state
        if key not in self._lines:
            if len(self._lines) >= _KEPT_LINES:
                self._lines.clear()
            macros: Any = self.environment.get_template("macros.html").module
            self._lines[key] = macros.record_line(record, state)
        return self._lines[key]

    def bare(self, template: str, status: int = 200, **context: Any) -> Response:
        """Return a page for someone who has not signed in."""
        text = self.environment.get_template(template).render(**context)
        return Response(text, status, media_type="text/html")

    def guarded(self, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
        """Return the endpoint: only for an open session, every view logged, errors in words."""

        async def endpoint(request: Request) -> Response:
            access, moment = self.portal.access, now()
            grant = access.session(request.cookies.get(cookie_name(request), ""), moment)
            if grant is None:
                return self.bare("signed-out.html", 401)
            visit = Visit(self, request, grant, GrantScope.of(grant))
            try:
                response = await handler(visit)
            except NotHere as error:
                response = self.render(visit, "error.html", 404, error=error)
            except ComplianceError as error:
                response = self.render(visit, "error.html", 503, error=error)
            access.log(grant.id, grant.holder, _what(request), response.status_code, moment)
            return response

        return endpoint


def cookie_name(request: Request) -> str:
    """Return the session cookie's name; the prefix makes browsers insist on Secure, no domain and the whole path."""
    return "session" if on_loopback(request) else "__Host-session"


def on_loopback(request: Request) -> bool:
    """Say whether the browser came over plain HTTP from this very machine, the one case without TLS."""
    return request.url.scheme == "http" and request.url.hostname in ("127.0.0.1", "localhost", "::1")


def key_id(hint: str) -> str:
    """Return a key's id as an address can carry it: the hex of what cosign's hint has in base64."""
    return base64.b64decode(hint).hex()


def _what(request: Request) -> str:
    query = f"?{request.url.query}" if request.url.query else ""
    return f"{request.method} {request.url.path}{query}"[:_LONGEST_LOGGED]


def _shown(value: Any) -> Any:
    """Escape text with its invisible characters spelled out; let markup and numbers of ours through."""
    return Markup(visible(value)) if type(value) is str else value  # `visible` escapes


def _moment(text: str) -> Markup:
    """Return a UtcTime as a reader's date with its zone; the exact form is in the element."""
    shown = visible(text.replace("T", " ").replace("Z", " UTC"))
    return Markup(f'<time datetime="{visible(text)}">{shown}</time>')
