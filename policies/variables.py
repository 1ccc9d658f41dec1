"""Variables at the beginning of a path: a home, a folder that is known, or no telling."""

import re
from collections.abc import Iterator

from policies.readings import Unsafe

_HOME = re.compile(
    r"\$HOME(?![A-Za-z0-9_])|\$\{HOME\}|\$\{?env:(?:USERPROFILE|HOME)\}?"
    r"|%(?:USERPROFILE|HOME|HOMEDRIVE%%HOMEPATH)%|(?:[A-Z]:)?%HOMEPATH%",
    re.I,
)
_FOLDERS = {
    "pwd": ".",
    "tmpdir": "/tmp",  # noqa: S108  (where it leads, not where we write)
    "temp": "~/AppData/Local/Temp",
    "tmp": "~/AppData/Local/Temp",
    "appdata": "~/AppData/Roaming",
    "localappdata": "~/AppData/Local",
    "xdg_config_home": "~/.config",
    "xdg_data_home": "~/.local/share",
    "systemroot": "C:/Windows",
    "windir": "C:/Windows",
    "systemdrive": "C:",
    "programfiles": "C:/Program Files",
    "programfiles(x86)": "C:/Program Files (x86)",
    "programdata": "C:/ProgramData",
    "allusersprofile": "C:/ProgramData",
}
_VARIABLE = re.compile(
    r"\$\{?(?:env:)?([A-Za-z_][A-Za-z0-9_]*)\}?(?=[/\\]|\Z)|%(?![0-9A-Fa-f]{2})([A-Za-z_][A-Za-z0-9_()]*)%"
)


def expand_variables(text: str) -> Iterator[str]:
    """What a text may become.

    Raises:
        Unsafe: it begins with a variable that is not known.
    """
    home = _HOME.match(text)
    if home:
        yield "~" + text[home.end() :]
        return
    found = _VARIABLE.match(text)
    if not found:
        return
    name = (found[1] or found[2]).lower()
    if name not in _FOLDERS:
        raise Unsafe("it begins with a variable, and where that leads is not known")
    yield _FOLDERS[name] + text[found.end() :]
