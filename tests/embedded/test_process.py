from pathlib import Path

from runtime.embedded.process import cut, rotate, tail


def test_a_log_is_cut_under_the_process_that_writes_it(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_bytes(b"old\n" * 100)
    with open(log, "ab") as appending:
        cut(log, 1000)
        assert log.stat().st_size == 400
        cut(log, 399)
        appending.write(b"new\n")
    assert log.read_bytes() == b"new\n"
    assert (tmp_path / "a.log.1").read_bytes() == b"old\n" * 100


def test_a_log_is_rotated_at_a_start(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    rotate(log)
    log.write_text("x" * 100)
    rotate(log, 100)
    assert log.exists()
    rotate(log, 99)
    assert not log.exists()
    assert (tmp_path / "a.log.1").read_text() == "x" * 100


def test_a_tail_is_the_last_lines(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    assert tail(log) == ""
    log.write_text("".join(f"{n}\n" for n in range(100_000)))
    assert tail(log, 2) == "99998\n99999"
