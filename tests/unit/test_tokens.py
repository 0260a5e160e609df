"""Capability tokens: form, checksum, redaction."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anonrun.core.tokens import TOKEN_PATTERN, TokenKind, kind_of, mask, mint, redact, token_hash


@pytest.mark.parametrize("kind", TokenKind)
def test_a_minted_token_has_the_published_form_and_its_kind(kind: TokenKind) -> None:
    token = mint(kind)
    assert re.fullmatch(r"anr_[a-z]_[0-9A-Za-z]{36}", token)
    assert TOKEN_PATTERN.fullmatch(token)
    assert kind_of(token) is kind


def test_two_tokens_are_never_the_same() -> None:
    assert len({mint(TokenKind.VIEW) for _ in range(1000)}) == 1000


@given(st.integers(0, 35), st.sampled_from("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"))
def test_one_changed_character_is_noticed(place: int, other: str) -> None:
    token = mint(TokenKind.CLAIM)
    at = len("anr_c_") + place
    changed = token[:at] + other + token[at + 1 :]
    assert (kind_of(changed) is None) == (changed != token)


def test_the_kind_is_under_the_checksum() -> None:
    token = mint(TokenKind.VIEW)
    assert kind_of(token.replace("anr_v_", "anr_c_")) is None


@given(st.text())
def test_any_other_text_is_no_token(text: str) -> None:
    assert kind_of(text) is None


def test_the_hash_is_sha256() -> None:
    assert token_hash("abc").hex() == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_a_mask_shows_two_characters_at_most() -> None:
    token = mint(TokenKind.API_KEY)
    assert mask(token) == f"anr_u_…{token[-2:]}"
    assert mask("password") == "(not a token)"


@given(st.text(), st.sampled_from(list(TokenKind)), st.text())
def test_redaction_leaves_no_token(before: str, kind: TokenKind, after: str) -> None:
    token = mint(kind)
    assert token not in redact(before + token + after)
    assert token[6:] not in redact(before + token + after)


def test_redaction_covers_cut_off_tokens() -> None:
    assert redact("see anr_w_abc123 and anr_u_9") == "see anr_*_[redacted] and anr_*_[redacted]"
