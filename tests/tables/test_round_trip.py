"""Folder → workbook → folder loses nothing, whatever the tables hold."""

from __future__ import annotations

import tempfile
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from abasto.errors import AbastoError, InputError
from abasto.network import TABLES, Disruption, Good, Lane, Network, Site, TableSchema
from abasto.tables.check import check_network
from abasto.tables.kinds import Kind, kind_of
from abasto.tables.raw import BLANKS, ERROR_TEXTS, RawTables
from abasto.tables.read import _assembled, _network_findings, _read_tables
from abasto.tables.read_csv import raw_folder
from abasto.tables.read_workbook import raw_workbook
from abasto.tables.write import write_network

ODD = ["=1+1", "+cmd", "@x", "007", "1e5", "TRUE", "-", "a,b", 'say "so"', "two\nlines", "old\rmac", "dos\r\nfile"]
ODD += [
    "_x000D_",
    "\u202eright",
    "ñandú",
    "🍞",
    "a  b",
    "#loc",
    "\x01",
    "\x1f",
    "2026-11-22",
    "http://x",
    "'quoted",
    "nan",
]


def is_writable(text: str) -> bool:
    return text == text.strip(BLANKS) and text not in ERROR_TEXTS


texts = st.one_of(
    st.sampled_from(ODD), st.text(st.characters(exclude_categories=["Cs"]), max_size=12).filter(is_writable)
)
ids = texts.filter(bool)
dates = st.dates(date(1, 1, 1), date(9000, 1, 1))


def values(kind: Kind) -> st.SearchStrategy[Any]:
    """Return any value that a column of this kind may hold."""
    if kind.form in ("number", "whole"):
        least, most = kind.least if kind.least is not None else kind.above, kind.most
        if kind.form == "whole":
            return st.integers(int(least or 0), 3660 if most is None else int(most))
        return st.floats(least, most, exclude_min=kind.above is not None, allow_nan=False, allow_infinity=False)
    return {
        "id": ids,
        "text": texts,
        "day": st.one_of(st.integers(-40, 4000), st.integers(19_999, 80_001)),
        "date": dates,
        "yes_no": st.booleans(),
        "choice": st.sampled_from(kind.choices or ("",)),
    }[kind.form]


def rows_of(schema: TableSchema) -> st.SearchStrategy[Any]:
    fields: dict[str, st.SearchStrategy[Any]] = {}
    for column in schema.columns:
        value = values(kind_of(schema.row, column.attribute))
        if isinstance(column.default, str) and column.default:
            value = value.filter(bool)
        fields[column.attribute] = value if column.required else st.one_of(st.just(column.default), value)
    return st.fixed_dictionaries(fields).map(lambda found: schema.row(**found))


@st.composite
def networks(draw: st.DrawFn) -> Network:
    tables = {schema.name: draw(st.lists(rows_of(schema), max_size=2).map(tuple)) for schema in TABLES[1:]}
    return Network(draw(ids), draw(dates), draw(st.integers(1, 3660)), **tables)


def as_read(raw: RawTables) -> Network:
    """Return the network in raw tables; whether it makes sense is not asked, so that any rows may stand in it."""
    read = _read_tables(raw)
    findings = [
        *raw.findings,
        *_network_findings(raw, read),
        *(one for table in read.values() for one in table.findings),
    ]
    assert [str(finding) for finding in findings] == []
    return _assembled(read)[0]


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@settings(deadline=None, max_examples=40, suppress_health_check=list(HealthCheck))
@given(networks())
@example(Network("x", date(2026, 11, 22), 7, sites=tuple(Site(site=odd) for odd in ODD)))
@example(Network("x", date(2026, 11, 22), 7, sites=(Site(site="#loc"), Site(site="#adm"))))
@example(
    Network("x", date(1900, 2, 28), 7, goods=(Good(good="a", kg_per_unit=0.1 + 0.2), Good(good="b", priority=5e-324)))
)
def test_folder_to_workbook_to_folder_loses_nothing(network: Network) -> None:
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        write_network(network, place / "one")
        from_folder = as_read(raw_folder(place / "one"))
        assert from_folder == network
        write_network(from_folder, place / "book.xlsx")
        from_workbook = as_read(raw_workbook(place / "book.xlsx"))
        assert from_workbook == network
        write_network(from_workbook, place / "two")
        assert contents(place / "one") == contents(place / "two")
        write_network(from_folder, place / "again.xlsx")
        assert (place / "book.xlsx").read_bytes() == (place / "again.xlsx").read_bytes()


def test_canonical_files_leave_out_defaults_empty_tables_and_needless_digits(tmp_path: Path) -> None:
    network = Network(
        "El barrio",
        date(2026, 11, 22),
        7,
        sites=(Site(site="mill", people=0.0), Site(site="a, b", name='the "school"', people=400.5, storage_t=1e21)),
        lanes=(Lane(from_site="mill", to_site="a, b", km=12.0, two_way=False, lead_days=0),),
        disruptions=(Disruption(scenario="s", kind="site", target="mill", left=0.1, to_day=3),),
    )
    write_network(network, tmp_path / "net")
    assert {name: content.decode() for name, content in contents(tmp_path / "net").items()} == {
        "network.csv": "name,start,days\nEl barrio,2026-11-22,7\n",
        "sites.csv": 'site,name,lat,lon,people,storage_t,network\nmill,,,,,,\n"a, b","the ""school""",,,400.5,1e+21,\n',
        "lanes.csv": 'from,to,km,hours,lead_days,tonnes,mode,two_way\nmill,"a, b",12,,0,,,no\n',
        "disruptions.csv": "scenario,kind,target,from,to,left\ns,site,mill,,3,0.1\n",
    }
    assert check_network(network) != []


@pytest.mark.parametrize(
    ("network", "message"),
    [
        (
            Network("x", date(2026, 11, 22), 7, sites=(Site(site="a", name=" b"),)),
            'sites row 2, name: " b" — blanks around a text are lost in the tables; choose another text.',
        ),
        (
            Network("x", date(2026, 11, 22), 7, goods=(Good(good="a"), Good(good="b", unit=""))),
            "goods row 3, unit — a blank cell means kg; choose another text.",
        ),
        (
            Network("x", date(2026, 11, 22), 7, goods=(Good(good="#N/A"),)),
            'goods row 2, good: "#N/A" — this reads as a spreadsheet\'s error; choose another text.',
        ),
    ],
)
def test_text_that_would_not_read_back_is_refused(tmp_path: Path, network: Network, message: str) -> None:
    with pytest.raises(InputError) as error:
        write_network(network, tmp_path / "net")
    assert str(error.value) == message
    assert list(tmp_path.iterdir()) == []


def test_text_too_long_for_a_worksheet_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    network = Network("x", date(2026, 11, 22), 7, sites=(Site(site="a" * 32_768),))
    with pytest.raises(AbastoError, match="sites row 2: a text of 32768 letters does not fit a cell of a workbook"):
        write_network(network, tmp_path / "net.xlsx")
    assert list(tmp_path.iterdir()) == []


def test_network_without_name_or_days_is_told_so_before_it_is_written(tmp_path: Path) -> None:
    network = Network(" ", date(2026, 11, 22), 0)
    said = ["the network has no name", "the horizon has no day"]
    assert [finding.message for finding in check_network(network)] == said
    with pytest.raises(InputError) as error:
        write_network(network, tmp_path / "net")
    assert [finding.message for finding in error.value.findings] == said


def test_other_kinds_of_file_are_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(AbastoError, match=r"net\.ods: this kind of file is not written"):
        write_network(Network("x", date(2026, 11, 22), 7), tmp_path / "net.ods")


def test_days_that_look_like_serial_dates_are_written_as_dates(tmp_path: Path) -> None:
    start = date(2026, 11, 22)
    disruption = Disruption(scenario="s", kind="site", target="a", from_day=1, to_day=30_000)
    network = Network("x", start, 7, sites=(Site(site="a"),), disruptions=(disruption,))
    write_network(network, tmp_path / "net")
    last = start + timedelta(days=29_999)
    assert (tmp_path / "net" / "disruptions.csv").read_text().endswith(f"s,site,a,1,{last},\n")
