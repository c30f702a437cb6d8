"""Made histories, clean ones and ones with an anomaly planted in them: what the checker is itself checked by."""

from __future__ import annotations

from collections import defaultdict
from random import Random

from .checker import Kind
from .history import Append, Fate, Read, Transaction

State = dict[str, tuple[int, ...]]


def serial(length: int, random: Random) -> list[Transaction]:
    """One after the other; some abort, and of some nobody was told what became of them."""
    state: State = defaultdict(tuple)
    made = []
    for name in range(1, length + 1):
        fate = random.choices(list(Fate), [8, 1, 1])[0]
        own = dict(state)
        made.append(_transaction(name, fate, own, random))
        if fate is Fate.COMMITTED or (fate is Fate.UNKNOWN and random.random() < 0.5):
            state.update(own)
    return [*made, _final(length + 1, state)]


def snapshots(length: int, random: Random, first_wins: bool = True, at_once: int = 4) -> list[Transaction]:
    """Several at a time, each on a snapshot; who would overwrite what came after its snapshot aborts.

    Without `first_wins` it commits in place of the other's list, as a careless database would have it.
    """
    state: State = defaultdict(tuple)
    made: list[Transaction] = []
    while len(made) < length:
        begun = []
        for _ in range(at_once):
            snapshot: State = dict(state)
            begun.append((snapshot, _transaction(len(made) + 1, Fate.COMMITTED, snapshot, random)))
            made.append(begun[-1][1])
        before = dict(state)
        for snapshot, transaction in begun:
            keys = {append.key for append in transaction.appends()}
            if first_wins and any(state.get(key) != before.get(key) for key in keys):
                transaction.fate = Fate.ABORTED
            else:
                state.update({key: snapshot[key] for key in keys})
    return [*made, _final(len(made) + 1, state)]


def planted(kind: Kind, history: list[Transaction], random: Random) -> list[Transaction]:
    """The history with one more anomaly, on two lists of its own, at any place in it."""
    names = iter(range(1_000_000, 2_000_000))
    p, q = "planted p", "planted q"
    lists: dict[str, tuple[int, ...]] = {p: (), q: ()}

    def one(*operations: Append | Read, fate: Fate = Fate.COMMITTED) -> Transaction:
        return Transaction(next(names), list(operations), fate)

    new: list[Transaction]
    if kind is Kind.GARBAGE:
        new = [one(Read(p, (-1,)))]
        lists[p] = (-1,)
    elif kind is Kind.DUPLICATE:
        new = [one(Append(p, -1)), one(Read(p, (-1, -1)))]
        lists[p] = (-1, -1)
    elif kind is Kind.ORDER:
        new = [one(Append(p, -1)), one(Append(p, -2)), one(Read(p, (-2, -1)))]
        lists[p] = (-1, -2)
    elif kind is Kind.LOST:
        new = [one(Append(p, -1))]
    elif kind is Kind.FRACTURED:
        new = [one(Append(p, -1), Append(q, -2), fate=Fate.UNKNOWN)]
        lists[p] = (-1,)
    elif kind is Kind.OWN:
        new = [one(Append(p, -1), Read(p, ()))]
        lists[p] = (-1,)
    elif kind is Kind.INTERNAL:
        new = [one(Append(p, -1)), one(Read(p, ()), Read(p, (-1,)))]
        lists[p] = (-1,)
    elif kind is Kind.G1A:
        new = [one(Append(p, -1), fate=Fate.ABORTED), one(Read(p, (-1,)))]
    elif kind is Kind.G1B:
        new = [one(Append(p, -1), Append(p, -2)), one(Read(p, (-1,)))]
        lists[p] = (-1, -2)
    elif kind is Kind.G0:
        new = [one(Append(p, -1), Append(q, -2)), one(Append(p, -3), Append(q, -4))]
        lists |= {p: (-1, -3), q: (-4, -2)}
    elif kind is Kind.G1C:
        new = [one(Append(p, -1), Read(q, (-2,))), one(Append(q, -2), Read(p, (-1,)))]
        lists |= {p: (-1,), q: (-2,)}
    elif kind is Kind.LOST_UPDATE:
        new = [one(Read(p, ()), Append(p, -1)), one(Read(p, ()), Append(p, -2))]
        lists[p] = (-1, -2)
    elif kind is Kind.G_SINGLE:
        new = [one(Read(p, ()), Read(q, (-2,))), one(Append(p, -1), Append(q, -2))]
        lists |= {p: (-1,), q: (-2,)}
    else:
        new = [one(Read(p, ()), Append(q, -2)), one(Read(q, ()), Append(p, -1))]
        lists |= {p: (-1,), q: (-2,)}
    *others, final = history
    for each in new:
        others.insert(random.randrange(len(others) + 1), each)
    final.operations += [Read(key, elements) for key, elements in lists.items()]
    return [*others, final]


def _transaction(name: int, fate: Fate, state: State, random: Random) -> Transaction:
    made = Transaction(name, fate=fate)
    for number in range(random.randint(1, 5)):
        key = f"k{random.randrange(max(4, name // 8))}"
        if random.random() < 0.5:
            made.operations.append(Read(key, state.get(key, ())))
        else:
            element = name * 10 + number
            state[key] = (*state.get(key, ()), element)
            made.operations.append(Append(key, element))
    return made


def _final(name: int, state: State) -> Transaction:
    return Transaction(name, [Read(key, elements) for key, elements in state.items()])
