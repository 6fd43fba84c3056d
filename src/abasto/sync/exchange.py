"""The exchange between two devices: each says what it holds, and only what the other lacks is sent.

One side asks, the other answers; whoever carries the bytes between them knows nothing of what they say. The answering
side remembers nothing between two requests, and the asking side nothing between two exchanges: whatever breaks off is
gone on with from what is kept. What is taken is on the disk before it is acknowledged.

    pull   hello → stands, then take → entries until nothing is left; list → ids and get → entries where chains differ
    push   hello → stands, listruns → runs or list → ids where chains differ, then give → kept until nothing is left
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import TypeVar

from abasto.errors import EndlessError, EntryError, ForeignError, MessageError, OversizedError, PeerError, SyncError
from abasto.facts.canonical import parse
from abasto.facts.codes import code_of
from abasto.facts.kinds import MOST
from abasto.journal.entry import Entry, Signed
from abasto.journal.journal import Journal, Received
from abasto.journal.signing import NOTHING
from abasto.journal.store import Store
from abasto.sync import messages
from abasto.sync.fingerprint import NONE, Fingerprint, Stand, fingerprint_of, stands_of
from abasto.sync.messages import MOST_ENTRIES, MOST_IDS, MOST_WHY, Message, Page, Rest, pack, unpack
from abasto.sync.missing import Chains, Gap, Lacking, Run, in_runs, is_first, lacking_of, runs_of

__all__ = ["MOST_REFUSED", "MOST_ROUNDS", "Answerer", "Ask", "MayKeep", "Synced", "pull", "push", "refusal", "sync"]

Ask = Callable[[bytes], bytes]
"""Carries a request to the other side and returns its answer."""
MayKeep = Callable[[Entry], bool]
"""Says of a valid entry whether there is room for it; see `quarantine.Quarantine`."""

STANDS = messages.MOST_STANDS
MOST_WISHES = 1_000
"""Of so many authors entries are asked for at once."""
MOST_HAVE = 2_000
"""Of more loose entries than these of one author ids are compared instead."""

MOST_WISHED = 20_000
"""So many loose entries are named in one request."""
MOST_QUESTIONS = 20_000
"""So many are asked in one exchange: a hundred times what a million entries take. The next one goes on from there."""
MOST_AUTHORS = 100_000
MOST_LISTED = 1_000_000
"""Of so many authors, and so many entries of one of them, the other side may say in one exchange that it holds them."""
MOST_REFUSED = 100_000
"""Of so many entries it is remembered why they were refused."""
MOST_ROUNDS = 20
"""So often what was refused is asked for or given again in one exchange, as something else has come between."""

ASKED = messages.Hello | messages.Take | messages.ListIds | messages.ListRuns | messages.Get | messages.Give
"""What may be asked; all else answers."""

Thing = TypeVar("Thing")


@dataclass(slots=True)
class Synced:
    """What an exchange brought: `came` and `went` count entries that were new here and there.

    `refused` says why entries were refused here, `refused_there` what the other side said of those it refused. `code`
    is the short code of what both hold if they hold the same, else "". `sent` and `received` count bytes.
    """

    came: int = 0
    went: int = 0
    refused: list[str] = field(default_factory=list)
    refused_there: list[str] = field(default_factory=list)
    code: str = ""
    sent: int = 0
    received: int = 0

    @property
    def is_identical(self) -> bool:
        """Whether both sides held the same when the exchange ended."""
        return bool(self.code)


# The side that answers


class Answerer:
    """Answers the requests of others from a journal, and keeps what they give; remembers nothing between requests.

    What is wrong with a request is said in the answer. Only what fails here is raised: `JournalError`, of which the
    other side should hear no more than that it failed.
    """

    def __init__(self, journal: Journal, *, may_keep: MayKeep | None = None) -> None:
        self._journal = journal
        self._may_keep = may_keep

    def answer(self, request: bytes) -> bytes:
        """Return the answer to a request, both as bytes."""
        try:
            message, entries = unpack(request)
            return self._answered(message, entries)
        except SyncError as error:
            return refusal(error)

    def _answered(self, message: Message, entries: Sequence[Signed]) -> bytes:
        if not isinstance(message, ASKED):
            raise SyncError(f"{message.kind}: this is an answer, and nothing was asked.")
        network = self._journal.network
        _check_network(network, message.network)
        match message:
            case messages.Hello():
                return pack(_stands(network, fingerprint_of(self._journal.store), message))
            case messages.Take():
                return self._entries(message)
            case messages.ListIds():
                return pack(self._ids(message))
            case messages.ListRuns():
                return pack(self._runs(message))
            case messages.Get():
                return self._got(message)
            case messages.Give():
                return pack(self._kept(entries))

    def _entries(self, message: messages.Take) -> bytes:
        """Return a page of what goes beyond what the other side holds of some authors."""
        if len({wish.author for wish in message.wishes}) < len(message.wishes):
            raise MessageError("take: an author is named twice; once says all.")
        chains = Chains(self._journal.store)
        is_like = {wish.author: chains.has(wish.author, wish.seq, wish.id) for wish in message.wishes}
        gaps = [_gap(self._journal.store, wish) for wish in message.wishes if is_like[wish.author]]
        lacking = (one.kept.signed for one in lacking_of(self._journal.store, gaps))
        page, more = _page_by_kind(lacking) if message.first else _page(lacking)
        unlike = [author for author, like in is_like.items() if not like]
        return pack(messages.Entries(unlike=unlike, more=more), page.entries)

    def _ids(self, message: messages.ListIds) -> messages.Ids:
        """Return the ids of an author beyond what both sides' chains have in common."""
        store = self._journal.store
        common = Chains(store).common(message.author, message.places)
        ids: list[tuple[int, str]] = []
        for kept in store.follow(message.author, max(common, message.after[0] - 1)):
            if kept.seq > message.upto:
                break
            if (kept.seq, kept.id) <= message.after:
                continue
            if len(ids) == MOST_IDS:
                return messages.Ids(common=common, ids=ids, whole=False)
            ids.append((kept.seq, kept.id))
        return messages.Ids(common=common, ids=ids, whole=True)

    def _runs(self, message: messages.ListRuns) -> messages.Runs:
        """Return the runs of an author's entries beyond its chain."""
        later = (run for run in runs_of(self._journal.store, message.author) if (run.last, run.id) > message.after)
        runs = [(run.first, run.last, run.id) for run in islice(later, MOST_IDS + 1)]
        return messages.Runs(runs=runs[:MOST_IDS], whole=len(runs) <= MOST_IDS)

    def _got(self, message: messages.Get) -> bytes:
        """Return the entries of some ids that are here, as many as fit."""
        found = (self._journal.store.get(id) for id in message.ids)
        page, more = _page(signed for signed in found if signed is not None)
        return pack(messages.Entries(unlike=[], more=more), page.entries)

    def _kept(self, entries: Sequence[Signed]) -> messages.Kept:
        """Check and keep what was given, on the disk when this returns."""
        received = self._journal.receive(entries, may_keep=self._may_keep)
        refused = [messages.Refusal(position=position, why=_short(why)) for position, why in received.refused]
        return messages.Kept(
            network=self._journal.network,
            hash=fingerprint_of(self._journal.store).hash,
            new=received.new,
            known=received.known,
            refused=refused,
        )


def _stands(network: str, own: Fingerprint, asked: messages.Hello) -> messages.Stands:
    """Return what is held here, a page of authors by key, or only the hash if the other side has the same."""
    if own.hash == asked.hash:
        return messages.Stands(network=network, hash=own.hash, stands=[], more=False)
    rest = [(author, *stand) for author, stand in sorted(own.stands.items()) if author > asked.after]
    return messages.Stands(network=network, hash=own.hash, stands=rest[:STANDS], more=len(rest) > STANDS)


def _gap(store: Store, wish: messages.Wish) -> Gap:
    """Return what is missing of an author to who wishes for what goes beyond what it holds."""
    runs = [Run(*run) for run in wish.runs]
    return Gap(wish.author, wish.seq, {*wish.have, *in_runs(store, wish.author, wish.seq, runs)})


def _page(entries: Iterable[Signed]) -> tuple[Page, Rest]:
    """Return as many entries as fit into a page, and `rest` if some did not."""
    page = Page()
    for signed in entries:
        if not page.add(signed):
            return page, "rest"
    return page, ""


def _page_by_kind(entries: Iterable[Signed]) -> tuple[Page, Rest]:
    """Return a page with what goes first at its beginning, and others as far as they fit."""
    first, rest = Page(), Page()
    is_full = False
    for signed in entries:
        if is_first(signed.raw):
            if not first.add(signed):
                return first, "first"
        elif not is_full and not rest.add(signed):
            is_full = True
    for signed in rest.entries:
        if not first.add(signed):
            return first, "rest"
    return first, "rest" if is_full else ""


def refusal(error: SyncError) -> bytes:
    """Return the answer that says what is wrong with a request."""
    kinds = ((ForeignError, "foreign"), (OversizedError, "oversized"), (MessageError, "message"), (SyncError, "asked"))
    cause = next(cause for kind, cause in kinds if isinstance(error, kind))
    return pack(messages.No.model_validate({"cause": cause, "why": _short(str(error))}))


# The side that asks


def pull(journal: Journal, ask: Ask, *, may_keep: MayKeep | None = None) -> Synced:
    """Fetch what the other side holds and this journal lacks.

    Raises `SyncError` if the other side refuses or says what is no answer, `JournalError` if nothing can be kept, and
    whatever `ask` raises; what came before is kept in any case.
    """
    peer = _Peer(journal, ask, may_keep)
    return peer.ended(_pulled(peer).hash)


def push(journal: Journal, ask: Ask) -> Synced:
    """Give the other side what this journal holds and it lacks; raises what `pull` does."""
    peer = _Peer(journal, ask, None)
    return peer.ended(_pushed(peer, peer.hello()))


def sync(journal: Journal, ask: Ask, *, may_keep: MayKeep | None = None) -> Synced:
    """Fetch what is missing here, then give what is missing there; raises what `pull` does."""
    peer = _Peer(journal, ask, may_keep)
    return peer.ended(_pushed(peer, _pulled(peer)))


def _pulled(peer: _Peer) -> Fingerprint:
    """Fetch what is missing here, and return what the other side holds.

    As long as something comes, what there was no room for is asked for again: who endorsed its author may have come.
    """
    theirs = peer.hello()
    for _ in range(MOST_ROUNDS):
        came = peer.synced.came
        peer.without_room.clear()
        _Puller(peer, theirs).pull()
        if not peer.without_room or peer.synced.came == came:
            break
    peer.synced.refused += peer.without_room
    return theirs


def _pushed(peer: _Peer, theirs: Fingerprint) -> str:
    """Give what is missing there, and return the hash over what the other side holds then.

    As long as something is new there, what it refused is given again: it may know its author by now.
    """
    for turn in range(1, MOST_ROUNDS + 1):
        went = peer.synced.went
        pusher = _Pusher(peer, theirs)
        hash = pusher.push()
        if not pusher.refused or peer.synced.went == went or turn == MOST_ROUNDS:
            break
        theirs = peer.hello()
    peer.synced.refused_there += pusher.refused
    return hash


class _Peer:
    """The other side of one exchange: asks it, checks the form of what it answers, and counts what came and went."""

    def __init__(self, journal: Journal, ask: Ask, may_keep: MayKeep | None) -> None:
        self.journal = journal
        self.synced = Synced()
        self.without_room: list[str] = []
        """Why entries were refused for which there may be room later in the exchange."""
        self._ask = ask
        self._may_keep = may_keep
        self._questions = 0

    def ask(self, message: Message, entries: Iterable[Signed] = ()) -> tuple[Message, list[Signed]]:
        """Return what the other side answers; raises by its cause what it refuses."""
        self._questions = _within(MOST_QUESTIONS, self._questions + 1, "questions were needed")
        request = pack(message, entries)
        self.synced.sent += len(request)
        answer = self._ask(request)
        self.synced.received += len(answer)
        answered, brought = unpack(answer)
        if isinstance(answered, messages.No):
            kind = ForeignError if answered.cause == "foreign" else PeerError
            raise kind(f"the other side refused: {answered.why}")
        return answered, brought

    def hello(self) -> Fingerprint:
        """Return what the other side holds."""
        own = fingerprint_of(self.journal.store)
        stands: dict[str, Stand] = {}
        after = ""
        while True:
            told, _ = self.ask(messages.Hello(network=self.journal.network, hash=own.hash, after=after))
            told = _as(messages.Stands, told)
            _check_network(self.journal.network, told.network)
            if told.hash == own.hash:
                return own
            if any(row[0] <= after for row in told.stands):
                raise MessageError("stands: not beyond the one that was named; the other side contradicts itself.")
            stands |= {row[0]: Stand(*row[1:]) for row in told.stands}
            _within(MOST_AUTHORS, len(stands), "authors are named")
            if not told.more or not told.stands:
                return Fingerprint(stands, told.hash)
            after = max(row[0] for row in told.stands)

    def take(self, entries: Sequence[Signed]) -> Received:
        """Check and keep what the other side sent."""
        received = self.journal.receive(entries, may_keep=self._may_keep)
        self.synced.came += received.new
        waiting = set(received.without_room)
        told = len(self.without_room) + len(self.synced.refused)
        for position, why in received.refused[: MOST_REFUSED - told]:
            (self.without_room if position in waiting else self.synced.refused).append(why)
        return received

    def ended(self, hash: str) -> Synced:
        """Return what the exchange brought, given the hash over what the other side holds now."""
        own = fingerprint_of(self.journal.store)
        self.synced.code = own.code if own.hash == hash else ""
        return self.synced


class _Puller:
    """Fetches what the other side holds: first what goes beyond our chains, then what only ids can tell."""

    def __init__(self, peer: _Peer, theirs: Fingerprint) -> None:
        self._peer = peer
        self._store = peer.journal.store
        self._theirs = theirs
        self._unlike: set[str] = set()
        """Authors whose chain here is not the beginning of theirs."""
        self._done: set[str] = set()
        """Authors of whom no more is asked for in this exchange: all came, or something was refused."""

    def pull(self) -> None:
        for first in (True, False):
            for authors in _in_groups(self._behind(), MOST_WISHES):
                self._follow(authors, first=first)
        for author in self._behind():
            self._compare(author)

    def _behind(self) -> list[str]:
        """Return the authors of whom the other side may hold what is not here."""
        own, chains = stands_of(self._store), Chains(self._store)
        return [
            author
            for author, stand in sorted(self._theirs.stands.items())
            if author not in self._done
            and own.get(author, NONE) != stand
            and (stand.loose or not chains.has(author, stand.seq, stand.id))
        ]

    def _follow(self, authors: Sequence[str], *, first: bool) -> None:
        """Fetch what goes beyond our chains of some authors: what goes first and a page of others, or all others."""
        while wishes := self._wishes(authors):
            message = messages.Take(network=self._peer.journal.network, first=first, wishes=wishes)
            told, entries = self._peer.ask(message)
            told = _as(messages.Entries, told)
            self._unlike.update(told.unlike)
            asked = {wish.author for wish in wishes} - self._unlike
            self._take(entries, asked)
            if not told.more:
                self._done |= asked
            if told.more != ("first" if first else "rest"):
                return

    def _wishes(self, authors: Sequence[str]) -> list[messages.Wish]:
        """Return what to ask for of some authors, given what is here of them now; of others ids are compared."""
        loose, stands = self._store.loose(), stands_of(self._store)
        wishes = []
        room = MOST_WISHED
        for author in authors:
            have, runs = loose.get(author, []), list[Run]()
            if author in self._unlike or author in self._done:
                continue
            if have and not self._theirs.stands[author].loose:
                have, runs = [], list(runs_of(self._store, author))
            if len(have) + len(runs) > min(MOST_HAVE, room):
                continue
            room -= len(have) + len(runs)
            stand = stands.get(author, NONE)
            told = [(run.first, run.last, run.id) for run in runs]
            wishes.append(messages.Wish(author=author, seq=stand.seq, id=stand.id, have=have, runs=told))
        return wishes

    def _take(self, entries: Sequence[Signed], asked: set[str]) -> None:
        """Keep what came. No exchange may go on for ever: whose entries are refused is asked for no more."""
        received = self._peer.take(entries)
        blamed = {_author_of(entries[position].raw) for position, _ in received.refused} & asked
        self._done |= blamed or (asked if not received.new else set())

    def _compare(self, author: str) -> None:
        """Fetch what ids tell is missing of an author: forks, and what stands beyond a gap."""
        stand = self._theirs.stands[author]
        places = Chains(self._store).places(author, stand.seq, stand.id)
        for _, ids in _listed(self._peer, author, places, upto=MOST):
            lacking = [id for _, id in ids if self._store.get(id) is None]
            while lacking and author not in self._done:
                message = messages.Get(network=self._peer.journal.network, ids=lacking[:MOST_ENTRIES])
                told, entries = self._peer.ask(message)
                _as(messages.Entries, told)
                self._take(entries, {author})
                lacking = [id for id in lacking if self._store.get(id) is None]
            if author in self._done:
                return


class _Pusher:
    """Gives the other side what it lacks: membership first, and no more of an author of whom it refused something."""

    def __init__(self, peer: _Peer, theirs: Fingerprint) -> None:
        self._peer = peer
        self._store = peer.journal.store
        self._theirs = theirs
        self._aside: set[str] = set()
        self.refused: list[str] = []
        """What the other side said of what it refused."""

    def push(self) -> str:
        """Return the hash over what the other side holds afterwards."""
        hash = self._theirs.hash
        gaps = list(self._gaps())
        for page in self._pages(gaps):
            given = messages.Give(network=self._peer.journal.network)
            told, _ = self._peer.ask(given, [one.kept.signed for one in page])
            told = _as(messages.Kept, told)
            if told.new > len(page):
                raise MessageError("kept: more than was given; the other side contradicts itself.")
            self._peer.synced.went += told.new
            for refusal in told.refused:
                if refusal.position < len(page):
                    self._aside.add(page[refusal.position].author)
                self.refused.append(refusal.why)
            hash = told.hash
        return hash

    def _gaps(self) -> Iterator[Gap]:
        """Yield what the other side lacks of each author of whom it does not hold the same."""
        chains = Chains(self._store)
        for author, own in stands_of(self._store).items():
            stand = self._theirs.stands.get(author, NONE)
            if stand == own:
                continue
            if not stand.loose and chains.has(author, stand.seq, stand.id):
                yield Gap(author, stand.seq)
            elif not own.loose and chains.has(author, stand.seq, stand.id):
                runs = list(_runs_there(self._peer, author))
                yield Gap(author, stand.seq, in_runs(self._store, author, stand.seq, runs))
            else:
                yield self._compared(author, chains, stand)

    def _compared(self, author: str, chains: Chains, stand: Stand) -> Gap:
        """Return what the other side lacks of an author, by its ids beyond what both chains have."""
        after = 0
        have: set[str] = set()
        places = chains.places(author, stand.seq, stand.id)
        for common, ids in _listed(self._peer, author, places, upto=self._store.latest(author)):
            after = common
            have.update(id for _, id in ids if self._store.get(id) is not None)
        return Gap(author, after, have)

    def _pages(self, gaps: Sequence[Gap]) -> Iterator[list[Lacking]]:
        """Yield what is missing in pages; whose entries were refused meanwhile is left out of the next ones."""
        page = Page()
        lackings: list[Lacking] = []
        for lacking in self._in_order(gaps):
            if lacking.author in self._aside:
                continue
            if not page.add(lacking.kept.signed):
                yield lackings
                page, lackings = Page(), []
                page.add(lacking.kept.signed)
            lackings.append(lacking)
        if lackings:
            yield lackings

    def _in_order(self, gaps: Sequence[Gap]) -> Iterator[Lacking]:
        """Yield what founds the network or says who belongs to it, then all else; read twice rather than held."""
        for first in (True, False):
            for lacking in lacking_of(self._store, gaps):
                if is_first(lacking.kept.signed.raw) is first:
                    yield lacking


def _listed(
    peer: _Peer, author: str, places: list[tuple[int, str]], *, upto: int
) -> Iterator[tuple[int, list[tuple[int, str]]]]:
    """Yield the other side's ids of an author beyond the first of some places that it has too, page by page.

    With each page comes the number of that place, 0 if there is none.
    """
    after, listed = (0, NOTHING), 0
    while True:
        wanted = messages.ListIds(network=peer.journal.network, author=author, places=places, after=after, upto=upto)
        told, _ = peer.ask(wanted)
        told = _as(messages.Ids, told)
        if told.common not in {0, *(seq for seq, _ in places)} or any(place <= after for place in told.ids):
            raise MessageError("ids: beyond none of the places that were named; the other side contradicts itself.")
        listed = _within(MOST_LISTED, listed + len(told.ids), "entries of one author are named")
        yield told.common, told.ids
        if told.whole or not told.ids:
            return
        after = told.ids[-1]


def _runs_there(peer: _Peer, author: str) -> Iterator[Run]:
    """Yield the runs of an author's loose entries on the other side, page by page."""
    after, listed = (0, NOTHING), 0
    while True:
        told, _ = peer.ask(messages.ListRuns(network=peer.journal.network, author=author, after=after))
        told = _as(messages.Runs, told)
        listed = _within(MOST_LISTED, listed + len(told.runs), "runs of one author are named")
        for first, last, id in told.runs:
            if not (after < (last, id) and first <= last):
                raise MessageError("runs: not in order, or none; the other side contradicts itself.")
            after = (last, id)
            yield Run(first, last, id)
        if told.whole or not told.runs:
            return


# What both sides need


Kind = TypeVar("Kind", bound=messages.Head)


def _as(kind: type[Kind], message: Message) -> Kind:
    """Return an answer that must be of a kind."""
    if not isinstance(message, kind):
        raise MessageError(f"{message.kind}: not the answer to what was asked; no peer of this version.")
    return message


def _within(most: int, count: int, what: str) -> int:
    """Return a count; `EndlessError` if it is more than any honest exchange comes to."""
    if count > most:
        raise EndlessError(
            f"more than {most:,} {what}; no honest device does that, so it was asked no more. What came before is "
            "kept. Ask another device, and see whether this one still does what it should."
        )
    return count


def _check_network(own: str, other: str) -> None:
    """Refuse whoever is of another network; who holds nothing yet may join ours."""
    if own and other and own != other:
        raise ForeignError(f"network {code_of(other)}; this journal is of {code_of(own)}, and nothing was exchanged.")


def _author_of(raw: bytes) -> str:
    """Return the author that refused bytes name, for what it is worth; "" if none."""
    try:
        return str(parse(raw).get("a", ""))
    except EntryError:
        return ""


def _short(why: str) -> str:
    return why if len(why) <= MOST_WHY else why[: MOST_WHY - 1] + "…"


def _in_groups(things: Sequence[Thing], size: int) -> Iterator[Sequence[Thing]]:
    for start in range(0, len(things), size):
        yield things[start : start + size]
