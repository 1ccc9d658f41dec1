"""That `python -m bench` runs and says what it found; how fast anything is, is not tested."""

import json
import subprocess
import sys
from pathlib import Path

from bench.measure import Plan, Spread, alternate, quantile, ratios, spread
from bench.report import Series, Target, as_markdown
from bench.rulesets import half_said
from bench.side_by_side import RIVALS, plain


def bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "bench", *arguments], capture_output=True, text=True, check=False, timeout=120
    )


def test_a_quick_series_prints_its_table_and_writes_its_figures(tmp_path: Path) -> None:
    file, page = tmp_path / "figures.json", tmp_path / "figures.md"
    done = bench("--quick", "rules", "--json", str(file), "--markdown", str(page))
    assert done.returncode == 0, done.stderr
    assert "10,000 rules" in done.stdout
    found = json.loads(file.read_text())
    assert {"cores", "memory", "python", "aiokafka"} <= set(found["machine"])
    (series,) = found["series"]
    assert series["name"] == "rules"
    assert all(len(row) == len(series["columns"]) for row in series["rows"])
    assert all(len(rounds) == 1 and rounds[0] > 0 for rounds in series["raw"]["p50"].values())
    assert [t["most"] for t in series["targets"]] == [1.2]
    assert "## judge()" in page.read_text()


def test_the_series_of_policies_runs(tmp_path: Path) -> None:
    file = tmp_path / "figures.json"
    done = bench("--quick", "policies", "--json", str(file))
    assert done.returncode == 0, done.stderr
    (series,) = json.loads(file.read_text())["series"]
    assert {"1,000 rules: a condition", "1,000 rules with hosts"} <= set(series["raw"]["p50"])
    assert all(len(rounds) == 1 and rounds[0] > 0 for rounds in series["raw"]["p50"].values())


def test_bundles_are_compiled_and_swapped(tmp_path: Path) -> None:
    file = tmp_path / "figures.json"
    done = bench("--quick", "bundles", "--json", str(file))
    assert done.returncode == 0, done.stderr
    (series,) = json.loads(file.read_text())["series"]
    (swap,) = series["raw"]["swaps"]
    assert all(swap[size][part] for size in ("100", "0") for part in ("alone", "swapping"))
    assert len(series["targets"]) == 4


def test_rivals_are_measured_or_said_to_be_left_out(tmp_path: Path) -> None:
    file = tmp_path / "figures.json"
    done = bench("--quick", "rivals", "--json", str(file))
    assert done.returncode == 0, done.stderr
    (series,) = json.loads(file.read_text())["series"]
    measured = {name.partition(",")[0] for name in series["raw"]["p50"]}
    assert "praetor" in measured
    for name in RIVALS:
        assert (name in measured) != (name in series["raw"]["missing"])
        assert any(note.startswith(f"{name}: ") for note in series["notes"])


def test_a_rule_is_told_to_rivals_whole() -> None:
    rules = half_said(100)
    told = [plain(rule) for rule in rules]
    assert told[0] == ("project-0", False, "agent-0", ["read:file"], "/workspace/project-0", 500)
    assert told[49][1] and told[49].limit == 0
    assert told[-2].actions == ["read:file", "write:file", "call:tool"] and told[-1].actions == ["exec:shell"]
    assert sum(bool(rule.limit) for rule in told) == 10


def test_an_unknown_series_is_a_usage_error() -> None:
    done = bench("nothing")
    assert done.returncode == 2
    named = (
        "govern, rules, policies, rivals, sigma, detecting, bundles, agents, archive, forward, backtest,"
        " latency, sdk, hostile"
    )
    assert named in done.stderr


def test_systems_take_turns_and_the_warm_up_is_dropped() -> None:
    order: list[str] = []
    plan = Plan(rounds=2, actions=1, quick=False, profile=False, tell=lambda text: None)

    def system(name: str, factor: float):
        def run(number: int) -> float:
            order.append(f"{name}{number}")
            return number * factor

        return run

    found = alternate(plan, {"a": system("a", 1.0), "b": system("b", 2.0)})
    assert order == ["a0", "b0", "a1", "b1", "a2", "b2"]
    assert found == {"a": [1.0, 2.0], "b": [2.0, 4.0]}
    assert ratios(found["b"], found["a"]) == Spread(2.0, 2.0, 2.0)


def test_what_is_told_of_rounds() -> None:
    assert spread([3.0, 1.0, 2.0]) == Spread(2.0, 1.0, 3.0)
    assert [quantile(range(1, 101), share) for share in (0.5, 0.99, 1.0)] == [50, 99, 100]


def test_a_target_is_reached_by_its_median() -> None:
    found = Spread(0.8, 0.1, 2.0)
    assert Target("t", found, least=0.8).reached
    assert not Target("t", found, least=0.81).reached
    assert Target("t", found, most=0.8).reached
    assert not Target("t", found, most=0.79).reached
    series = Series("s", "title", ("a", "b"), [("x", "1")], [Target("t", found, most=0.5, unit=" ms")])
    assert "| t | at most 0.5 ms | 0.80 (0.10 to 2.00) ms | **missed** |" in as_markdown([series])
