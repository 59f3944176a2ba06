"""Every case of the SDKs' runners, from cases.json, as one list on the standard output.

A case is what the upstream does, whether a stream is asked for, and what must come of it:

    {"place": "first event", "name": "overloaded", "stream": true, "step": {...}, "chunks": 0,
     "status": 429, "class": "RateLimitError", "type": ..., "code": ..., "message": ...,
     "requests": 3, "wait_ms": 20}

`class` is null where the SDK has none but that of all errors. `status` is null where the head said
200; only before it can an SDK try again, so `requests` is then 1. `wait_ms` is the least time
between two requests.
"""

import json
from pathlib import Path

TABLE = json.loads(Path(__file__).with_name("cases.json").read_text())
# Short, so that what is tried again does not keep us, and yet told: an SDK's own first wait is 375 ms
# at least.
WAIT_MS = 20


def refused(place, row, step, stream):
    """The error is the answer: it has a status, and is tried again if our advice says so."""
    return {
        "place": place,
        "name": row.get("code") or row["kind"],
        "stream": stream,
        "step": step,
        "chunks": 0,
        "status": row["status"],
        "class": row["class"],
        "type": row["type"],
        "code": row.get("code") or row["kind"],
        "message": row["message"],
        "requests": 1 + row["retries"],
        "wait_ms": row.get("wait_ms", 0),
    }


def interrupted(place, row, step, chunks):
    """The error comes after the head: nothing can be tried again."""
    case = refused(place, row | {"status": None, "class": None, "retries": 0}, step, True)
    return case | {"chunks": chunks}


def of_kind(row):
    """An error of the catalogue, at each place where it can come."""
    kind = {"kind": row["kind"]}
    wait = {}
    if row["retries"]:
        wait = {"headers": {"retry-after-ms": str(WAIT_MS)}}
        row = row | {"wait_ms": WAIT_MS}
    yield refused("head", row, kind | wait, False)
    yield refused("head of a stream", row, kind | wait, True)
    event = {"sse_error": {"after_chunks": 0} | kind}
    yield refused("first event", row, event | wait, True)
    # The first chunk has the role, and no token yet. The head is out with it.
    for place, chunks in [("before the first token", 1), ("mid-stream", 2)]:
        event = {"sse_error": {"after_chunks": chunks} | kind}
        yield interrupted(place, row, event, chunks)


def all_cases():
    for row in TABLE["answers"]:
        yield refused("an upstream's own form", row, row["step"], False)
    for row in TABLE["streams"]:
        yield interrupted("a broken stream", row, row["step"], row["chunks"])
    for row in TABLE["kinds"]:
        yield from of_kind(row)


if __name__ == "__main__":
    print(json.dumps(list(all_cases()), ensure_ascii=False, indent=1))
