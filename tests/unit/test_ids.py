"""Run ids, short ids and names."""

from __future__ import annotations

import secrets
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anonrun.core.ids import check_id, check_project, new_id, new_name, new_run_id, parse_run_id
from anonrun.errors import UsageError


@given(st.integers(0, 2**48 - 1), st.binary(min_size=10, max_size=10))
def test_a_run_id_is_a_uuid_of_version_7_that_begins_with_its_time(now_ms: int, random_bytes: bytes) -> None:
    run_id = new_run_id(now_ms, random_bytes)
    assert (run_id.version, run_id.variant) == (7, uuid.RFC_4122)
    assert run_id.int >> 80 == now_ms
    assert parse_run_id(str(run_id)) == run_id


def test_run_ids_sort_by_time() -> None:
    ids = [str(new_run_id(ms, secrets.token_bytes(10))) for ms in range(1_000, 2_000)]
    assert ids == sorted(ids)


@given(st.binary(min_size=10, max_size=10), st.binary(min_size=10, max_size=10))
def test_different_randomness_gives_different_ids(a: bytes, b: bytes) -> None:
    def used(raw: bytes) -> int:  # 74 of the 80 bits have a place in a UUIDv7
        value = int.from_bytes(raw, "big")
        return (value >> 68 & 0xFFF) << 62 | value & (1 << 62) - 1

    assert (new_run_id(1, a) == new_run_id(1, b)) == (used(a) == used(b))


def test_the_wrong_amount_of_randomness_is_refused() -> None:
    with pytest.raises(UsageError, match="needs 10 random bytes, got 3"):
        new_run_id(1, b"abc")


@pytest.mark.parametrize(
    "text", ["", "x", "{12345678-1234-7234-8234-123456789abc}", "123456781234723482341234567890AB"]
)
def test_only_the_canonical_form_of_a_run_id_is_read(text: str) -> None:
    assert parse_run_id(text) is None


def test_new_ids_and_names_pass_their_own_check() -> None:
    for _ in range(100):
        assert check_id(new_id(secrets.choice))
        assert check_project(new_name(secrets.choice))


@pytest.mark.parametrize(
    "text", ["", ".x", "-x", "a b", "a/b", "../x", "é", "x" * 129, "a\n", "<script>", None, 3], ids=repr
)
def test_a_bad_id_is_refused_with_the_rule(text: object) -> None:
    with pytest.raises(UsageError, match="start with a letter or digit"):
        check_id(text)
    with pytest.raises(UsageError, match="start with a letter or digit"):
        check_project(text)
