"""The portal in a real browser: with and without JavaScript, wide and narrow, and judged by axe."""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from compliance import Workspace
from compliance.services import grants

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
if CHROMIUM is None:
    pytest.skip("no Chromium is installed: apt-get install chromium", allow_module_level=True)

AXE = Path(__file__).parents[1] / "interop/node/node_modules/axe-core/axe.min.js"
PAGES = ["/", "/requirements?finding=failed", "/requirements/eu-ai-act/art-15.1", "/evidence", "/dossiers", "/lineage",
         "/approvals", "/keys", "/visits", "/help", "/search?q=risk", "/nowhere"]  # fmt: skip
EVIDENCE = [("evaluation", "risk@2"), ("document", ""), ("model-version", ""), ("acceptance-plan", ""),
            ("system-description", ""), ("approval", "")]  # fmt: skip
DESKTOP, PHONE, ZOOMED = (1280, 900), (390, 844), (320, 256)
"""The last is what 400 % zoom leaves of the first (WCAG 1.4.10)."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture
def enter(browser: Any, served: str, made: Path) -> Iterator[Callable[..., Any]]:
    """Sign in as an auditor does, by link and button; yields pages that collect what the console complains about."""
    contexts = []

    def entered(size: tuple[int, int] = DESKTOP, **options: Any) -> Any:
        with Workspace.open(made, read_only=True) as ws:
            link = grants.create(ws, "Notified body", 1)
        context = browser.new_context(viewport={"width": size[0], "height": size[1]}, base_url=served, **options)
        context.set_default_timeout(20_000)
        contexts.append(context)
        page = context.new_page()
        page.complaints = []
        page.on("console", lambda message: page.complaints.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: page.complaints.append(str(error)))
        page.on("dialog", lambda dialog: (page.complaints.append("a dialog opened"), dialog.dismiss()))
        page.on(
            "request", lambda request: None if request.url.startswith(served) else page.complaints.append(request.url)
        )
        page.goto(link)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url(f"{served}/", wait_until="domcontentloaded")
        return page

    yield entered
    for context in contexts:
        context.close()


@pytest.fixture
def everything(number: Callable[[str, str], str]) -> list[str]:
    return PAGES + [f"/evidence/{number(kind, words)}" for kind, words in EVIDENCE]


@pytest.mark.parametrize(
    ("size", "script"), [(DESKTOP, True), (PHONE, True), (ZOOMED, True), (PHONE, False)],
    ids=["desktop", "phone", "zoomed", "no-script"],
)  # fmt: skip
def test_every_page_reads_at_every_width_and_breaks_no_policy(
    enter: Callable[..., Any], everything: list[str], size: tuple[int, int], script: bool
) -> None:
    page = enter(size, java_script_enabled=script)
    for path in everything:
        page.goto(path)
        assert page.locator("main h1").inner_text().strip(), path
        if script:
            overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            assert overflow <= 0, f"{path} needs sideways scrolling"
    assert [text for text in page.complaints if "404" not in text] == []


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_axe_finds_nothing(enter: Callable[..., Any], everything: list[str], size: tuple[int, int]) -> None:
    if not AXE.exists():
        pytest.skip("axe-core is not installed: run `npm ci --prefix tests/interop/node`")
    page = enter(size, bypass_csp=True)  # axe is injected, which the policy rightly forbids
    found = []
    for path in [*everything, "/grant/x"]:
        page.goto(path)
        for details in page.locator("details").all():
            details.evaluate("one => { one.open = true }")
        page.add_script_tag(path=AXE)
        rules = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
        judged = page.evaluate(f"axe.run({{runOnly: {json.dumps(rules)}}})")
        found += [(path, one["id"], one["nodes"][0]["html"][:200]) for one in judged["violations"]]
    assert found == [], "\n".join(sorted({f"{rule}: {html} ({path})" for path, rule, html in found}))


def test_axe_would_find_a_fault(enter: Callable[..., Any]) -> None:
    if not AXE.exists():
        pytest.skip("axe-core is not installed: run `npm ci --prefix tests/interop/node`")
    page = enter(DESKTOP, bypass_csp=True)
    page.evaluate("document.querySelector('#search').labels[0].remove(); document.documentElement.lang = ''")
    page.add_script_tag(path=AXE)
    assert {one["id"] for one in page.evaluate("axe.run()")["violations"]} >= {"html-has-lang"}


def checked(page: Any) -> list[tuple[str, str]]:
    page.get_by_role("button", name="Check it in this browser").click()
    page.locator(".checked li:nth-child(4), .checked .v-fails").first.wait_for()
    return [tuple(line.inner_text().split(None, 1)) for line in page.locator(".checked li").all()]


def test_the_browser_itself_verifies(enter: Callable[..., Any], number: Callable[[str, str], str]) -> None:
    page = enter()
    for kind, words in EVIDENCE:
        page.goto(f"/evidence/{number(kind, words)}")
        results = checked(page)
        assert [word for word, _ in results] == ["holds"] * 4, results
    assert page.complaints == []


def flip_base64(text: str, member: str) -> str:
    at = text.index(f'"{member}":"') + len(member) + 24
    return text[:at] + ("A" if text[at] != "A" else "B") + text[at + 1 :]


@pytest.mark.parametrize(
    ("file", "change", "stops"),
    [
        (".sigstore.json", lambda text: flip_base64(text, "payload"), "the signature does not match the envelope"),
        (".sigstore.json", lambda text: flip_base64(text, "sig"), "the signature"),
        (".entry.json", lambda text: text.replace('"v":1', '"v":2'), "the proof does not lead to the root"),
        (".entry.json", lambda text: text.replace('"envelope":"', '"envelope":"0'), "names another envelope"),
        (".tlog-proof", lambda text: text.replace("index ", "index 1"), "the proof is about another entry"),
        (".tlog-proof", lambda text: text[:-8] + ("AA" if text[-8:-6] != "AA" else "BB") + text[-6:], "checkpoint"),
        (".pem", None, "the envelope names another key"),
    ],
)
def test_the_browser_notices_what_was_changed_on_the_way(
    enter: Callable[..., Any], number: Callable[[str, str], str], made: Path, file: str, change: Any, stops: str
) -> None:
    page = enter()
    page.goto(f"/evidence/{number('evaluation', 'risk@2')}")
    other = (made / ".compliance/keys/approver.pub").read_text()

    def doctored(route: Any) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, body=change(answer.text()) if change else other)

    page.route(f"**/*{file}", doctored)
    *_, (word, why) = checked(page)
    assert word == "fails"
    assert stops in why


def test_the_keyboard_reaches_the_content_first(enter: Callable[..., Any]) -> None:
    page = enter()
    page.goto("/evidence")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.querySelector('main').contains(document.activeElement)")


def test_without_a_secure_context_the_page_says_so(browser: Any, served: str, made: Path) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.add_init_script("Object.defineProperty(globalThis, 'crypto', {value: {}})")
    with Workspace.open(made, read_only=True) as ws:
        link = grants.create(ws, "Notified body", 1)
    page.goto(served + link)
    page.get_by_role("button", name="Sign in").click()
    page.goto(f"{served}/evidence/EV-000003")
    assert "only to pages that came over https" in page.locator("#verify").inner_text()
    assert not page.get_by_role("button", name="Check it in this browser").is_visible()
    context.close()
