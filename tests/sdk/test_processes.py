"""Processes that end, are killed, fork: what was acknowledged is in the log, what was not is reported."""

import os
import re
import subprocess
import sys
from pathlib import Path

from runtime.embedded.process import free_port
from tests.sdk.helpers import CLOSING, Actions, eventually, finish, numbers, read_text, whole

ACT = """
client = Praetor(**where, exit_timeout={patience})
for i in range({count}): client.action("read:file", str(i))
"""


def test_a_client_that_nobody_closes_is_flushed_and_closed_at_exit(actions: Actions):
    _, err = finish(actions.script(ACT.format(patience=60, count=500) + "del client"))
    assert err == ""
    (events,) = actions.read().values()
    whole(events, 500)


def test_threads_that_still_run_at_exit_are_heard(actions: Actions):
    body = """
import threading
client = Praetor(**where, exit_timeout=60)
def late():
    time.sleep(0.3)
    client.action("read:file", "late")
threading.Thread(target=late).start()
"""
    assert finish(actions.script(body)) == ("", "")
    (events,) = actions.read().values()
    whole(events, 1)


def test_what_cannot_be_sent_at_exit_is_reported_and_spooled_and_can_be_sent_later(
    actions: Actions, tmp_path: Path
):
    there, spool = actions.bootstrap, tmp_path / "spool" / "unsent"
    actions.bootstrap = f"127.0.0.1:{free_port()}"
    body = ACT.format(patience=0.5, count=20).replace(
        "**where", f"**where, producer_id='p', spool={str(spool)!r}"
    )
    _, err = finish(actions.script(body))
    assert "producer p, epoch" in err and "0 events acknowledged, 21 not" in err, err
    assert "does not answer: " in err and "is it running?" in err and f"unsent events are in {spool}" in err
    assert spool.stat().st_mode & 0o777 == 0o600

    again = subprocess.run(
        [sys.executable, "-m", "praetor", "resend", spool, "--topic", actions.name, "--bootstrap", there],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert again.returncode == 0, again.stderr
    assert again.stdout == f"21 events acknowledged; the file is now {spool}.sent\n"
    assert not spool.exists() and Path(f"{spool}.sent").exists()
    actions.bootstrap, actions.options = there, {"bootstrap_servers": there}
    (events,) = actions.read().values()
    whole(events, 20)


def test_a_spool_that_was_not_sent_stays(actions: Actions, tmp_path: Path):
    spool = tmp_path / "unsent"
    actions.bootstrap = f"127.0.0.1:{free_port()}"
    with actions.client(spool=spool) as client:
        client.action("read:file")
        client.close(0)
    resend = [
        sys.executable,
        "-m",
        "praetor",
        "resend",
        spool,
        "--bootstrap",
        actions.bootstrap,
        "--timeout",
        "1",
    ]
    done = subprocess.run(resend, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1 and "praetor: not all of the 2 events" in done.stderr
    assert "Traceback" not in done.stderr and spool.exists()
    spool.write_bytes(spool.read_bytes()[:-1])
    done = subprocess.run(resend, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1 and "is cut within the event at byte" in done.stderr


def test_what_was_acknowledged_before_a_kill_is_there(actions: Actions, tmp_path: Path):
    told = tmp_path / "told"
    body = f"""
client = Praetor(**where)
for i in range(10**9):
    client.action("read:file", str(i))
    if i % 100 == 99:
        report = client.flush()
        with open({str(told)!r}, "w") as file: file.write(str(report.acknowledged))
"""
    process = actions.script(body)
    eventually(lambda: read_text(told) not in ("", "100", "200"), "some acknowledgements")
    process.kill()
    process.communicate()
    (events,) = actions.read().values()
    assert len(events) >= int(read_text(told) or "300")
    assert numbers(events) == list(range(len(events)))
    assert CLOSING not in {event["action"] for event in events}


FORK = """
client = Praetor(**where, producer_id="p", exit_timeout=60)
for i in range(5): client.action("read:file", "before")
{fork}
client.action("read:file", "parent")
client.close()
assert client.report.complete, client.report
"""
OS_FORK = """
child = os.fork()
if not child:
    for i in range(3): client.action("read:file", f"child {i}")
    assert client.close().complete
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
"""
MULTIPROCESSING = """
import multiprocessing
def work():
    for i in range(3): client.action("read:file", f"child {i}")
process = multiprocessing.get_context("fork").Process(target=work)
process.start(); process.join()
assert process.exitcode == 0
"""


def test_a_forked_child_has_a_name_an_epoch_and_numbers_of_its_own(actions: Actions):
    for fork in (OS_FORK, MULTIPROCESSING):
        actions = Actions(actions.bootstrap).create()
        finish(actions.script(FORK.replace("{fork}", fork)))
        found = {producer: events for (producer, _), events in actions.read().items()}
        (child,) = found.keys() - {"p"}
        assert re.fullmatch(r"p\.\d+", child)
        whole(found["p"], 6)
        whole(found[child], 3)
        assert found[child][0]["producer_epoch"] > found["p"][0]["producer_epoch"]
        assert [e["resource"] for e in found[child][:3]] == [f"child {i}" for i in range(3)]


def test_the_epoch_in_a_state_folder_grows_though_the_clock_goes_back(actions: Actions, tmp_path: Path):
    (tmp_path / "p.epoch").write_text(str(1 << 60))
    for epoch in ((1 << 60) + 1, (1 << 60) + 2):
        client = actions.client(producer_id="p", state_dir=tmp_path)
        assert client.epoch == epoch
        client.close()
    assert os.listdir(tmp_path) == ["p.epoch"]


def test_settings_by_environment(actions: Actions, tmp_path: Path):
    password = tmp_path / "password"
    password.write_text("hunter2\n")
    body = """
from praetor.security import Security
print(Security.from_environment())
print(Security.from_environment().options(None)["sasl_plain_password"])
where.pop("bootstrap")
with Praetor(**where) as client: client.action("read:file")
print(client.report)
"""
    environment = {
        "PRAETOR_BOOTSTRAP": actions.bootstrap,
        "PRAETOR_KAFKA_SASL_USERNAME": "u",
        "PRAETOR_KAFKA_SASL_PASSWORD_FILE": str(password),
    }
    out, _ = finish(actions.script(body, **environment))
    shown, secret, report = out.splitlines()
    assert "sasl_username='u'" in shown and "hunter2" not in shown
    assert (secret, report) == ("hunter2", "2 events acknowledged, 0 not")


def test_mistakes_in_settings_are_one_clear_message(actions: Actions):
    for environment, said in (
        ({"PRAETOR_KAFKA_SASL_PASSWORD": "a", "PRAETOR_KAFKA_SASL_PASSWORD_FILE": "/b"}, "are both set"),
        ({"PRAETOR_KAFKA_SASL_PASSWORD_FILE": "/absent"}, "names /absent, which cannot be read"),
        ({"PRAETOR_KAFKA_SECURITY_PROTOCOL": "SSL", "PRAETOR_KAFKA_SSL_CAFILE": "/absent"}, "TLS files"),
    ):
        body = "try: Praetor(**where)\nexcept PraetorError as error: print(error)"
        assert said in finish(actions.script(body, **environment))[0]
