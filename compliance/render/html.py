"""A dossier as HTML: sandboxed templates that see citations and text, never a bare number, never a blank.

The same string is the readable twin and what becomes the PDF. A missing value, a bare number or a
calculation stops the build and names the template and its line.
"""

import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any

from jinja2 import ChoiceLoader, FileSystemLoader, PrefixLoader, StrictUndefined, TemplateError, Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

from compliance.core.canonical import content_digest, digest
from compliance.core.cited import Citations, Markup, visible
from compliance.core.dossier import Dossier, Signature
from compliance.errors import ComplianceError, InvalidInput
from compliance.render import plots
from compliance.render.document import DocumentView, RenderedSection
from compliance.render.views import SectionView

SHARED = "_shared"
FONTS = "fonts"
_UNSAFE_FILTERS = (
    "int", "float", "striptags", "round", "abs", "sum", "format", "safe", "string", "filesizeformat", "length",
    "count", "max", "min", "pprint", "tojson", "xmlattr", "urlize", "random", "wordcount", "forceescape",
)  # fmt: skip


class TemplateFault(InvalidInput):
    """A section's template is wrong, or the evidence lacks what it prints."""

    code = "template-fault"


class _Templates(ImmutableSandboxedEnvironment):
    """Jinja without arithmetic: templates print and choose, they do not calculate."""

    intercepted_binops = frozenset({"+", "-", "*", "/", "//", "%", "**"})
    intercepted_unops = frozenset({"+", "-"})

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        raise TemplateFault(f"A template calculates ({operator}).", remedy="Print values as the evidence has them.")

    def call_unop(self, context: Any, operator: str, arg: Any) -> Any:
        raise TemplateFault(f"A template calculates ({operator}).", remedy="Print values as the evidence has them.")


def _finalize(value: Any) -> Any:
    """Let markup and citations through, show text with its invisible characters, refuse the rest."""
    if isinstance(value, Undefined) or hasattr(value, "__html__"):
        return value
    if isinstance(value, str):
        return Markup(visible(value))
    if value is None or isinstance(value, bool | int | float | Decimal):
        raise TemplateFault(
            f"A template prints {'nothing' if value is None else 'a bare number'}.",
            remedy="In a technical file a blank reads as a claim and a number needs its evidence: print a cited value.",
        )
    raise TemplateFault(f"A template prints a {type(value).__name__}.", remedy="Print one of its fields.")


@dataclass(frozen=True)
class TemplateFolder:
    """A dossier's own templates, and what all dossiers share."""

    own: Path
    shared: Path
    fonts: Path

    @cached_property
    def environment(self) -> _Templates:
        environment = _Templates(
            loader=ChoiceLoader([FileSystemLoader(self.own), PrefixLoader({SHARED: FileSystemLoader(self.shared)})]),
            autoescape=True,
            undefined=StrictUndefined,
            finalize=_finalize,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        for name in _UNSAFE_FILTERS:
            environment.filters.pop(name, None)
        environment.globals.clear()
        environment.globals["figure"] = plots.Figures()
        return environment

    def digest(self) -> str:
        """Return one digest over every template and style, by path."""
        files = {
            f"{name}/{path.relative_to(folder).as_posix()}": digest(path.read_bytes())
            for name, folder in (("own", self.own), (SHARED, self.shared))
            for path in sorted(folder.rglob("*"))
            if path.is_file()
        }
        return content_digest(files)

    def section(self, number: str) -> str:
        """Return the name of a section's template: its own, or the common one."""
        return (
            f"sections/{number}.html"
            if (self.own / "sections" / f"{number}.html").is_file()
            else f"{SHARED}/section.html"
        )

    def style(self, *names: str) -> str:
        """Return style sheets in order, the dossier's own last where it has one."""
        sheets = [(self.shared / name).read_text(encoding="utf-8") for name in names]
        own = self.own / "style.css"
        return "\n".join([*sheets, own.read_text(encoding="utf-8") if own.is_file() else ""])


def sections(dossier: Dossier, templates: TemplateFolder, citations: Citations) -> list[RenderedSection]:
    """Return every section as HTML, in order; a section without evidence prints as a visible gap."""
    rendered = []
    for section in dossier.sections:
        citations.section = section.spec.id
        view = SectionView(section, dossier, citations)
        context = {
            **view.drawn,
            "section": view,
            "system": plots.system_node(dossier, citations),
            "dossier": plots.Whole(dossier, citations),
        }
        body = _render(templates, templates.section(section.spec.id), context)
        rendered.append(
            RenderedSection(
                id=section.spec.id,
                title=section.spec.title,
                anchor=section.spec.anchor,
                part=section.spec.part,
                place=section.spec.place or "",
                is_gap=section.is_gap,
                solo=view.solo,
                body=Markup(body),
            )
        )
    return rendered


def document(
    dossier: Dossier,
    rendered: Sequence[RenderedSection],
    signatures: Sequence[Signature],
    content_digest: str,
    templates: TemplateFolder,
) -> str:
    """Return the whole document as one self-contained HTML page."""
    view = DocumentView(dossier, rendered, signatures, content_digest, Citations("document"))
    style = Markup(templates.style("base.css", "screen.css"))
    return _render(templates, f"{SHARED}/document.html", {"doc": view, "style": style})


def verify_page(dossier: Dossier, templates: TemplateFolder) -> str:
    """Return how to verify a bundle, as the page that lies in it."""
    style = Markup(templates.style("base.css", "screen.css"))
    return _render(templates, f"{SHARED}/verify_page.html", {"doc": dossier.manifest, "style": style})


def _render(templates: TemplateFolder, name: str, context: dict[str, Any]) -> str:
    try:
        return templates.environment.get_template(name).render(context)
    except TemplateError as error:
        raise TemplateFault(
            f"{_where(error, name)}: {error}.",
            remedy="Mend the template, or log the evidence that it prints.",
        ) from error
    except ComplianceError as error:
        raise TemplateFault(f"{_where(error, name)}: {error.problem}", remedy=error.remedy) from error


def _where(error: BaseException, name: str) -> str:
    """Return template and line of an error: the innermost frame that is template code."""
    lineno = getattr(error, "lineno", None)
    if lineno is not None:
        return f"{getattr(error, 'name', None) or name}, line {lineno}"
    frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename.endswith(".html")]
    return f"{Path(frames[-1].filename).name}, line {frames[-1].lineno}" if frames else name
