"""Every message by example: what stands in a table, and exactly what is said about it."""

from __future__ import annotations

from pathlib import Path

import pytest
from network_folders import folder

from abasto.errors import InputError
from abasto.network import TABLES
from abasto.tables import check_path, read_network

STOCKS = "site,good,quantity\nmill,flour,"
DATED = "site,good,quantity,expires\nmill,flour,1,"
COLUMNS = {schema.name: ", ".join(column.name for column in schema.columns) for schema in TABLES}

FILES: list[tuple[str, dict[str, str | bytes | None], str]] = [
    (
        "latin-1",
        {"sites": "site,name\nmill,Molino\nñuñoa,x\n".encode("latin-1")},
        'sites.csv row 3: "0xf1" — the file is not in UTF-8 (byte 22); save it as "CSV UTF-8".',
    ),
    (
        "latin-1 after a byte order mark",
        {"sites": b"\xef\xbb\xbfsite\n\xf1\n"},
        'sites.csv row 2: "0xf1" — the file is not in UTF-8 (byte 8); save it as "CSV UTF-8".',
    ),
    (
        "UTF-16",
        {"sites": "site\nmill\n".encode("utf-16")},
        'sites.csv — the file is in UTF-16, not UTF-8 (byte 0); save it as "CSV UTF-8".',
    ),
    (
        "semicolons",
        {"sites": "site;people\nmill;0\n"},
        'sites.csv row 1: "site;people" — the cells are separated by semicolons, not by commas; '
        "save the file as CSV with commas, or paste the table into a workbook.",
    ),
    (
        "tabs",
        {"sites": "site\tpeople\nmill\t0\n"},
        'sites.csv row 1: "site\tpeople" — the cells are separated by tabs, not by commas; '
        "save the file as CSV with commas, or paste the table into a workbook.",
    ),
    (
        "an empty file",
        {"stocks": ""},
        "stocks.csv — the file is empty; write a header row, or remove the file.",
    ),
    (
        "a quote that is never closed",
        {"stocks": STOCKS + '1\nmill,"flour,2\n'},
        "stocks.csv row 3 — the quotes of this row do not match (unexpected end of data); "
        "put cells with quotes, commas "
        'or line breaks in quotes, and double the quotes inside: "so ""called""".',
    ),
    (
        "an unknown table",
        {"stock": STOCKS + "1\n"},
        'stock.csv — the format has no table stock; rename or remove the file. Did you mean "stocks"?',
    ),
    (
        "a known table in capitals",
        {"Stocks": STOCKS + "1\n"},
        'Stocks.csv — the format has no table Stocks; rename or remove the file. Did you mean "stocks"?',
    ),
    (
        "an unknown column",
        {"reserves": "site,good,quantity,note\nmill,flour,1,x\n"},
        'reserves.csv row 1: "note" — table reserves has no such column; rename or remove it; '
        "the columns of reserves are "
        "site, good, quantity.",
    ),
    (
        "a misspelt column",
        {"sites": "site,people,storage\nmill,0,\nschool,400,\n"},
        'sites.csv row 1: "storage" — table sites has no such column; rename or remove it; the columns of sites are '
        f'{COLUMNS["sites"]}. Did you mean "storage_t"?',
    ),
    (
        "a column in capitals",
        {"sites": "site,People\nmill,0\nschool,400\n"},
        'sites.csv row 1: "People" — table sites has no such column; rename or remove it; the columns of sites are '
        f'{COLUMNS["sites"]}. Did you mean "people"?',
    ),
    (
        "a missing column",
        {"stocks": "site,good\nmill,flour\n"},
        'stocks.csv row 1: "quantity" — a required column is missing; add it: how much.',
    ),
    (
        "a column twice",
        {"stocks": "site,good,quantity,good\nmill,flour,1,flour\n"},
        'stocks.csv row 1: "good" — the column is there twice; keep one of them.',
    ),
    (
        "a column without a name",
        {"stocks": "site,good,,quantity\nmill,flour,,1\nmill,flour,old,1\n"},
        "stocks.csv row 1 — column 3 has no name but holds cells (row 3); name the column or clear its cells.",
    ),
    (
        "a short row",
        {"stocks": "site,good,quantity,expires\nmill,flour,1\n"},
        "stocks.csv row 2 — the row has 3 cells but the header has 4 columns; "
        "add the missing commas, also for blank cells.",
    ),
    (
        "a row of one cell",
        {"stocks": "site,good,quantity\nmill\n"},
        "stocks.csv row 2 — the row has 1 cell but the header has 3 columns; "
        "add the missing commas, also for blank cells.",
    ),
    (
        "a title above the header",
        {"stocks": "Our stocks\nsite,good,quantity\nmill,flour,1\n"},
        'stocks.csv row 1: "Our stocks" — the names of the columns stand in row 2, not in the first; '
        "remove the rows above them.",
    ),
    (
        "a long row",
        {"stocks": STOCKS + "1,5\n"},
        "stocks.csv row 2 — the row has 4 cells but the header has 3 columns; put cells with commas in quotes.",
    ),
    (
        "no network",
        {"network": None},
        "network.csv — table network has no row; write one row with name, start and days.",
    ),
    (
        "two networks",
        {"network": "name,start,days\nBarrio,2026-11-22,7\nOtro,2026-11-22,7\n"},
        "network.csv row 3 — table network has 2 rows; keep one.",
    ),
    (
        "a required cell left blank",
        {"stocks": "site,good,quantity\n,flour,1\n"},
        "stocks.csv row 2, site — site is missing; write the site: where it lies.",
    ),
]

CELLS: list[tuple[dict[str, str | bytes | None], str]] = [
    (
        {"stocks": STOCKS + "-40\n"},
        'stocks.csv row 2, quantity: "-40" — a stock cannot be negative; count again or leave the row out.',
    ),
    (
        {"needs": STOCKS + "-1\n"},
        'needs.csv row 2, quantity: "-1" — a need cannot be negative; write 0 or more, or leave the row out.',
    ),
    (
        {"fleets": "fleet,vehicles,payload_t\ntrucks,-2,5\n"},
        'fleets.csv row 2, vehicles: "-2" — vehicles cannot be negative; write 0 or more.',
    ),
    (
        {"fleets": "fleet,vehicles,payload_t\ntrucks,2,-5\n"},
        'fleets.csv row 2, payload_t: "-5" — payload_t cannot be negative; write more than 0.',
    ),
    (
        {"fleets": "fleet,vehicles,payload_t\ntrucks,2,0\n"},
        'fleets.csv row 2, payload_t: "0" — payload_t must be more than 0; write more than 0.',
    ),
    (
        {"sites": "site,lat,lon\nmill,91,0\nschool,,\n"},
        'sites.csv row 2, lat: "91" — lat is at most 90; write 90 or less.',
    ),
    (
        {"sites": "site,lat,lon\nmill,1,-181\nschool,,\n"},
        'sites.csv row 2, lon: "-181" — lon is at least -180; write -180 or more.',
    ),
    (
        {"network": "name,start,days\nBarrio,2026-11-22,0\n"},
        'network.csv row 2, days: "0" — days is at least 1; write 1 or more.',
    ),
    (
        {"network": "name,start,days\nBarrio,2026-11-22,3.5\n"},
        'network.csv row 2, days: "3.5" — days takes whole numbers only; write 3 or 4.',
    ),
    (
        {"stocks": STOCKS + '"12,5"\n'},
        'stocks.csv row 2, quantity: "12,5" — decimals take a point, not a comma; write 12.5.',
    ),
    (
        {"stocks": STOCKS + '"1,200"\n'},
        'stocks.csv row 2, quantity: "1,200" — the comma is in doubt: thousands or decimals; write 1200 or 1.200.',
    ),
    (
        {"stocks": STOCKS + "1 200\n"},
        'stocks.csv row 2, quantity: "1 200" — thousands take no separator; write 1200.',
    ),
    (
        {"stocks": STOCKS + '"1.200,50"\n'},
        'stocks.csv row 2, quantity: "1.200,50" — thousands take no separator; write 1200.50.',
    ),
    (
        {"stocks": STOCKS + '"1,200,000"\n'},
        'stocks.csv row 2, quantity: "1,200,000" — thousands take no separator; write 1200000.',
    ),
    (
        {"stocks": STOCKS + "1.200.000\n"},
        'stocks.csv row 2, quantity: "1.200.000" — thousands take no separator; write 1200000.',
    ),
    (
        {"stocks": STOCKS + "4O.5\n"},
        'stocks.csv row 2, quantity: "4O.5" — the letter O stands among the digits; write 40.5.',
    ),
    (
        {"stocks": STOCKS + "12 kg\n"},
        'stocks.csv row 2, quantity: "12 kg" — there is more here than a number; '
        "write 12 alone, in the unit of the column.",
    ),
    (
        {"stocks": STOCKS + "50%\n"},
        'stocks.csv row 2, quantity: "50%" — a percentage is not a number here; write 0.5.',
    ),
    (
        {"stocks": STOCKS + "−4\n"},
        'stocks.csv row 2, quantity: "−4" — the minus sign is a dash; write -4.',
    ),
    (
        {"stocks": STOCKS + "some\n"},
        'stocks.csv row 2, quantity: "some" — this is not a number; write a number, with a point for decimals.',
    ),
    *(
        (
            {"stocks": STOCKS + f"{text}\n"},
            f'stocks.csv row 2, quantity: "{text}" — this number is not finite; '
            "write it in figures, or leave the cell blank if the column allows.",
        )
        for text in ("inf", "-Infinity", "nan", "NaN", "1e999")
    ),
    *(
        (
            {"stocks": STOCKS + f"{text}\n"},
            f'stocks.csv row 2, quantity: "{text}" — the spreadsheet could not compute this cell; '
            "correct its formula or write the value itself.",
        )
        for text in ("#N/A", "#REF!")
    ),
    (
        {"stocks": DATED + "03/04/2026\n"},
        'stocks.csv row 2, expires: "03/04/2026" — day and month are in doubt; '
        "write 2026-04-03 (day first) or 2026-03-04 (month first).",
    ),
    (
        {"stocks": DATED + "3.4.26\n"},
        'stocks.csv row 2, expires: "3.4.26" — day and month are in doubt; '
        "write 2026-04-03 (day first) or 2026-03-04 (month first).",
    ),
    *(
        (
            {"stocks": DATED + f"{text}\n"},
            f'stocks.csv row 2, expires: "{text}" — dates are written year-month-day; '
            "write 2026-11-22 if that is the date.",
        )
        for text in ("22/11/2026", "11/22/2026", "2026/11/22", "20261122")
    ),
    (
        {"stocks": DATED + "46348\n"},
        'stocks.csv row 2, expires: "46348" — this is a spreadsheet\'s serial number; it would be 2026-11-22; '
        "write 2026-11-22 if that is the date.",
    ),
    (
        {"stocks": DATED + "2026-02-30\n"},
        'stocks.csv row 2, expires: "2026-02-30" — the calendar has no such date; '
        "write a date that exists, as 2026-11-22.",
    ),
    (
        {"stocks": DATED + "2026-11-22 00:00:00\n"},
        'stocks.csv row 2, expires: "2026-11-22 00:00:00" — a date takes no time of day; write 2026-11-22.',
    ),
    (
        {"stocks": DATED + "soon\n"},
        'stocks.csv row 2, expires: "soon" — this is not a date; write it as year-month-day, such as 2026-11-22.',
    ),
    (
        {"needs": "site,good,quantity,to\nmill,flour,1,Monday\n"},
        'needs.csv row 2, to: "Monday" — this is neither a day number nor a date; '
        "write a day number (1 is the first) or a date as 2026-11-22.",
    ),
    (
        {"needs": "site,good,quantity,to\nmill,flour,1,1.5\n"},
        'needs.csv row 2, to: "1.5" — a day is a whole number; write 1 or 2, or a date.',
    ),
    (
        {"needs": "site,good,quantity,to\nmill,flour,1,46350\n"},
        'needs.csv row 2, to: "46350" — this is a spreadsheet\'s serial number; it would be 2026-11-24; '
        "write 2026-11-24 if that is the date.",
    ),
    (
        {"needs": "site,good,quantity,to\nmill,flour,1,03/04/2026\n"},
        'needs.csv row 2, to: "03/04/2026" — day and month are in doubt; '
        "write 2026-04-03 (day first) or 2026-03-04 (month first).",
    ),
    (
        {"lanes": "from,to,two_way\nmill,school,maybe\n"},
        'lanes.csv row 2, two_way: "maybe" — this is neither yes nor no; write yes or no.',
    ),
    (
        {"disruptions": "scenario,kind,target\nx,sites,mill\n"},
        'disruptions.csv row 2, kind: "sites" — this is not one of the choices; '
        'write site, lane, fleet, plant or supply. Did you mean "site"?',
    ),
    (
        {"disruptions": "scenario,kind,target,left\nx,site,mill,1.5\n"},
        'disruptions.csv row 2, left: "1.5" — left is at most 1; write 1 or less.',
    ),
]

SENSE: list[tuple[str, dict[str, str | bytes | None], str]] = [
    (
        "an unknown site",
        {"stocks": "site,good,quantity\nmil,flour,1\n"},
        'stocks.csv row 2, site: "mil" — there is no site of this id in table sites; '
        'add it to sites or correct the id. Did you mean "mill"?',
    ),
    (
        "an unknown good",
        {"rations": "good,quantity\nrice,1\n"},
        'rations.csv row 2, good: "rice" — there is no good of this id in table goods; '
        "add it to goods or correct the id.",
    ),
    (
        "an unknown recipe",
        {"plants": "site,recipe,batches\nmill,bake,1\n"},
        'plants.csv row 2, recipe: "bake" — there is no recipe of this id in table recipes; '
        "add it to recipes or correct the id.",
    ),
    (
        "a nutrient that nothing contains",
        {"requirements": "nutrient,quantity\nprotein,50\n"},
        'requirements.csv row 2, nutrient: "protein" — there is no nutrient of this id in table nutrients; '
        "add it to nutrients or correct the id.",
    ),
    (
        "an unknown fuel",
        {"fleets": "fleet,vehicles,payload_t,fuel,fuel_per_km\ntrucks,2,5,Flour,0.3\n"},
        'fleets.csv row 2, fuel: "Flour" — there is no good of this id in table goods; '
        'add it to goods or correct the id. Did you mean "flour"?',
    ),
    (
        "a site twice",
        {"sites": "site\nmill\nschool\nmill\n"},
        'sites.csv row 4, site: "mill" — row 2 is the same site; keep one of the two rows.',
    ),
    (
        "a reserve twice",
        {"reserves": "site,good,quantity\nmill,flour,1\nmill,flour,2\n"},
        'reserves.csv row 3: "mill / flour" — row 2 is the same site and good; keep one of the two rows.',
    ),
    (
        "a lane whose way back is there",
        {"lanes": "from,to,two_way\nschool,mill,no\nmill,school,yes\n"},
        'lanes.csv row 3: "mill>school" — row 2 joins the same two sites, and row 3 already goes both ways; '
        "keep one of the two rows, or write two_way no in both.",
    ),
    (
        "a lane to itself",
        {"lanes": "from,to\nmill,school\nmill,mill\n"},
        'lanes.csv row 3, to: "mill" — the lane leads from a site to itself; correct one end or leave the row out.',
    ),
    (
        "days the wrong way round",
        {"needs": "site,good,quantity,from,to\nmill,flour,1,5,2\n"},
        'needs.csv row 2, from: "5" — the first day comes after the last (2); exchange or correct the two days.',
    ),
    (
        "more stock than fits",
        {
            "sites": "site,storage_t\nmill,2\nschool,\n",
            "stocks": "site,good,quantity\nmill,flour,1500\nmill,bread,600\n",
        },
        'sites.csv row 2, storage_t: "2" — mill has 2.1 t in stock, more than it can hold; '
        "correct storage_t or the stocks there.",
    ),
    (
        "different hours for one plant",
        {
            "recipes": "recipe,good,quantity\nbake,flour,-1\nbake,bread,1\n",
            "plants": "site,recipe,batches,hours_per_batch,to\nmill,bake,1,2,3\nmill,bake,1,2.5,7\n",
        },
        'plants.csv row 3, hours_per_batch: "2.5" — row 2 says 2 for the same site and recipe; '
        "write the same hours in both rows.",
    ),
    (
        "half a position",
        {"sites": "site,lat,lon\nmill,1,\nschool,,\n"},
        "sites.csv row 2, lon — mill has lat but no lon; write both, or leave both blank.",
    ),
    (
        "a good that is a nutrient",
        {"nutrients": "good,nutrient,quantity\nflour,bread,1\n"},
        'nutrients.csv row 2, nutrient: "bread" — a good has the same id, and coverage could not tell them apart; '
        "rename one of them.",
    ),
    (
        "a substitute for itself",
        {"substitutes": "good,substitute\nflour,flour\n"},
        'substitutes.csv row 2, substitute: "flour" — a good is no substitute for itself; '
        "name another good or leave the row out.",
    ),
    (
        "a target of nothing",
        {"disruptions": "scenario,kind,target\nx,lane,mill>schol\n"},
        'disruptions.csv row 2, target: "mill>schol" — this names nothing in table lanes; '
        'write a lane as from>to, with * for any. Did you mean "mill>school"?',
    ),
    (
        "a cost of nothing",
        {"costs": "kind,target,quantity\nbuy,mill/flour,2\n"},
        'costs.csv row 2, target: "mill/flour" — this names nothing in table supplies; '
        "write a supply as site/good, with * for any.",
    ),
    (
        "a target in doubt",
        {
            "sites": "site\nmill\nschool\na\na/b\n",
            "goods": "good\nflour\nbread\nb/c\nc\n",
            "supplies": "site,good,quantity\na,b/c,1\na/b,c,1\n",
            "costs": "kind,target,quantity\nbuy,a/b/c,2\n",
        },
        'costs.csv row 2, target: "a/b/c" — this can be parted into two ids in more than one way; '
        "rename the ids so that only one reading is left.",
    ),
    (
        "recipes that make something from nothing",
        {"recipes": "recipe,good,quantity\nbake,flour,-1\nbake,bread,2\ngrind,bread,-1\ngrind,flour,1\n"},
        'recipes.csv row 2, recipe: "bake" — the recipes bake, grind together make something from nothing; '
        "lower what they make or raise what they use, so that no round leaves more than it took.",
    ),
    (
        "a horizon past the calendar",
        {"network": "name,start,days\nBarrio,9999-12-30,7\n"},
        'network.csv row 2, start: "9999-12-30" — the horizon ends after the year 9999; correct the date.',
    ),
]

WARNINGS: list[tuple[str, dict[str, str | bytes | None], str]] = [
    (
        "a need after the horizon",
        {"needs": "site,good,quantity,from\nmill,flour,1,8\n"},
        'needs.csv row 2, from: "8" — the row holds on none of the days 1 to 7; '
        "correct the days, or leave the row if that is meant.",
    ),
    (
        "a need before the horizon",
        {"needs": "site,good,quantity,to\nmill,flour,1,2026-11-21\n"},
        'needs.csv row 2, to: "0" — the row holds on none of the days 1 to 7; '
        "correct the days, or leave the row if that is meant.",
    ),
    (
        "a spoiled stock",
        {"stocks": DATED + "2026-11-21\n"},
        'stocks.csv row 2, expires: "2026-11-21" — this stock has spoiled before 2026-11-22, day 1; '
        "correct the date or leave the row out.",
    ),
    (
        "a stock without date of a good that spoils at once",
        {"goods": "good,shelf_life_days\nflour,0\n", "stocks": STOCKS + "1\n"},
        'stocks.csv row 2, expires: "2026-11-21" — this stock has spoiled before 2026-11-22, day 1; '
        "correct the date or leave the row out.",
    ),
    (
        "a lane without fleet",
        {"lanes": "from,to,mode\nmill,school,rail\n"},
        'lanes.csv row 2, mode: "rail" — no fleet serves "mill>school", so it moves nothing; '
        "add a fleet of this mode, based at one end or without a base.",
    ),
    (
        "a fleet without lane",
        {"fleets": "fleet,vehicles,payload_t,site,mode\ntrucks,2,5,,road\ntrain,1,90,mill,rail\n"},
        'fleets.csv row 3, site: "mill" — no rail lane starts or ends at this base; '
        "correct the base or the mode, or add a lane.",
    ),
    (
        "fuel that is not burnt",
        {"fleets": "fleet,vehicles,payload_t,fuel\ntrucks,2,5,flour\n"},
        'fleets.csv row 2, fuel_per_km: "0" — flour is named but none is burnt; '
        "write fuel_per_km, or leave fuel blank.",
    ),
    (
        "fuel without a name",
        {"fleets": "fleet,vehicles,payload_t,fuel_per_km\ntrucks,2,5,0.3\n"},
        "fleets.csv row 2, fuel — fuel is burnt but no good is named, so none is counted; "
        "name the good that is burnt, or leave fuel_per_km blank.",
    ),
    (
        "fuel that spoils",
        {
            "goods": "good,shelf_life_days\nflour,\nbread,\ndiesel,9\n",
            "fleets": "fleet,vehicles,payload_t,fuel,fuel_per_km\ntrucks,2,5,diesel,0.3\n",
        },
        'fleets.csv row 2, fuel: "diesel" — this fuel has a shelf life; '
        "leave its shelf_life_days blank unless it does spoil.",
    ),
    (
        "a recipe that makes nothing",
        {"recipes": "recipe,good,quantity\nburn,flour,-1\n"},
        'recipes.csv row 2, recipe: "burn" — this recipe makes nothing; '
        "add a line with a positive quantity, or remove the recipe.",
    ),
    (
        "a recipe that uses nothing",
        {"recipes": "recipe,good,quantity\nspring,flour,1\n"},
        'recipes.csv row 2, recipe: "spring" — this recipe makes flour from nothing; '
        "add what it uses with negative quantities; if it is a source, supplies says so more plainly.",
    ),
    (
        "a share of a lane without limit",
        {"disruptions": "scenario,kind,target,left\nx,lane,mill>school,0.5\n"},
        'disruptions.csv row 2, left: "0.5" — the lane has no tonnes to keep a share of: nothing is hit; '
        "write 0 to close it, or give the lane its tonnes.",
    ),
]


def test_network_that_all_examples_start_from_has_nothing_wrong(tmp_path: Path) -> None:
    network, findings = check_path(folder(tmp_path))
    assert network is not None
    assert findings == []


@pytest.mark.parametrize(("tables", "message"), [row[1:] for row in FILES], ids=[row[0] for row in FILES])
def test_problem_of_a_file_is_said_exactly_so(
    tmp_path: Path, tables: dict[str, str | bytes | None], message: str
) -> None:
    network, findings = check_path(folder(tmp_path, **tables))
    assert network is None
    assert [str(finding) for finding in findings] == [message]


@pytest.mark.parametrize(("tables", "message"), CELLS, ids=[row[1].split(" — ")[0] for row in CELLS])
def test_cell_in_doubt_is_said_exactly_so(tmp_path: Path, tables: dict[str, str | bytes | None], message: str) -> None:
    network, findings = check_path(folder(tmp_path, **tables))
    assert network is None
    assert [str(finding) for finding in findings] == [message]


@pytest.mark.parametrize(("tables", "message"), [row[1:] for row in SENSE], ids=[row[0] for row in SENSE])
def test_senseless_network_is_told_exactly_so(
    tmp_path: Path, tables: dict[str, str | bytes | None], message: str
) -> None:
    network, findings = check_path(folder(tmp_path, **tables))
    assert network is None
    assert [str(finding) for finding in findings if finding.severity == "error"] == [message]


@pytest.mark.parametrize(("tables", "message"), [row[1:] for row in WARNINGS], ids=[row[0] for row in WARNINGS])
def test_doubtful_network_is_read_with_a_warning(
    tmp_path: Path, tables: dict[str, str | bytes | None], message: str
) -> None:
    network, findings = check_path(folder(tmp_path, **tables))
    assert network is not None
    assert [(finding.severity, str(finding)) for finding in findings] == [("warning", message)]


def test_all_problems_come_at_once_errors_first_and_in_the_order_of_tables_and_rows(tmp_path: Path) -> None:
    path = folder(
        tmp_path,
        stocks=STOCKS + "-1\nmill,flour,x\nmil,flour,1\n",
        sites="site,people\nmill,many\nschool,400\n",
        needs="site,good,quantity,from\nmill,flour,1,9\nmill,,1,\n",
        plan="a\n",
    )
    network, findings = check_path(path)
    assert network is None
    assert [(finding.severity, finding.table, finding.row, finding.column) for finding in findings] == [
        ("error", "plan", 0, ""),
        ("error", "sites", 2, "people"),
        ("error", "stocks", 2, "quantity"),
        ("error", "stocks", 3, "quantity"),
        ("error", "stocks", 4, "site"),
        ("error", "needs", 3, "good"),
        ("warning", "needs", 2, "from"),
    ]
    with pytest.raises(InputError) as error:
        read_network(path)
    assert list(error.value.findings) == findings


def test_rows_that_refer_to_a_broken_row_or_file_are_not_blamed(tmp_path: Path) -> None:
    path = folder(tmp_path, sites="site,people\nmill,x\nschool,1\n", goods=b"good\n\xff\n", stocks=STOCKS + "1\n")
    _, findings = check_path(path)
    assert [(finding.table, finding.column) for finding in findings] == [("sites", "people"), ("goods", "")]


@pytest.mark.parametrize(
    ("sites", "site", "said"),
    [
        (None, "site,people\nmill,0\nschool,1\n", ["the format has no table site"]),
        ("Site,people\nmill,0\n", None, ["table sites has no such column", "a required column is missing"]),
    ],
)
def test_misnamed_table_or_column_is_said_once_and_not_again_by_all_that_refer_to_it(
    tmp_path: Path, sites: str | None, site: str | None, said: list[str]
) -> None:
    _, findings = check_path(folder(tmp_path, sites=sites, site=site, stocks=STOCKS + "1\n"))
    assert [finding.message for finding in findings] == said


def test_row_numbers_are_the_lines_on_which_rows_begin(tmp_path: Path) -> None:
    sites = 'site,name\nmill,"two\nlines"\n\nschool,\n#,"x"\nmill,\n'
    _, findings = check_path(folder(tmp_path, sites=sites))
    assert [(finding.row, finding.message) for finding in findings] == [(7, "row 2 is the same site")]


def test_missing_path_lone_table_and_other_files_are_told_apart(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("x")
    (tmp_path / "broken.xlsx").write_text("x")
    folder(tmp_path / "net")
    said = {}
    for name in ("gone", "notes.txt", "broken.xlsx", "net/sites.csv"):
        network, findings = check_path(tmp_path / name)
        assert network is None
        (finding,) = findings
        said[name] = finding.message
    assert said == {
        "gone": "there is no such file or folder",
        "notes.txt": "this is neither a folder of CSV files nor a workbook",
        "broken.xlsx": said["broken.xlsx"],
        "net/sites.csv": "this is one table of a network",
    }
    assert said["broken.xlsx"].startswith("the file cannot be read as a workbook")
