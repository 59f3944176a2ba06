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
KINDS = {row["kind"]: row for row in TABLE["kinds"]}
# What the upstream asks an SDK to wait, so that its own time, of 1.1 s at least for two retries,
# does not keep us.
WAIT_MS = 20
# Two of these are more than the 1.5 s that an SDK waits of its own accord, at most.
LONG_WAIT_MS = 1200


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


def of_kind(row, wait_ms=WAIT_MS):
    """An error of the catalogue, at each place where it can come."""
    kind = {"kind": row["kind"]}
    wait = {}
    if row["retries"]:
        wait = {"headers": {"retry-after-ms": str(wait_ms)}}
        row = row | {"wait_ms": wait_ms}
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
    for row in KINDS.values():
        yield from of_kind(row)
    for case in of_kind(KINDS["rate_limited"], LONG_WAIT_MS):
        if case["place"] in ("head", "first event"):
            yield case | {"place": f"{case['place']}, with a time"}


def retrying():
    """The gateway's own retries are all that there are: an SDK is told not to multiply them."""
    for name, place in [
        ("system", "head"),
        ("unavailable", "first event"),
        ("request_failed", "before the first token"),
        ("overloaded", "mid-stream"),
        ("quota_exhausted", "head of a stream"),
    ]:
        case = next(case for case in of_kind(KINDS[name]) if case["place"] == place)
        # Two more after the first, if they help, and until there was content.
        is_retried = KINDS[name]["retries"] and place != "mid-stream"
        yield case | {"requests": 3 if is_retried else 1}


if __name__ == "__main__":
    cases = {"once": list(once()), "retrying": list(retrying())}
    print(json.dumps(cases, ensure_ascii=False, indent=1))
