"""Every case of the SDKs' runners, from cases.json, on the standard output.

`{"once": [...], "retrying": [...]}`: for a gateway that never tries again, and for one that does so
twice. A case is what the upstream does, whether a stream is asked for, and what must come of it:

    {"place": "first event", "name": "overloaded", "stream": true, "step": {...}, "chunks": 0,
     "status": 429, "class": "RateLimitError", "type": ..., "code": ..., "message": ...,
     "requests": 3, "wait_ms": 20}

`class` is null where the SDK has none but that of all errors. `status` is null where the head said
200: only before it can an SDK try again. `requests` is how many the upstream receives, and `wait_ms`
the least time between two of them.
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


def once():
    for row in TABLE["answers"]:
        yield refused("an upstream's own form", row, row["step"], False)
    for row in TABLE["streams"]:
        yield interrupted("a broken stream", row, row["step"], row["chunks"])
    for row in TABLE["kinds"]:
        yield from of_kind(row)


def retrying():
    """The gateway's own retries are all that there are: an SDK is told not to multiply them."""
    kinds = {row["kind"]: row for row in TABLE["kinds"]}
    for name, place in [
        ("system", "head"),
        ("unavailable", "first event"),
        ("request_failed", "before the first token"),
        ("overloaded", "mid-stream"),
        ("quota_exhausted", "head of a stream"),
    ]:
        case = next(case for case in of_kind(kinds[name]) if case["place"] == place)
        # Two more after the first, if they help, and until there was content.
        is_retried = kinds[name]["retries"] and place != "mid-stream"
        yield case | {"requests": 3 if is_retried else 1}


if __name__ == "__main__":
    cases = {"once": list(once()), "retrying": list(retrying())}
    print(json.dumps(cases, ensure_ascii=False, indent=1))
