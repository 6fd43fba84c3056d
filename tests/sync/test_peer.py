"""Who is not expected gets nothing, and what is changed, repeated, sent back or left out is refused by type."""

from __future__ import annotations

import os

import pytest
from nacl.bindings import crypto_scalarmult_base
from nacl.exceptions import CryptoError
from tests.sync.peers_here import NETWORK, OTHER_NETWORK, Pair, every_bit

from abasto.errors import JournalError
from abasto.journal.signing import Device, text_of
from abasto.sync import peer
from abasto.sync.peer import MOST_MESSAGE, Asking, Host, key_from
from abasto.sync.refused import (
    ForgedError,
    LinkError,
    NoSessionError,
    NotExpectedError,
    OtherNetworkError,
    TooLargeError,
    VersionError,
    WrongKeyError,
)

SMALL_ORDER = [
    bytes.fromhex(text)
    for text in (
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "0000000000000000000000000000000000000000000000000000000000000080",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    )
]
"""The points of small order of edwards25519 in every encoding, and two that are not the canonical ones."""
SMALL_ORDER_X = [bytes(32), b"\1" + bytes(31), bytes.fromhex("ec" + "ff" * 30 + "7f")]
"""Some of Curve25519: with them everybody computes the same secret."""


@pytest.fixture
def pair() -> Pair:
    return Pair()


class Recorded:
    """A carrier that keeps what it brings, both ways; `change` may put something else in its place."""

    def __init__(self, pair: Pair) -> None:
        self.pair = pair
        self.there: list[bytes] = []
        self.back: list[bytes] = []

    def __call__(self, message: bytes) -> bytes:
        self.there.append(message)
        self.back.append(self.pair.host.handle(message))
        return self.back[-1]


def test_questions_are_answered_in_one_session_and_nothing_of_them_can_be_seen(pair: Pair) -> None:
    wire = Recorded(pair)
    ask = pair.ask(wire)
    questions = [b"flour at the bakery", b"", os.urandom(70_000)]
    for question in questions:
        assert ask(question) == pair.echo.answer(question)
    assert pair.echo.heard[::2] == questions
    assert len(wire.there) == 1 + len(questions)
    seen = b"".join(wire.there + wire.back)
    raw_keys = [peer.bytes_of(text) for text in (pair.asking.key, pair.answering.key, NETWORK)]
    for secret in (*raw_keys, b"flour", b"echo", *(key_from(one) for one in (pair.asking.key, pair.answering.key))):
        assert secret not in seen


def test_two_sessions_of_the_same_devices_have_nothing_in_common(pair: Pair) -> None:
    first, second = Recorded(pair), Recorded(pair)
    pair.ask(first)(b"the same question")
    pair.ask(second)(b"the same question")
    for one, other in zip(first.there + first.back, second.there + second.back, strict=True):
        assert one[2:] != other[2:]


def test_the_largest_message_passes_and_one_byte_more_does_not(pair: Pair) -> None:
    pair.echo.name = ""
    head = len(pair.echo.answer(b""))
    question = bytes(MOST_MESSAGE - head)
    ask = pair.ask()
    assert len(ask(question)) == MOST_MESSAGE
    with pytest.raises(TooLargeError):  # Its answer is one byte larger than any may be.
        ask(question + b"\0")
    with pytest.raises(TooLargeError):
        ask(bytes(MOST_MESSAGE + 1))
    with pytest.raises(TooLargeError):
        pair.host.take(bytes(peer.MOST_WRAPPED + 1))


def test_a_device_that_is_not_expected_is_told_so_and_asks_nothing(pair: Pair) -> None:
    pair.expected.clear()
    with pytest.raises(NotExpectedError, match="peers add"):
        pair.ask()(b"let me in")
    assert pair.echo.heard == []


def test_a_device_that_is_dropped_in_the_middle_of_a_session_gets_no_further(pair: Pair) -> None:
    ask = pair.ask()
    ask(b"first")
    pair.expected.clear()
    with pytest.raises(NotExpectedError):
        ask(b"second")
    assert pair.echo.heard == [b"first"]


def test_who_names_the_key_of_an_expected_device_without_holding_it_is_refused(pair: Pair) -> None:
    class Liar(Device):
        """Says that it is another device."""

    thief = Liar(b"\3" * 32)
    thief.key = pair.asking.key
    with pytest.raises(WrongKeyError):
        Asking(pair.host.handle, thief, key=pair.answering.key, network=NETWORK)(b"let me in")
    assert pair.echo.heard == []


def test_who_answers_without_holding_the_expected_key_is_found_out(pair: Pair) -> None:
    other = Pair(answering=Device(b"\4" * 32))
    with pytest.raises(WrongKeyError):  # The hello does not open there.
        pair.ask(lambda message: other.host.handle(message))(b"who are you?")
    recorded = Recorded(pair)
    pair.ask(recorded)(b"first")
    with pytest.raises(WrongKeyError):  # A welcome that was recorded belongs to another hello.
        pair.ask(lambda message: recorded.back[0])(b"who are you?")
    assert other.echo.heard == []


def test_another_network_is_told_and_none_yet_is_whichever_the_other_holds(pair: Pair) -> None:
    with pytest.raises(OtherNetworkError):
        pair.ask(network=OTHER_NETWORK)(b"question")
    assert pair.ask(network="")(b"I want to join") == pair.echo.answer(b"I want to join")
    pair.network = ""
    assert pair.ask()(b"you may join")


@pytest.mark.parametrize("raw", SMALL_ORDER, ids=lambda raw: raw.hex()[:6] + raw.hex()[-2:])
def test_a_key_of_small_order_is_refused_wherever_it_stands(pair: Pair, raw: bytes) -> None:
    with pytest.raises(WrongKeyError):
        key_from(text_of(raw))
    pair.expected.add(text_of(raw))
    liar = Device(b"\5" * 32)
    liar.key = text_of(raw)
    with pytest.raises(WrongKeyError):
        Asking(pair.host.handle, liar, key=pair.answering.key, network=NETWORK)(b"question")


@pytest.mark.parametrize("raw", SMALL_ORDER_X, ids=lambda raw: raw.hex()[:6])
def test_a_fresh_key_of_small_order_is_refused_by_both_sides(pair: Pair, raw: bytes) -> None:
    with pytest.raises(CryptoError):
        pair.asking.agree(raw)
    recorded = Recorded(pair)
    pair.ask(recorded)(b"question")
    hello, welcome = recorded.there[0], recorded.back[0]
    with pytest.raises(WrongKeyError):
        pair.host.take(hello[:2] + raw + hello[34:])
    with pytest.raises(WrongKeyError):
        pair.ask(lambda message: welcome[:2] + raw + welcome[34:])(b"question")


@pytest.mark.parametrize("text", ["", "A", "A" * 42, "A" * 44, "é" * 43, "A6EHv_POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbh"])
def test_what_is_no_key_is_refused_in_words(text: str) -> None:
    with pytest.raises(WrongKeyError, match="peers me"):
        key_from(text)


def test_a_changed_bit_anywhere_is_refused_by_whoever_receives_it(pair: Pair) -> None:
    recorded = Recorded(pair)
    ask = pair.ask(recorded)
    ask(b"first")
    hello, question = recorded.there
    for changed in every_bit(hello):
        with pytest.raises((WrongKeyError, ForgedError, VersionError, NoSessionError)):
            pair.host.take(changed)
    for changed in every_bit(question):
        with pytest.raises((ForgedError, VersionError, NoSessionError)):
            pair.host.take(changed)
    assert pair.echo.heard == [b"first"]
    for at, step in ((0, 1), (1, 1)):
        for place in range(0, 8 * len(recorded.back[at]), step):
            assert _with_changed_answer(pair, at, place), place


def _with_changed_answer(pair: Pair, at: int, place: int) -> bool:
    """Return whether the asking side refuses when a bit of the welcome (0) or the first answer (1) is changed."""
    sent = 0

    def carry(message: bytes) -> bytes:
        nonlocal sent
        answer = bytearray(pair.host.handle(message))
        if sent == at:
            answer[place // 8] ^= 1 << (place % 8)
        sent += 1
        return bytes(answer)

    try:
        pair.ask(carry)(b"question")
    except LinkError:
        return True
    return False


def test_every_length_of_a_message_that_was_cut_is_refused(pair: Pair) -> None:
    recorded = Recorded(pair)
    pair.ask(recorded)(b"first")
    for whole in recorded.there:
        for length in range(len(whole)):
            with pytest.raises(LinkError):
                pair.host.take(whole[:length])
            with pytest.raises(LinkError):
                pair.ask(lambda message, cut=whole[:length]: cut)(b"question")
    assert pair.echo.heard == [b"first"]


def test_a_repeated_question_gets_its_own_answer_again_and_is_answered_once(pair: Pair) -> None:
    recorded = Recorded(pair)
    ask = pair.ask(recorded)
    ask(b"first")
    ask(b"second")
    assert pair.host.take(recorded.there[-1]) == recorded.back[-1]
    with pytest.raises(ForgedError):  # An earlier one is past.
        pair.host.take(recorded.there[-2])
    assert pair.echo.heard == [b"first", b"second"]


def test_questions_in_another_order_or_with_one_left_out_are_refused(pair: Pair) -> None:
    kept: list[bytes] = []

    def hold_back(message: bytes) -> bytes:
        if message[1] == peer.QUESTION:
            kept.append(message)
            raise TimeoutError
        return pair.host.handle(message)

    ask = pair.ask(hold_back)
    keys = ask._open()
    for question in (b"first", b"second"):
        with pytest.raises(TimeoutError):
            ask._ask(keys, question)
    with pytest.raises(ForgedError):
        pair.host.take(kept[1])
    pair.host.take(kept[0])
    pair.host.take(kept[1])
    assert pair.echo.heard == [b"first", b"second"]


def test_answers_of_another_question_and_messages_sent_back_are_refused(pair: Pair) -> None:
    recorded = Recorded(pair)
    ask = pair.ask(recorded)
    ask(b"first")
    earlier = recorded.back[-1]
    ask._carry = lambda message: earlier
    with pytest.raises(ForgedError):
        ask(b"second")
    mirror = pair.ask(lambda message: message)
    with pytest.raises(ForgedError):
        mirror(b"first")
    ask = pair.ask(recorded)
    ask(b"first")
    sent: list[bytes] = []

    def reflect(message: bytes) -> bytes:
        """Send a question back as if it were its answer."""
        sent.append(message)
        return message[:1] + bytes((peer.ANSWER,)) + message[2:]

    ask._carry = reflect
    with pytest.raises(ForgedError):
        ask(b"second")
    answer = recorded.back[-1]
    with pytest.raises(ForgedError):
        pair.host.take(answer[:1] + bytes((peer.QUESTION,)) + answer[2:])
    assert len(sent) == 1


def test_a_hello_that_is_sent_again_opens_nothing_that_its_sender_can_use(pair: Pair) -> None:
    recorded = Recorded(pair)
    pair.ask(recorded)(b"take 30 sacks")
    hello, question = recorded.there
    session = pair.host.take(hello)
    with pytest.raises(NoSessionError):  # Which session it is now, only the holder of the key can read.
        pair.host.take(question[:2] + session[-16:] + question[18:])
    pair.host = pair.new_host()
    pair.host.take(hello)
    with pytest.raises(NoSessionError):
        pair.host.take(question)
    assert pair.echo.heard == [b"take 30 sacks"]


def test_whoever_records_and_later_takes_both_device_keys_cannot_open_the_questions(pair: Pair) -> None:
    recorded = Recorded(pair)
    pair.ask(recorded)(b"question")
    hello, welcome = recorded.there[0], recorded.back[0]
    known = peer._Secrets(key_from(pair.answering.key))
    known.see(hello[:34])
    known.mix(pair.answering.agree(hello[2:34]))
    assert text_of(known.open(hello[34:82])) == pair.asking.key  # As the docstring says, who asked can be read.
    known.mix(pair.answering.agree(key_from(pair.asking.key)))
    known.open(hello[82:])
    known.see(welcome[:34])
    # What both devices' keys give, without the secret of the two fresh ones.
    known.mix(pair.asking.agree(welcome[2:34]))
    with pytest.raises(CryptoError):
        known.open(welcome[34:])


def test_a_restarted_peer_or_a_session_that_ended_is_met_with_a_new_session(pair: Pair) -> None:
    wire = Recorded(pair)
    ask = pair.ask(wire)
    ask(b"first")
    pair.host = pair.new_host()
    assert ask(b"second")
    pair.now += peer.IDLE_SECONDS + 1
    assert ask(b"third")
    assert pair.echo.heard == [b"first", b"second", b"third"]
    assert sum(message[1] == peer.HELLO for message in wire.there) == 3


def test_strangers_and_quiet_sessions_do_not_pile_up(pair: Pair) -> None:
    asks = [pair.ask() for _ in range(peer.MOST_SESSIONS + 3)]
    for ask in asks:
        ask(b"hello")
    assert len(pair.host._sessions) == peer.MOST_SESSIONS
    hellos = Recorded(pair)
    for _ in range(peer.MOST_PENDING + 5):
        pair.ask(hellos)._open()
    assert len(pair.host._pending) == peer.MOST_PENDING
    assert len(pair.host._sessions) == peer.MOST_SESSIONS  # Those who only said hello pushed nobody out.
    pair.now += peer.PENDING_SECONDS + 1
    pair.ask()(b"hello")
    assert len(pair.host._pending) == 0


def test_what_fails_behind_is_told_without_details_and_the_session_goes_on_anew(pair: Pair) -> None:
    def fails(question: bytes) -> bytes:
        raise JournalError("disk full at a place that is nobody's business")

    pair.echo.answer = fails  # type: ignore[method-assign]
    with pytest.raises(LinkError) as caught:
        pair.ask()(b"question")
    assert "disk" not in str(caught.value)


def test_another_version_is_told(pair: Pair) -> None:
    with pytest.raises(VersionError):
        pair.ask(lambda message: b"\2" + pair.host.handle(b"\2" + message[1:])[1:])(b"question")
    with pytest.raises(VersionError):
        pair.host.take(b"\2\1" + bytes(128))


def test_random_bytes_are_refused_and_never_raise_anything_else(pair: Pair) -> None:
    for length in (*range(200), 5_000):
        noise = os.urandom(length)
        for message in (noise, b"\1" + noise, b"\1\1" + noise, b"\1\3" + noise):
            assert pair.host.handle(message)[:2] == bytes((peer.VERSION, peer.REFUSAL))


def test_the_key_of_a_device_is_the_same_on_both_curves() -> None:
    device = Device(os.urandom(32))
    fresh = os.urandom(32)
    from nacl.bindings import crypto_scalarmult

    assert device.agree(crypto_scalarmult_base(fresh)) == crypto_scalarmult(fresh, key_from(device.key))
    assert isinstance(Pair().host, Host)
