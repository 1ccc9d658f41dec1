"""Which of many host patterns hold, without asking each."""

from collections.abc import Sequence

from policies.addresses import parse_address
from policies.host_pattern import HostPattern


class HostLookup:
    """Host patterns by what they mean: names, suffixes by their labels, networks by the bits they fix."""

    def __init__(self, patterns: Sequence[HostPattern]) -> None:
        """Take patterns; their places are their numbers."""
        self._every = [i for i, pattern in enumerate(patterns) if pattern.every]
        self._exact: dict[str, list[int]] = {}
        self._suffixes: dict[str, list[int]] = {}
        self._networks: dict[tuple[int, int], dict[int, list[int]]] = {}
        for i, pattern in enumerate(patterns):
            for name in pattern.exact:
                self._exact.setdefault(name, []).append(i)
            for suffix in pattern.suffixes:
                self._suffixes.setdefault(suffix, []).append(i)
            for network in pattern.networks:
                free = network.max_prefixlen - network.prefixlen
                held = self._networks.setdefault((network.version, free), {})
                held.setdefault(int(network.network_address) >> free, []).append(i)

    def holding(self, reading: str) -> set[int]:
        """The numbers of the patterns that one of `read_host`'s readings lies within."""
        found = {*self._every, *self._exact.get(reading, ())}
        if self._suffixes:
            dot = reading.find(".")
            while dot >= 0:
                found.update(self._suffixes.get(reading[dot:], ()))
                dot = reading.find(".", dot + 1)
        address = parse_address(reading) if self._networks else None
        if address is not None:
            number = int(address)
            for (version, free), held in self._networks.items():
                if version == address.version:
                    found.update(held.get(number >> free, ()))
        return found
