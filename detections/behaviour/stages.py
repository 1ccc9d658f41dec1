"""By what words a call is taken as a stage of a theft or a destruction. Plain searches, linear patterns.

The files are those that hold credentials by convention (MITRE ATT&CK T1552.001, T1552.004, T1003.008); the
commands are those that pack (T1560.001), send (T1048, T1567), destroy or keep from recovery (T1485, T1490).
"""

import re

from detections.behaviour.verbs import DELETE, ENCODE, EXECUTE, SEND

LONGEST = 65_536
"""Characters of a call that are looked at: its resource, then its arguments."""

_FILES = re.compile(
    r"\.(?:ssh/|aws/cred|env\b|netrc|pgpass|npmrc|pypirc|kube/config|docker/config|git-credentials"
    r"|gnupg/|pem\b"
    r"|p12\b|pfx\b|kdbx\b|keystore\b)"
)
_NAMES = re.compile(r"id_(?:rsa|ed25519)|/etc/shadow|/environ|printenv|keychain|[_-]secret|secrets")
_ENCODING = re.compile(
    r"\b(?:base64|b64encode|btoa|xxd|uuencode|openssl enc|gpg -|gpg --|gzip|tar -|tar c|zip -|7z a"
    r"|b32encode|hexlify)"
)
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{64}")
_SENDING = re.compile(
    r"\b(?:curl|wget|nc|ncat|netcat|scp|rsync|sftp|ftp|sendmail|mail -s|invoke-webrequest|invoke-restmethod"
    r"|requests\.(?:post|put)|fetch\(|aws s3 (?:cp|sync)|gsutil cp|nslookup|dig)\b"
)
_DELETING = re.compile(
    r"\b(?:rm -|rm --|rmdir|del /|shred|mkfs|dd if=|drop (?:table|database|schema|index)|truncate|delete from"
    r"|git push (?:-f|--force)|kubectl delete|terraform destroy|docker (?:rm|volume rm|system prune))"
)
_RECOVERY = re.compile(
    r"\b(?:backups?|snapshots?|shadow cop(?:y|ies)|shadowcopy|vssadmin|replicas?|audit|point.in.time"
    r"|versioning|retention)\b"
)


def text_of(resource: str, arguments: str | None) -> str:
    """What a call says, in lower case; at most `LONGEST` characters of it."""
    text = f"{resource}\n{arguments or ''}"
    return text.lower() if len(text) <= LONGEST else text[:LONGEST].lower()


def cut(resource: str, arguments: str | None) -> tuple[str, ...]:
    """In words, what of a call `text_of` leaves out."""
    length = len(resource) + len(arguments or "") + 1
    return (f"only {LONGEST} of a call's {length} characters were looked at",) if length > LONGEST else ()


def names_secret(text: str) -> bool:
    """Whether it names a place where credentials are by convention."""
    if _FILES.search(text):
        return True
    hinted = (  # plain searches are cheaper than the pattern, and nearly always find nothing
        "secret" in text or "id_" in text or "env" in text or "/etc/s" in text or "keychain" in text
    )
    return hinted and _NAMES.search(text) is not None


def encodes(kinds: int, text: str) -> bool:
    """Whether it packs, encodes or encrypts something."""
    return bool(kinds & ENCODE) or (bool(kinds & EXECUTE) and _ENCODING.search(text) is not None)


def carries_encoded(text: str) -> bool:
    """Whether something in it is encoded already: 64 characters of Base64 or hexadecimal without a pause."""
    return _BASE64.search(text) is not None


def sends(kinds: int, text: str) -> bool:
    """Whether it sends something to somebody."""
    return bool(kinds & SEND) or (bool(kinds & EXECUTE) and _SENDING.search(text) is not None)


def deletes(kinds: int, text: str) -> bool:
    """Whether it deletes or destroys something."""
    return bool(kinds & DELETE) or (bool(kinds & EXECUTE) and _DELETING.search(text) is not None)


def hinders_recovery(text: str) -> bool:
    """Of what deletes: whether it is what one would recover from, or see by what was done."""
    return _RECOVERY.search(text) is not None
