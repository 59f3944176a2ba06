"""Rules of the house that no compiler knows: short files, true READMEs, no machine's own paths."""

import re
import subprocess
import sys
from pathlib import Path

MAX_LINES = 250
# Where this repository or a tool happened to lie on somebody's machine.
MACHINE_PATH = re.compile(r"(?<![\w.~:$}-])/(?:home|root|tmp|Users|work)/\w")
RUST_BLOCK = re.compile(r"^```rust[^\n]*\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def long_files(files):
    """A file is short up to its tests; a file of nothing but tests may be long."""
    for file in files:
        is_test = file.name in ("tests.rs", "loom_tests.rs") or "tests" in file.parts[1:-1]
        if file.suffix != ".rs" or is_test:
            continue
        lines = file.read_text().splitlines()
        tests = (at for at, line in enumerate(lines) if line.startswith("#[cfg(") and "test" in line)
        length = next(tests, len(lines))
        if length > MAX_LINES:
            yield f"{file}: {length} lines before its tests, {MAX_LINES} at most"


def machine_paths(files):
    for file in files:
        try:
            lines = file.read_text().splitlines()
        except UnicodeDecodeError:
            continue
        for number, line in enumerate(lines, 1):
            if MACHINE_PATH.search(line):
                yield f"{file}:{number}: a path of one machine: {line.strip()[:80]}"


def readme_code():
    """The program in the READMEs is the example `hello`, to the letter."""
    source = Path("examples/src/bin/hello.rs").read_text()
    program = "\n".join(line for line in source.splitlines() if not line.startswith("//!")).strip()
    for readme in ("README.md", "README.zh-CN.md"):
        blocks = RUST_BLOCK.findall(Path(readme).read_text())
        if program not in (block.strip() for block in blocks):
            yield f"{readme}: its program is not examples/src/bin/hello.rs"


def architecture():
    lines = len(Path("ARCHITECTURE.md").read_text().splitlines())
    if lines > 150:
        yield f"ARCHITECTURE.md: {lines} lines, 150 at most"


def main():
    listed = subprocess.check_output(["git", "ls-files", "-z"], text=True).split("\0")
    files = [Path(name) for name in listed if name and Path(name).is_file()]
    faults = [*long_files(files), *machine_paths(files), *readme_code(), *architecture()]
    print(f"{len(files)} files checked")
    # None is success; an empty text would not be.
    sys.exit("\n".join(faults) or None)


if __name__ == "__main__":
    main()
