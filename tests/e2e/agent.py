"""Run inside a pod: sends each request that a line on stdin holds and answers with one line, as
`varka request -o json` would.

One process for all calls of a pod: a process for each call would cost ten times what the request
does.
"""

from __future__ import annotations

import asyncio
import json
import sys

from varka.local.client.request import Request
from varka.local.client.sender import send

if __name__ == "__main__":
    for line in sys.stdin:
        answer = asyncio.run(send(Request.from_document(json.loads(line))))
        sys.stdout.write(json.dumps(answer.to_document()) + "\n")
        sys.stdout.flush()
