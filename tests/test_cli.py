"""The command line: what is said, where it is said, what is written, and with which code it ends."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

import abasto
from abasto import cli_plan
from abasto.cli import COMMANDS, main, printable
from abasto.cli_tables import finding_lines
from abasto.errors import AbastoError, Finding
from abasto.network import Disruption, Fleet, Good, Lane, Network, Ration, Site, Supply
from abasto.planner import make
from abasto.tables import read_network, write_network
from hand_built import FULL, hand_built_plan

TINY = Network(
    "Tiny",
    date(2026, 11, 22),
    2,
    sites=(Site(site="port"), Site(site="hill", name="The hill", people=100)),
    goods=(Good(good="rice", name="Rice"),),
    supplies=(Supply(site="port", good="rice", quantity=1000),),
    rations=(Ration(good="rice", quantity=0.5),),
    lanes=(Lane(from_site="port", to_site="hill", km=10),),
    fleets=(Fleet(fleet="cart", vehicles=1, payload_t=0.05, hours_per_day=2.5, handling_hours=2),),
    disruptions=(Disruption(scenario="lockout", kind="fleet", target="cart", left=0.5),),
)
"""The cart brings 50 kg a day, all that is needed; in the lockout half of that."""


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    write_network(TINY, tmp_path / "tiny")
    return tmp_path / "tiny"


@pytest.fixture
def broken(tiny: Path) -> Path:
    (tiny / "lanes.csv").write_text("from,to,km\nport,hil,10\nport,hill,-3\n", encoding="utf-8")
    return tiny


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Let a plan written by hand stand in for the planner's."""

    def replace_planner(**options: Any) -> None:
        def planned(network: Network, scenario: str | None = None, **_: Any) -> abasto.Plan:
            return hand_built_plan(scenario=scenario, **options)

        monkeypatch.setattr(make, "make_plan", planned)

    return replace_planner


def run(*arguments: object) -> int:
    return main([str(argument) for argument in arguments])


# What every command shares


def test_help_lists_every_command_with_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--help") == 0
    shown = capsys.readouterr().out
    for name, (_, line) in COMMANDS.items():
        assert f"  {name}" in shown
        assert line in shown
    assert run() == 0
    assert capsys.readouterr().out == shown


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(command, "--help") == 0
    assert f"Usage: abasto {command}" in capsys.readouterr().out


def test_version_is_the_package_s(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--version") == 0
    assert capsys.readouterr().out.startswith("abasto 0.")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            ["plna"],
            f'unknown command "plna"; there are: {", ".join(COMMANDS)}. Did you mean "plan"?',
        ),
        (["check"], "requires an argument"),
        (["plan"], "there is no journal in this folder; name its folder with --home"),
        (["plan", "TINY", "--gapp", "1"], "Unknown option: --gapp. Did you mean --gap?"),
        (["plan", "TINY", "--gap", "much"], '"much"'),
        (["plan", "TINY", "--gap", "1%"], 'unable to convert "1%" to a number'),
        (["plan", "TINY", "--out="], '"--out=" is empty'),
        (["plan", ""], '"" is empty'),
        (["plan", "TINY", "north"], "nothing is expected after that: north; put names with blanks in quotes"),
        (["plan", "TINY", "--out", "TINY/sites.csv"], "this is a file; give a folder"),
        (["plan", "TINY", "--out", "TINY/sites.csv/plan"], "nothing can be written in"),
        (["plan", "TINY", "--report", "TINY/sites.csv/plan.html"], "nothing can be written in"),
        (["plan", "TINY", "--gap", "0"], "--gap 0.0: this cannot be planned with; give a share above 0"),
        (["plan", "TINY", "--gap", "nan"], "--gap nan"),
        (["plan", "TINY", "--fairness", "-1"], "--fairness -1.0: this cannot be planned with; give 0 or more"),
        (["plan", "TINY", "--fairness", "inf"], "--fairness inf"),
        (["plan", "TINY", "--fairness", "1000"], "fairness is 1000.0"),
        (["plan", "TINY", "--time-limit", "0"], "--time-limit 0.0"),
        (["plan", "TINY", "--solver", "magic"], "magic"),
        (
            ["plan", "TINY", "--scenario", "lokout"],
            'unknown scenario "lokout"; there are: lockout. Did you mean "lockout"?',
        ),
        (["plan", "TINY", "--scenario", "LOCKOUT"], 'Did you mean "lockout"?'),
        (["plan", "nowhere"], '"nowhere": there is no such folder or workbook'),
        (["plan", "TINY", "--out", "TINY"], "the tables that are read lie there"),
        (["plan", "TINY", "--report", "TINY"], "not a file that may be written"),
        (["plan", "TINY", "--report", "TINY/sites.csv"], "tables have such names; give a name that ends in .html"),
        (["tradeoff", "TINY", "--report", "TINY/sites.csv"], "tables have such names"),
        (["compare", "TINY", "--scenario", "lockout", "--report", "TINY/sites.CSV"], "tables have such names"),
        (["check", "nowhere"], '"nowhere": there is no such folder or workbook'),
        (["check"], "`abasto check --help`"),
        (["convert", "nowhere", "x.xlsx"], '"nowhere"'),
        (["template", "x.ods"], "a template is a workbook"),
        (["tables", "site"], 'unknown table "site"'),
        (["demo", "--example", "moon"], "moon"),
    ],
)
def test_wrong_use_exits_with_2_and_says_what_to_do(
    arguments: list[str], words: str, tiny: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tiny.parent)
    assert run(*[argument.replace("TINY", str(tiny)) for argument in arguments]) == 2
    said = capsys.readouterr()
    assert words in said.err
    assert said.err.startswith("abasto: ")
    assert said.out == ""
    assert sorted(path.name for path in tiny.parent.iterdir()) == ["tiny"]


def test_tables_that_may_not_be_read_exit_with_2(
    tiny: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def locked(path: Path) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(abasto.tables, "check_path", locked)
    assert run("plan", tiny) == 2
    assert capsys.readouterr().err.endswith(
        "tiny: Permission denied; check that it is there and that you may use it.\n"
    )


def test_an_error_of_ours_is_one_message_and_no_traceback(
    tiny: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise AbastoError("the solver ended without an answer; try --solver exact.")

    monkeypatch.setattr(make, "make_plan", fail)
    assert run("plan", tiny) == 1
    assert capsys.readouterr().err == "abasto: the solver ended without an answer; try --solver exact.\n"


def test_cells_cannot_steer_the_terminal() -> None:
    assert printable("bread\x1b[2J\r\nnext\t€") == "bread\\x1b[2J\\r\nnext\t€"


def test_output_that_nobody_reads_ends_quietly(tiny: Path) -> None:
    read_end, write_end = os.pipe()
    os.close(read_end)
    with contextlib.closing(os.fdopen(write_end, "w")) as closed_pipe:
        done = subprocess.run(
            [sys.executable, "-m", "abasto", "check", str(tiny)],
            stdout=closed_pipe,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert done.stderr == b""
    assert done.returncode == 141


def test_a_terminal_that_lacks_a_letter_is_no_reason_to_fail(tiny: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "abasto", "check", str(tiny)],
        env={**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert b"\\u2014 ready to plan." in done.stdout


# check


def test_check_of_good_tables_says_what_was_read(tiny: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("check", tiny) == 0
    assert capsys.readouterr().out == (
        "Tiny: 2 sites, 1 good, 1 lane, 1 fleet, 1 scenario, 100 people, 2 days from 2026-11-22 — ready to plan.\n"
    )


def test_check_shows_every_problem_with_place_value_remedy_and_guess(
    broken: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("check", broken) == 1
    *problems, last = capsys.readouterr().out.splitlines()
    assert any('lanes.csv row 2, to: "hil"' in line and 'Did you mean "hill"?' in line for line in problems)
    assert any('lanes.csv row 3, km: "-3"' in line for line in problems)
    assert last == "2 errors, 0 warnings; mend the errors before planning."


def test_check_as_json_is_one_object(broken: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("check", broken, "--json") == 1
    document = json.loads(capsys.readouterr().out)
    assert (document["errors"], document["warnings"]) == (2, 0)
    assert {(finding["table"], finding["row"], finding["column"]) for finding in document["findings"]} == {
        ("lanes", 2, "to"),
        ("lanes", 3, "km"),
    }


def same_mistake(rows: int, column: str = "quantity") -> list[Finding]:
    return [
        Finding("stocks", row, column, f"-{row}", f'"-{row}" is below 0', "count again") for row in range(2, rows + 2)
    ]


def test_the_same_mistake_in_a_column_is_shown_three_times_and_counted() -> None:
    lines = list(finding_lines(same_mistake(100_000)))
    assert len(lines) == 4
    assert lines[0].startswith('error: stocks row 2, quantity: "-2"')
    assert lines[3] == "  … and 99,997 more like it (--all shows them)"
    assert len(list(finding_lines(same_mistake(100_000), everything=True))) == 100_000


def test_lanes_that_no_fleet_serves_are_one_mistake() -> None:
    sites = tuple(Site(site=f"s{number}") for number in range(30))
    lanes = tuple(Lane(from_site="s0", to_site=site.site, km=1) for site in sites[1:])
    findings = abasto.tables.check_network(Network("Star", date(2026, 11, 22), 2, sites=sites, lanes=lanes))
    assert len(findings) == 29
    assert list(finding_lines(findings))[3] == "  … and 26 more like it (--all shows them)"


def test_ten_alike_or_other_columns_are_shown_in_full() -> None:
    assert len(list(finding_lines(same_mistake(10)))) == 10
    assert len(list(finding_lines(same_mistake(10) + same_mistake(10, "expires")))) == 20


# template, convert, tables


def test_template_checks_convert_and_read_the_same_tables(tiny: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tiny.parent
    assert run("template", folder / "empty.xlsx") == 0
    assert (folder / "empty.xlsx").stat().st_size > 0
    assert run("convert", tiny, folder / "tiny.xlsx") == 0
    assert run("convert", folder / "tiny.xlsx", folder / "again") == 0
    assert read_network(folder / "again") == TINY
    assert "Tiny: 2 sites" in capsys.readouterr().out


def test_nothing_is_replaced_without_force(tiny: Path, capsys: pytest.CaptureFixture[str]) -> None:
    precious = tiny.parent / "precious.xlsx"
    precious.write_text("mine", encoding="utf-8")
    assert run("template", precious) == 2
    assert run("convert", tiny, precious) == 2
    full = tiny.parent / "full"
    full.mkdir()
    (full / "mine.txt").write_text("mine", encoding="utf-8")
    assert run("convert", tiny, full) == 2
    assert capsys.readouterr().err.count("--force") == 3
    assert precious.read_text(encoding="utf-8") == "mine"
    assert [path.name for path in full.iterdir()] == ["mine.txt"]
    assert run("convert", tiny, precious, "--force") == 0
    assert read_network(precious) == TINY


def test_tables_are_never_converted_onto_themselves(tiny: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("convert", tiny, tiny, "--force") == 2
    assert "source and target are the same" in capsys.readouterr().err
    assert read_network(tiny) == TINY


def test_tables_are_listed_and_their_columns_explained(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("tables") == 0
    assert len(capsys.readouterr().out.splitlines()) == 18
    assert run("tables", "lanes") == 0
    assert "lead_days" in capsys.readouterr().out


# plan


def test_plan_says_who_is_worst_off_and_writes_nothing(
    tiny: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tiny.parent)
    before = sorted(tiny.parent.rglob("*"))
    assert run("plan", tiny, "--scenario", "lockout") == 0
    said = capsys.readouterr()
    assert "Tiny: 2 days from 2026-11-22, 2 sites, 100 people, scenario lockout" in said.out
    assert "The hill" in said.out
    assert "Rice: 50 kg of 100 kg missing (50 %), at 1 place" in said.out
    assert "cart  full on 2 of 2 days" in said.out
    assert said.err == ""
    assert sorted(tiny.parent.rglob("*")) == before


def test_plan_of_enough_meets_every_need_also_with_strict(tiny: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("plan", tiny, "--strict") == 0
    assert "Every need is met at every place on every day." in capsys.readouterr().out


def test_strict_exits_with_3_when_a_need_is_unmet(tiny: Path) -> None:
    assert run("plan", tiny, "--scenario", "lockout", "--strict") == 3
    assert run("plan", tiny, "--scenario", "lockout") == 0


def test_plan_of_broken_tables_exits_with_1_and_shows_them(broken: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = broken.parent / "out"
    assert run("plan", broken, "--out", out) == 1
    said = capsys.readouterr()
    assert 'lanes.csv row 2, to: "hil"' in said.err
    assert said.out == ""
    assert not out.exists()


def test_plan_writes_every_table_and_the_report(tiny: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, report = tiny.parent / "out", tiny.parent / "reports" / "plan.html"
    assert run("plan", tiny, "--out", out, "--report", report) == 0
    assert sorted(path.stem for path in out.iterdir()) == [
        "closing",
        "coverage",
        "deliveries",
        "intake",
        "production",
        "shipments",
        "shortages",
        "summary",
        "trips",
    ]
    assert "The hill" in report.read_text(encoding="utf-8")
    assert [path.name for path in report.parent.iterdir()] == ["plan.html"]
    shown = capsys.readouterr().out
    assert f"Tables are in {out}." in shown
    assert f"The report is {report}." in shown


def test_plan_as_json_is_one_object_and_nothing_else(tiny: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("plan", tiny, "--scenario", "lockout", "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert document["scenario"] == "lockout"
    assert document["status"] == "planned"
    assert document["gap"] <= 0.01
    assert document["summary"]["mean_coverage"] == pytest.approx(0.5, rel=1e-4)
    assert [place["site"] for place in document["worst_places"]] == ["hill"]
    assert document["short"][0]["unmet"] == pytest.approx(50, rel=1e-4)
    assert [row["need"] for row in document["shortages"]] == ["rice"]
    assert document["fleets"][0]["share"] == pytest.approx(1.0, rel=1e-4)
    assert document["written"] is None


def test_plan_that_was_stopped_says_how_far_it_may_be_from_the_best(
    tiny: Path, capsys: pytest.CaptureFixture[str], stand_in: Callable[..., None]
) -> None:
    stand_in(status="stopped", bound=1030.0)
    assert run("plan", tiny) == 0
    assert "stopped: best plan so far, at most 3.0 % below the best possible" in capsys.readouterr().out


@pytest.mark.parametrize(("coverage", "code"), [(FULL, 0), (None, 3)])
def test_strict_looks_at_the_plan_alone(coverage: Any, code: int, tiny: Path, stand_in: Callable[..., None]) -> None:
    stand_in(**({} if coverage is None else {"coverage": coverage}))
    assert run("plan", tiny, "--strict") == code


def test_plan_in_another_thread_needs_no_signals(tiny: Path, stand_in: Callable[..., None]) -> None:
    from concurrent.futures import ThreadPoolExecutor

    stand_in()
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(run, "plan", tiny).result() == 0


def test_warnings_do_not_stop_a_plan_but_are_mentioned(tiny: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tiny / "stocks.csv").write_text("site,good,quantity,expires\nport,rice,5,2026-11-01\n", encoding="utf-8")
    _, findings = abasto.check(tiny)
    assert {finding.severity for finding in findings} == {"warning"}
    assert run("check", tiny) == 0
    assert capsys.readouterr().out.splitlines()[-1].endswith("ready to plan (1 warning).")
    assert run("plan", tiny) == 0
    assert f'1 warning in the tables; `abasto check "{tiny}"` shows them.' in capsys.readouterr().err


# demo


def test_demo_writes_both_plans_and_one_report_and_replaces_its_own_output(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for _ in range(2):
        assert run("demo", "--example", "neighbourhood") == 0
        lines = capsys.readouterr().out.splitlines()
        assert len(lines) == 3
        assert lines[0].startswith("On usual days, ")
        assert lines[1].startswith("In the scenario lockout, ")
        assert "abasto-demo/report.html" in lines[2]
        assert sorted(path.name for path in Path("abasto-demo").iterdir()) == ["lockout", "report.html", "usual"]
    report = Path("abasto-demo/report.html").read_text(encoding="utf-8")
    assert "Everything in this example is invented." in report
    assert "Usual days" in report
    assert "Scenario lockout" in report


def test_demo_never_writes_over_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine").write_text("mine", encoding="utf-8")
    assert run("demo", "--out", tmp_path / "mine") == 2
    assert "this is a file; give a folder" in capsys.readouterr().err


# Ctrl-C

SEARCH = """
    import sys, time
    sys.path.insert(0, {tests!r})
    from hand_built import hand_built_plan
    from abasto.cli import main
    from abasto.planner import make

    def search(network, scenario=None, *, stop, **options):
        print("searching", file=sys.stderr, flush=True)
        while {ignores} or not stop():
            time.sleep(0.01)
        return hand_built_plan(status="stopped", bound=1030.0)

    make.make_plan = search
    sys.exit(main({arguments!r}))
"""


@contextlib.contextmanager
def searching(arguments: list[str], *, ignores: bool) -> Iterator[subprocess.Popen[str]]:
    """Run the command in a process of its own whose planner searches until it is stopped, or longer."""
    program = textwrap.dedent(SEARCH).format(tests=str(Path(__file__).parent), ignores=ignores, arguments=arguments)
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stderr is not None
            assert process.stderr.readline() == "searching\n"
            yield process
        finally:
            process.kill()


def test_ctrl_c_shows_and_writes_the_best_plan_so_far(tiny: Path) -> None:
    out = tiny.parent / "out"
    with searching(["plan", str(tiny), "--out", str(out)], ignores=False) as process:
        process.send_signal(signal.SIGINT)
        shown, said = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "Ctrl-C once more gives up" in said
    assert "stopped: best plan so far, at most 3.0 % below the best possible" in shown
    assert (out / "summary.csv").exists()


def test_second_ctrl_c_gives_up_and_writes_nothing(tiny: Path) -> None:
    out = tiny.parent / "out"
    with searching(["plan", str(tiny), "--out", str(out)], ignores=True) as process:
        process.send_signal(signal.SIGINT)
        assert process.stderr is not None
        assert "Ctrl-C once more gives up" in process.stderr.readline()
        process.send_signal(signal.SIGINT)
        shown, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "given up; nothing was written" in said
    assert shown == ""
    assert not out.exists()


def test_two_ctrl_c_at_once_are_one(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(cli_plan, "say", said.append)
    monkeypatch.setattr(cli_plan, "_give_up", lambda: said.append("given up"))

    def work(stop: Callable[[], bool]) -> str:
        # The handler runs in the main thread as soon as it wakes, both times before anything is said.
        for _ in range(2):
            signal.raise_signal(signal.SIGINT)
        while not stop():
            time.sleep(0.01)
        return "planned"

    assert cli_plan.run_until_stopped(work) == "planned"
    assert said == ["stopping with the best plan so far; Ctrl-C once more gives up."]
