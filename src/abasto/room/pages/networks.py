"""Networks: which others are recognised, what was heard of them, what comes and goes, joint plans, and letters."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import segno
from starlette.responses import Response

from abasto.errors import MessageError
from abasto.facts.codes import code_of, spoken
from abasto.inbox.asked import AskedError
from abasto.language import Language
from abasto.letters import Exchanged, hear_bundle, write_letters
from abasto.room.desk import (
    Named,
    Quantity,
    ask_back,
    day_of,
    good_named,
    goods_of,
    is_confirmed,
    own_key,
    path_to,
    pickers,
    site_named,
    status_words,
)
from abasto.room.joining import JointAsked, JointJob
from abasto.room.web import Call, Page
from abasto.situation import quantity_words
from abasto.state.abroad import (
    Shipment,
    card,
    is_promised,
    lost_promises,
    others,
    read_card,
    recognition,
    shipments,
    withdrawal,
)
from abasto.state.exports import SHARES, Share, chosen, exports_of
from abasto.state.permits import refuse_forbidden
from abasto.sync.bundle import Bundle
from abasto.sync.sealing import unseal

if TYPE_CHECKING:
    from abasto.facts.kinds import OrderIssued
    from abasto.federation.session import Standing
    from abasto.journal.journal import Journal
    from abasto.state.state import State

__all__ = ["PAGES_NETWORKS"]

QR_SCALE = 4
OPEN = ("issued", "accepted", "loaded")
MOST_DAYS = 366
MOST_PAST = 20
"""So many shipments that are received or do not come are shown; the page Dispatch has all."""


@dataclass(frozen=True, slots=True)
class ShipmentView:
    """A shipment as the page shows it: `site` is where it goes, with us or with them."""

    id: str
    code: str
    path: str
    name: str
    site: Named
    departs: date
    arrives: date
    goods: tuple[Quantity, ...]
    status: str
    standing: str
    is_loaded: bool


@dataclass(frozen=True, slots=True)
class JointView:
    """Where a joint plan stands, and the names of those it waits for."""

    stands: Standing
    awaited: tuple[str, ...]
    without: tuple[str, ...]
    """Who is not waited for any more, as it was last asked for."""
    is_open: bool
    """Whether it can be gone on with: its orders are not signed, and its first day is not over."""


@dataclass(frozen=True, slots=True)
class OrderView:
    """An order of a joint plan that can be signed."""

    site: Named
    place: Named
    fleet: str
    departs: date
    goods: tuple[Quantity, ...]


def show(call: Call) -> Response:
    """Show the other networks, shipments, joint plans, and the forms that the desk's role allows."""
    own = own_key(call)
    with call.room.lock:
        state = call.room.state
        coming, going, past = _shipments(state)
        parts: dict[str, Any] = {
            "network": state.network,
            "listed": others(state),
            "coming": coming,
            "going": going,
            "past": past,
            "early": sum(map(len, state.letters.early.values())),
            "waiting": len(state.letters.waiting()),
            "lost": [
                (state.letters.recognised.get(one.network, code_of(one.network)), one.id)
                for one in lost_promises(state)
            ],
            "exports": exports_of(state.rows)[0],
            "goods": pickers(state)["goods"],
            "kept": [good_named(state, good) for good in sorted(exports_of(state.rows)[0].forbidden)],
        }
    text = card(parts["network"], own)
    return call.show(
        "networks.html.j2",
        card=text,
        picture=segno.make(text, error="m").png_data_uri(scale=QR_SCALE, border=4),
        spoken=spoken,
        kinds=_kind_words(call.words),
        shares=_share_words(call.words),
        tomorrow=call.room.day + timedelta(days=1),
        most_days=MOST_DAYS,
        statuses=status_words(call.words),
        **parts,
        **_joint(call),
    )


def show_joint(call: Call) -> Response:
    """Show only where joint plans stand, for a page that is open."""
    return call.show("networks_joint.html.j2", **_joint(call))


def _shipments(state: State) -> tuple[list[ShipmentView], list[ShipmentView], list[ShipmentView]]:
    """Return what is to come, what is to go, and the latest of what is received or does not come."""
    coming, going, past = [], [], []
    for way, one in shipments(state):
        view = _view(state, one)
        if view is None:
            continue
        if one.order.status not in OPEN:
            past.append(view)
        elif way == "coming":
            coming.append(view)
        else:
            going.append(view)
    for views in (coming, going):
        views.sort(key=lambda view: (view.arrives, view.name, view.code))
    past.sort(key=lambda view: (view.arrives, view.code), reverse=True)
    return coming, going, past[:MOST_PAST]


def _view(state: State, shipment: Shipment) -> ShipmentView | None:
    order, way = shipment.order, shipment.order.issued
    if way is None:
        return None
    return ShipmentView(
        id=order.id,
        code=code_of(order.id),
        path=path_to("order", order.id),
        name=shipment.name,
        site=site_named(state, way.to_site),
        departs=date.fromisoformat(way.departs),
        arrives=date.fromisoformat(way.arrives),
        goods=goods_of(state, order.loaded or way.lines),
        status=order.status,
        standing=shipment.standing,
        is_loaded=shipment.is_loaded,
    )


def _joint(call: Call) -> dict[str, Any]:
    """Return what is shown of joint plans: those that are remembered, the latest first, and what is done with one."""
    from abasto.federation.session import sessions, standing

    room, words = call.room, call.words
    job, today = room.joint.job, room.day.isoformat()
    with room.lock:
        state = room.state
        found = [standing(state, session) for session in reversed(sessions(state))]
        orders = [_order_view(state, order) for order in job.orders] if job else []
        speaks = own_key(call) in state.members.stewards(today)
        share = exports_of(state.rows)[0].share
    return {
        "joint": [_joint_view(stands, job, today) for stands in found],
        "job": job,
        "orders": orders,
        "speaks": speaks,
        "may_go_on": speaks and call.may("allocator"),
        "day_of": date.fromisoformat,
        "step_of": lambda stands: _step_words(stands, share, words),
        "quantity": lambda quantity, unit: quantity_words(quantity, unit, words),
        "signed_share": lambda share: f"{'+' if share > 0 else ''}{words.number(100 * share, digits=1)}\u202f%",
    }


def _joint_view(stands: Standing, job: JointJob | None, today: str) -> JointView:
    without = job.asked.without if job is not None and job.asked.session == stands.session else ()
    return JointView(
        stands,
        tuple(one.name for one in stands.awaited(without)),
        without,
        is_open=not stands.is_issued and stands.session >= today,
    )


def _order_view(state: State, order: OrderIssued) -> OrderView:
    return OrderView(
        site=site_named(state, order.from_site),
        place=site_named(state, order.to_site),
        fleet=order.fleet,
        departs=date.fromisoformat(order.departs),
        goods=goods_of(state, order.lines),
    )


def go_on(call: Call) -> Response:
    """Begin a joint plan, or go on with it as far as can be."""
    from abasto.federation.session import MOST_ROUNDS

    days, first = call.field("days"), day_of(call, "first")
    if days and not (days.isascii() and days.isdecimal() and len(days) <= 4 and 1 <= int(days) <= MOST_DAYS):
        raise AskedError(f'days "{days[:80]}": give a whole number from 1 to {MOST_DAYS}.')
    rounds = call.field("rounds") or str(MOST_ROUNDS)
    if rounds not in map(str, range(1, MOST_ROUNDS + 1)):
        raise AskedError(f'rounds "{rounds[:80]}": give a whole number from 1 to {MOST_ROUNDS}.')
    without = tuple(str(name) for name in call.fields.getlist("without"))
    call.room.joint.start(JointAsked(first, int(days) if days else None, int(rounds), without))
    return call.go("/networks#joint")


def stop(call: Call) -> Response:
    """End the step of a joint plan that is planned."""
    call.room.joint.stop()
    return call.go("/networks#joint")


def sign(call: Call) -> Response:
    """Sign the orders of the first day of what was agreed, those that go to others are promised with them; or end a
    joint plan that has none.
    """
    number = call.room.joint.sign(call.field("job"))
    if not number:
        return call.go("/networks#joint", said=call.words("This joint plan is over."))
    said = call.words.many("{n} order is signed and issued.", "{n} orders are signed and issued.", number)
    return call.go("/networks#joint", said=said)


def recognise(call: Call) -> Response:
    """Recognise a network, once its code has been compared."""
    with call.room.lock:
        fact = recognition(call.room.state, call.field("name"), call.field("network"), date=call.room.day.isoformat())
        refuse_forbidden(call.room.state, [fact], own_key(call))
        code = f"\u2066{spoken(fact.network)}\u2069"
        words = call.words("{name} is recognised. Compare its code with the one that is read to you: {code}",
                           name=fact.name, code=code)  # fmt: skip
        asked, before = [words], call.room.state.letters.recognised.get(fact.network)
        if before is not None:
            asked.append(call.words("It is recognised already, as {before}: it gets the name {name} instead.",
                                    before=before, name=fact.name))  # fmt: skip
        if not is_confirmed(call, asked):
            return ask_back(call, asked, title=call.words("Networks"), back="/networks")
        call.room.write([fact])
    return call.go("/networks", said=call.words("{name} is recognised.", name=fact.name))


def withdraw(call: Call) -> Response:
    """Take back a promise whose order is lost; where nothing here knows of it, once that is confirmed."""
    words = call.words
    with call.room.lock:
        state, day = call.room.state, call.room.day.isoformat()
        fact = withdrawal(state, call.field("shipment"), date=day, cause=call.field("cause"), may_be_lost=True)
        doubts: list[str] = []
        if not is_promised(state, fact.shipment):
            doubts.append(
                words(
                    "No promise that is known here has this id: {id}. Take it back only if it was promised by a device "
                    "that is lost; otherwise compare the id with the one that the other network shows.",
                    id=f"\u2066{fact.shipment}\u2069",
                )
            )
        if not is_confirmed(call, doubts):
            return ask_back(call, doubts, title=words("Networks"), back="/networks")
        call.room.write([fact])
    return call.go("/networks", said=call.words("Taken back. The other network hears it with the next letters."))


def choose(call: Call) -> Response:
    """Keep what others see of this network in joint plans, and which goods never leave it."""
    share = next((one for one in SHARES if one == call.field("share")), None)
    seen, kept = (set(call.fields.getlist(name)) for name in ("seen", "kept"))
    if share is None:
        raise AskedError(call.words("Choose what others see of this network."))
    with call.room.lock:
        rows = call.room.state.rows
        before = exports_of(rows)[0].forbidden
        goods = {row.cells["good"] for row in rows.table("goods")} | before
        lifted = sorted((before & seen) - kept)
        facts = chosen(rows, share=share, forbid=sorted(goods & kept), allow=lifted, day=call.room.day)
        call.room.write(facts)
    return call.go("/networks", said=call.words("Kept.") if facts else call.words("It is so already."))


def write(call: Call) -> Response:
    """Give the letters for all recognised networks as a file, sealed to their stewards and the device that is named."""
    readers = [read_card(text)[1] for text in (call.field("device"),) if text]
    with call.room.lock, tempfile.TemporaryDirectory() as folder:
        journal, path = call.room.home.journal, Path(folder) / "letters.abasto"
        write_letters(journal, path, readers, call.room.day, read=_reading(call), time=_time(call))
        call.room.tell()
        content, code = path.read_bytes(), code_of(call.room.state.network)
    disposition = f'attachment; filename="letters-{code}.abasto"'
    return Response(content, media_type="application/octet-stream", headers={"content-disposition": disposition})


def hear(call: Call) -> Response:
    """Take in the letters of a file that was brought."""
    file = call.file("file")
    if file is None:
        raise AskedError(call.words("Choose a file that another network wrote."))
    try:
        bundle = Bundle(unseal(file.file.read(), call.room.home.file.seed(), None))
    except MessageError as error:
        raise AskedError(f'"{(file.filename or "")[:80]}": {error}') from None
    with call.room.lock:
        done = hear_bundle(call.room.home.journal, bundle, call.room.day, read=_reading(call), time=_time(call))
        call.room.tell()
        name = call.room.state.letters.recognised[bundle.network]
    return call.go("/networks", said=_heard_words(call.words, name, done))


def _heard_words(words: Language, name: str, done: Exchanged) -> str:
    said = words.many("{n} letter came from {name}.", "{n} letters came from {name}.", done.came, name=name)
    if done.refused:
        left = words.many("{n} was left out: {why}", "{n} were left out: {why}", len(done.refused), why=done.refused[0])
        said = f"{said} {left}"
    return said


def _reading(call: Call) -> Callable[[Journal], State]:
    return lambda _: call.room.state


def _time(call: Call) -> int:
    return int(call.room.now().timestamp())


def _kind_words(words: Language) -> dict[str, str]:
    return {
        "network.founded": words("that it is founded"),
        "device.endorsed": words("who speaks for it"),
        "device.cut": words("who speaks for it no more"),
        "joint.said": words("a part of a joint plan"),
        "shipment.promised": words("that goods come"),
        "shipment.withdrawn": words("that goods do not come"),
        "order.loaded": words("what was loaded"),
        "order.received": words("what was received"),
        "report.passed_on": words("what was loaded or received"),
    }


def _step_words(stands: Standing, share: Share, words: Language) -> str:
    """Return what this network does in the next step: of several of a kind, which of them it is."""
    if share == "nothing":
        return words("tell that it takes no part")
    does = {
        "map": words("publish the map"),
        "pass": words("promise"),
        "vote": words("vote"),
        "commit": words("commit to what is sent"),
    }[stands.next]
    number, count = stands.turn
    if count == 1:
        return does
    return words("{step} ({n} of {total})", step=does, n=words.number(number), total=words.number(count))


def _share_words(words: Language) -> dict[Share, str]:
    return {
        "whole": words("each of its sites (needs, stocks and ways, without names)"),
        "map": words("the coarse map (needs, stocks and ways, rounded and without names)"),
        "offers": words("only what it has left over"),
        "nothing": words("nothing; it takes no part in joint plans"),
    }


PAGES_NETWORKS: Sequence[Page] = (
    Page("/networks", show),
    Page("/networks/recognise", recognise, "POST", "steward"),
    Page("/networks/recognise", show, is_whole=False),  # For whoever chooses another language where it is asked back.
    Page("/networks/joint", show_joint, is_whole=False),
    Page("/networks/joint", go_on, "POST", "allocator"),
    Page("/networks/joint/stop", stop, "POST", "allocator"),
    Page("/networks/joint/sign", sign, "POST", "allocator"),
    Page("/networks/exports", choose, "POST", "steward"),
    Page("/networks/withdraw", withdraw, "POST", "steward"),
    Page("/networks/withdraw", show, is_whole=False),
    Page("/networks/letters", write, "POST", "allocator"),
    Page("/networks/hear", hear, "POST", "allocator"),
)
"""Every page about other networks."""
