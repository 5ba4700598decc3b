"""What all pages share: the template engine, one style sheet, and the policy that seals them."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import DictLoader, Environment, StrictUndefined
from markupsafe import Markup

from autograder.records.words import STATUS_WORDS, number, one_line, prose, readable, title

_TEMPLATES = ("page.html", "feedback.html", "class.html")


def render(template: str, **data: Any) -> str:
    """Fill a template. Everything that is not marked as our own HTML is escaped."""
    return _engine().get_template(template).render(**data)


def svg(drawing: str) -> Markup:
    """A drawing of ``drawing.py``: its text is escaped there."""
    return Markup(drawing)


@cache
def _engine() -> Environment:
    folder = files("autograder.records") / "templates"
    sources = {name: (folder / name).read_text(encoding="utf-8") for name in _TEMPLATES}
    engine = Environment(
        loader=DictLoader(sources),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    style = (folder / "page.css").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    # Nothing runs, nothing loads, nothing is sent; only this very style sheet applies.
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    engine.globals |= {
        "style": Markup(style),
        "policy": Markup(policy),
        "status_words": STATUS_WORDS,
    }
    engine.filters |= {
        "prose": lambda text: Markup(prose(text)),
        "line": one_line,
        "readable": readable,
        "number": number,
        "title_of": title,
    }
    return engine
