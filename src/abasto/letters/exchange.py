"""Letters by any carrier: a peer of another network that answers, or a bundle that a stick brought.

What is held of another network, and what it may see of ours, are journals in memory, so that the exchange between
devices serves for both: only what is missing is sent, and every entry is verified again. What came is a fact of our own
journal, on the disk, before it is acknowledged.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from threading import Lock
from time import time as clock

from abasto.errors import AbastoError, ForeignError, SyncError
from abasto.facts.codes import code_of
from abasto.facts.kinds import LetterHeard
from abasto.journal.entry import Signed
from abasto.journal.journal import Journal
from abasto.journal.signing import id_of
from abasto.letters.post import Picked, Room, exported, heard, letters_of, tell_due
from abasto.state.permits import may_say
from abasto.state.state import State
from abasto.sync.bundle import Bundle, BundleWritten, write_bundle
from abasto.sync.exchange import Answerer, Ask, MayKeep, pull, push, refusal
from abasto.sync.messages import unpack
from abasto.sync.sealing import can_be_sealed_to

__all__ = ["Exchanged", "NoReaderError", "answering_for", "exchange", "hear_bundle", "post", "write_letters"]

Read = Callable[[Journal], State]


@dataclass(slots=True)
class Exchanged:
    """How many letters came and went, and why some were refused here or there."""

    came: int = 0
    went: int = 0
    refused: list[str] = field(default_factory=list)


def post(journal: Journal, day: date, *, read: Read, time: int = 0, picked: Picked | None = None) -> Journal:
    """Sign what is due to other networks, and return a journal in memory of all that they may see."""
    state = read(journal)
    while tell_due(journal, state, day, time=time):  # What was loaded is told once the promise of it is.
        state = read(journal)
    return exported(journal, state, picked=picked)


class NoReaderError(AbastoError):
    """Nobody is known who could open a bundle of letters."""


def write_letters(
    journal: Journal, path: Path, readers: Sequence[str], day: date, *, read: Read, time: int = 0
) -> BundleWritten:
    """Write what other networks may see to a bundle file, for these keys and the stewards that are known of them.

    A steward whose key is none that anything can be sealed to is passed over, so that no network keeps the others from
    reading. Raises `NoReaderError` if nobody is left, before anything is signed.
    """
    known = {key for speakers in read(journal).letters.speakers.values() for key in speakers.on(day.isoformat())}
    keys = sorted({*readers, *filter(can_be_sealed_to, known)})
    if not keys:
        raise NoReaderError("no steward of another network is known yet; name a device's key.")
    return write_bundle(post(journal, day, read=read, time=time), path, readers=keys)


def exchange(journal: Journal, ask: Ask, network: str, day: date, *, read: Read, time: int = 0) -> Exchanged:
    """Exchange letters with a device of another network that answers; `network` is the id of its founding entry.

    Raises `ForeignError` if it is not recognised here, or that device is of another, and what `ask` raises.
    """
    state = read(journal)
    if network not in state.letters.recognised:
        raise ForeignError(f"network {code_of(network)} is not recognised here; recognise it first.")
    picked = Picked(journal)
    outbox = post(journal, day, read=read, time=time, picked=picked)
    theirs = letters_of(journal, state, network, picked=picked)
    known = _ids(theirs)
    try:
        came = pull(theirs, ask, may_keep=Room(theirs))
    finally:  # What came before it broke off is kept too.
        done = _hear(journal, _new(theirs, known), day, read=read, time=time)
    went = push(outbox, ask)
    done.went = went.went
    done.refused += [*came.refused, *went.refused_there]
    return done


def hear_bundle(journal: Journal, bundle: Bundle, day: date, *, read: Read, time: int = 0) -> Exchanged:
    """Take in the letters of a bundle that a recognised network wrote; raises `ForeignError` for any other, and for one
    of this network.
    """
    state = read(journal)
    if bundle.network == journal.network:
        raise ForeignError(
            f"a bundle of this network itself, written by its device {code_of(bundle.writer)}: letters are heard of "
            "others. Another device of this network takes in what it holds with: abasto bundle read FILE"
        )
    if bundle.network not in state.letters.recognised:
        raise ForeignError(f"a bundle of network {code_of(bundle.network)}, which is not recognised here.")
    theirs = letters_of(journal, state, bundle.network)
    known = _ids(theirs)
    brought = bundle.read(theirs, may_keep=Room(theirs))
    done = _hear(journal, _new(theirs, known), day, read=read, time=time)
    done.refused += brought.refused
    return done


def answering_for(
    journal: Journal,
    *,
    read: Read,
    may_keep: MayKeep | None = None,
    today: Callable[[], date] = date.today,
    now: Callable[[], float] = clock,
) -> Callable[[str], Ask]:
    """Return what answers the holder of a key: a member of the network in full, another network by letters alone.

    Which of the two is decided with every request: who is cut off or endorsed in the middle of an exchange is from then
    on answered as it should be. Where no other network is recognised, everybody who may ask at all is answered in full.
    `may_keep` says for which entries of this network there is room. `read` is asked several times with every request:
    give it what reads once for each state of the journal, as `Membership` does.
    """
    full, picked, lock = Answerer(journal, may_keep=may_keep), Picked(journal), Lock()

    def answering(key: str) -> Ask:
        def answer(request: bytes) -> bytes:
            with lock:
                state = read(journal)
                if state.letters.recognised and not _is_one_of_us(journal, state, key, today()):
                    return _answer_by_letters(picked, request, today(), read=read, time=int(now()))
                return full.answer(request)

        return answer

    return answering


def _may_hear(journal: Journal, state: State, day: date) -> bool:
    """Return whether this device may take in letters."""
    letter = LetterHeard("", "", day.isoformat())
    return journal.device is not None and may_say(state, letter, journal.device.key, day.isoformat())


def _is_one_of_us(journal: Journal, state: State, key: str, day: date) -> bool:
    """Return whether a device is a member: what another network says of it takes no role away that it has here."""
    if state.members.role(key, day.isoformat()) is not None:
        return True
    if key in state.members.cuts:
        return False
    return state.members.admission == "open" and key in journal.store.heads()


def _answer_by_letters(picked: Picked, request: bytes, day: date, *, read: Read, time: int) -> bytes:
    """Answer about what others may see of this network, or take in what another one gives of itself."""
    journal = picked.journal
    state = read(journal)
    try:
        asked = getattr(unpack(request)[0], "network", "")
    except SyncError as error:
        return refusal(error)
    if asked not in state.letters.recognised:
        outbox = post(journal, day, read=read, time=time, picked=picked)
        # What it gives would be gone with the outbox, so none of it is acknowledged.
        return Answerer(outbox, may_keep=lambda entry: False).answer(request)
    theirs = letters_of(journal, state, asked, picked=picked)
    known = _ids(theirs)
    if not _may_hear(journal, state, day):
        return Answerer(theirs, may_keep=lambda entry: False).answer(request)
    answer = Answerer(theirs, may_keep=Room(theirs)).answer(request)
    _hear(journal, _new(theirs, known), day, read=read, time=time)
    return answer


def _ids(journal: Journal) -> set[str]:
    return {placed.entry.id for placed in journal.read()}


def _new(theirs: Journal, known: set[str]) -> list[Signed]:
    return [signed for signed in theirs.store.export() if id_of(signed.raw) not in known]


def _hear(journal: Journal, letters: list[Signed], day: date, *, read: Read, time: int) -> Exchanged:
    state = read(journal)
    facts, refused = heard(state, letters, day)
    if facts and not _may_hear(journal, state, day):
        return Exchanged(refused=["this device may not take in letters; a steward can endorse it"])
    if facts:
        journal.append(facts, time=time)
    return Exchanged(came=len(facts), refused=refused)
