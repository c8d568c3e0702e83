#!/usr/bin/env python3
"""Runs the fuzz targets that script/fuzz has built in build-fuzz/; tests/run.py uses it too.

Use: targets.py                   name the targets
     targets.py TARGET [SECONDS]  fuzz one (default: an hour); what it finds that is new is kept in build-fuzz/corpus/TARGET for the next time,
                                  what breaks in build-fuzz/found/
FUZZ_SECONDS in the environment is how long script/test fuzzes each; 30 when it is not set."""
import base64
import glob
import os
import re
import signal
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
BUILD = os.path.join(ROOT, "build-fuzz")
FOUND = os.path.join(BUILD, "found")
SHOWN_BYTES = 4096

# What libFuzzer is told of a target besides. Those with the whole server in them have threads, of which its own search for leaks after every
# input knows nothing; AddressSanitizer searches when the process ends.
SERVER = ["-detect_leaks=0"]
FLAGS = {
    "address": ["-max_len=300", "-only_ascii=1"],
    "bodies": [*SERVER, "-max_len=600"],
    "catalogue": ["-max_len=2048"],
    "http": [*SERVER, "-max_len=1500"],
    "json": ["-max_len=600"],
    "jwks": ["-max_len=1500"],
    "jwt": ["-max_len=500"],
    "looks": [*SERVER, "-max_len=200"],
    "options": ["-max_len=400"],
    "parse": ["-max_len=1500"],
    "query": ["-max_len=400", "-only_ascii=1"],
    "token": [*SERVER, "-max_len=160"],
}
ENV = dict(os.environ, ASAN_OPTIONS="detect_leaks=1:handle_abort=1", UBSAN_OPTIONS="print_stacktrace=1")


def seconds():
    return int(os.environ.get("FUZZ_SECONDS", "30"))


def binary(target):
    return os.path.join(BUILD, "tests", "fuzz", f"fuzz_{target}")


def inputs(target):
    """Every input that is kept: the corpus, and what was once found."""
    return sorted(glob.glob(os.path.join(HERE, "corpus", target, "*")) + glob.glob(os.path.join(HERE, "regressions", target, "*")))


def found(out):
    """The files with what broke a promise, by what libFuzzer said."""
    return re.findall(r"Test unit written to (\S+)", out)


def fuzz_command(target, for_seconds, new):
    """Fuzzes for some seconds; inputs that reach something new go into the folder `new`."""
    os.makedirs(FOUND, exist_ok=True)
    os.makedirs(new, exist_ok=True)
    folders = [new] + [folder for kind in ("corpus", "regressions") if os.path.isdir(folder := os.path.join(HERE, kind, target))]
    dictionary = os.path.join(HERE, f"{target}.dict")
    return [binary(target), f"-max_total_time={for_seconds}", "-timeout=20", "-rss_limit_mb=2560", "-print_final_stats=1",
            f"-artifact_prefix={FOUND}/{target}-", *([f"-dict={dictionary}"] if os.path.exists(dictionary) else []),
            *FLAGS[target], *folders]


def replay_command(target, files):
    """Runs the target once with each of the files."""
    return [binary(target), "-timeout=20", *(flag for flag in FLAGS[target] if "leaks" in flag), *files]


def runs(out):
    """How many inputs were run, by what libFuzzer said."""
    match = re.search(r"^stat::number_of_executed_units:\s*(\d+)", out, re.M)
    return int(match.group(1)) if match else 0


def explain(target, files):
    """The bytes that broke a promise, and how to see it again."""
    said = []
    for path in files:
        with open(path, "rb") as f:
            data = f.read()
        said.append(f"{len(data)} bytes in {os.path.relpath(path, ROOT)}: {data[:SHOWN_BYTES]!r}\n"
                    f"again: {os.path.relpath(binary(target), ROOT)} {os.path.relpath(path, ROOT)}\n"
                    f"elsewhere: base64 -d >input <<<{base64.b64encode(data).decode()}\n"
                    f"once it is mended: move it to tests/fuzz/regressions/{target}/, under a name that says what it is")
    return "\n".join(said)


def main():
    if len(sys.argv) < 2:
        print(*FLAGS)
        return 0
    target = sys.argv[1]
    if target not in FLAGS or len(sys.argv) > 3:
        print(__doc__, f"Targets: {' '.join(FLAGS)}", sep="\n\n", file=sys.stderr)
        return 2
    command = fuzz_command(target, int(sys.argv[2]) if len(sys.argv) > 2 else 3600, os.path.join(BUILD, "corpus", target))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # libFuzzer's: it says what it has done, and ends
    said = []
    with subprocess.Popen(command, env=ENV, cwd=ROOT, stderr=subprocess.PIPE, text=True, errors="replace",
                          preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)) as process:
        for line in process.stderr:
            print(line, end="", file=sys.stderr)
            said += found(line)
    if said:
        print(explain(target, said), file=sys.stderr)
    return process.returncode


if __name__ == "__main__":
    sys.exit(main())
