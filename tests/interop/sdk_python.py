"""The openai package for Python against the gateway: sdk_python.py OPENAI_URL COMPAT_URL RETRYING_URL."""

import json
import sys
from pathlib import Path

import openai

CASES = json.loads(Path(__file__).with_name("cases.json").read_text())
MODEL = "kimi-k3"
MESSAGES = [{"role": "user", "content": "你好"}]

OVERLOADED = "The engine is currently overloaded, please try again later"
BROKEN_STREAMS = [
    # The connection breaks: the gateway adds the event that says so.
    ({"cut_at": 400}, "stream_truncated", "流式输出中断"),
    # It ends in order and too early, which the SDK alone takes for the end of the answer.
    ({"no_done": True}, "stream_truncated", "流式输出中断"),
    # The upstream's own event is written anew.
    ({"sse_error": {"after_chunks": 2, "fault": "plat.overloaded"}}, "overloaded", OVERLOADED),
]


class Gateway:
    """A client of one gateway that counts the requests it sends."""

    def __init__(self, url):
        self.requests = 0
        self.client = openai.OpenAI(
            base_url=f"{url}/v1",
            api_key="sk-interop",
            max_retries=1,
            timeout=10,
            http_client=openai.DefaultHttpxClient(event_hooks={"request": [self.count]}),
        )

    def count(self, _request):
        self.requests += 1

    def chat(self, step=None, **options):
        """Asks for a chat, which the upstream meets with `step` of its script."""
        headers = {"x-mock-step": json.dumps(step)} if step else {}
        return self.client.chat.completions.create(
            model=MODEL, messages=MESSAGES, extra_headers=headers, **options
        )


def answers(gateway):
    unary = gateway.chat().choices[0].message.content
    chunks = [chunk.choices[0].delta.content or "" for chunk in gateway.chat(stream=True) if chunk.choices]
    assert unary, "an answer has content"
    assert len(chunks) > 1 and "".join(chunks), "a stream has content, in pieces"


def answers_at_once(gateway):
    """The gateway tries again, and the SDK hears of nothing: the upstream's third answer is its first."""
    answer = gateway.chat().choices[0].message.content
    assert answer == "第三次成功了。", answer
    assert gateway.requests == 1, gateway.requests


def raises(gateway, case):
    """The right class, our message and our code; tried again only where that can help."""
    before = gateway.requests
    try:
        gateway.chat(case["step"])
    except openai.APIStatusError as error:
        assert type(error).__name__ == (case["class"] or "APIStatusError"), repr(error)
        assert error.status_code == case["status"], repr(error)
        assert error.body["message"] == case["message"], repr(error)
        assert (error.type, error.code) == (case["type"], case["code"]), repr(error)
    else:
        raise AssertionError(f"{case['step']} raises nothing")
    assert gateway.requests - before == (2 if case["retried"] else 1), case


def raises_in_the_middle(gateway, step, code, message):
    """A stream that fails after its head raises our message, and is no short answer."""
    seen = []
    try:
        for chunk in gateway.chat(step, stream=True):
            seen.append(chunk)
    except openai.APIError as error:
        assert error.message == message, repr(error)
        assert error.code == code, repr(error)
    else:
        raise AssertionError(f"{step} raises nothing")
    assert seen, "what had come before the failure was handed out"


def main():
    assert len(sys.argv) == 4, __doc__
    *urls, retrying = sys.argv[1:]
    answers_at_once(Gateway(retrying))
    for url in urls:
        gateway = Gateway(url)
        answers(gateway)
        for failure in BROKEN_STREAMS:
            raises_in_the_middle(gateway, *failure)
        for case in CASES:
            raises(gateway, case)
    print(f"openai {openai.__version__} for Python: {len(CASES)} errors in {len(urls)} dialects")


if __name__ == "__main__":
    main()
