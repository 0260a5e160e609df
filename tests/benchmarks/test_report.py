from __future__ import annotations

import json

import pytest
from benchmarks.figures import Absent, Comparison, Figure, Growth, Result, Row, Trace, percentile
from benchmarks.machine import Machine, this_machine
from benchmarks.report import Part, Report, as_json, as_markdown, number

_MACHINE = Machine("EPYC", 2, 24.0, "Debian 12, x86_64", "CPython 3.11.7", "3.40.1", 0.5)


def _report(*results: Result, quick: bool = False) -> Report:
    return Report(_MACHINE, "November 2026", quick, (Part("client", "In the process", results, 60.0),))


def _line(text: str, start: str) -> str:
    return next(line for line in text.splitlines() if line.startswith(f"| {start}"))


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (0.01234, "0.0123"), (4.7, "4.7"), (99.96, "100"), (123.4, "123"), (1234567.0, "1,234,567")],
)
def test_a_number_shows_three_digits_that_count(value: float, text: str) -> None:
    assert number(value) == text


def test_a_percentile_is_the_value_that_such_a_share_does_not_exceed() -> None:
    assert percentile([4, 1, 3, 2], 0.5) == 2
    assert percentile(range(1, 101), 0.99) == 99
    assert percentile([7], 0.99) == 7


def test_a_figure_stands_beside_its_budget_and_how_it_was_taken() -> None:
    text = as_markdown(_report(Figure("`log()`, p50", (3.0, 2.0, 9.0), "µs", 3.5, note="flat out")))
    assert _line(text, "`log()`, p50") == "| `log()`, p50 | 3 µs | 2 – 9 | ≤ 3.5 µs | flat out |"


@pytest.mark.parametrize(("value", "at_least"), [(4.0, False), (3.0, True)])
def test_a_missed_budget_is_said(value: float, at_least: bool) -> None:
    text = as_markdown(_report(Figure("it", (value,), "ms", 3.5, at_least=at_least)))
    assert "3.5 ms **missed**" in _line(text, "it")


def test_what_was_not_measured_stands_in_the_table_with_the_reason() -> None:
    text = as_markdown(_report(Absent("all on PostgreSQL", "no database was given")))
    assert "not measured: no database was given" in _line(text, "all on PostgreSQL")


def test_peers_stand_side_by_side_with_how_many_times_ours_they_take() -> None:
    rows = (
        Row("p50", "µs", {"anonrun": 3.0, "Other": 300.0}),
        Row("lost", "calls", {"anonrun": 0.0, "Other": 12.0}, ratio=False),
        Row("read", "ms", {"anonrun": 5.0}),
    )
    gone = (Absent("Third", "not installed: no wheel"),)
    text = as_markdown(_report(Comparison("Side by side", "anonrun", {"anonrun": "1.0", "Other": "2.0"}, rows, gone)))
    assert _line(text, "what") == "| what | anonrun 1.0 | Other 2.0 |"
    assert _line(text, "p50") == "| p50, µs | 3 | 300 (100×) |"
    assert _line(text, "lost") == "| lost, calls | 0 | 12 |"
    assert _line(text, "read") == "| read, ms | 5 | not measured |"
    assert "- **Third**: not installed: no wheel" in text


def test_growth_shows_a_line_a_size_and_a_dash_where_there_is_no_value() -> None:
    growth = Growth("Runs", "runs", (1, 10_000), (Trace("list", "ms", (0.5, 2.0)), Trace("sweep", "ms", (None, 0.0))))
    text = as_markdown(_report(growth))
    assert _line(text, "1 ") == "| 1 | 0.5 | – |"
    assert _line(text, "10,000") == "| 10,000 | 2 | 0 |"


def test_a_quick_run_says_that_it_is_one() -> None:
    assert "A quick run" in as_markdown(_report(quick=True))
    assert "A quick run" not in as_markdown(_report())


def test_json_holds_the_same_and_says_what_each_result_is() -> None:
    figure = Figure("`log()`", (1.0, 3.0), "µs", 3.5)
    found = json.loads(json.dumps(as_json(_report(figure, Absent("x", "y")))))
    [part] = found["parts"]
    assert [result["kind"] for result in part["results"]] == ["figure", "absent"]
    assert part["results"][0]["median"] == 2
    assert part["results"][0]["kept"] is True
    assert found["machine"]["cores"] == 2


def test_the_machine_is_described_without_saying_whose_it_is() -> None:
    import getpass
    import platform

    text = as_markdown(Report(this_machine(), "November 2026", quick=False, parts=()))
    assert "cores" in text
    assert platform.node() not in text or not platform.node()
    assert f"/{getpass.getuser()}" not in text
