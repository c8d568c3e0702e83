#!/usr/bin/env python3
"""Sums up by folder what gcovr finds in a build folder with -Db_coverage=true whose tests have run. Use: coverage.py BUILD [PART OF A PATH]...

With parts of paths it lists the lines there that were not run, and those of whose branches some were not taken. Not counted are branches of
lines with an assertion (its failure ends the process, on purpose) and those that gcovr calls unreachable or an exception's. docs/testing.md tells what is left."""
import collections
import json
import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
# Percent of the branches. They rise with what is reached, and never fall.
LEAST = {"src/core": 94.5, "src/engine": 95.0, "src/store": 91.0}
GCOVR = ["gcovr", "--root", ROOT, "--filter", "src/", "--exclude-unreachable-branches", "--exclude-throw-branches",
         "--exclude-branches-by-pattern", r".*\bassert\(.*", "--json", "-"]


def measure(build):
    out = subprocess.run([*GCOVR, os.path.join(ROOT, build)], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for file in json.loads(out)["files"]:
        lines = [line for line in file["lines"] if not line.get("gcovr/noncode")]
        yield file["file"], lines


def add_up(files):
    """By folder: lines, lines run, branches, branches taken."""
    sums = collections.defaultdict(lambda: [0, 0, 0, 0])
    for name, lines in files:
        of = sums["/".join(name.split("/")[:2])]
        for line in lines:
            of[0] += 1
            of[1] += line["count"] > 0
            of[2] += len(line["branches"])
            of[3] += sum(branch["count"] > 0 for branch in line["branches"])
    return sums


def percent(part, of):
    return 100.0 * part / of if of else 100.0


def show_table(sums):
    """False when a folder has fallen below what it must have."""
    good = True
    print(f"{'folder':12} {'lines':>15} {'':>7} {'branches':>15}")
    for folder, (lines, run, branches, taken) in sorted(sums.items()):
        short = percent(taken, branches) < LEAST.get(folder, 0.0)
        good = good and not short
        print(f"{folder:12} {run:7}/{lines:<7} {percent(run, lines):6.1f}% {taken:7}/{branches:<7} {percent(taken, branches):6.1f}%"
              + (f"  below {LEAST[folder]}%" if short else ""))
    return good


def show_missed(files, parts):
    for name, lines in files:
        if not any(part in name for part in parts):
            continue
        with open(os.path.join(ROOT, name), encoding="utf-8") as f:
            source = f.read().splitlines()
        for line in lines:
            missed = sum(branch["count"] == 0 for branch in line["branches"])
            if line["count"] == 0 or missed:
                of = f"{missed} of {len(line['branches'])}" if missed else ""
                print(f"{name}:{line['line_number']}: {of:8} {source[line['line_number'] - 1].strip()}")


def main():
    files = list(measure(sys.argv[1]))
    if sys.argv[2:]:
        show_missed(files, sys.argv[2:])
        return 0
    sums = add_up(files)
    missing = [folder for folder in LEAST if folder not in sums]
    if missing:
        print(f"nothing was measured of {', '.join(missing)}", file=sys.stderr)
    return 0 if show_table(sums) and not missing else 1


if __name__ == "__main__":
    sys.exit(main())
