"""Finds the anomalies in a history: what no level allows, and cycles of dependencies, by their kinds.

In the manner of Elle: from the lists that were read comes the order in which they were written, from that who depends
on whom, and each cycle of these is an anomaly. What is found has happened; what nobody has read, it cannot see.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import pairwise

from .history import Append, Fate, Read, Transaction


class Kind(Enum):
    GARBAGE = "an element that nobody appended"
    DUPLICATE = "an element twice"
    ORDER = "two reads that disagree about the order"
    LOST = "a committed element that is not there in the end"
    FRACTURED = "a transaction of which a part is there in the end"
    OWN = "a transaction that does not read what it wrote itself"
    INTERNAL = "a transaction that reads another state than it did before"
    G1A = "G1a, aborted read"
    G1B = "G1b, intermediate read"
    G0 = "G0, cycle of writes"
    G1C = "G1c, cycle of writes and reads"
    LOST_UPDATE = "P4, lost update"
    G_SINGLE = "G-single, cycle with one anti-dependency"
    G2 = "G2-item, cycle with several anti-dependencies"


ALWAYS = frozenset({Kind.GARBAGE, Kind.DUPLICATE, Kind.LOST, Kind.FRACTURED, Kind.OWN, Kind.G0})
READ_COMMITTED = ALWAYS | {Kind.ORDER, Kind.G1A, Kind.G1B, Kind.G1C}
"""Who reads what is not committed yet may read an order that is rolled back."""
SNAPSHOT = READ_COMMITTED | {Kind.INTERNAL, Kind.LOST_UPDATE, Kind.G_SINGLE}
SERIALIZABLE = SNAPSHOT | {Kind.G2}


@dataclass(frozen=True)
class Anomaly:
    kind: Kind
    said: str

    def __str__(self) -> str:
        return f"{self.kind.value}: {self.said}"


@dataclass(frozen=True)
class Edge:
    source: int
    target: int
    kind: str
    """ww, wr or rw."""
    key: str

    def __str__(self) -> str:
        return f"T{self.source} -{self.kind} {self.key}-> T{self.target}"


def check(history: Sequence[Transaction], wanted: frozenset[Kind] = SERIALIZABLE, enough: int = 20) -> list[Anomaly]:
    """The anomalies of the wanted kinds, not many more than `enough` of them. The last transaction reads everything."""
    found: list[Anomaly] = []
    world = _World(history)
    for source in (_elements(world), _orders(world), _ends(world), _own(world), _dirty(world), _cycles(world, wanted)):
        for anomaly in source:
            if anomaly.kind in wanted:
                found.append(anomaly)
                if len(found) >= enough:
                    return found
    return found


class _World:
    """The history by what is asked of it."""

    def __init__(self, history: Sequence[Transaction]) -> None:
        self.history = history
        self.by_name = {transaction.name: transaction for transaction in history}
        self.writer: dict[tuple[str, int], Transaction] = {}
        self.last: dict[tuple[int, str], int] = {}
        """The last element that a transaction appended to a list."""
        self.versions: dict[str, tuple[int, ...]] = {}
        """Each list as it is in the end; one that nobody reads in the end, as the longest read has it."""
        for transaction in history:
            for append in transaction.appends():
                self.writer[append.key, append.element] = transaction
                self.last[transaction.name, append.key] = append.element
        for transaction in self.trusted():
            for read in transaction.reads():
                if len(read.elements) > len(self.versions.get(read.key, ())):
                    self.versions[read.key] = read.elements
        self.versions.update({read.key: read.elements for read in history[-1].reads()})
        self.seen = {(key, element) for key, elements in self.versions.items() for element in elements}

    def trusted(self) -> Iterator[Transaction]:
        """Those whose reads count: what an aborted one read was never promised to anybody."""
        return (transaction for transaction in self.history if transaction.fate is Fate.COMMITTED)

    def is_there(self, transaction: Transaction) -> bool:
        """Whether it has committed, by what was said or by what was seen."""
        if transaction.fate is Fate.UNKNOWN:
            return any((append.key, append.element) in self.seen for append in transaction.appends())
        return transaction.fate is Fate.COMMITTED


def _elements(world: _World) -> Iterator[Anomaly]:
    for transaction in world.trusted():
        for read in transaction.reads():
            if len(set(read.elements)) < len(read.elements):
                yield Anomaly(Kind.DUPLICATE, str(transaction))
            for element in read.elements:
                if (read.key, element) not in world.writer:
                    yield Anomaly(Kind.GARBAGE, f"{element} in {read.key}: {transaction}")


def _orders(world: _World) -> Iterator[Anomaly]:
    for transaction in world.trusted():
        for read in transaction.reads():
            longest = world.versions[read.key] if read.elements else ()
            if read.elements != longest[: len(read.elements)]:
                yield Anomaly(Kind.ORDER, f"{read.key} was {[*longest]} to another: {transaction}")


def _ends(world: _World) -> Iterator[Anomaly]:
    final = {read.key: set(read.elements) for read in world.history[-1].reads()}
    for transaction in world.history[:-1]:
        appends = [append for append in transaction.appends() if append.key in final]
        there = [append for append in appends if append.element in final[append.key]]
        if transaction.fate is Fate.COMMITTED and len(there) < len(appends):
            yield Anomaly(Kind.LOST, str(transaction))
        elif there and len(there) < len(appends):
            yield Anomaly(Kind.FRACTURED, str(transaction))


def _own(world: _World) -> Iterator[Anomaly]:
    """Each transaction by itself: that it reads what it wrote, and the state that it read before."""
    for transaction in world.trusted():
        mine: dict[str, list[int]] = defaultdict(list)
        known: dict[str, tuple[int, ...]] = {}
        for each in transaction.operations:
            if isinstance(each, Append):
                mine[each.key].append(each.element)
                if each.key in known:
                    known[each.key] = (*known[each.key], each.element)
                continue
            own = set(mine[each.key])
            if [element for element in each.elements if element in own] != mine[each.key]:
                yield Anomaly(Kind.OWN, str(transaction))
            elif known.get(each.key, each.elements) != each.elements:
                yield Anomaly(Kind.INTERNAL, str(transaction))
            known[each.key] = each.elements


def _dirty(world: _World) -> Iterator[Anomaly]:
    for transaction in world.trusted():
        for read in transaction.reads():
            for element in read.elements:
                writer = world.writer.get((read.key, element))
                if writer is not None and writer.fate is Fate.ABORTED:
                    yield Anomaly(Kind.G1A, f"{element} of T{writer.name} in {transaction}")
            if read.elements:
                writer = world.writer.get((read.key, read.elements[-1]))
                is_anothers = writer is not None and writer is not transaction
                if writer and is_anothers and world.last[writer.name, read.key] != read.elements[-1]:
                    yield Anomaly(Kind.G1B, f"{read.elements[-1]} of T{writer.name} in {transaction}")


def _cycles(world: _World, wanted: frozenset[Kind]) -> Iterator[Anomaly]:
    edges = list(dict.fromkeys(_edges(world)))
    if Kind.G0 in wanted:
        yield from (Anomaly(Kind.G0, said) for said in _circles(each for each in edges if each.kind == "ww"))
    if Kind.G1C in wanted:
        for circle in _shortest_circles([each for each in edges if each.kind != "rw"], "wr", "ww", "wr"):
            yield Anomaly(Kind.G1C, _said(circle))
    if not {Kind.G_SINGLE, Kind.G2} & wanted:
        return
    single: set[frozenset[int]] = set()
    for circle in _shortest_circles(edges, "rw", "ww", "wr"):
        single.add(frozenset(edge.source for edge in circle))
        yield Anomaly(Kind.LOST_UPDATE if _is_lost_update(circle, world) else Kind.G_SINGLE, _said(circle))
    if Kind.G2 in wanted:
        for component in _components(_ahead(edges)):
            if len(component) > 1 and not any(names <= component for names in single):
                among = [edge for edge in edges if {edge.source, edge.target} <= component]
                if any(edge.kind == "rw" for edge in among) and not _circles(e for e in among if e.kind != "rw"):
                    first = next(edge for edge in among if edge.kind == "rw")
                    yield Anomaly(Kind.G2, _said([first, *(_way(first.target, first.source, among) or [])]))


def _edges(world: _World) -> Iterator[Edge]:
    for key, elements in world.versions.items():
        for before, after in pairwise(elements):
            one, two = world.writer.get((key, before)), world.writer.get((key, after))
            if one and two and one is not two and world.is_there(one) and world.is_there(two):
                yield Edge(one.name, two.name, "ww", key)
    place = {(key, element): number for key, all_ in world.versions.items() for number, element in enumerate(all_)}
    for transaction in world.trusted():
        for read in _external(transaction):
            if read.elements:
                writer = world.writer.get((read.key, read.elements[-1]))
                if writer is not None and writer is not transaction and world.is_there(writer):
                    yield Edge(writer.name, transaction.name, "wr", read.key)
            versions = world.versions.get(read.key, ())
            following = place.get((read.key, read.elements[-1]), len(versions)) + 1 if read.elements else 0
            if following < len(versions):
                overwriter = world.writer.get((read.key, versions[following]))
                if overwriter is not None and overwriter is not transaction and world.is_there(overwriter):
                    yield Edge(transaction.name, overwriter.name, "rw", read.key)


def _external(transaction: Transaction) -> Iterator[Read]:
    """The reads of what others wrote: those of a list before one's own first append to it."""
    written = set()
    for each in transaction.operations:
        if isinstance(each, Append):
            written.add(each.key)
        elif each.key not in written:
            yield each


def _is_lost_update(circle: Sequence[Edge], world: _World) -> bool:
    """Two read the same state of one list, and both wrote it."""
    keys = {edge.key for edge in circle}
    return len(circle) == 2 and len(keys) == 1 and all(
        any(append.key in keys for append in world.by_name[edge.source].appends()) for edge in circle
    )  # fmt: skip


Graph = Mapping[int, Sequence[Edge]]


def _ahead(edges: Iterable[Edge]) -> Graph:
    graph: dict[int, list[Edge]] = defaultdict(list)
    for edge in edges:
        graph[edge.source].append(edge)
    return graph


def _circles(edges: Iterable[Edge]) -> list[str]:
    """One circle of each component."""
    among = list(edges)
    found = []
    for component in _components(_ahead(among)):
        if len(component) > 1:
            inside = [edge for edge in among if {edge.source, edge.target} <= component]
            found.append(_said([inside[0], *(_way(inside[0].target, inside[0].source, inside) or [])]))
    return found


def _shortest_circles(edges: Sequence[Edge], one: str, *others: str) -> Iterator[list[Edge]]:
    """Those with exactly one edge of the first kind, and for the rest edges of the others."""
    where = {name: number for number, names in enumerate(_components(_ahead(edges))) for name in names}
    inside: dict[int, list[Edge]] = defaultdict(list)
    for edge in edges:
        if where[edge.source] == where[edge.target]:
            inside[where[edge.source]].append(edge)
    for among in inside.values():
        graph = _ahead(edge for edge in among if edge.kind in others)
        for edge in among:
            if edge.kind == one and (way := _way(edge.target, edge.source, graph)) is not None:
                yield [edge, *way]


def _way(start: int, end: int, edges: Iterable[Edge] | Graph) -> list[Edge] | None:
    graph = edges if isinstance(edges, Mapping) else _ahead(edges)
    came: dict[int, Edge] = {}
    waiting, seen = deque([start]), {start}
    while waiting:
        name = waiting.popleft()
        if name == end:
            way = []
            while name != start:
                way.append(came[name])
                name = came[name].source
            return way[::-1]
        for edge in graph.get(name, ()):
            if edge.target not in seen:
                seen.add(edge.target)
                came[edge.target] = edge
                waiting.append(edge.target)
    return None


def _components(graph: Graph) -> list[set[int]]:
    """Those that are strongly connected, by Tarjan's algorithm, without recursion."""
    number: dict[int, int] = {}
    low: dict[int, int] = {}
    stack: list[int] = []
    on_stack: set[int] = set()
    found: list[set[int]] = []
    names = {*graph, *(edge.target for edges in graph.values() for edge in edges)}
    for root in names:
        if root in number:
            continue
        work = [(root, iter(graph.get(root, ())))]
        number[root] = low[root] = len(number)
        stack.append(root)
        on_stack.add(root)
        while work:
            name, edges = work[-1]
            edge = next(edges, None)
            if edge is None:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[name])
                if low[name] == number[name]:
                    component = set()
                    while True:
                        member = stack.pop()
                        on_stack.discard(member)
                        component.add(member)
                        if member == name:
                            break
                    found.append(component)
            elif edge.target not in number:
                number[edge.target] = low[edge.target] = len(number)
                stack.append(edge.target)
                on_stack.add(edge.target)
                work.append((edge.target, iter(graph.get(edge.target, ()))))
            elif edge.target in on_stack:
                low[name] = min(low[name], number[edge.target])
    return found


def _said(circle: Sequence[Edge]) -> str:
    return ", ".join(map(str, circle))
