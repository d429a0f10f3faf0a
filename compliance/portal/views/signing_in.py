"""Coming in and leaving: the only routes that take anything, and all they write is a session.

Opening the link shows a page whose button posts the token, so that a link preview signs nobody in, and no log,
history of this server or Referer holds the token.
"""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs

from fastapi import Request, Response
from starlette.responses import RedirectResponse

from compliance.core.evidence import utc_text
from compliance.portal.web import Pages, cookie_name, on_loopback

SESSION = timedelta(hours=12)
_MAX_FORM = 4096


def enter(pages: Pages) -> Callable[[Request], Awaitable[Response]]:
    """GET /grant/TOKEN: say what the button does."""

    async def endpoint(request: Request) -> Response:
        possible = on_loopback(request) or request.url.scheme == "https"
        return pages.bare("enter.html", token=request.path_params["token"], possible=possible)

    return endpoint


def sign_in(pages: Pages) -> Callable[[Request], Awaitable[Response]]:
    """POST /grant: exchange the token for a session cookie."""

    async def endpoint(request: Request) -> Response:
        if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            return pages.bare("signed-out.html", 403)
        token = await _field(request, "token")
        moment = datetime.now(UTC)
        access = pages.portal.access
        opened = access.open_session(token, utc_text(moment), utc_text(moment + SESSION)) if token else None
        if opened is None:
            access.log("-", "unknown", "POST /grant", 401, utc_text(moment))
            return pages.bare("refused.html", 401)
        grant, session = opened
        access.log(grant.id, grant.holder, "POST /grant", 303, utc_text(moment))
        response = RedirectResponse("/", 303)
        response.set_cookie(
            cookie_name(request), session, max_age=int(SESSION.total_seconds()), path="/", httponly=True,
            samesite="strict", secure=not on_loopback(request),
        )  # fmt: skip
        return response

    return endpoint


def leave(pages: Pages) -> Callable[[Request], Awaitable[Response]]:
    """POST /leave: end the session."""

    async def endpoint(request: Request) -> Response:
        name = cookie_name(request)
        pages.portal.access.close_session(request.cookies.get(name, ""))
        response = pages.bare("left.html")
        response.delete_cookie(name, path="/", httponly=True, samesite="strict", secure=not on_loopback(request))
        return response

    return endpoint


async def _field(request: Request, name: str) -> str | None:
    """Return one field of a small form, or None."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MAX_FORM:
            return None
    values = parse_qs(body.decode("ascii", "replace")).get(name)
    return values[0] if values else None
