"""`python -m tests.interop.sigma_rules FOLDER`: reads a public set of Sigma rules and counts what is refused.

Such rules are of other products: their log source is left aside and each of their fields is taken for an
argument, so that it is the language that is tried: modifiers, conditions, lists, expressions.
"""

import argparse
import re
import time
from collections import Counter
from pathlib import Path

from detections.sigma.compiled import CompiledRules
from detections.sigma.reading.read import Document, read_sigma
from documents.node import Mistake
from documents.read import read_documents


def main() -> None:
    """Count."""
    parser = argparse.ArgumentParser(prog="python -m tests.interop.sigma_rules", description=__doc__)
    parser.add_argument("folder", type=Path, help="with *.yml, at any depth")
    parser.add_argument("--all", action="store_true", help="every mistake, not one of each kind")
    wanted = parser.parse_args()
    documents, mistakes = read_folder(wanted.folder)
    started = time.perf_counter()
    read, more = read_sigma(documents, fields_of=lambda name: (f"args.{name}",))
    seconds = time.perf_counter() - started
    mistakes += more
    refused = {m.source for m in mistakes}
    print(f"{len(documents)} documents read in {seconds:.1f} s:")
    print(f"{len(read.rules)} rules, {len(read.correlations)} correlations, {len(refused)} files refused")
    kinds = Counter(_kind(m.message) for m in mistakes)
    for kind, count in kinds.most_common():
        print(f"  {count:5} {kind}")
        for mistake in [m for m in mistakes if _kind(m.message) == kind][: None if wanted.all else 1]:
            print(f"          {mistake}"[:240])
    started = time.perf_counter()
    CompiledRules(read.rules)
    print(f"all of them compiled together in {time.perf_counter() - started:.1f} s")


def read_folder(folder: Path) -> tuple[list[Document], list[Mistake]]:
    """Every document of Sigma in a folder, as if it were of ours."""
    documents: list[Document] = []
    mistakes: list[Mistake] = []
    for path in sorted(folder.rglob("*.yml")):
        nodes, wrong = read_documents(str(path.relative_to(folder)), path.read_bytes())
        mistakes += wrong
        for node in nodes:
            if isinstance(node.value, dict) and {"detection", "correlation", "filter"} & node.value.keys():
                if "logsource" in node.value:
                    node.value["logsource"] = {"product": "ai_agent"}
                documents.append((str(path.relative_to(folder)), node))
    return documents, mistakes


def _kind(message: str) -> str:
    """A message without what differs from rule to rule."""
    return re.sub(r"%.*?%|'[^']*'|\"[^\"]*\"|[0-9a-f-]{36}|\d+|: .*", "…", message)[:90]


if __name__ == "__main__":
    main()
