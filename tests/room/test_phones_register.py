"""The register of phones: codes that open once, tokens of which only digests are kept, and an end to each phone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread

import pytest
from tests.room.served import neighbourhood

from abasto.errors import SettingError
from abasto.journal.home import Home
from abasto.room.phones import MOST_DAYS, SETTING, Phone, Phones
from abasto.room.sessions import CODE_LASTS

NOW = datetime(2027, 3, 1, 9, 30, tzinfo=UTC)
SOON = NOW + timedelta(minutes=5)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return neighbourhood(tmp_path_factory.mktemp("phones"))


@pytest.fixture
def home(folder: Path) -> Iterator[Home]:
    with Home.open(folder, passphrase=None) as opened:
        opened.file.set_setting(SETTING, "[]")
        yield opened


@pytest.fixture
def phones(home: Home) -> Phones:
    return Phones(home)


def joined(phones: Phones, label: str = "phone at the bakery", **asked: object) -> tuple[str, Phone]:
    code = phones.invite(label, now=NOW, **asked)  # type: ignore[arg-type]
    found = phones.join(code, now=SOON)
    assert found is not None
    return found


def test_code_joins_one_phone_and_only_once(phones: Phones) -> None:
    code = phones.invite("phone at the bakery", now=NOW, sites=("Bakery",), language="ar", days=7)
    found = phones.join(code, now=SOON)
    assert found is not None
    token, phone = found
    assert (phone.label, phone.role, phone.sites, phone.language) == (
        "phone at the bakery",
        "reporter",
        ("Bakery",),
        "ar",
    )
    assert datetime.fromisoformat(phone.ends) == SOON + timedelta(days=7)
    assert phones.of(token) == phone
    assert phones.join(code, now=SOON) is None
    assert phones.all() == (phone,)


def test_code_opens_nothing_from_its_last_second_on(phones: Phones) -> None:
    late = phones.invite("late", now=NOW)
    assert phones.join(late, now=NOW + CODE_LASTS) is None
    in_time = phones.invite("in time", now=NOW)
    assert phones.join(in_time, now=NOW + CODE_LASTS - timedelta(seconds=1)) is not None


def test_wrong_code_opens_nothing_and_spends_no_invitation(phones: Phones) -> None:
    code = phones.invite("phone", now=NOW)
    wrong = ("0" if code[0] != "0" else "1") + code[1:]
    assert phones.join(wrong, now=SOON) is None
    assert phones.join("", now=SOON) is None
    assert len(phones.invited(now=SOON)) == 1
    assert phones.join(code, now=SOON) is not None
    assert phones.invited(now=SOON) == ()


def test_code_may_be_typed_with_letters_that_look_like_its_digits(phones: Phones) -> None:
    for number in range(20):  # Codes are drawn by lot, and most have a 0 or a 1.
        code = phones.invite(f"phone {number}", now=NOW)
        typed = code.lower().replace("0", "o").replace("1", "l").replace("-", " ")
        assert phones.join(typed, now=SOON) is not None, code


def test_neither_code_nor_token_is_in_what_is_kept(home: Home, phones: Phones) -> None:
    waiting = phones.invite("still waiting", now=NOW)
    token, phone = joined(phones)
    kept = home.file.setting(SETTING) or ""
    assert token not in kept
    assert waiting not in kept
    assert "still waiting" not in kept
    (row,) = json.loads(kept)
    assert row["id"] == phone.id
    assert Phones(home).of(row["token"]) is None  # Whoever reads the file cannot report with what is in it.


def test_phone_that_is_cut_off_stays_so_when_the_home_is_opened_again(folder: Path, home: Home, phones: Phones) -> None:
    token, phone = joined(phones)
    other_token, other = joined(phones, "another")
    assert phones.cut_off(phone.id, now=SOON).cut_off
    home.close()
    with Home.open(folder, passphrase=None) as again:
        register = Phones(again)
        kept = register.of(token)
        assert kept is not None
        assert kept.state_on(SOON) == "cut off"
        assert register.of(other_token) == other
        assert other.state_on(SOON) == "joined"
        first = kept.cut_off
        assert register.cut_off(phone.id, now=SOON + timedelta(days=1)).cut_off == first


def test_phone_ends_by_itself(phones: Phones) -> None:
    _, phone = joined(phones, days=1)
    ends = SOON + timedelta(days=1)
    assert phone.state_on(ends - timedelta(seconds=1)) == "joined"
    assert phone.state_on(ends) == "ended"
    elsewhere = (ends - timedelta(minutes=1)).astimezone()
    assert phone.state_on(elsewhere) == "joined"


def test_only_a_phone_that_cannot_report_any_more_is_forgotten(home: Home, phones: Phones) -> None:
    token, phone = joined(phones)
    with pytest.raises(SettingError, match="may still report"):
        phones.forget(phone.id, now=SOON)
    phones.cut_off(phone.id, now=SOON)
    phones.forget(phone.id, now=SOON)
    assert phones.of(token) is None
    assert Phones(home).all() == ()
    with pytest.raises(SettingError, match="there is none"):
        phones.forget(phone.id, now=SOON)
    with pytest.raises(SettingError, match="there is none"):
        phones.cut_off(phone.id, now=SOON)


def test_phone_reports_only_of_its_sites_and_only_as_a_reporter(phones: Phones) -> None:
    _, everywhere = joined(phones)
    assert everywhere.may_report("Mill")
    _, bakery = joined(phones, sites=("Bakery",))
    assert bakery.may_report("Bakery")
    assert not bakery.may_report("Mill")
    _, reader = joined(phones, role="reader")
    assert not reader.may_report("Mill")


@pytest.mark.parametrize(
    ("label", "asked", "message"),
    [
        ("  ", {}, "say which phone"),
        ("x" * 61, {}, "say which phone"),
        ("phone", {"role": "steward"}, 'role "steward"'),
        ("phone", {"days": 0}, "0 days"),
        ("phone", {"days": MOST_DAYS + 1}, f"{MOST_DAYS + 1} days"),
    ],
)
def test_invitation_that_cannot_be_is_refused_with_its_value(
    phones: Phones, label: str, asked: dict[str, object], message: str
) -> None:
    with pytest.raises(SettingError, match=message):
        phones.invite(label, now=NOW, **asked)  # type: ignore[arg-type]
    assert phones.invited(now=NOW) == ()


def test_list_of_invitations_can_be_read_while_a_phone_joins(phones: Phones) -> None:
    codes = [phones.invite(f"phone {number}", now=NOW) for number in range(3)]
    joining = Thread(target=phones.join, args=(codes[0],), kwargs={"now": SOON})

    class Moment(datetime):
        """A time at whose first comparison, in the middle of the list, another thread lets a phone in."""

        def __lt__(self, other: datetime) -> bool:
            if joining.ident is None:
                joining.start()
                joining.join(timeout=0.5)
            return super().__lt__(other)

    seen = phones.invited(now=Moment(2027, 3, 1, 9, 30, tzinfo=UTC))
    assert [one.label for one in seen] == ["phone 0", "phone 1", "phone 2"]
    joining.join()  # Before the home is closed under it.
    assert [one.label for one in phones.invited(now=NOW)] == ["phone 1", "phone 2"]
    assert [one.label for one in phones.all()] == ["phone 0"]
