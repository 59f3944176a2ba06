"""Runs the benches of kimi-validate and writes their tables into benches/README.md.

    python3 benches/table.py          # five minutes; asks for valgrind and gungraun-runner
    python3 benches/table.py --read   # what the last run counted; only the times are taken anew
"""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "benches/README.md"
BEGIN, END = "<!-- table.py: begin -->\n", "<!-- table.py: end -->\n"

# Name, what stands above its column, length in bytes, rounds; as in benches/bodies.rs.
BODIES = [
    ("message", "400 B, one message", 400, 1000),
    ("conversation", "8 KiB, 20 messages", 8 << 10, 1000),
    ("chinese", "1 MiB of Chinese", 1 << 20, 4),
    ("escapes", "1 MiB of `\\uXXXX`", 1 << 20, 4),
    ("data_url", "8 MiB, a data URL", 8 << 20, 1),
]
JUDGES = [
    ("ignored", "`serde_json`, `IgnoredAny`"),
    ("tree", "`serde_json`, `Value`"),
    ("derive", "`serde_json`, derive"),
    ("sonic", "`sonic-rs`, derive"),
    ("schema", "`Value` and `jsonschema`"),
    ("garde", "derive and `garde`"),
    ("article", "**`ChatRequest`, article**"),
    ("platform", "**`ChatRequest`, platform**"),
]
TARGETS = [12, 5.5, 3.3, 7, 0.9]


def bench(*arguments):
    command = ["cargo", "bench", "--quiet", "-p", "kimi-benches", *arguments]
    environment = {**os.environ, "GUNGRAUN_SAVE_SUMMARY": "json"}
    return subprocess.run(command, cwd=ROOT, env=environment, check=True, text=True, stdout=subprocess.PIPE).stdout


def counted():
    """What callgrind and DHAT counted: {(function, id): (instructions, allocations)}."""
    metadata = subprocess.check_output(["cargo", "metadata", "--no-deps", "--format-version=1"], cwd=ROOT)
    folder = Path(json.loads(metadata)["target_directory"], "gungraun/kimi-benches/validate")
    counts = {}
    for file in folder.rglob("summary.json"):
        summary = json.loads(file.read_text())
        found = {}
        for profile in summary["profiles"]:
            found.update(profile["data"]["total"]["metrics"])
        numbers = (found[name]["values"]["new"] for name in ("Ir", "TotalBlocks"))
        counts[summary["function_name"], summary["id"]] = tuple(numbers)
    return counts


def timed():
    """What `validate_time` says: {(function, id, ...): [numbers]}."""
    words = (line.split() for line in bench("--bench", "validate_time").splitlines())
    return {tuple(line[:3]): [int(word) for word in line[3:]] for line in words}


def micros(nanos):
    micros = nanos / 1e3
    return spaced(round(micros)) if micros >= 100 else f"{micros:.3g}"


def spaced(number):
    return f"{number:,}".replace(",", " ")


def judged(counts, times):
    yield "| instructions a byte · allocations · µs | " + " | ".join(title for _, title, _, _ in BODIES) + " |"
    yield "|---|" + "---:|" * len(BODIES)
    for judge, title in JUDGES:
        cells = []
        for body, _, size, rounds in BODIES:
            if (body, judge) not in counts:
                cells.append("")
                continue
            instructions, allocations = counts[body, judge]
            median = micros(times["judged", body, judge][0])
            cells.append(f"{instructions / rounds / size:.3g} · {round(allocations / rounds)} · {median}")
        yield f"| {title} | " + " | ".join(cells) + " |"
    yield "| target | " + " | ".join(f"{target} · 1" for target in TARGETS) + " |"


def tenfold(counts):
    yield "| instructions | 1 | 10 times as long | 100 times as long |"
    yield "|---|---:|---:|---:|"
    shapes = [(counts[shape, "by_10"], shape) for shape, identifier in counts if identifier == "by_1"]
    for _, shape in sorted(shapes, key=lambda found: found[1]):
        first, second, third = (counts[shape, f"by_{factor}"][0] for factor in (1, 10, 100))
        name = shape.removeprefix("of_").replace("_", " ")
        ratios = f"{spaced(second)} (× {second / first:.2f}) | {spaced(third)} (× {third / second:.2f})"
        yield f"| {name} | {spaced(first)} | {ratios} |"


def refused(counts, times):
    yield "| from the body to the refusal | instructions | allocations | µs | bytes of the answer |"
    yield "|---|---:|---:|---:|---:|"
    for name, title in (
        ("bad_messages", "4 000 messages with two faults each"),
        ("two_faults", "8 MiB with a fault at each end"),
    ):
        instructions, allocations = counts["refuse", name]
        nanos, size = times["refused", name, "platform"]
        yield f"| {title} | {spaced(instructions)} | {allocations} | {micros(nanos)} | {spaced(size)} |"


def main():
    if "--read" not in sys.argv:
        bench("--bench", "validate")
    counts, times = counted(), timed()
    tables = [judged(counts, times), refused(counts, times), tenfold(counts)]
    text = "\n\n".join("\n".join(table) for table in tables) + "\n"
    readme = README.read_text()
    before, rest = readme.split(BEGIN)
    README.write_text(before + BEGIN + "\n" + text + "\n" + END + rest.split(END)[1])
    print(text)


if __name__ == "__main__":
    main()
