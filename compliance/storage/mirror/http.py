"""HTTP to a tracking server: credentials, TLS, proxies and time limits, and nothing of what is said over it.

MLflow's own client tries a refused port for four minutes; a command that logs evidence may not. One try,
two seconds to connect, ten to answer. The environment variables are MLflow's (`MLFLOW_TRACKING_USERNAME`…).
"""

import json
import ssl
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import unquote, urlencode, urlsplit
from urllib.request import getproxies, proxy_bypass

from compliance.errors import Unavailable, UnknownReference
from compliance.storage.mirror.tracking import without_credentials

LATER = "The evidence is safe in the ledger. When the server answers again, run `compliance sync`."
PIECE = 1 << 20
MAX_ANSWER = 1 << 28
"""Bytes of one JSON answer, unpacked: a thousand runs with all that MLflow lets each hold stay below it."""
CONNECT_SECONDS = 2.0
READ_SECONDS = 10.0


class Http:
    """One keep-alive connection pool to one server."""

    def __init__(self, uri: str, environment: Mapping[str, str]) -> None:
        import urllib3

        self.label = without_credentials(uri).rstrip("/")
        limits: dict[str, Any] = {
            "timeout": urllib3.Timeout(connect=CONNECT_SECONDS, read=READ_SECONDS),
            "retries": False,
            "headers": {"Authorization": value} if (value := _authorization(uri, environment)) else {},
            "ssl_context": _tls(environment) if uri.startswith("https:") else None,
        }
        parts = urlsplit(self.label)
        proxy = getproxies().get(parts.scheme)
        if proxy and not proxy_bypass(parts.netloc):
            self._pool: urllib3.PoolManager = urllib3.ProxyManager(proxy, **limits)
        else:
            self._pool = urllib3.PoolManager(**limits)

    def json(self, method: str, path: str, body: Any = None, query: Mapping[str, str] | None = None) -> dict[str, Any]:
        """Send JSON and return the JSON that comes back."""
        data = None if body is None else json.dumps(body, ensure_ascii=False).encode()
        with self.as_mlflow():
            answer = json.loads(self._whole(self._send(method, path, query, data, preload_content=False)))
        if not isinstance(answer, dict):
            raise self._stranger()
        return answer

    @contextmanager
    def as_mlflow(self) -> Iterator[None]:
        """Say of an answer that is not shaped as MLflow's that it is none; what a server sends is never our fault."""
        try:
            yield
        except (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError) as error:
            raise self._stranger() from error

    def pages(self, ask: Callable[[str], dict[str, Any]]) -> Iterator[dict[str, Any]]:
        """Yield every page of a search. Raises Unavailable where the server gives one page twice: it has no end."""
        page, seen = "", set()
        while True:
            answer = ask(page)
            yield answer
            page = str(answer.get("next_page_token") or "")
            if not page:
                return
            if page in seen:
                raise self._stranger()
            seen.add(page)

    def _stranger(self) -> Unavailable:
        return Unavailable(
            f"{self.label} does not answer like an MLflow server.",
            remedy="Check the tracking URI; see `compliance doctor`.",
        )

    def _whole(self, response: Any) -> bytes:
        """Return an answer's body, unpacked. Raises Unavailable for one without measure."""
        import urllib3

        body = bytearray()
        try:
            for piece in response.stream(PIECE):
                body += piece
                if len(body) > MAX_ANSWER:
                    response.close()
                    raise Unavailable(
                        f"{self.label} answers with more than {MAX_ANSWER >> 20} MB.",
                        remedy="Check the tracking URI; see `compliance doctor`.",
                    )
        except urllib3.exceptions.HTTPError as error:
            raise self._unreachable(error) from error
        finally:
            response.release_conn()
        return bytes(body)

    def put(self, path: str, data: Any, size: int) -> None:
        """Upload bytes or an open file."""
        self._send("PUT", path, None, data, {"Content-Type": "application/octet-stream", "Content-Length": str(size)})

    def pieces(self, path: str) -> Iterator[bytes]:
        """Yield a file in pieces."""
        import urllib3

        response = self._send("GET", path, None, None, preload_content=False)
        try:
            yield from response.stream(PIECE)
        except urllib3.exceptions.HTTPError as error:
            raise self._unreachable(error) from error
        finally:
            response.release_conn()

    def _send(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None,
        body: Any,
        headers: Mapping[str, str] | None = None,
        *,
        preload_content: bool = True,
    ) -> Any:
        import urllib3

        url = f"{self.label}{path}" + (f"?{urlencode(query)}" if query else "")
        merged = {**self._pool.headers, **(headers or {"Content-Type": "application/json"})}
        try:
            response = self._pool.request(
                method, url, body=body, headers=merged, redirect=False, preload_content=preload_content
            )
        except urllib3.exceptions.HTTPError as error:
            raise self._unreachable(error) from error
        if response.status == 200:
            return response
        text = response.data[:2_000] if preload_content else response.read(2_000)
        response.release_conn()
        raise self._refused(response.status, text)

    def _unreachable(self, error: Exception) -> Unavailable:
        return Unavailable(f"MLflow at {self.label} cannot be reached ({type(error).__name__}).", remedy=LATER)

    def _refused(self, status: int, text: bytes) -> Exception:
        try:
            answer = json.loads(text)
            code, message = str(answer.get("error_code", "")), str(answer.get("message", ""))
        except (ValueError, AttributeError):
            code, message = "", ""
        if code == "RESOURCE_DOES_NOT_EXIST" or (status == 404 and code):
            return UnknownReference(f"MLflow at {self.label}: {message}", remedy="Check the id.", code=code)
        if status in {401, 403}:
            return Unavailable(
                f"MLflow at {self.label} refuses our credentials (HTTP {status}).",
                remedy="Set MLFLOW_TRACKING_USERNAME and _PASSWORD, or MLFLOW_TRACKING_TOKEN; then `compliance sync`.",
            )
        said = f": {message[:500]}" if message else ""
        return Unavailable(
            f"MLflow at {self.label} answers HTTP {status}{said}.",
            remedy=LATER,
            refused=status in {400, 413},
            code=code,
            status=status,
        )


def _authorization(uri: str, environment: Mapping[str, str]) -> str | None:
    parts = urlsplit(uri)
    user = environment.get("MLFLOW_TRACKING_USERNAME") or unquote(parts.username or "")
    password = environment.get("MLFLOW_TRACKING_PASSWORD") or unquote(parts.password or "")
    if user and password:
        return "Basic " + b64encode(f"{user}:{password}".encode()).decode()
    token = environment.get("MLFLOW_TRACKING_TOKEN")
    return f"Bearer {token}" if token else None


def _tls(environment: Mapping[str, str]) -> ssl.SSLContext:
    authorities = environment.get("MLFLOW_TRACKING_SERVER_CERT_PATH") or environment.get("REQUESTS_CA_BUNDLE")
    try:
        context = ssl.create_default_context(cafile=authorities)
        if certificate := environment.get("MLFLOW_TRACKING_CLIENT_CERT_PATH"):
            context.load_cert_chain(certificate)
    except OSError as error:
        raise Unavailable(
            f"The certificates for MLflow cannot be read: {error.strerror or error}.",
            remedy="Check MLFLOW_TRACKING_SERVER_CERT_PATH and MLFLOW_TRACKING_CLIENT_CERT_PATH.",
        ) from error
    if environment.get("MLFLOW_TRACKING_INSECURE_TLS", "").lower() in {"true", "1"}:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
