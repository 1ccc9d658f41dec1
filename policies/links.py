"""Links that are known without looking: what most systems have, and what the kernel provides."""

from collections.abc import Sequence

from policies.readings import Unsafe, fold

LINKS: dict[tuple[str, ...], tuple[str, ...]] = {
    ("bin",): ("usr", "bin"),
    ("sbin",): ("usr", "sbin"),
    ("lib",): ("usr", "lib"),
    ("lib32",): ("usr", "lib32"),
    ("lib64",): ("usr", "lib64"),
    ("var", "run"): ("run",),
    ("var", "lock"): ("run", "lock"),
    ("private", "etc"): ("etc",),
    ("private", "var"): ("var",),
    ("private", "tmp"): ("tmp",),
    ("system", "volumes", "data"): (),
    ("volumes", "macintosh hd"): (),
}
"""Links that most systems have: merged /usr and /run on Linux, /private and the data volume on macOS."""

LINKED = frozenset(
    {
        *(source[0] for source in LINKS),
        "proc",
        "dev",
        "mnt",
        "cygdrive",
        ".vol",
        *"abcdefghijklmnopqrstuvwxyz",
    }
)
"""First names, in lower case, beneath which a path may lead elsewhere than it says."""


def walk(names: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    """Follow an absolute path name by name, through the links that are known.

    Returns:
        The root of where it leads (`/`, a drive, empty for the working folder, `..` above it), and the names.

    Raises:
        Unsafe: it names an open file, which may be anything.
    """
    root = "/"
    kept: list[str] = []
    for name in names:
        if name != "..":
            kept.append(name)
        elif kept:
            kept.pop()
        elif not root:
            root = ".."
        if root == "/":
            root, kept = _follow(kept)
    return root, tuple(kept)


def _follow(kept: list[str]) -> tuple[str, list[str]]:
    seen = tuple(fold(name) for name in kept)
    if seen in LINKS:
        return "/", list(LINKS[seen])
    if len(seen) == 1 and len(seen[0]) == 1 and "a" <= seen[0] <= "z":
        return seen[0] + ":", []
    if len(seen) == 2 and seen[0] in ("mnt", "cygdrive") and len(seen[1]) == 1 and "a" <= seen[1] <= "z":
        return seen[1] + ":", []
    if seen[:1] == (".vol",) or (seen[:2] == ("dev", "fd") and len(seen) > 2):
        raise Unsafe("it names an open file or an inode, and which is not known")
    if seen[:1] == ("proc",) and len(seen) > 2:
        return _follow_process(kept, seen)
    return "/", kept


def _follow_process(kept: list[str], seen: tuple[str, ...]) -> tuple[str, list[str]]:
    if seen[1] not in ("self", "thread-self") and not seen[1].isdigit():
        return "/", kept
    rest = seen[4:] if len(seen) > 4 and seen[2] == "task" else seen[2:]
    if rest == ("root",):
        return "/", []
    if rest == ("cwd",):
        return "", []
    if rest[0] in ("fd", "map_files", "exe") and (len(rest) > 1 or rest[0] == "exe"):
        raise Unsafe("it names an open file of a process, and which is not known")
    return "/", kept
