"""The exact bytes of every error in each dialect: wire.py ERRCODE_URL FREE_API_URL OPENAI_URL COMPAT_URL."""

import http.client
import json
import sys
from pathlib import Path
from urllib.parse import urlsplit

TABLE = json.loads(Path(__file__).with_name("cases.json").read_text())
# A kind's code is its name.
CASES = TABLE["answers"] + [row | {"step": {"kind": row["kind"]}, "code": row["kind"]} for row in TABLE["kinds"]]
REQUEST = json.dumps({"model": "kimi-k3", "messages": [{"role": "user", "content": "你好"}]})


def ask(url, step):
    """Returns status and body of a chat request that the upstream meets with `step`."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=10)
    headers = {
        "authorization": "Bearer sk-interop",
        "content-type": "application/json",
        "x-mock-step": json.dumps(step),
    }
    connection.request("POST", "/v1/chat/completions", REQUEST.encode(), headers)
    answer = connection.getresponse()
    return answer.status, answer.read().decode()


def expected(case):
    """Returns status and body in each dialect. The keys stand in the order of the wire."""
    errcode = f'"errcode":{case["errcode"]},"errmsg":"{case["message"]}","data":null'
    error = (
        f'"error":{{"message":"{case["message"]}","type":"{case["type"]}",'
        f'"param":null,"code":"{case["code"]}"}}'
    )
    yield case["status"], f"{{{errcode}}}"
    yield 200, f'{{"code":{case["errcode"]},"message":"{case["message"]}","data":null}}'
    yield case["status"], f"{{{error}}}"
    yield case["status"], f"{{{errcode},{error}}}"


def main():
    urls = sys.argv[1:]
    assert len(urls) == 4, __doc__
    for case in CASES:
        for url, answer in zip(urls, expected(case)):
            assert (got := ask(url, case["step"])) == answer, f"{got} is not {answer}"
    print(f"wire: {len(CASES)} errors in {len(urls)} dialects")


if __name__ == "__main__":
    main()
