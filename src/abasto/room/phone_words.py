"""What the phone's page says, by the key that its scripts know it by."""

from __future__ import annotations

from collections.abc import Mapping

from abasto.language import Language

__all__ = ["page_words"]


def page_words(words: Language) -> Mapping[str, str]:
    """Return every text of the page in a language. Names in braces are put in by the page."""
    return {**_reports(words), **_forms(words), **_screens(words), **_standings(words)}


def _reports(words: Language) -> dict[str, str]:
    return {
        "count": words("Count"),
        "receive": words("Receive"),
        "hand out": words("Hand out"),
        "need": words("Need"),
        "problem": words("Problem"),
        "load": words("Load"),
        "lost": words("Lost"),
        "did count": words("Counted"),
        "did receive": words("Came from outside"),
        "did hand out": words("Handed out"),
        "did lose": words("Lost"),
        "did need": words("Needed a day"),
        "did tell": words("Problem"),
        "did load": words("Loaded"),
        "did arrive": words("Arrived"),
        "amount": words("{quantity} of {good}"),
        "order code": words("Order {code}"),
        "more to come": words("more to come"),
        "best by": words("best by {day}"),
        "today": words("today"),
        "yesterday": words("yesterday"),
        "never": words("never"),
    }


def _forms(words: Language) -> dict[str, str]:
    return {
        "how much is there": words("How much is there?"),
        "how much came": words("How much came?"),
        "how much was handed out": words("How much was handed out?"),
        "how much was lost": words("How much was lost?"),
        "how much is needed a day": words("How much is needed a day?"),
        "how much more is needed a day": words("How much is needed a day beside the ration?"),
        "how much was it": words("How much was it?"),
        "counted in": words("Counted in"),
        "choose what it is counted in": words("Choose what it is counted in."),
        "write a number": words("Write a number, as 30 or 2.5."),
        "which number": words("{typed} can be read in two ways. Which one is it?"),
        "is it this number": words("{typed}: is it this number?"),
        "zero is nothing": words("Zero is nothing to report."),
        "which day": words("Which day?"),
        "other day": words("Another day"),
        "date on the pack": words("Add the date on the pack"),
        "best by which day": words("Best by"),
        "why was it lost": words("Why was it lost?"),
        "what is the problem": words("What is the problem?"),
        "no names": words("Write no names of people."),
        "write some words": words("Write some words first."),
        "save": words("Save"),
        "saved here": words("Saved on this phone"),
        "saved what": words("Saved on this phone: {what}"),
        "not saved": words("NOT saved: this phone keeps nothing more. Write it down, and free some space."),
        "counted figure": words("Known: {quantity} {unit}, counted {day}"),
        "computed figure": words("Known: {quantity} {unit}, computed {day}"),
        "estimated figure": words("Known: about {quantity} {unit}, estimated; last report {day}"),
        "ration known": words("The ration is {quantity} {unit} a day."),
        "need known": words("Known need: {quantity} {unit} a day."),
        "from site": words("from {site}"),
        "to site": words("to {site}"),
        "it arrived": words("It has arrived"),
        "it was loaded": words("It is loaded"),
        "other quantity": words("Not so much?"),
        "other quantity of": words("Another quantity of {good}"),
        "as planned": words("As it stood"),
        "the rest is to come": words("The rest is still to come"),
    }


def _screens(words: Language) -> dict[str, str]:
    return {
        "to the content": words("To the content"),
        "back": words("Back"),
        "search": words("Search"),
        "no site": words("No site"),
        "which site": words("Which site?"),
        "other site": words("Another site"),
        "what to report": words("What to report"),
        "on the way": words("on the way: {n}"),
        "by order": words("On the way to here"),
        "from elsewhere": words("From elsewhere"),
        "counted today": words("counted"),
        "no goods": words("No goods are known. Ask the room."),
        "no orders": words("Nothing is to be loaded here."),
        "join the network": words("Join the network"),
        "code from the room": words("Code from the room"),
        "write the code": words("Write the code that you got from the room."),
        "join": words("Join"),
        "joined": words("This phone has joined."),
        "join again": words("Join again"),
        "no connection": words("No connection to the room. Your reports stay on this phone."),
        "reports here": words("Reports on this phone"),
        "this phone": words("This phone"),
        "network": words("Network"),
        "sites": words("Sites"),
        "phone": words("Phone"),
        "ends": words("May report until"),
        "sign": words("Its sign"),
        "kept in indexeddb": words("What you save stays on this phone when the page is closed."),
        "kept in localstorage": words("What you save stays on this phone when the page is closed."),
        "kept in memory": words("This browser keeps nothing: what you save is gone when the page is closed."),
        "keeps nothing": words(
            "This browser keeps nothing when the page is closed. Give your reports away before you close it."
        ),
        "open level": words("Keep this page open: without connection it cannot be opened anew."),
        "offline level": words("This page also opens without connection."),
        "file level": words("This page is a file, made {day}. It sends nothing: give your reports away."),
        "figures of": words("Figures of the room: {time}"),
        "new figures": words("Fetch new figures"),
        "no figures": words("This phone has joined, but the figures of the room are not here yet."),
        "leave": words("Leave the network"),
        "leave what": words("This phone can then no longer report. What is saved on it stays."),
        "yes leave": words("Yes, leave"),
    }


def _standings(words: Language) -> dict[str, str]:
    return {
        "my reports": words("My reports"),
        "saved waiting": words("Saved on this phone, not received yet: {n}"),
        "to answer": words("Please answer: {n}"),
        "all received": words("All received, {time}"),
        "received at": words("Received {time}"),
        "given away at": words("Saved on this phone; given away {time}"),
        "not taken": words("Not taken"),
        "asked back": words("Is this right?"),
        "it is right": words("Yes, it is right"),
        "correct it": words("Correct it"),
        "delete": words("Delete"),
        "delete unsent": words("The room has not received this report. If you delete it, it is gone."),
        "yes delete": words("Yes, delete"),
        "send now": words("Send now"),
        "sent now": words("Sent."),
        "not received": words("Not received yet: {n}"),
        "none waiting": words("Nothing waits on this phone."),
        "received": words("Received: {n}"),
        "entry code": words("Entry {code}"),
        "reports stay": words("Your reports stay on this phone. They can still be given away as a file."),
        "give away": words("Give away as a file or text"),
        "give away how": words(
            "{n} reports. Save them as a file or copy the text, and bring or send that to the room by any means."
        ),
        "save as file": words("Save as a file"),
        "copy text": words("Copy the text"),
        "share": words("Share…"),
        "text copied": words("The text is copied."),
        "copy by hand": words("Copying did not work: mark the text and copy it."),
        "reports as text": words("Reports as text"),
        "give away harmless": words("To bring the same reports twice does no harm: each counts once."),
    }
