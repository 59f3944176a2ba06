"""Prints a line for each crate alone, and for each crate with each of its features alone."""

import json
import subprocess

COMMAND = ["cargo", "metadata", "--format-version", "1", "--no-deps", "--locked"]

for package in json.loads(subprocess.check_output(COMMAND))["packages"]:
    # What is not published is only ever built with all its features.
    if package["publish"] == []:
        continue
    print(package["name"])
    for feature in sorted(package["features"]):
        if feature != "default":
            print(package["name"], feature)
