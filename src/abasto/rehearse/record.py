"""What a rehearsal has found so far, kept in a file as it comes, so that a stopped one goes on where it was."""

from __future__ import annotations

import hashlib
import json
import math
import os
from dataclasses import asdict
from importlib.metadata import version
from io import BufferedWriter
from pathlib import Path
from typing import Any

from abasto.errors import SettingError
from abasto.network import TABLES, Network
from abasto.rehearse.cases import Case, Outcome
from abasto.rehearse.damage import Damage, Hit
from abasto.rehearse.losses import Loss
from abasto.rehearse.ranking import certified
from abasto.rehearse.softening import Softener

__all__ = ["Record", "fingerprint"]

PROGRESS = "progress.jsonl"
FORM = 2
"""The version of the lines in the file."""

Key = tuple[Case, float | None]


def fingerprint(network: Network, **settings: Any) -> str:
    """Return what tells one rehearsal from another: its tables, settings and the program's version, as one number."""
    digest = hashlib.blake2b(digest_size=16)
    digest.update(json.dumps([version("abasto"), settings], sort_keys=True).encode())
    for schema in TABLES:
        for row in network.rows(schema.name):
            digest.update(f"{schema.name} {row.model_dump_json()}\n".encode())
    return digest.hexdigest()


class Record:
    """Outcomes by case and the gap that was searched for; with a folder, each is appended to a file there at once."""

    def __init__(self, folder: Path | None, mark: str, *, fresh: bool = False) -> None:
        self._outcomes: dict[Key, tuple[Outcome, float]] = {}
        self._file: BufferedWriter | None = None
        if folder is None:
            return
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / PROGRESS
        whole = 0 if fresh or not path.exists() else self._read(path, mark)
        with path.open("ab") as file:
            file.truncate(whole)
        self._file = path.open("ab")
        if not whole:
            self._append({"rehearsal": FORM, "fingerprint": mark})

    def __len__(self) -> int:
        return len(self._outcomes)

    def get(self, case: Case, aim: float | None, *, enough: float = math.inf) -> Outcome | None:
        """Return what is known of a case searched for a gap, or of its bracket (None).

        A search that was ended early by a plan worth less than is `enough` now, as where more places of the ranking are
        asked for than then, has to go on: of it nothing is known.
        """
        outcome, ended_at = self._outcomes.get((case, aim), (None, math.inf))
        if outcome is None or aim is None or certified(outcome, aim):
            return outcome
        return None if ended_at <= outcome.value < enough else outcome

    def add(self, outcome: Outcome, *, enough: float = math.inf) -> None:
        """Keep an outcome of a search that a plan worth `enough` would have ended."""
        self._outcomes[outcome.case, outcome.aim] = outcome, enough
        if self._file is not None:
            self._append(asdict(outcome) | {"enough": enough if math.isfinite(enough) else None})

    def __enter__(self) -> Record:
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()

    def _append(self, line: dict[str, Any]) -> None:
        assert self._file is not None
        self._file.write(json.dumps(line, ensure_ascii=False).encode() + b"\n")
        self._file.flush()
        os.fsync(self._file.fileno())

    def _read(self, path: Path, mark: str) -> int:
        """Take in what an earlier run has left, and return how many bytes of it are whole lines."""
        content = path.read_bytes()
        whole = content.rfind(b"\n") + 1
        lines = content[:whole].splitlines()
        if not lines:
            return 0
        try:
            head = json.loads(lines[0])
            same = (head["rehearsal"], head["fingerprint"]) == (FORM, mark)
            known = [json.loads(line) for line in lines[1:]] if same else []
            outcomes = [(_outcome(line), math.inf if line["enough"] is None else line["enough"]) for line in known]
        except (ValueError, KeyError, TypeError) as error:
            raise SettingError(
                f'"{path}" cannot be read as the progress of a rehearsal, it was changed or damaged; start over with '
                "--fresh, or give another folder"
            ) from error
        if not same:
            raise SettingError(
                f'"{path}" is the progress of a rehearsal of other tables or settings, or of another version of the '
                "program; start over with --fresh, or give another folder"
            )
        self._outcomes = {(outcome.case, outcome.aim): (outcome, enough) for outcome, enough in outcomes}
        return whole


def _outcome(line: dict[str, Any]) -> Outcome:
    hurt = line["damage"]
    return Outcome(
        case=_losses(line["case"]),
        aim=line["aim"],
        value=line["value"],
        bound=line["bound"],
        damage=Damage(
            lost=tuple((priority, lost) for priority, lost in hurt["lost"]),
            gained=tuple((priority, gained) for priority, gained in hurt["gained"]),
            hits=tuple(Hit(**hit) for hit in hurt["hits"]),
            first_day=hurt["first_day"],
        ),
        softened_by=tuple(Softener(**softener) for softener in line["softened_by"]),
        leans_on=_losses(line["leans_on"]),
        rounds=line["rounds"],
        note=line["note"],
    )


def _losses(rows: list[dict[str, str]]) -> Case:
    return tuple(Loss(**row) for row in rows)
