"""What one address, one anonymous run, and all of them together may do: exactly so much, and not one more."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select, text

from anonrun.core.tokens import TokenKind, mint
from anonrun.errors import UsageError
from anonrun.server.networks import address_group, client_address, networks
from anonrun.server.settings import Settings, settings_from
from anonrun.store.schema import ADDRESS_KEY, RATE, RUN
from support.databases import Place
from support.site import MadeRun, Site, bearer, code, running_site, segment, sha

PROXY = "203.0.113.7"
"""Where the test's own requests come from."""


@contextmanager
def limited(folder: Path, database: Place, **settings: Any) -> Iterator[Site]:
    """A server behind a proxy, so that a test can come from anywhere."""
    wide = {"runs_per_hour": 0, "all_runs_per_hour": 0, "live_runs_per_address": 0, "flushes_per_second": 0}
    with running_site(folder, database, **(wide | {"trusted_proxies": PROXY} | settings)) as site:
        yield site


def new_key(site: Site, address: str = "198.51.100.1") -> str:
    key = mint(TokenKind.API_KEY)
    made = site.api.post(
        "/api/v1/accounts/anonymous", json={"key_hash": sha(key)}, headers={"X-Forwarded-For": address}
    )
    assert made.status_code == 201, made.text
    return key


def ask(site: Site, key: str, address: str = "198.51.100.1", run: MadeRun | None = None) -> httpx.Response:
    """Ask for a run from an address."""
    headers = bearer(key) | {"X-Forwarded-For": address}
    answer: httpx.Response = site.api.post("/api/v1/runs", json=(run or site.new_run()).request(), headers=headers)
    return answer


def wait_of(answer: httpx.Response) -> int:
    assert (answer.status_code, code(answer)) == (429, "too_many_requests")
    return int(answer.headers["retry-after"])


# Runs and accounts in an hour


def test_an_address_makes_so_many_runs_an_hour_and_not_one_more(tmp_path: Path, database: Place) -> None:
    with limited(tmp_path, database, runs_per_hour=3) as site:
        key = new_key(site)
        runs = [site.new_run() for _ in range(3)]
        assert [ask(site, key, run=run).status_code for run in runs] == [201, 201, 201]
        assert wait_of(ask(site, key)) == 1_200
        assert ask(site, key, run=runs[0]).status_code == 200, "a repeat is not another run"
        assert ask(site, key, "198.51.100.2").status_code == 201, "another address has its own"
        site.clock.forward(seconds=1_199)
        assert wait_of(ask(site, key)) == 1
        site.clock.forward(seconds=1)
        assert ask(site, key).status_code == 201
        assert wait_of(ask(site, key)) == 1_200
        site.clock.forward(seconds=3_600)
        assert [ask(site, key).status_code for _ in range(4)] == [201, 201, 201, 429]


def test_the_rate_goes_on_over_midnight_when_the_days_secret_changes(tmp_path: Path, database: Place) -> None:
    with limited(tmp_path, database, runs_per_hour=2) as site:
        day_us = 86_400_000_000
        site.clock.us += day_us - site.clock.us % day_us - 1
        key = new_key(site)
        assert [ask(site, key).status_code for _ in range(2)] == [201, 201]
        site.clock.forward(us=2)
        assert wait_of(ask(site, key)) == 1_800


@pytest.mark.parametrize(
    ("address", "group"),
    [
        ("192.0.2.1", "192.0.2.1"), ("::ffff:192.0.2.1", "192.0.2.1"), ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::", "2001:db8:1:2::/64"), ("fe80::1%eth0", "fe80::/64"), ("", "unknown"),
        ("testserver", "unknown"),
    ],
)  # fmt: skip
def test_an_address_is_one_ipv4_address_or_one_ipv6_network(address: str, group: str) -> None:
    assert address_group(address) == group


def test_an_ipv6_network_counts_as_one_address(tmp_path: Path, database: Place) -> None:
    with limited(tmp_path, database, runs_per_hour=3) as site:
        key = new_key(site, "2001:db8:9::1")
        assert [ask(site, key, f"2001:db8:1:2:{i:x}::{i}").status_code for i in range(4)] == [201, 201, 201, 429]
        assert ask(site, key, "2001:db8:1:3::1").status_code == 201
        assert [ask(site, key, f"::ffff:198.51.100.{i}").status_code for i in (7, 7, 7, 7, 8)] == [
            201,
            201,
            201,
            429,
            201,
        ]


def test_an_address_makes_so_many_accounts_an_hour_too(tmp_path: Path, database: Place) -> None:
    with limited(tmp_path, database, runs_per_hour=2) as site:
        key = new_key(site)
        new_key(site)
        body, headers = {"key_hash": sha(mint(TokenKind.API_KEY))}, {"X-Forwarded-For": "198.51.100.1"}
        assert wait_of(site.api.post("/api/v1/accounts/anonymous", json=body, headers=headers)) == 1_800
        known = site.api.post("/api/v1/accounts/anonymous", json={"key_hash": sha(key)}, headers=headers)
        assert known.status_code == 200
        assert [ask(site, key).status_code for _ in range(3)] == [201, 201, 429], "runs are counted by themselves"


def test_all_addresses_together_make_so_many_runs_an_hour(tmp_path: Path, database: Place) -> None:
    with limited(tmp_path, database, all_runs_per_hour=4) as site:
        key = new_key(site)
        answers = [ask(site, key, f"198.51.100.{i}") for i in range(5)]
        assert [answer.status_code for answer in answers] == [201] * 4 + [429]
        assert wait_of(answers[-1]) == 900


def test_a_user_and_ones_own_server_are_not_counted(tmp_path: Path, database: Place) -> None:
    with limited(tmp_path, database, runs_per_hour=1, all_runs_per_hour=1, live_runs_per_address=1) as site:
        key = site.user_key(site.user("ada"))
        assert [ask(site, key).status_code for _ in range(3)] == [201] * 3
    with running_site(tmp_path / "own", embedded=True, runs_per_hour=1, live_runs_per_address=1) as own:
        key = own.anonymous_key()
        assert [ask(own, key).status_code for _ in range(3)] == [201] * 3


def test_so_many_accounts_of_people_an_hour(tmp_path: Path, database: Place) -> None:
    with limited(tmp_path, database, sign_ups_per_hour=2) as site:
        for name in ("ada", "eve"):
            site.user(name)
        body = {"username": "bob", "password": "a long passphrase"}
        assert wait_of(site.browser().post("/api/v1/session/sign-up", json=body)) == 1_800


@pytest.mark.databases("postgresql-15", "postgresql-18")
def test_several_workers_together_allow_exactly_so_many(tmp_path: Path, database: Place) -> None:
    with ExitStack() as running:
        sites = [
            running.enter_context(
                limited(tmp_path / str(i), database, runs_per_hour=7, live_runs_per_address=5, all_runs_per_hour=9)
            )
            for i in range(3)
        ]
        key = new_key(sites[0])
        with ThreadPoolExecutor(12) as pool:
            one = list(pool.map(lambda i: ask(sites[i % 3], key).status_code, range(24)))
            others = list(pool.map(lambda i: ask(sites[i % 3], key, f"198.51.100.{i + 50}").status_code, range(24)))
        assert (one.count(201), one.count(429)) == (5, 19), "as many as may live"
        assert (others.count(201), others.count(429)) == (4, 20), "what is left for all"


def test_a_clock_that_was_read_a_moment_earlier_gives_nothing_more(tmp_path: Path, database: Place) -> None:
    with limited(tmp_path, database, runs_per_hour=2) as site:
        key = new_key(site)
        assert [ask(site, key).status_code for _ in range(2)] == [201, 201]
        site.clock.forward(us=-1_000)
        assert ask(site, key).status_code == 429


# Live runs


def test_an_address_has_so_many_runs_at_a_time_until_some_are_claimed_deleted_or_expire(
    tmp_path: Path, database: Place
) -> None:
    with limited(tmp_path, database, live_runs_per_address=3) as site:
        key, runs = new_key(site), [site.new_run() for _ in range(3)]
        for run in runs:
            assert ask(site, key, run=run).status_code == 201
            site.clock.forward(days=1)
        assert wait_of(ask(site, key)) == 4 * 86_400, "when the first of them expires"
        assert ask(site, key, "198.51.100.2").status_code == 201
        site.api.delete(runs[1].path, headers=bearer(runs[1].write))
        assert [ask(site, key).status_code for _ in range(2)] == [201, 429]
        assert site.claim(runs[2], site.user("ada")).status_code == 200
        assert [ask(site, key).status_code for _ in range(2)] == [201, 429]
        site.clock.forward(days=4)
        assert [ask(site, key).status_code for _ in range(2)] == [201, 429]


def test_nothing_of_an_address_is_left_after_a_claim_and_its_secret_is_gone_after_seven_days(
    tmp_path: Path, database: Place
) -> None:
    with limited(tmp_path, database, live_runs_per_address=9, runs_per_hour=9, retention_days=30) as site:
        key, run = new_key(site), site.new_run()
        ask(site, key, run=run)

        def stored(what: Any) -> list[Any]:
            return list(site.db.read_now(lambda tx: tx.conn.execute(select(what)).scalars().all()))

        assert [mark is not None and len(mark) == 16 for mark in stored(RUN.c.origin)] == [True]
        first = stored(ADDRESS_KEY.c.secret)
        assert len(first) == 1
        site.claim(run, site.user("ada"))
        assert stored(RUN.c.origin) == [None]
        assert len(stored(RATE.c.key)) >= 2
        site.clock.forward(days=7)
        ask(site, key)
        assert not set(first) & set(stored(ADDRESS_KEY.c.secret))
        assert len(stored(ADDRESS_KEY.c.secret)) == 1
        rates = site.db.read_now(lambda tx: tx.conn.execute(select(RATE.c.until)).scalars().all())
        assert all(until > site.clock.us for until in rates if until), "what is over is removed"


def test_no_address_stands_in_the_store(tmp_path: Path) -> None:
    with running_site(tmp_path, trusted_proxies=PROXY) as site:
        for i in range(5):
            ask(site, new_key(site, f"198.51.100.{100 + i}"), f"198.51.100.{100 + i}")
        site.db.read_now(lambda tx: tx.conn.execute(text("SELECT 1")))
        stored = b"".join(path.read_bytes() for path in site.core.settings.server_dir.glob("*"))
        assert b"198.51.100.10" not in stored
        assert PROXY.encode() not in stored


# One run


def test_an_anonymous_run_delivers_so_often_a_second_and_not_once_more(tmp_path: Path, database: Place) -> None:
    with limited(tmp_path, database, flushes_per_second=20) as site:
        run = site.run()
        sent = [site.send(run, segment([1.0], seq=i)) for i in range(21)]
        assert [answer.status_code for answer in sent] == [200] * 20 + [429]
        assert wait_of(sent[-1]) == 1
        assert wait_of(site.send(run, segment([1.0], seq=0))) == 1, "a repeat is a delivery"
        assert site.get(run).json()["points"] == 20
        site.clock.forward(us=50_000)
        assert [site.send(run, segment([1.0], seq=20 + i)).status_code for i in range(2)] == [200, 429]
        site.clock.forward(seconds=1)
        assert [site.send(run, segment([1.0], seq=21 + i)).status_code for i in range(21)] == [200] * 20 + [429]
        assert site.send(site.run(), segment([1.0])).status_code == 200, "another run has its own"
        site.clock.us -= 3_600_000_000
        site.clock.forward(us=50_000)
        site.clock.forward(seconds=1)
        assert site.send(run, segment([1.0], seq=41)).status_code == 200, "a clock that was set back stops nobody"


def test_a_claimed_run_delivers_and_holds_what_it_likes(tmp_path: Path, database: Place) -> None:
    with limited(tmp_path, database, flushes_per_second=1, points_per_run=2, anonymous_megabytes=1) as site:
        run = site.run()
        assert site.send(run, segment([1.0])).status_code == 200
        site.claim(run, site.user("ada"))
        assert [site.send(run, segment([1.0] * 5, seq=1 + 5 * i)).status_code for i in range(5)] == [200] * 5


@pytest.mark.parametrize(
    ("setting", "fits", "more"),
    [
        pytest.param({"points_per_run": 3}, segment([1.0] * 3), segment([1.0], seq=3), id="points"),
        pytest.param({"metrics_per_run": 1}, segment([1.0]), segment([1.0], seq=1, name="another"), id="metrics"),
        pytest.param({"megabytes_per_run": 0}, None, segment([1.0]), id="bytes"),
    ],
)
def test_an_anonymous_run_holds_so_much_and_not_one_more(
    tmp_path: Path, database: Place, setting: dict[str, int], fits: bytes | None, more: bytes
) -> None:
    with limited(tmp_path, database, **setting) as site:
        run = site.run()
        if fits:
            assert site.send(run, fits).status_code == 200
            assert site.send(run, fits).status_code == 200, "a repeat adds nothing"
        refused = site.send(run, more)
        assert (refused.status_code, code(refused)) == (403, "quota_exceeded")


def test_all_anonymous_runs_together_hold_so_much_until_there_is_room_again(tmp_path: Path, database: Place) -> None:
    with limited(tmp_path, database, anonymous_megabytes=1) as site:
        runs = [site.run() for _ in range(2)]
        size = len(segment([0.1 * i for i in range(5_000)]))
        fits = 2**20 // size
        sent = [
            site.send(runs[i % 2], segment([0.1 * j for j in range(5_000)], seq=5_000 * (i // 2)))
            for i in range(fits + 2)
        ]
        statuses = [answer.status_code for answer in sent]
        stored = site.db.read_now(lambda tx: tx.conn.execute(select(RUN.c.stored_bytes)).scalars().all())
        assert 2**20 - 2 * size < sum(stored) <= 2**20
        assert statuses.count(200) in {fits - 1, fits, fits + 1}
        refused = sent[-1]
        assert (refused.status_code, code(refused)) == (503, "storage_full")
        assert int(refused.headers["retry-after"]) == 60
        user_run = site.run(site.user_key(site.user("ada")))
        assert site.send(user_run, segment([0.1 * i for i in range(5_000)])).status_code == 200, "accounts go on"
        assert site.claim(runs[0], site.user("eve")).status_code == 200
        seq = 5_000 * sum(1 for i, status in enumerate(statuses) if status == 200 and i % 2 == 1)
        assert site.send(runs[1], segment([0.1 * j for j in range(5_000)], seq=seq)).status_code == 200


# Who asks


@pytest.mark.parametrize(
    ("peer", "hops", "client"),
    [
        pytest.param("203.0.113.9", ["198.51.100.1"], "203.0.113.9", id="a stranger forges it"),
        pytest.param("10.0.0.1", [], "10.0.0.1", id="the proxy says nothing"),
        pytest.param("10.0.0.1", ["198.51.100.1"], "198.51.100.1", id="one hop"),
        pytest.param("10.0.0.1", ["1.1.1.1, 198.51.100.1"], "198.51.100.1", id="the client wrote one before"),
        pytest.param("10.0.0.1", ["1.1.1.1", "198.51.100.1"], "198.51.100.1", id="in a header of its own"),
        pytest.param("10.0.0.1", ["198.51.100.1, 10.0.0.3,10.0.0.2"], "198.51.100.1", id="several of our proxies"),
        pytest.param("10.0.0.1", ["1.1.1.1, 9.9.9.9, 10.0.0.2"], "9.9.9.9", id="and one of somebody's"),
        pytest.param("10.0.0.1", ["10.0.0.3, 10.0.0.2"], "10.0.0.3", id="all are ours"),
        pytest.param("10.0.0.1", ["198.51.100.1, garbage"], "10.0.0.1", id="garbage"),
        pytest.param("10.0.0.1", ["garbage, 10.0.0.2"], "10.0.0.2", id="garbage behind a proxy"),
        pytest.param("10.0.0.1", ["", " , "], "10.0.0.1", id="nothing in it"),
        pytest.param("10.0.0.1", ["198.51.100.1:4711"], "198.51.100.1", id="with a port"),
        pytest.param("10.0.0.1", ["[2001:db8::1]:443"], "2001:db8::1", id="IPv6 with a port"),
        pytest.param("10.0.0.1", ["2001:db8::1"], "2001:db8::1", id="IPv6"),
        pytest.param("::ffff:10.0.0.1", ["::ffff:198.51.100.1"], "198.51.100.1", id="mapped"),
        pytest.param("fd00::1", ["2001:db8::5, fd00::2"], "2001:db8::5", id="IPv6 proxies"),
        pytest.param("unix", ["198.51.100.1"], "unix", id="no address at all"),
        pytest.param("10.0.0.1", ["198.51.100.1, " + "10.0.0.2, " * 40 + "10.0.0.3"], "10.0.0.2", id="no end of hops"),
    ],
)
def test_only_trusted_proxies_are_believed_about_who_asks(peer: str, hops: list[str], client: str) -> None:
    assert client_address(peer, hops, networks("10.0.0.0/8, fd00::/8", name="x")) == client


def test_who_forges_a_header_is_counted_by_the_address_that_they_have(tmp_path: Path, database: Place) -> None:
    with limited(tmp_path, database, runs_per_hour=3, trusted_proxies="10.0.0.1") as site:
        key = new_key(site)
        assert [ask(site, key, f"198.51.100.{i}").status_code for i in range(4)] == [201, 201, 201, 429]


def test_a_trusted_proxy_says_by_which_scheme_a_browser_came_and_nobody_else_does(tmp_path: Path) -> None:
    for trusted, secure in ((PROXY, True), ("10.0.0.1", False)):
        with running_site(tmp_path / trusted, trusted_proxies=trusted) as site:
            seen: list[str] = []

            async def look(scope: Any, _receive: Any, send: Any, seen: list[str] = seen) -> None:
                seen.append(scope["scheme"])
                await send({"type": "http.response.start", "status": 204, "headers": []})
                await send({"type": "http.response.body", "body": b""})

            site.app.mount("/probe", look)
            site.app.router.routes.insert(0, site.app.router.routes.pop())
            site.api.get("/probe/", headers={"X-Forwarded-Proto": "https"})
            assert seen == ["https" if secure else "http"]


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("ANONRUN_TRUSTED_PROXIES", "*", "0.0.0.0/0"),
        ("ANONRUN_TRUSTED_PROXIES", "10.0.0.0/8,proxy.example", "'proxy.example'"),
        ("ANONRUN_ANONYMOUS_FROM", "192.0.2.0/33", "'192.0.2.0/33'"),
        ("ANONRUN_EMBED_SITES", "lab.example", "https://lab.example"),
        ("ANONRUN_EMBED_SITES", "https://x.example; script-src *", "https://lab.example"),
        ("ANONRUN_RUNS_PER_HOUR", "-1", "0 … 2^40"),
    ],
)
def test_a_setting_that_cannot_be_meant_says_what_to_write(
    tmp_path: Path, variable: str, value: str, said: str
) -> None:
    with pytest.raises(UsageError) as refused:
        settings_from({variable: value}, default_data_dir=tmp_path)
    assert variable in str(refused.value)
    assert said in str(refused.value)


# Whence


def test_anonymous_runs_may_be_for_some_networks_only(tmp_path: Path, database: Place) -> None:
    with limited(tmp_path, database, anonymous_from="192.0.2.0/24, 2001:db8::/32") as site:
        key = new_key(site, "192.0.2.5")
        run = site.new_run()
        assert ask(site, key, "192.0.2.77", run=run).status_code == 201
        assert ask(site, key, "2001:db8::7").status_code == 201
        for address in ("198.51.100.1", "2001:db9::1", "garbage"):
            assert code(ask(site, key, address)) == "anonymous_disabled"
            body, headers = {"key_hash": sha(mint(TokenKind.API_KEY))}, {"X-Forwarded-For": address}
            assert code(site.api.post("/api/v1/accounts/anonymous", json=body, headers=headers)) == "anonymous_disabled"
        elsewhere = {"X-Forwarded-For": "198.51.100.1"}
        sent = site.api.post(f"{run.path}/segments", content=segment([1.0]), headers=bearer(run.write) | elsewhere)
        assert sent.status_code == 200, "a run that was made goes on from anywhere"
        user_key = site.user_key(site.user("ada"))
        assert ask(site, user_key, "198.51.100.1").status_code == 201, "an account logs from anywhere"


def test_one_persons_own_server_counts_no_deliveries(tmp_path: Path) -> None:
    own = Settings(data_dir=tmp_path, embedded=True, flushes_per_second=5)
    assert own.run_limits.flushes_per_s == 0
    assert Settings(data_dir=tmp_path, flushes_per_second=5).run_limits.flushes_per_s == 5
