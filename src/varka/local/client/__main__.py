"""`python -m varka.local.client REQUEST_JSON`: send it (`-`: from stdin), print responses and
summary as JSON."""

from __future__ import annotations

import asyncio
import json
import sys

from varka.local.client.request import Request
from varka.local.client.sender import send


def main() -> int:
    text = sys.argv[1] if len(sys.argv) > 1 and sys.argv[1] != "-" else sys.stdin.read()
    try:
        summary = asyncio.run(send(Request.from_document(json.loads(text))))
    except (ValueError, OSError) as error:
        sys.stderr.write(f"varka: {error}\n")
        return 64
    json.dump(summary.to_document(), sys.stdout)
    sys.stdout.write("\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
