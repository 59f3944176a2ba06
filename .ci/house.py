"""Rules of the house that no compiler knows: short files, true READMEs, no machine's own paths."""

import re
import subprocess
import sys
import tomllib
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


def drawings():
    """The drawings of the stack have its layers, in the order of its documentation."""
    rows = re.findall(r"^//! \| `(.+?)` \|", Path("kimi-tower/src/stack/mod.rs").read_text(), re.MULTILINE)
    # `requests`, a `rate_limit`: a layer is drawn by its own name.
    layers = [row.rpartition("`")[2] for row in rows]
    for drawing in ("docs/stack.svg", "docs/stack.zh-CN.svg"):
        drawn = re.findall(r'class="name" [^>]*>(\w+)<', Path(drawing).read_text())
        if drawn != layers:
            yield f"{drawing}: {drawn}, but the layers are {layers}"


def feature_tables():
    """The table of a crate's page has each of its features, and no other."""
    for crate in ("kimi-errors", "kimi-validate", "kimi-tower"):
        manifest = tomllib.loads(Path(crate, "Cargo.toml").read_text())
        page = Path(crate, "src/lib.rs").read_text().partition("//! # Features")[2]
        listed = re.findall(r"^//! \| `([\w-]+)`.*\|$", page, re.MULTILINE)
        if set(listed) != manifest["features"].keys() - {"default"} or len(listed) != len(set(listed)):
            yield f"{crate}/src/lib.rs: its table of features is not that of the manifest"


def architecture():
    lines = len(Path("ARCHITECTURE.md").read_text().splitlines())
    if lines > 150:
        yield f"ARCHITECTURE.md: {lines} lines, 150 at most"


def main():
    listed = subprocess.check_output(["git", "ls-files", "-z"], text=True).split("\0")
    files = [Path(name) for name in listed if name and Path(name).is_file()]
    faults = [*long_files(files), *machine_paths(files), *readme_code(), *drawings()]
    faults += [*feature_tables(), *architecture()]
    print(f"{len(files)} files checked")
    # None is success; an empty text would not be.
    sys.exit("\n".join(faults) or None)


if __name__ == "__main__":
    main()
