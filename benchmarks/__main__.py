"""`python -m benchmarks`: the figures of this machine; `python -m benchmarks load
[SERVICESxPROXIES...]`: many sidecars; `python -m benchmarks forms [SERVICES...]`: a route
configuration whole and by virtual host."""

from __future__ import annotations

import json
import sys
from typing import Any

from benchmarks import core, forms, load, mesh, shapes, transport

SIZES = ("100x100", "1000x500", "1000x1000")


def main(arguments: list[str]) -> int:
    if arguments[:1] == ["load"]:
        figures: Any = [load.measure(load.Size.parse(text)) for text in arguments[1:] or SIZES]
    elif arguments[:1] == ["forms"]:
        figures = forms.measure([int(text) for text in arguments[1:]] or forms.SIZES)
    elif arguments == ["transport"]:
        figures = transport.measure()
    elif arguments:
        print(
            "python -m benchmarks [load SERVICESxPROXIES... | forms SERVICES...], not"
            f" {' '.join(arguments)}",
            file=sys.stderr,
        )
        return 64
    else:
        figures = {
            "core": core.measure(),
            "shapes": shapes.measure(),
            "transport": transport.measure(),
            "mesh": mesh.measure(),
        }
        if load.TOOLS.is_dir():
            figures["load"] = [load.measure(load.Size.parse(text)) for text in SIZES]
    print(json.dumps(figures, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
