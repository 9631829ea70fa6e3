"""`python -m benchmarks`: the figures of this machine; `python -m benchmarks load [SERVICESxPROXIES...]`: many sidecars."""

from __future__ import annotations

import json
import sys

from benchmarks import core, load, mesh


def main(arguments: list[str]) -> int:
    if arguments[:1] == ["load"]:
        figures: object = [load.measure(load.Size.parse(text)) for text in arguments[1:] or ["100x100", "1000x500"]]
    elif arguments:
        print(f"python -m benchmarks [load SERVICESxPROXIES...], not {' '.join(arguments)}", file=sys.stderr)
        return 64
    else:
        figures = {"core": core.measure(), "mesh": mesh.measure()}
    print(json.dumps(figures, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
