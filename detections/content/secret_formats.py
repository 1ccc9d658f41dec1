"""The formats of secrets that can be told by their looks: patterns, and checks against look-alikes.

Each row names where its format is described. Patterns run in RE2 (linear time), all as one; a match that
fails its check is no secret. A placeholder ("EXAMPLE", "xxxx") never is one.
"""

from collections.abc import Callable
from typing import NamedTuple

import re2

from detections.content.secret_checks import always, has_crc, is_assigned, is_jwt, is_login, is_random

Check = Callable[[str], bool]


class Format(NamedTuple):
    """One format.

    Attributes:
        name: of what is found.
        pattern: in RE2's syntax, without groups.
        check: of the whole match.
        shown: how many of its first characters every such secret has, so that they may be shown.
    """

    name: str
    pattern: str
    check: Check = is_random
    shown: int = 4


_T = "[A-Za-z0-9_-]"
FORMATS = (
    # docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html: prefixes; Base32
    Format("AWS access key", r"\b(?:AKIA|ASIA)[A-Z2-7]{16}\b"),
    # github.blog/engineering/behind-githubs-new-authentication-token-formats (2021): prefixes, CRC-32
    Format("GitHub token", r"\bgh[pousr]_[A-Za-z0-9]{36}\b", has_crc),
    Format("GitHub fine-grained token", r"\bgithub_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59}\b", shown=11),
    # docs.gitlab.com/security/tokens: token prefixes
    Format("GitLab token", rf"\bgl(?:pat|dt|rt|ptt|agent|oas)-{_T}{{20}}", shown=3),
    # docs.slack.dev/authentication/tokens and incoming webhooks
    Format("Slack token", r"\bxox[abeoprs]-[A-Za-z0-9-]{20}[A-Za-z0-9-]*"),
    Format("Slack webhook", r"\bhooks\.slack\.com/services/T[A-Za-z0-9/]{30}[A-Za-z0-9/]*", shown=25),
    # docs.stripe.com/keys: live secret and restricted keys
    Format("Stripe key", r"\b[sr]k_live_[A-Za-z0-9]{16}[A-Za-z0-9]*", shown=8),
    # cloud.google.com/docs/authentication/api-keys, developers.google.com/identity/protocols/oauth2
    Format("Google API key", rf"\bAIza{_T}{{35}}"),
    Format("Google access token", rf"\bya29\.{_T}{{30}}{_T}*", shown=5),
    # platform.openai.com/docs/api-reference/authentication, docs.claude.com/en/api, huggingface.co/docs
    Format("Anthropic key", rf"\bsk-ant-{_T}{{60}}{_T}*", shown=7),
    Format("OpenAI key", rf"\bsk-(?:proj-|svcacct-|admin-)?{_T}*T3BlbkFJ{_T}{{16}}{_T}*", shown=3),
    Format("Hugging Face token", r"\bhf_[A-Za-z]{34}\b", shown=3),
    # docs.npmjs.com/about-access-tokens and github.blog/changelog 2021-09-23: as GitHub's, with CRC-32
    Format("npm token", r"\bnpm_[A-Za-z0-9]{36}\b", has_crc),
    # pypi.org/help/#apitoken: a macaroon, whose Base64 begins so
    Format("PyPI token", rf"\bpypi-AgE[A-Za-z0-9]{_T}{{50}}{_T}*", shown=8),
    # docs.sendgrid.com/ui/account-and-settings/api-keys
    Format("SendGrid key", rf"\bSG\.{_T}{{22}}\.{_T}{{43}}", shown=3),
    # core.telegram.org/bots/api#authorizing-your-bot
    Format("Telegram bot token", rf"\b[0-9]{{8,10}}:AA{_T}{{33}}", shown=0),
    # docs.digitalocean.com/reference/api, shopify.dev/docs/apps, docs.databricks.com, Vault's "Tokens"
    Format("DigitalOcean token", r"\bdo[opr]_v1_[a-f0-9]{64}\b", shown=7),
    Format("Shopify token", r"\bshp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}\b", shown=6),
    Format("Databricks token", r"\bdapi[a-f0-9]{32}\b"),
    Format("Vault token", rf"\bhv[sbr]\.{_T}{{24}}{_T}*"),
    # age-encryption.org/v1: Bech32
    Format("age key", r"\bAGE-SECRET-KEY-1[A-Z0-9]{58}\b", shown=16),
    # learn.microsoft.com/azure/storage/common/storage-configure-connection-string: 64 bytes in Base64
    Format("Azure storage key", r"AccountKey=[A-Za-z0-9+/]{86}==", shown=11),
    # RFC 7468, RFC 9580: textual encodings of private keys, also within JSON
    Format(
        "private key",
        r"-----BEGIN (?:[A-Z]{2,9} )?PRIVATE KEY(?: BLOCK)?-----(?:\s|\\n|\\r)+[A-Za-z0-9+/=:, -]{16}",
        always,
        shown=27,
    ),
    # RFC 7519
    Format("JSON web token", rf"\beyJ{_T}{{8}}{_T}*\.eyJ{_T}{{8}}{_T}*\.{_T}{{16}}{_T}*", is_jwt, shown=3),
    # RFC 3986, section 3.2.1
    Format(
        "password in an address",
        r"\b[a-z][a-z0-9+.-]{1,20}://[^\s/:@\"'<>]{1,64}:[^\s/@\"'<>]{3,64}@",
        is_login,
        shown=0,
    ),
    Format(
        "assigned secret",
        r"(?i:password|passwd|secret|api[_-]?key|access[_-]?key|auth[_-]?token|access[_-]?token)"
        r"(?:\\?[\"'])?\s?[:=]\s?(?:\\?[\"'])?[A-Za-z0-9+/_.=~!@#$%^*-]{16,128}",
        is_assigned,
        shown=0,
    ),
)

_ALL = re2.compile("|".join(f"({f.pattern})" for f in FORMATS).encode())
_TOKENS = bytes(97 if chr(i) in "-_=+.~!@#$%^*" or (i < 128 and chr(i).isalnum()) else 32 for i in range(256))
_RUN = b"a" * 16
MOST = 500
"""Matches in one text that are looked at."""


class Secret(NamedTuple):
    """A secret in a text: its format, where it is; of it, only what is the same in all of its format."""

    format: Format
    start: int
    end: int
    shown: str


def may_hold_secrets(text: str) -> bool:
    """Whether it is worth looking at a short text: it has a long run of letters and digits, or a login."""
    if "-----BEGIN" in text or "://" in text:
        return True
    return text.encode("ascii", "replace").translate(_TOKENS).find(_RUN) >= 0  # `in` of bytes takes longer


def find_secrets(text: str) -> tuple[list[Secret], bool]:
    """The secrets in a text, and whether there were too many matches to look at all of them."""
    secrets: list[Secret] = []
    raw = text.encode("ascii", "replace")  # so that places in bytes are places in characters
    for number, match in enumerate(_ALL.finditer(raw)):
        if number == MOST:
            return secrets, True
        form, written = FORMATS[match.lastindex - 1], match[0].decode()
        if form.check(written):
            shown = f"{written[: form.shown]}… ({form.name}, {len(written)} characters)"
            secrets.append(Secret(form, match.start(), match.end(), shown))
    return secrets, False


def without_secrets(text: str) -> str:
    """The text with what is shown of a secret in the place of each; beyond `MOST` matches as it is."""
    if not may_hold_secrets(text):
        return text
    for secret in reversed(find_secrets(text)[0]):
        text = text[: secret.start] + secret.shown + text[secret.end :]
    return text
