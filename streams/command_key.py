"""A signing key that stays elsewhere (a KMS, an HSM): a command gets the bytes and returns the signature."""

import json
import os
import shlex
import signal
import subprocess
from dataclasses import dataclass

from ledger.errors import MalformedKey
from ledger.keys import VerifyKey
from runtime.errors import PraetorError

TIMEOUT_SECONDS = 10.0
SIGNATURE_BYTES = 64
SHOWN = 300


class SigningFailed(PraetorError):
    """The command did not bring a signature by the key; the message says what it did."""


@dataclass(frozen=True)
class CommandKey:
    """Signs by a command: the bytes on its standard input, the raw signature (64 bytes) on its output.

    It is started without a shell, in a session of its own, without Praetor's settings in its environment;
    what runs longer than `timeout` seconds is killed with all that it started.
    """

    verify_key: VerifyKey
    argv: tuple[str, ...]
    timeout: float = TIMEOUT_SECONDS

    @property
    def name(self) -> str:
        """The key's name, as it stands on notes."""
        return self.verify_key.name

    def sign(self, message: bytes) -> bytes:
        """The signature, verified against the public key. Blocks until the command has ended.

        Raises:
            SigningFailed: it cannot be started, failed, took too long, or returned no signature by the key.
        """
        out = self._run(message)
        if len(out) != SIGNATURE_BYTES:
            raise self._failed(
                f"wrote {len(out)} bytes where a raw Ed25519 signature has {SIGNATURE_BYTES}; base64 or hex"
                " must be decoded first"
            )
        if not self.verify_key.verifies(message, out):
            raise self._failed(
                f"returned a signature that is not by the public key {self.verify_key.to_text()}: it signs"
                " with another key, or something else than the bytes it was given"
            )
        return out

    def _run(self, message: bytes) -> bytes:
        pipe = subprocess.PIPE
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PRAETOR_")}
        try:
            started = subprocess.Popen(
                self.argv, stdin=pipe, stdout=pipe, stderr=pipe, env=environment, start_new_session=True
            )
        except OSError as error:
            raise self._failed(f"cannot be started: {error.strerror}") from error
        with started:
            try:
                out, err = started.communicate(message, self.timeout)
            except subprocess.TimeoutExpired as error:
                os.killpg(started.pid, signal.SIGKILL)
                raise self._failed(f"took longer than {self.timeout:g} s") from error
        if started.returncode:
            said = " ".join(err.decode(errors="replace").split())[-SHOWN:]
            raise self._failed(f"ended with {started.returncode}: {said or 'it said nothing'}")
        return out

    def _failed(self, what: str) -> SigningFailed:
        return SigningFailed(f"the signing command {self.argv[0]!r} {what}")


def command_key(command: str, public: str, setting: str) -> CommandKey:
    """The key of two settings: a command as a JSON list or a line split as a shell would, and a verifier key.

    Raises:
        PraetorError: they are none; `setting` names the command's.
    """
    variable = f"PRAETOR_{setting.upper()}"
    try:
        argv = json.loads(command) if command.lstrip().startswith("[") else shlex.split(command)
        if not argv or not all(isinstance(one, str) and one for one in argv):
            raise ValueError("not a list of words")
    except ValueError as error:
        raise PraetorError(
            f'{variable}: {error}; a command line or a JSON list ["…", "…"] was expected'
        ) from error
    try:
        return CommandKey(VerifyKey.from_text(public), tuple(argv))
    except MalformedKey as error:
        named = variable.replace("COMMAND", "PUBLIC")
        raise PraetorError(
            f"{named} must be the command's public key, as <name>+<8 hex>+<base64>: {error}"
        ) from error
