"""A bundle as a file, and its signature beside it: FILE.sig."""

from pathlib import Path

from ledger.keys import VerifyKey
from policies.bundle import Bundle, load_bundle
from runtime.errors import PraetorError
from streams.bundle_signature import check_signature

LARGEST_SIGNATURE = 64 << 10


def signature_file(bundle: Path) -> Path:
    """Where the signature of a bundle file stands."""
    return bundle.with_name(f"{bundle.name}.sig")


def read_bundle(path: Path) -> Bundle:
    """Read a bundle file.

    Raises:
        PraetorError: it cannot be read, or is no bundle.
    """
    try:
        return load_bundle(path.read_bytes())
    except OSError as error:
        raise PraetorError(f"{path}: {error.strerror}") from error
    except PraetorError as error:
        raise PraetorError(f"{path}: {error}") from error


def read_signature(path: Path, digest: str, trusted: list[VerifyKey]) -> str:
    """Read the signature beside a bundle file, if it is one of these keys over the bundle's digest.

    Raises:
        PraetorError: there is none, or it is not believed; the message says how to make one.
    """
    signature = signature_file(path)
    how = f"sign it: praetor policy sign {path}"
    try:
        text = signature.read_bytes()[: LARGEST_SIGNATURE + 1].decode()
    except FileNotFoundError as error:
        raise PraetorError(f"{path} is not signed ({signature} is not there); {how}") from error
    except OSError as error:
        raise PraetorError(f"{signature}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise PraetorError(f"{signature} is no signature; {how}") from error
    try:
        check_signature(text, digest, trusted)
    except PraetorError as error:
        raise PraetorError(f"{signature}: {error}; {how}") from error
    return text
