"""Bundles: what one device writes another reads, whole or not at all, and nobody else reads anything of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyrage
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.journal.contract import Pen
from tests.sync.pairs import DAY, a_journal, ids_of, noted, two

from abasto.errors import ForeignError, MessageError, OversizedError, SyncError
from abasto.journal.journal import Journal
from abasto.journal.memory import MemoryStore
from abasto.journal.signing import Device, text_of
from abasto.sync import bundle
from abasto.sync.bundle import Bundle, needs_passphrase, open_bundle, write_bundle
from abasto.sync.fingerprint import fingerprint_of
from abasto.sync.messages import Give, Hello, Holds, Message, pack, unpack, unpacked_size
from abasto.sync.sealing import identity_of, padded_size, recipient_of, seal, unseal

SEEDS = {number: bytes([number]) * 32 for number in range(1, 10)}


def key_of(number: int) -> str:
    return Device(SEEDS[number]).key


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "monday.abasto"


def entries_in(opened: Bundle) -> Iterator[bytes]:
    for page in opened._pages:
        yield from (signed.raw for signed in unpack(page)[1])


def test_a_bundle_carries_everything_to_who_has_nothing(path: Path) -> None:
    one, other = two(50)
    written = write_bundle(one, path, readers=[key_of(2)])
    assert (written.entries, written.size) == (50, path.stat().st_size)
    read = open_bundle(path, seed=SEEDS[2]).read(other)
    assert (read.new, read.known, read.refused, read.is_identical) == (50, 0, (), True)
    assert read.code == written.code == fingerprint_of(one.store).code
    again = open_bundle(path, seed=SEEDS[2]).read(other)
    assert (again.new, again.known, again.is_identical) == (0, 50, True)


def test_an_answer_carries_what_the_writer_lacks_and_no_more(path: Path, tmp_path: Path) -> None:
    one, other = two(50)
    write_bundle(one, path, readers=[key_of(2)])
    first = open_bundle(path, seed=SEEDS[2])
    first.read(other)
    noted(other, 4)
    pen = Pen(7, network=one.network)
    late = pen.chain(5)
    other.receive([late[0].signed, late[3].signed])
    answer = tmp_path / "answer.abasto"
    written = write_bundle(other, answer, readers=[first.writer], others=[first])
    assert written.entries == 6
    read = open_bundle(answer, seed=SEEDS[1]).read(one)
    assert (read.new, read.known, read.is_identical) == (6, 0, True)
    one.receive([verified.signed for verified in late])
    noted(one, 2)
    back = tmp_path / "back.abasto"
    written = write_bundle(one, back, readers=[key_of(2)], others=[open_bundle(answer, seed=SEEDS[1])])
    assert written.entries == 3 + 2  # What was loose there is not written again.
    assert open_bundle(back, seed=SEEDS[2]).read(other).is_identical


def test_an_earlier_bundle_of_ones_own_says_what_its_readers_have(path: Path, tmp_path: Path) -> None:
    one, other = two(50)
    write_bundle(one, path, readers=[key_of(2)])
    open_bundle(path, seed=SEEDS[2]).read(other)
    noted(one, 3)
    later = tmp_path / "tuesday.abasto"
    assert write_bundle(one, later, readers=[key_of(2)], others=[open_bundle(path, seed=SEEDS[1])]).entries == 3
    assert open_bundle(later, seed=SEEDS[2]).read(other).is_identical


def test_of_a_chain_that_parted_all_is_written(path: Path, tmp_path: Path) -> None:
    one, other = two(1)
    other.receive(list(one.store.export()))
    pen = Pen(7, network=one.network)
    chain = pen.chain(6)
    pen.last = chain[3]
    twin = pen.write(body={"text": "of the copy", "date": DAY})
    one.receive([verified.signed for verified in chain])
    write_bundle(one, path, readers=[key_of(2)])
    other.receive([verified.signed for verified in (*chain[:4], twin)])
    first = open_bundle(path, seed=SEEDS[2])
    answer = tmp_path / "answer.abasto"
    write_bundle(other, answer, readers=[first.writer], others=[first])
    assert open_bundle(answer, seed=SEEDS[1]).read(one).new == 1
    assert first.read(other).new == 2
    assert ids_of(one) == ids_of(other)


def test_membership_stands_first(path: Path) -> None:
    one, _ = two(30)
    pen = Pen(7, network=one.network)
    one.receive([pen.write(kind="member.admitted" if number == 9 else "note.written").signed for number in range(10)])
    write_bundle(one, path, readers=[key_of(2)])
    kinds = [b'"k":"member.' in raw or b'"k":"network.' in raw for raw in entries_in(open_bundle(path, seed=SEEDS[2]))]
    assert kinds == [True, True, *[False] * 38]


# Who opens it


def test_only_its_readers_and_its_writer_open_it(path: Path) -> None:
    one, _ = two(5)
    write_bundle(one, path, readers=[key_of(2), key_of(3)])
    for number in (1, 2, 3):
        assert open_bundle(path, seed=SEEDS[number]).writer == key_of(1)
    with pytest.raises(MessageError, match="not sealed for this device"):
        open_bundle(path, seed=SEEDS[4])
    with pytest.raises(MessageError, match="none was given"):
        open_bundle(path)
    assert not needs_passphrase(path)
    content = path.read_bytes()
    for word in (b"abasto", b"note.written", *(key.encode() for key in (one.network, key_of(1), key_of(2)))):
        assert word not in content


@given(st.binary(min_size=32, max_size=32))
def test_a_devices_key_and_seed_are_a_pair_for_age_too(seed: bytes) -> None:
    identity = pyrage.x25519.Identity.from_str(identity_of(seed))
    assert str(identity.to_public()) == recipient_of(Device(seed).key)
    sealed = seal(b"four trucks", [Device(seed).key], None)
    assert unseal(sealed, seed, None).rstrip(b"\0") == b"four trucks"


@pytest.mark.parametrize("key", [text_of((1).to_bytes(32, "little")), text_of(bytes(32)), "nobody"])
def test_nothing_is_sealed_to_a_key_that_is_none(key: str, path: Path) -> None:
    one, _ = two(1)
    with pytest.raises(SyncError, match="no key of a device"):
        write_bundle(one, path, readers=[key])
    assert not path.exists()


def test_nothing_is_written_that_nobody_could_open_or_by_nobody(path: Path) -> None:
    one, other = two(1)
    with pytest.raises(SyncError, match="nobody could open"):
        write_bundle(one, path)
    for nobody in (other, Journal(one.store)):
        with pytest.raises(SyncError, match="nothing to write yet"):
            write_bundle(nobody, path, readers=[key_of(1)])
    assert not path.exists()


# How large it is


def test_sizes_are_few_and_little_larger_than_what_they_hold() -> None:
    for size in [*range(0, 200_000, 777), 10**6, 10**7 + 1, 2**28 - 1, 2**28]:
        assert size <= padded_size(size) <= max(size * 9 // 8, 2**15)
        assert padded_size(padded_size(size)) == padded_size(size)
    assert len({padded_size(size) for size in range(2**20, 2**21, 101)}) <= 33


def test_a_day_of_reports_more_or_less_does_not_show(tmp_path: Path) -> None:
    sizes = set()
    for count in (5, 30, 60):
        one, _ = two(count)
        sizes.add(write_bundle(one, tmp_path / f"{count}", readers=[key_of(2)]).size // 1_000)
    assert len(sizes) == 1


def test_what_is_too_large_is_neither_written_nor_read(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one, _ = two(50)
    monkeypatch.setattr(bundle, "LARGEST_BUNDLE", 2_000)
    with pytest.raises(SyncError, match="for one bundle"):
        write_bundle(one, path, readers=[key_of(2)])
    assert not path.exists()
    path.write_bytes(bytes(50_000))
    with pytest.raises(OversizedError):
        open_bundle(path, seed=SEEDS[2])


# Whole or not at all


def test_a_file_with_a_changed_byte_or_cut_off_is_not_read_at_all(path: Path) -> None:
    one, _ = two(40)
    write_bundle(one, path, readers=[key_of(2)])
    whole = path.read_bytes()
    for position in range(0, len(whole), 997):
        path.write_bytes(whole[:position] + bytes([whole[position] ^ 1]) + whole[position + 1 :])
        with pytest.raises(MessageError):
            open_bundle(path, seed=SEEDS[2])
        path.write_bytes(whole[:position])
        with pytest.raises(MessageError):
            open_bundle(path, seed=SEEDS[2])


def test_a_write_that_fails_leaves_what_was_there(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one, _ = two(5)
    path.write_bytes(b"of yesterday")

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(SyncError, match="No space left on device; nothing was written"):
        write_bundle(one, path, readers=[key_of(2)])
    assert path.read_bytes() == b"of yesterday"
    assert list(path.parent.iterdir()) == [path]
    with pytest.raises(SyncError, match="check the file"):
        open_bundle(path.with_name("none"), seed=SEEDS[2])


# What somebody hostile may have sealed to us


def sealed_by_hand(path: Path, *parts: bytes, end: bytes = bytes(4)) -> Path:
    content = b"abasto/bundle/1\n" + b"".join(len(part).to_bytes(4, "big") + part for part in parts) + end
    path.write_bytes(seal(content, [key_of(2)], None))
    return path


def test_bytes_that_are_no_bundle_are_refused(path: Path) -> None:
    network = two(1)[0].network
    holds: Message = Holds(network=network, writer=key_of(1), hash=network, holds=[])
    give: Message = Give(network=network)
    other = Holds(network=network, writer=key_of(3), hash=network, holds=[])
    foreign = Give(network="F" * 42 + "A")
    assert list(entries_in(open_bundle(sealed_by_hand(path, pack(holds), pack(give)), seed=SEEDS[2]))) == []
    for parts in (
        [],
        [b"no message"],
        [pack(give)],
        [pack(holds), pack(give), pack(holds)],
        [pack(holds), pack(foreign)],
        [pack(holds), pack(other)],
        [pack(holds), pack(Hello(network=network, hash=network))],
        [pack(holds)[:-1]],
    ):
        with pytest.raises(MessageError):
            open_bundle(sealed_by_hand(path, *parts), seed=SEEDS[2])
    for end in (b"", bytes(3), b"\0\0\0\0\0x"):
        path.write_bytes(seal(b"abasto/bundle/2\n" + end, [key_of(2)], None))
        with pytest.raises(MessageError, match="no bundle of this version"):
            open_bundle(path, seed=SEEDS[2])
    with pytest.raises(MessageError):
        open_bundle(sealed_by_hand(path, pack(holds), end=bytes(4) + b"x"), seed=SEEDS[2])


def test_what_unpacks_to_too_much_in_all_is_neither_written_nor_read(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, _ = two(50)
    holds = Holds(network=one.network, writer=key_of(1), hash=one.network, holds=[])
    again = pack(Give(network=one.network), 100 * list(one.store.export()))  # The same entries a hundred times.
    sealed_by_hand(path, pack(holds), again, again)
    assert len(again) < 20_000
    monkeypatch.setattr(bundle, "MOST_UNPACKED", 2 * unpacked_size(again) + 10_000)
    assert len(list(entries_in(open_bundle(path, seed=SEEDS[2])))) == 10_000
    monkeypatch.setattr(bundle, "MOST_UNPACKED", unpacked_size(again) + 1_000)
    with pytest.raises(OversizedError, match="unpacks to more than"):
        open_bundle(path, seed=SEEDS[2])
    path.unlink()
    monkeypatch.setattr(bundle, "MOST_UNPACKED", 5_000)
    with pytest.raises(SyncError, match="MiB unpacked for one bundle"):
        write_bundle(one, path, readers=[key_of(2)])
    assert not path.exists()


def test_forged_entries_in_a_sealed_bundle_are_refused_one_by_one(path: Path) -> None:
    one, other = two(3)
    page = list(one.store.export())
    forged = page[1]._replace(raw=page[1].raw.replace(b"well", b"ill!"))
    holds = Holds(network=one.network, writer=key_of(1), hash=one.network, holds=[])
    sealed_by_hand(path, pack(holds), pack(Give(network=one.network), [page[0], forged, page[2]]))
    read = open_bundle(path, seed=SEEDS[2]).read(other)
    assert (read.new, len(read.refused), read.is_identical) == (2, 1, False)


def test_a_bundle_of_another_network_is_refused(path: Path, tmp_path: Path) -> None:
    one, _ = two(3)
    foreign = a_journal(9)
    foreign.found("Barrio Norte", date=DAY, time=0)
    write_bundle(foreign, path, readers=[key_of(1)])
    opened = open_bundle(path, seed=SEEDS[1])
    with pytest.raises(ForeignError, match="nothing was kept"):
        opened.read(one)
    with pytest.raises(ForeignError, match="nothing was written"):
        write_bundle(one, tmp_path / "answer", readers=[key_of(9)], others=[opened])
    assert one.store.count() == 3


def test_who_may_be_kept_is_asked_for_bundles_too(path: Path) -> None:
    one, _ = two(10)
    write_bundle(one, path, readers=[key_of(2)])
    read = open_bundle(path, seed=SEEDS[2]).read(Journal(MemoryStore()), may_keep=lambda entry: entry.seq < 4)
    assert (read.new, len(read.refused)) == (3, 7)
