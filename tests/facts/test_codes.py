"""Short codes: what people copy by hand finds the one thing that was meant, or says why not."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abasto.errors import AbastoError
from abasto.facts.codes import SIGNS, code_of, find, heard, spoken

keys = st.binary(min_size=32, max_size=32)


def id_of(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def spelled(raw: bytes) -> str:
    """Return all of the id in Crockford's base 32, through Python's own base 32."""
    usual = base64.b32encode(raw).decode().rstrip("=")
    return usual.translate(str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", SIGNS))


@given(keys)
def test_a_code_is_the_first_eight_signs(raw: bytes) -> None:
    assert code_of(id_of(raw)) == f"{spelled(raw)[:4]}-{spelled(raw)[4:8]}"


@given(keys, st.lists(keys, max_size=20), st.integers(4, 52), st.randoms())
def test_a_code_of_any_length_finds_its_id_or_names_the_others(
    raw: bytes, rest: list[bytes], length: int, random
) -> None:  # type: ignore[no-untyped-def]
    code = spelled(raw)[:length]
    written = "".join(random.choice([sign, sign.lower(), sign + "-", sign + " "]) for sign in code)
    written = written.replace("0", random.choice("0Oo")).replace("1", random.choice("1IiLl"))
    all_ids = [id_of(one) for one in [*rest, raw, *rest]]
    if sum(spelled(one).startswith(code) for one in {raw, *rest}) > 1:
        with pytest.raises(AbastoError, match="may be"):
            find(written, all_ids)
    else:
        assert find(written, all_ids) == id_of(raw)


def test_a_whole_id_finds_itself() -> None:
    ids = [id_of(bytes([number]) * 32) for number in range(5)]
    assert [find(id, iter(ids)) for id in ids] == ids


def test_two_with_one_beginning_are_named_with_more_of_their_signs() -> None:
    one, other = (id_of(b"\0" * 5 + bytes([number]) * 27) for number in (1, 2))
    with pytest.raises(AbastoError, match=r'"0000-0000" may be 0000-0000-040G, 0000-0000-0810; give more of its signs'):
        find("0000-0000", [one, other, one])
    assert find("0000-0000-08", [one, other]) == other


def test_of_many_with_one_beginning_some_are_named() -> None:
    ids = [id_of(b"\0" * 5 + bytes([number]) * 27) for number in range(1, 9)]
    with pytest.raises(AbastoError, match=r"and 3 more; give more of its signs"):
        find("0000", ids)


@pytest.mark.parametrize("code", ["", "K7Q", "K-7 Q"])
def test_a_code_that_is_too_short_is_told(code: str) -> None:
    with pytest.raises(AbastoError, match="too short for a code"):
        find(code, [id_of(b"\0" * 32)])


@pytest.mark.parametrize("code", ["K7Q2-M4XP", "UUUU-UUUU", "0" * 60, "ñandú"])
def test_a_code_that_nothing_has_is_told(code: str) -> None:
    with pytest.raises(AbastoError, match="nothing here has this code"):
        find(code, [id_of(b"\0" * 32)])


@given(keys.map(id_of), st.integers(0, 17), st.sampled_from(SIGNS))
def test_one_misheard_sign_of_a_code_read_aloud_is_noticed(id: str, place: int, sign: str) -> None:
    said = spoken(id).replace("-", "")
    assert find(heard(said), [id]) == id
    misheard = said[:place] + sign + said[place + 1 :]
    if misheard != said:
        with pytest.raises(AbastoError, match="misheard"):
            heard(misheard)


@given(keys.map(id_of), st.integers(0, 14))
def test_two_neighbours_swapped_in_a_code_read_aloud_are_noticed(id: str, place: int) -> None:
    said = spoken(id).replace("-", "")
    swapped = said[:place] + said[place + 1] + said[place] + said[place + 2 :]
    if swapped != said:
        with pytest.raises(AbastoError, match="misheard"):
            heard(swapped)


@pytest.mark.parametrize("text", ["", "0000-0000", "0000-0000-0000-0000-0U", "0000-0000-0000-0000-000"])
def test_what_is_no_code_read_aloud_is_refused(text: str) -> None:
    with pytest.raises(AbastoError, match="hear it again"):
        heard(text)
