"""What goes from one network to another: entries of a few kinds, as they were signed, and nothing else.

    tell_due(journal, state, day, time=time)         # promises for the orders that go to other networks
    outbox = exported(journal, state)                # a journal of what they may see; any carrier brings it there
    journal.append(heard(state, arrived, day))       # what came of theirs

`exchange` does all of it with a peer that answers; `hear_bundle` takes in what a stick brought.
"""

from abasto.letters.exchange import (
    Exchanged,
    NoReaderError,
    answering_for,
    exchange,
    hear_bundle,
    post,
    write_letters,
)
from abasto.letters.post import EXPORTED, due, exported, heard, letters_of, tell_due

__all__ = [
    "EXPORTED",
    "Exchanged",
    "NoReaderError",
    "answering_for",
    "due",
    "exchange",
    "exported",
    "hear_bundle",
    "heard",
    "letters_of",
    "post",
    "tell_due",
    "write_letters",
]
