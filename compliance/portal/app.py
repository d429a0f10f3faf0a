"""The portal as an ASGI application: routes, and the few files that every page needs.

Apart from signing in and out there is no route that writes, and there is no admin page: grants are made on the
command line. The ledger is opened read-only.
"""

from collections.abc import Awaitable, Callable
from hashlib import sha256
from pathlib import Path

from fastapi import FastAPI, Request, Response

from compliance.portal.state import Portal
from compliance.portal.views import downloads, evidence, overview, records, requirements, signing_in
from compliance.portal.web import Handler, NotHere, Pages, SecurityHeaders, Visit
from compliance.storage import assets

_STATIC_TYPES = {".css": "text/css", ".js": "text/javascript", ".ttf": "font/ttf", ".svg": "image/svg+xml"}

ROUTES: tuple[tuple[str, Handler], ...] = (
    ("/", overview.overview),
    ("/search", records.search),
    ("/requirements", requirements.listed),
    ("/requirements.csv", requirements.exported("csv")),
    ("/requirements.json", requirements.exported("json")),
    ("/requirements/{id:path}", requirements.shown),
    ("/evidence", evidence.listed),
    ("/evidence.csv", evidence.exported("csv")),
    ("/evidence.json", evidence.exported("json")),
    ("/evidence/{number}.sigstore.json", downloads.bundle),
    ("/evidence/{number}.entry.json", downloads.entry),
    ("/evidence/{number}.tlog-proof", downloads.inclusion),
    ("/evidence/{number}/attachments/{sha256}", downloads.attachment),
    ("/evidence/{number}", evidence.shown),
    ("/dossiers", downloads.dossiers),
    ("/dossiers/{path:path}", downloads.dossier),
    ("/lineage", records.lineage),
    ("/approvals", records.approvals),
    ("/approvals.csv", records.approvals_exported("csv")),
    ("/approvals.json", records.approvals_exported("json")),
    ("/keys", records.keys),
    ("/keys/{id}.pem", downloads.key),
    ("/checkpoint", downloads.checkpoint),
    ("/visits", records.visits),
    ("/visits.csv", records.visits_exported("csv")),
    ("/visits.json", records.visits_exported("json")),
    ("/help", records.help_),
)


def create_app(root: Path) -> FastAPI:
    """Return the portal over the workspace at `root`. Raises what opening a workspace raises."""
    pages = Pages(Portal(root))
    pages.portal.records()  # before the first reader waits for it
    app = FastAPI(title="Compliance Tracker", docs_url=None, redoc_url=None, openapi_url=None)
    app.add_middleware(SecurityHeaders)
    app.add_route("/static/{name:path}", _static(), methods=["GET"])
    app.add_route("/grant/{token}", signing_in.enter(pages), methods=["GET"])
    app.add_route("/grant", signing_in.sign_in(pages), methods=["POST"])
    app.add_route("/leave", signing_in.leave(pages), methods=["POST"])
    for path, handler in ROUTES:
        app.add_route(path, pages.guarded(handler), methods=["GET"])
    app.add_route("/{anything:path}", pages.guarded(_nowhere), methods=["GET"])
    return app


async def _nowhere(_: Visit) -> Response:
    raise NotHere


def _static() -> Callable[[Request], Awaitable[Response]]:
    """Serve the portal's own style, script and fonts, read once; nothing else has an address here."""
    templates = assets.folder("templates")
    files = {path.name: path for path in (templates / "portal").glob("*.*") if path.suffix in _STATIC_TYPES}
    files |= {f"fonts/{path.name}": path for path in (templates / "fonts").glob("*.ttf")}
    kept = {name: (path.read_bytes(), _STATIC_TYPES[path.suffix]) for name, path in files.items()}
    tags = {name: f'"{sha256(body).hexdigest()[:32]}"' for name, (body, _) in kept.items()}

    async def endpoint(request: Request) -> Response:
        name = request.path_params["name"]
        if name not in kept:
            return Response("There is no such file.", 404, media_type="text/plain")
        headers = {"ETag": tags[name], "Cache-Control": "private, max-age=3600"}
        if request.headers.get("if-none-match") == tags[name]:
            return Response(status_code=304, headers=headers)
        body, media_type = kept[name]
        return Response(body, media_type=media_type, headers=headers)

    return endpoint
