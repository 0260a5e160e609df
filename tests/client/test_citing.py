from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, datetime, timezone
from pathlib import Path

import pytest
import yaml

import anonrun
from anonrun.client.citing import citation
from anonrun.core.messages import RunInfo, RunState
from support.script import run_script

ROOT = Path(__file__).parents[2]
MADE = datetime(2026, 11, 24, 12, tzinfo=timezone.utc)
RUN = RunInfo(
    run_id="0192f7d0-0000-7000-8000-000000000001", account="ada", project="digits", id="k3x9p0wz", name="mlp",
    state=RunState.FINISHED, anonymous=False, created_at=MADE, server_time=MADE, url_path="r/0192f7d0",
)  # fmt: skip
PAGE = "https://runs.example.org/r/0192f7d0"
TODAY = date(2026, 12, 1)


def entries(run: RunInfo, url: str | None = PAGE) -> tuple[dict[str, str], dict[str, str]]:
    """The fields of both entries, read as BibTeX is: balanced braces, and a comma behind each field."""
    found = []
    for kind, fields in re.findall(
        r"^@(misc|software)\{[A-Za-z0-9.-]+,\n(.*?)^\}$", citation(run, url, TODAY), re.MULTILINE | re.DOTALL
    ):
        lines = re.fullmatch(r"(?:  \w+ = \{.*\},\n)+", fields)
        assert lines, fields
        pairs = dict(re.findall(r"  (\w+) = \{(.*)\},\n", fields))
        for text in pairs.values():
            plain = re.sub(r"\\.", "", text)
            assert plain.count("{") == plain.count("}")
        found.append((kind, pairs))
    (first, run_fields), (second, software) = found
    assert (first, second) == ("misc", "software")
    return run_fields, software


def test_a_run_is_cited_by_name_date_and_page() -> None:
    cited, _ = entries(RUN)
    assert cited["title"] == "{mlp} (digits)"
    assert (cited["date"], cited["year"]) == ("2026-11-24", "2026")
    assert (cited["url"], cited["urldate"]) == (PAGE, "2026-12-01")
    assert "note" not in cited
    assert "ada" not in citation(RUN, PAGE, TODAY), "not whose it is"


@pytest.mark.parametrize("url", [None, "http://127.0.0.1:4000/r/0192f7d0", "http://localhost/r/0192f7d0"])
def test_an_address_that_no_reader_could_open_is_left_out_and_said_to_be(url: str | None) -> None:
    cited, _ = entries(RUN, url)
    assert "url" not in cited
    assert citation(RUN, url, TODAY).startswith("% This run is on one machine only")


def test_an_anonymous_run_is_cited_with_its_end() -> None:
    run = replace(RUN, anonymous=True, expires_at=datetime(2026, 12, 1, tzinfo=timezone.utc))
    assert entries(run)[0]["note"] == "Anonymous run, kept until 2026-12-01 unless claimed"
    assert entries(replace(run, expires_at=None))[0]["note"] == "Anonymous run, kept for a limited time unless claimed"


def test_no_name_breaks_the_entry() -> None:
    cited, _ = entries(replace(RUN, name="50 % of {data}_x\n$\\alpha$ ~ #1 & ^é", id="a b/{c}"))
    assert cited["title"] == (
        r"{50 \% of \{data\}\_x \$\textbackslash{}alpha\$ \textasciitilde{} \#1 \& \textasciicircum{}é} (digits)"
    )


def test_the_software_is_cited_as_the_citation_file_and_the_package_say() -> None:
    _, cited = entries(RUN)
    said = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert cited["title"] == f"{{{said['title']}}}"
    assert cited["author"] == f"{{{said['authors'][0]['name']}}}"
    assert cited["version"] == said["version"] == anonrun.__version__
    assert cited["date"] == str(said["date-released"])
    assert cited["license"] == said["license"]
    assert cited["url"] == said["repository-code"]
    assert f'Repository = "{cited["url"]}"' in (ROOT / "pyproject.toml").read_text()


def test_a_run_and_what_the_server_has_of_it_cite_alike(home: Path) -> None:
    script = (
        "import anonrun\nwith anonrun.init('p', name='n', id='mine') as run: run.log({'x': 1})\n"
        "assert anonrun.Api().run('p/mine').cite() == run.cite()\nprint(run.cite())"
    )
    said = run_script(script, home).stdout
    assert "@misc{run-mine," in said
    assert "title = {{n} (p)}" in said
    assert "note = {Anonymous run, kept until 20" in said
    assert "anr_" not in said
    assert "127.0.0.1" not in said
