from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from anonrun.server.services.counters import Counters
from anonrun.server.services.retention import Doubt, Sweeper, objection
from anonrun.store import retention, runs
from anonrun.store.retention import Due
from support.process import until
from support.script import run_command
from support.site import Site, running_site, segment

_HOUR_US = 3_600_000_000
_NONE = Due(expired=0, marked=0, points=0, size_bytes=0, anonymous_live=0, oldest_us=None)


def due(expired: int, live: int) -> Due:
    return Due(expired=expired, marked=0, points=0, size_bytes=0, anonymous_live=live, oldest_us=None)


@pytest.mark.parametrize(
    ("seen_us", "passed_us", "expected_us", "what", "passing"),
    [
        pytest.param(0, None, None, _NONE, None, id="first pass"),
        pytest.param(10**15 + 60_000_000, None, None, _NONE, None, id="a minute back is drift"),
        pytest.param(10**15 + 60_000_001, None, None, _NONE, False, id="more than a minute back"),
        pytest.param(0, 60_000_000, 60_000_000, _NONE, None, id="as it should"),
        pytest.param(0, 60_000_000 + _HOUR_US, 60_000_000, _NONE, None, id="an hour forward"),
        pytest.param(0, 60_000_001 + _HOUR_US, 60_000_000, _NONE, True, id="more than an hour forward"),
        pytest.param(0, 9 * _HOUR_US, 9 * _HOUR_US, _NONE, None, id="the machine slept"),
        pytest.param(0, None, None, due(1_000, 0), None, id="a thousand, all there is"),
        pytest.param(0, None, None, due(1_001, 1_001), None, id="half of all"),
        pytest.param(0, None, None, due(1_001, 1_000), True, id="more than half of many"),
    ],
)
def test_what_makes_a_sweep_doubtful(
    seen_us: int,
    passed_us: int | None,
    expected_us: int | None,
    what: Due,
    passing: bool | None,
) -> None:
    doubt = objection(now_us=10**15, seen_us=seen_us, passed_us=passed_us, expected_us=expected_us, due=what)
    assert (doubt.passing if isinstance(doubt, Doubt) else None) == passing


def sweep(site: Site, sweeper: Sweeper) -> bool:
    return asyncio.run(sweeper.once()) is not None


def test_a_jump_of_the_clock_is_believed_when_it_lasts_five_minutes(site: Site) -> None:
    counters, booted = Counters(), [1000.0]
    sweeper = Sweeper(site.db, counters, lambda: booted[0])
    run = site.run()
    assert sweep(site, sweeper)
    site.clock.forward(days=30)
    booted[0] += 60
    assert not sweep(site, sweeper)
    assert counters.alarm
    assert counters.unpurged == 1
    booted[0] += 299
    site.clock.forward(seconds=299)
    assert not sweep(site, sweeper)
    booted[0] += 1
    site.clock.forward(seconds=1)
    assert sweep(site, sweeper)
    assert (counters.alarm, counters.purged) == (False, 1)
    assert site.get(run).json()["code"] == "run_expired"


def test_a_clock_that_went_back_stops_removal_until_it_is_right(site: Site) -> None:
    sweeper = Sweeper(site.db, Counters(), lambda: 0.0)
    assert sweep(site, sweeper)
    site.clock.forward(seconds=-61)
    assert not sweep(site, Sweeper(site.db, Counters(), lambda: 0.0))
    site.clock.forward(seconds=1)
    assert sweep(site, Sweeper(site.db, Counters(), lambda: 0.0))


def test_a_starting_server_removes_what_expired_while_it_was_down(tmp_path: Path) -> None:
    with running_site(tmp_path) as site:
        run = site.run()
        site.send(run, segment([1.0]))
        later = site.clock.us + 8 * 86_400_000_000
    with running_site(tmp_path) as site:
        site.clock.us = later  # its first sweep may have been before this: the second comes at once
        asyncio.run(Sweeper(site.db, Counters()).once())
        until(lambda: site.db.read_now(retention.due) == _NONE)
        assert site.get(run).json()["code"] == "run_expired"
        assert site.db.read_now(runs.count_live) == 0


def gc(folder: Path, *flags: str) -> dict[str, object]:
    done = run_command("gc", "--data-dir", str(folder), "--json", *flags, data_dir=folder)
    report: dict[str, object] = json.loads(done.stdout)
    return report


def test_gc_says_what_would_go_and_then_removes_it(tmp_path: Path) -> None:
    with running_site(tmp_path) as site:
        site.clock.forward(days=-8)
        site.send(site.run(), segment([1.0, 2.0]))
        site.clock.forward(days=1, us=-1)
        site.run()
    told = gc(tmp_path, "--dry-run")
    assert (told["expired"], told["points"], told["purged"]) == (2, 2, 0)
    assert gc(tmp_path, "--dry-run") == told
    assert gc(tmp_path)["purged"] == 2
    after = gc(tmp_path)
    assert (after["expired"], after["purged"], after["removed_in_30_days"]) == (0, 0, 2)


def test_gc_without_a_database_says_where_it_looked(tmp_path: Path) -> None:
    done = run_command("gc", "--data-dir", str(tmp_path), data_dir=tmp_path, check=False)
    assert done.returncode != 0
    assert str(tmp_path) in done.stderr
    assert "--data-dir" in done.stderr
