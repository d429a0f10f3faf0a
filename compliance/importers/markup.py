"""XML from outside: no document type, hence no entity of its own; nothing is fetched; depth and size have limits.

Built on Python's own expat, whose events are all that is needed to refuse a document type before anything in it
counts. Names stand as `{namespace}local`, as ElementTree writes them.
"""

from typing import NoReturn
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

MAX_DEPTH = 64


class BadMarkupError(ValueError):
    """These bytes are no XML that may be read; the text says why."""


def parse(data: bytes) -> Element:
    """Return the root element. Raises BadMarkupError."""
    builder = TreeBuilder()
    depth = 0

    def refuse(*_: object) -> NoReturn:
        raise BadMarkupError("declares a document type or entities, which are not read")

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > MAX_DEPTH:
            raise BadMarkupError(f"is nested deeper than {MAX_DEPTH}")
        builder.start(_named(name), {_named(key): value for key, value in attributes.items()})

    def end(name: str) -> None:
        nonlocal depth
        depth -= 1
        builder.end(_named(name))

    parser = expat.ParserCreate(namespace_separator="}")
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = refuse
    parser.EntityDeclHandler = refuse
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = builder.data
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        raise BadMarkupError(f"is not XML: line {error.lineno}: {expat.ErrorString(error.code)}") from error
    except (LookupError, UnicodeDecodeError) as error:  # an encoding that is declared and does not exist
        raise BadMarkupError(f"is not XML: {error}") from error
    return builder.close()


def local(element: Element) -> str:
    """Return an element's name without its namespace."""
    return element.tag.rpartition("}")[2]


def namespace(element: Element) -> str:
    """Return the namespace that an element's name is in."""
    return element.tag[1:].rpartition("}")[0] if element.tag.startswith("{") else ""


def child(element: Element, *path: str) -> Element | None:
    """Return the first element at a path of local names, whatever their namespace."""
    found: Element | None = element
    for name in path:
        found = next((inner for inner in found if local(inner) == name), None) if found is not None else None
    return found


def text(element: Element | None) -> str | None:
    """Return an element's own text, trimmed; None where there is none."""
    return (element.text or "").strip() or None if element is not None else None


def _named(name: str) -> str:
    return "{" + name if "}" in name else name
