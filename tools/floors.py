"""The floors of the engine, from the ground up, and its imports as they are: for the layout's test and its drawing.

`python -m tools.floors` draws them into docs/images/engine-floors.svg.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from html import escape
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ENGINE = ROOT / "djintegrate" / "storm_backend"
DRAWING = ROOT / "docs" / "images" / "engine-floors.svg"

FLOORS = [
    ["conf", "sql"],
    ["transactions"],
    ["two_phase"],
    ["connection"],
    ["replicas"],
    ["stores"],
    ["schema", "references"],
    ["mapping", "sqlalchemy"],
    ["doors"],
]
"""A package may import those on the floors below it. `mapping` uses `references`."""
SAYS = {
    "conf": "what the settings say",
    "sql": "what a statement does",
    "transactions": "one thread's transaction, and its data managers",
    "two_phase": "several stores, one outcome",
    "connection": "Django's wrapper, that joins",
    "replicas": "who reads from where",
    "stores": "Storm's store, on Django's connection",
    "schema": "Storm's tables",
    "references": "from one ORM's objects to the other's",
    "mapping": "Storm classes of Django's models",
    "sqlalchemy": "a third ORM, on the same connection",
    "doors": "what Django, the settings and the site name",
}
DOORS = "doors"


def imports(folder: Path = ENGINE) -> Iterator[tuple[str, str]]:
    """Each import of a module in `folder` by another: by dotted names, and in annotations and functions as well."""
    modules = {_dotted(path): path for path in sorted(folder.rglob("*.py"))}
    for name, path in modules.items():
        package = name if path.name == "__init__.py" else name.rpartition(".")[0]
        for node in ast.walk(ast.parse(path.read_text())):
            for found in _named(node, package):
                target = found if found in modules else found.rpartition(".")[0]
                if target in modules and target != name:
                    yield name, target


def floor_of(module: str) -> int:
    return next(number for number, packages in enumerate(FLOORS) if package_of(module) in packages)


def package_of(module: str) -> str:
    """The package of the engine that a module is in; what stands beside them is a door."""
    package = module.removeprefix("djintegrate.storm_backend").lstrip(".").partition(".")[0]
    return package if package in SAYS else DOORS


def arrows() -> set[tuple[str, str]]:
    """Which package imports which."""
    found = {(package_of(module), package_of(target)) for module, target in imports()}
    return {(package, target) for package, target in found if package != target}


def shown(found: set[tuple[str, str]]) -> set[tuple[str, str]]:
    """The arrows without those that follow from others: who imports a package may import what is below it."""

    def leads(start: str, end: str, via: set[tuple[str, str]]) -> bool:
        return any(target == end or leads(target, end, via) for package, target in via if package == start)

    return {arrow for arrow in found if not leads(*arrow, found - {arrow})}


def drawing() -> str:
    """The floors as an SVG: every package, and the arrows that do not follow from others."""
    boxes = _boxes()
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {len(FLOORS) * STEP + 20}" role="img" '
        'font-family="system-ui, sans-serif" font-size="13">',
        "<title>The floors of djintegrate.storm_backend: every import goes down</title>",
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<path d="M0 0 8 4 0 8z" fill="#6b7280"/></marker></defs>',
        f'<rect width="{WIDTH}" height="{len(FLOORS) * STEP + 20}" fill="#ffffff"/>',
    ]
    for package, target in sorted(shown(arrows())):
        parts.append(_arrow(boxes[package], boxes[target]))
    for name, (x, y, width) in boxes.items():
        parts.append(
            f'<g><rect x="{x}" y="{y}" width="{width}" height="{HEIGHT}" rx="6" fill="#eef2ff" stroke="#4f46e5"/>'
            f'<text x="{x + 12}" y="{y + 20}" fill="#111827"><tspan font-weight="600">{name}</tspan>'
            f'<tspan fill="#4b5563"> · {_modules(name)}</tspan></text>'
            f'<text x="{x + 12}" y="{y + 38}" fill="#374151" font-size="12">{escape(SAYS[name])}</text></g>'
        )
    return "\n".join([*parts, "</svg>", ""])


WIDTH, HEIGHT, STEP, MARGIN = 760, 48, 82, 20


def _boxes() -> dict[str, tuple[int, int, int]]:
    boxes = {}
    for number, packages in enumerate(FLOORS):
        width = (WIDTH - MARGIN * (len(packages) + 1)) // len(packages)
        # A floor that holds one package leaves room beside it for the arrows that pass.
        width = min(width, 340)
        y = (len(FLOORS) - 1 - number) * STEP + 10
        total = width * len(packages) + MARGIN * (len(packages) - 1)
        for place, name in enumerate(packages):
            boxes[name] = ((WIDTH - total) // 2 + place * (width + MARGIN), y, width)
    return boxes


def _arrow(start: tuple[int, int, int], end: tuple[int, int, int]) -> str:
    (x1, y1, w1), (x2, y2, w2) = start, end
    floors = abs(y2 - y1) // STEP
    if floors <= 1:
        points = f"M{x1 + w1 // 2} {y1 + HEIGHT} L{x2 + w2 // 2} {y2}"
    else:
        # Around the floors in between, to the side where the lower box is.
        left = x2 + w2 // 2 < WIDTH // 2
        edge1, edge2 = (x1, x2) if left else (x1 + w1, x2 + w2)
        bend = max(min(edge1, edge2) - 20 * floors, 4) if left else min(max(edge1, edge2) + 20 * floors, WIDTH - 4)
        points = f"M{edge1} {y1 + HEIGHT // 2} C{bend} {y1 + HEIGHT} {bend} {y2} {edge2} {y2 + HEIGHT // 2}"
    return f'<path d="{points}" fill="none" stroke="#9ca3af" stroke-width="1.2" marker-end="url(#tip)"/>'


def _modules(package: str) -> str:
    names = [path.stem for path in sorted(ENGINE.rglob("*.py")) if package_of(_dotted(path)) == package]
    return f"{len([name for name in names if name != '__init__'])} modules"


def _dotted(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def _named(node: ast.AST, package: str) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        base = package.rsplit(".", node.level - 1)[0] if node.level > 1 else package
        module = ".".join(filter(None, [base if node.level else "", node.module]))
        yield from (f"{module}.{alias.name}" for alias in node.names)


if __name__ == "__main__":
    DRAWING.write_text(drawing())
    print(f"Drew {DRAWING.relative_to(ROOT)}.")
