"""What is a kind of what: the subclass edges of all ontologies together, walked to the top once."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping


def closure(parents: Mapping[str, Collection[str]]) -> Iterator[tuple[str, list[str]]]:
    """Give each class with itself and all classes above it, both sorted; circles are walked once.

    Time and memory grow with the number of pairs; one class is held at a time.

    >>> dict(closure({"seizure": ["neurological"], "neurological": ["finding"]}))["seizure"]
    ['finding', 'neurological', 'seizure']
    """
    every = set(parents).union(*parents.values()) if parents else set()
    for start in sorted(every):
        found = {start}
        todo = [start]
        while todo:
            for above in parents.get(todo.pop(), ()):
                if above not in found:
                    found.add(above)
                    todo.append(above)
        yield start, sorted(found)
