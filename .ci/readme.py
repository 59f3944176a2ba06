"""Sends the curl commands of a README to gateways: readme.py URL RETRYING_URL LIMITED_URL KNOWN_URL README

The first is the gateway as it is, the second the one whose upstream fails twice, the third the one
that admits one request a minute, the fourth the one that is known to its upstream by itself.

Where a block of text follows a command, the answer has its first line as status and its last as
body; where none does, the answer is a success, or each is if there are several.
"""

import re
import subprocess
import sys
from pathlib import Path

# A block of shell that is one curl command, and the block of text after it, if that comes next.
COMMAND = re.compile(r"```sh\n(curl .*?)```(?:\n\n```text\n(HTTP.*?)```)?", re.DOTALL)


def main():
    url, retrying, limited, known, readme = sys.argv[1:]
    commands = COMMAND.findall(Path(readme).read_text())
    for command, expected in commands:
        command = command.replace("http://127.0.0.1:8000", url)
        command = command.replace("http://127.0.0.1:8002", retrying)
        command = command.replace("http://127.0.0.1:8003", limited)
        command = command.replace("http://127.0.0.1:8004", known)
        command = command.replace("curl ", "curl -sS -i --max-time 10 ", 1)
        answer = subprocess.check_output(command, shell=True, text=True)
        head, _, body = answer.replace("\r\n", "\n").partition("\n\n")
        status = head.partition("\n")[0]
        # A body without a line break has the next status on its line.
        statuses = {line.strip() for line in re.findall(r"HTTP/1\.1 \d+ .*", answer)}
        wanted = expected.splitlines() or ["HTTP/1.1 200 OK"]
        is_as_said = status.strip() == wanted[0] and len(statuses) == 1
        if not is_as_said or (expected and body.strip() != wanted[-1]):
            sys.exit(f"{readme}: {command}\nexpected {wanted}\n{answer}")
    print(f"{readme}: {len(commands)} commands answer as it says")
    # Unary, streamed, refused, an error of the upstream's, two that the client is spared, two of
    # which the limit admits one, one that asks three times at once, and one without a credential.
    if len(commands) < 9:
        sys.exit(f"{readme}: its commands were not found")


if __name__ == "__main__":
    main()
