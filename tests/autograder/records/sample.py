"""A small graded class, with students who try what students try."""

from __future__ import annotations

from typing import Any

ATTACKS = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</style><svg onload=alert(1)>",
    "javascript:alert(1)",
    '=HYPERLINK("http://x","y")',
    "\x1b]0;owned\x07\x1b[2J",
    "\u202egnp.exe",
    "\udc80",
    "`<b>` `code` ``",
    "{{ 7 * 191 }}{% raw %}",
)


def exercise(name: str, status: str = "passed", text: str = "", points: float = 10) -> dict:
    score = {"passed": points, "partial": points / 2}.get(status, 0.0)
    failing = status not in ("passed", "missing", "not attempted")
    return {
        "name": name,
        "score": score,
        "max_score": points,
        "status": status,
        "checks": [
            {"name": "shape", "passed": True, "message": ""},
            {"name": "db", "passed": not failing, "message": text if failing else ""},
        ],
        "diagnoses": [{"code": "db-is-a-mean", "message": text, "function": name}]
        if failing
        else [],
    }


def line(student: str, *exercises: dict, status: str = "graded", message: str = "") -> dict:
    return {
        "student": student,
        "assignment": "a2_backprop",
        "status": status,
        "score": sum(e["score"] for e in exercises),
        "max_score": sum(e["max_score"] for e in exercises),
        "message": message,
        "isolation": "full",
        "exercises": list(exercises),
    }


def a_class() -> list[dict[str, Any]]:
    mean = "db is the mean: the gradient needs the sum."
    return [
        line("ada", exercise("affine"), exercise("relu")),
        line("bob", exercise("affine", "partial", mean), exercise("relu", "failed", "Sign.")),
        line("eve", exercise("affine", "partial", mean), exercise("relu", "not attempted")),
        line(
            "tom",
            exercise("affine", "missing"),
            exercise("relu", "missing"),
            status="unreadable",
            message="a2.ipynb cannot be read: it is no JSON.",
        ),
    ]
