"""The openai package for Python against gateways: sdk_python.py CASES GATEWAY=URL...

CASES is what expand.py writes, GATEWAY such as openai-once or compat-retrying: its dialect, and which
of the cases are for it.
"""

import json
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import openai

MODEL = "kimi-k3"
MESSAGES = [{"role": "user", "content": "你好"}]


class Gateway:
    """A client of one gateway, and what is asked of it."""

    def __init__(self, url):
        self.client = openai.OpenAI(base_url=f"{url}/v1", api_key="sk-interop", max_retries=2, timeout=20)
        self.last = 0

    def chat(self, step=None, **options):
        """Asks for a chat, which the upstream meets with `step` of its script."""
        headers = {"x-mock-step": json.dumps(step)} if step else {}
        return self.client.chat.completions.create(
            model=MODEL, messages=MESSAGES, extra_headers=headers, **options
        )

    def received(self):
        """Asks how many requests the upstream has received since it was last asked.

        It numbers its answers by them, and what asks is one itself.
        """
        number = int(self.chat().id.removeprefix("chatcmpl-mock-"))
        since, self.last = number - self.last - 1, number
        return since

    def outcome(self, case):
        """Returns what comes of a case, in the case's own words."""
        started, chunks = time.monotonic(), 0
        try:
            answer = self.chat(case["step"], stream=case["stream"])
            for _ in answer if case["stream"] else ():
                chunks += 1
            raise AssertionError(f"raises nothing: {case}")
        except openai.APIError as error:
            raised = error
        elapsed_ms = (time.monotonic() - started) * 1000
        name = type(raised).__name__
        return {
            "chunks": chunks,
            "status": getattr(raised, "status_code", None),
            "class": None if name in ("APIError", "APIStatusError") else name,
            "type": raised.type,
            "code": raised.code,
            "message": raised.body["message"],
            "requests": self.received(),
        }, elapsed_ms


def answers(gateway):
    unary = gateway.chat().choices[0].message.content
    chunks = [chunk.choices[0].delta.content or "" for chunk in gateway.chat(stream=True) if chunk.choices]
    assert unary, "an answer has content"
    assert len(chunks) > 1 and "".join(chunks) == unary, "a stream has the same content, in pieces"


def answers_at_once(gateway):
    """The gateway tries again, and the SDK hears of nothing: the upstream's third answer is its first."""
    answer = gateway.chat()
    assert answer.choices[0].message.content == "第三次成功了。", answer
    assert answer.id == "chatcmpl-mock-3", answer
    chunks = list(gateway.chat(stream=True))
    content = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
    assert (content, chunks[0].id) == ("第三次成功了。", "chatcmpl-mock-6"), chunks


def check(name, url, cases):
    """Returns how many errors were as they should be, by the place where they came."""
    gateway = Gateway(url)
    is_once = name.endswith("-once")
    (answers if is_once else answers_at_once)(gateway)
    gateway.received()
    cases = cases["once" if is_once else "retrying"]
    for case in cases:
        got, elapsed_ms = gateway.outcome(case)
        expected = {key: case[key] for key in got}
        assert got == expected, f"{name}, {case['place']}, {case['name']}:\n {got}\nis not\n {expected}"
        # A timer may fire a millisecond early.
        least_ms = (case["requests"] - 1) * (case["wait_ms"] - 1)
        assert elapsed_ms >= least_ms, f"{name}, {case['name']}: {elapsed_ms} ms, not {least_ms}"
    return Counter(case["place"] for case in cases)


def main():
    assert len(sys.argv) > 2, __doc__
    cases = json.loads(Path(sys.argv[1]).read_text())
    gateways = [gateway.split("=", 1) for gateway in sys.argv[2:]]
    with ThreadPoolExecutor() as pool:
        counts = pool.map(lambda gateway: check(*gateway, cases), gateways)
        for (name, _), places in zip(gateways, counts):
            for place, count in places.items():
                print(f"openai {openai.__version__} for Python, {name}, {place}: {count}")


if __name__ == "__main__":
    main()
