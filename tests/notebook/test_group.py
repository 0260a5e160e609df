from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from anonrun.notebook.group import group

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "groups.json").read_text())


@pytest.mark.parametrize("vector", [pytest.param(v, id=v["why"]) for v in VECTORS])
def test_names_become_the_charts_that_the_shared_vectors_say(vector: dict[str, Any]) -> None:
    charts = [
        {"title": c.title, "section": c.section, "series": [[m.name, m.label] for m in c.members]}
        for c in group(vector["names"])
    ]
    assert charts == vector["charts"]
