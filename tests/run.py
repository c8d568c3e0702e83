#!/usr/bin/env python3
"""Runs the tests that script/test has built, and sums them up in the last line.

Use: run.py [--build FOLDER] [unit|store|sim|api|package|web|fuzz|lint|bench|tsan|valgrind|PART OF A NAME]...
With --build the C programs and the binary are those of another folder (script/coverage has one).
One line a program; a test that failed is shown with what it said. Whole outputs are kept in build-test/logs/."""
import concurrent.futures
import glob
import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time

from fuzz import targets

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.path.join(ROOT, "build-test")
RELEASE = os.path.join(ROOT, "build")
LOGS = os.path.join(BUILD, "logs")
TSAN = os.path.join(ROOT, "build-tsan")
VALGRIND = os.path.join(ROOT, "build-valgrind")
SUITES = ("lint", "unit", "store", "sim", "api", "package", "web", "fuzz", "bench", "tsan", "valgrind")
INSTRUMENTED = ("tsan", "valgrind")  # run what other suites have run too, so part of a name means the other
SECONDS_MAX = {"unit": 120, "store": 400, "sim": 300, "api": 600, "package": 300, "web": 300, "fuzz": 300, "lint": 600, "bench": 600, "tsan": 600,
               "valgrind": 300}
SHOWN_LINES = 60
AT_ONCE = min(2, os.cpu_count() or 1)  # programs; most of the time they wait
ALONE = {"api/hostile", "api/ready", "bench/compare"} # measure time

# What ThreadSanitizer watches: every unit test, the stores that have threads, and the API tests but for those that measure time or in which a
# second more or less decides.
TSAN_STORE = ("sqlite", "postgres", "store")
TSAN_NOT_API = ("hostile", "ready", "idle", "rates")

ENV = dict(os.environ, CMOCKA_MESSAGE_OUTPUT="TAP",
           ASAN_OPTIONS="detect_leaks=1:abort_on_error=0:detect_stack_use_after_return=1", UBSAN_OPTIONS="print_stacktrace=1")


class Result:
    """What one program's run came to; `failures` are texts to show."""

    def __init__(self, passed=0, failed=0, skipped=0, failures=()):
        self.passed, self.failed, self.skipped, self.failures = passed, failed, skipped, list(failures)


RUNNING = set()  # what must be ended when the run is


def end_group(process):
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def run(command, seconds, env=ENV):
    """The exit status (None: it took too long), and everything it wrote. Its whole process group ends with it."""
    with subprocess.Popen(command, cwd=ROOT, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          start_new_session=True) as process:
        RUNNING.add(process)
        try:
            out, _ = process.communicate(timeout=seconds)
            status = process.returncode
        except subprocess.TimeoutExpired:
            end_group(process)
            out, _ = process.communicate()
            status = None
        finally:
            RUNNING.discard(process)
            end_group(process)
    return status, out.decode("utf-8", "replace")


def ending(status, seconds):
    if status is None:
        return f"it was stopped after {seconds} seconds"
    if status < 0:
        return f"it ended by signal {-status} ({signal.Signals(-status).name})"
    return f"it ended with status {status}"


def tail(text, lines=SHOWN_LINES):
    every = text.rstrip().splitlines()
    return "\n".join((["…"] if len(every) > lines else []) + every[-lines:])


# ---- C programs: cmocka's TAP ----

def c_tests(folder):
    """(suite, name, command) of every program of a build folder, as Meson knows them."""
    out = subprocess.run(["meson", "introspect", "--tests", folder], check=True, capture_output=True, text=True).stdout
    for test in json.loads(out):
        suite, name = test["name"].split("/", 1)
        yield suite, name, test["cmd"]


def run_c(command, seconds, env=ENV):
    status, out = run(command, seconds, env)
    passed = len(re.findall(r"^ok\b(?!.*# SKIP)", out, re.M))
    skipped = len(re.findall(r"^ok\b.*# SKIP", out, re.M))
    bad = re.findall(r"^not ok\b.*(?:\n(?!ok\b|not ok\b|1\.\.).*)*", out, re.M)
    result = Result(passed, len(bad), skipped, bad)
    planned = sum(int(n) for n in re.findall(r"^1\.\.(\d+)", out, re.M))
    told = passed + skipped + len(bad)
    # A crash, a leak at the end, or a program that said too little is a failure of its own.
    if status != 0 and not bad:
        result.failures.append(ending(status, seconds) + "\n" + tail(out))
    elif told == 0 or planned > told:
        result.failures.append(f"it announced {planned} tests and told of {told}; " + ending(status, seconds) + "\n" + tail(out))
    elif status is None or status < 0:
        result.failures.append(ending(status, seconds) + "\n" + tail(out))
    result.failed = len(result.failures)
    return result, out


# ---- Node's TAP ----

def node_failures(out):
    """The failed tests with their diagnostics, without those that failed only because a test inside them did."""
    lines = out.splitlines()
    found = []
    for i, line in enumerate(lines):
        match = re.match(r"( *)not ok \d+ - (.*)", line)
        if not match or "# SKIP" in line or "# TODO" in line:
            continue
        block = []
        for below in lines[i + 1:]:
            block.append(below[len(match.group(1)):])
            if below.strip() == "...":
                break
        text = "\n".join(block)
        if "subtestsFailed" not in text:
            found.append(f"not ok - {match.group(2)}\n{tail(text)}")
    return found


def node_tests(suite):
    """(name, path) of the suite's programs."""
    for path in sorted(glob.glob(os.path.join(ROOT, "tests", suite, "*.test.mjs"))):
        yield os.path.basename(path)[:-len(".test.mjs")], os.path.relpath(path, ROOT)


def run_node(files, seconds, env=ENV):
    status, out = run(["node", "--test", "--test-reporter=tap", *files], seconds, env)
    counts = {name: int(n) for name, n in re.findall(r"^# (pass|fail|cancelled|skipped|todo) (\d+)$", out, re.M)}
    result = Result(counts.get("pass", 0), counts.get("fail", 0) + counts.get("cancelled", 0), counts.get("skipped", 0) + counts.get("todo", 0),
                    node_failures(out))
    if "pass" not in counts or status is None or (status != 0 and result.failed == 0):
        result.failures.append(ending(status, seconds) + "\n" + tail(out))
        result.failed += 1
    elif result.failed and not result.failures:
        result.failures.append(tail(out))
    elif [name for name in re.findall(r"^ok \d+ - (.*)", out, re.M) if name.endswith(".test.mjs")]:
        # Node counts a file in which there is no test as one that passed.
        result.passed -= 1
        result.failed += 1
        result.failures.append("there is no test in it, or it ended before the first\n" + tail(out))
    return result, out


# ---- lint: each check is one test ----

def check(command, seconds=SECONDS_MAX["lint"]):
    status, out = run(command, seconds)
    if status == 0:
        return Result(passed=1), out
    return Result(failed=1, failures=[tail(out, 200) or ending(status, seconds)]), out


def c_files(pattern="*.[ch]"):
    return sorted(glob.glob(os.path.join(ROOT, "src", "**", pattern), recursive=True) +
                  glob.glob(os.path.join(ROOT, "tests", "**", pattern), recursive=True))


def check_format():
    status, out = run(["clang-format", "--dry-run", "-Werror", *c_files()], SECONDS_MAX["lint"])
    if status == 0:
        return Result(passed=1), out
    files = sorted(set(re.findall(r"^(\S+?):\d+:\d+: error: code should be clang-formatted", out, re.M)))
    said = "\n".join(["clang-format would write these otherwise (clang-format -i FILE):", *(os.path.relpath(f, ROOT) for f in files)])
    return Result(failed=1, failures=[said if files else tail(out)]), out


def tidy_stamp(path, common):
    with open(path, "rb") as f:
        digest = hashlib.sha256(common + f.read()).hexdigest()
    return os.path.join(BUILD, "tidy", digest)


def check_tidy():
    """clang-tidy on each file, as many at once as there are processors. A file that passed is passed over until it, a header or the settings
    change."""
    common = b""
    for path in [os.path.join(ROOT, ".clang-tidy"), os.path.join(ROOT, "tests", ".clang-tidy"), os.path.join(ROOT, "meson.build"), *c_files("*.h")]:
        with open(path, "rb") as f:
            common += f.read()
    os.makedirs(os.path.join(BUILD, "tidy"), exist_ok=True)
    todo = [(path, stamp) for path in c_files("*.c") if not os.path.exists(stamp := tidy_stamp(path, common))]

    def one(item):
        path, stamp = item
        status, out = run(["clang-tidy", "--quiet", "-p", BUILD, "--warnings-as-errors=*", "--extra-arg=-Wno-unknown-warning-option", path],
                          SECONDS_MAX["lint"])
        if status == 0:
            with open(stamp, "w", encoding="utf-8"):
                pass
            return ""
        said = "\n".join(line for line in out.splitlines() if not re.match(r"\d+ warnings? |Suppressed |Use -header-filter", line))
        return said or f"{path}: {ending(status, SECONDS_MAX['lint'])}"

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        said = [text for text in pool.map(one, todo) if text]
    if said:
        return Result(failed=1, failures=[tail("\n".join(said), 400)]), "\n".join(said)
    return Result(passed=1), ""


def check_lock():
    """The lock file pins what npm installs, and says nothing of where it came from."""
    with open(os.path.join(ROOT, "package-lock.json"), encoding="utf-8") as f:
        text = f.read()
    wrong = [f"package-lock.json names a place: {found}" for found in re.findall(r'"resolved".*', text)]
    for name, package in json.loads(text)["packages"].items():
        if not re.fullmatch(r"[0-9][0-9A-Za-z.+-]*", package.get("version", "")):
            wrong.append(f"package-lock.json: {name} has no plain version")
        if name and not package.get("integrity"):
            wrong.append(f"package-lock.json: {name} has no integrity")
    if wrong:
        return Result(failed=1, failures=["\n".join(wrong)]), ""
    return Result(passed=1), ""


LINT = [
    ("layers", lambda: check([sys.executable, "tests/layers.py", RELEASE])),
    ("layers-self-test", lambda: check([sys.executable, "tests/layers.py", "--self-test"])),
    ("lock-file", check_lock),
    ("format", check_format),
    ("web-types", lambda: check(["node_modules/.bin/tsc", "--noEmit", "-p", "web"])),
    ("web-format", lambda: check(["node_modules/.bin/biome", "check", "--error-on-warnings", "web", "tests/web"])),
    ("tidy", check_tidy),
]


# ---- fuzz targets: each for a while is one test, and all that was ever kept once through its target is another ----

def run_fuzz(target):
    with tempfile.TemporaryDirectory(prefix="jari-fuzz-") as new:
        status, out = run(targets.fuzz_command(target, targets.seconds(), new), targets.seconds() + SECONDS_MAX["fuzz"], targets.ENV)
    if status == 0 and targets.runs(out) > 0:
        return Result(passed=1), out
    said = [tail(out), ending(status, targets.seconds() + SECONDS_MAX["fuzz"]), targets.explain(target, targets.found(out))]
    return Result(failed=1, failures=["\n".join(said)]), out


def run_regressions():
    failures, outs = [], []
    for target in targets.FLAGS:
        files = targets.inputs(target)
        status, out = run(targets.replay_command(target, files), SECONDS_MAX["fuzz"], targets.ENV)
        outs.append(out)
        if status != 0 or not files or len(re.findall(r"^Executed .* in \d+ ms", out, re.M)) != len(files):
            last = re.findall(r"^Running: (.*)", out, re.M)[-1:]
            failures.append(f"{target}: {tail(out)}\n" + ending(status, SECONDS_MAX["fuzz"]) + f"; the last input was {last}")
    result = Result(failed=1, failures=["\n".join(failures)]) if failures else Result(passed=1)
    return result, "".join(outs)


# ---- again, under ThreadSanitizer and valgrind ----

def run_tsan(function):
    """`function(env)` runs a program. Whatever any of its processes is told by ThreadSanitizer, killed ones too, is a failure."""
    with tempfile.TemporaryDirectory(prefix="jari-tsan-") as folder:
        os.chmod(folder, 0o755)
        result, out = function(dict(ENV, TSAN_OPTIONS=f"second_deadlock_stack=1:log_path={folder}/report", JARI_BIN=os.path.join(TSAN, "jari")))
        said = ""
        for name in sorted(os.listdir(folder)):
            with open(os.path.join(folder, name), encoding="utf-8", errors="replace") as f:
                said += f.read()
    if said:
        result.failed += 1
        result.failures.append("ThreadSanitizer says:\n" + "\n".join(said.splitlines()[:2 * SHOWN_LINES]))
    return result, out + said


def tsan_programs():
    for owner, name, command in c_tests(TSAN):
        if owner == "unit" or (owner == "store" and name in TSAN_STORE):
            yield f"{owner}/{name}", lambda command=command: run_tsan(lambda env: run_c(command, SECONDS_MAX["tsan"], env))
    for name, path in node_tests("api"):
        if name not in TSAN_NOT_API:
            yield f"api/{name}", lambda path=path: run_tsan(lambda env: run_node([path], SECONDS_MAX["tsan"], env))


MEMCHECK = ["valgrind", "-q", "--error-exitcode=99", "--leak-check=full", "--show-leak-kinds=definite,possible",
            "--errors-for-leak-kinds=definite,possible"]


def run_valgrind(command):
    """An uninitialised value, a wrong access, a leak, or a system call that valgrind does not know fails the program."""
    result, out = run_c([*MEMCHECK, *command], SECONDS_MAX["valgrind"])
    said = re.findall(r"^(?:==|--)\d+(?:==|--) .*", out, re.M)
    if said:
        result.failed += 1
        result.failures.append("valgrind says:\n" + "\n".join(said[:2 * SHOWN_LINES]))
    return result, out


def valgrind_programs():
    for owner, name, command in c_tests(VALGRIND):
        if owner == "unit":
            yield name, lambda command=command: run_valgrind(command)


# ---- benchmarks: once, small, to see that they work; what they measure means nothing ----

def run_compare():
    with tempfile.TemporaryDirectory(prefix="jari-compare-") as folder:
        os.chmod(folder, 0o755) # PostgreSQL runs as another user when this one is root
        result, out = check(["bench/compare", "--small", "--build", RELEASE, "--disk", folder, "--out", folder], SECONDS_MAX["bench"])
        if result.failed:
            return result, out
        with open(os.path.join(folder, "results.json"), encoding="utf-8") as f:
            results = json.load(f)
        missing = list(results["notMeasured"])
        missing += [f"no rate of {name}" for name, m in results["operations"]["measured"].items() if not m["perSecond"] > 0]
        missing += [f"no ratio of {name}" for name, row in results["operations"]["ratios"].items() if not row["constant"]]
        missing += [f"{name} on PostgreSQL: no ratio to {other}" for name, row in results["operations"].get("shared", {}).items()
                    for other in ("peer", "two") if other in row and not row[other]]
        missing += [f"no {name}" for name in ("results.md",) if not os.path.getsize(os.path.join(folder, name))]
    if missing:
        return Result(failed=1, failures=["\n".join(missing)]), out
    return result, out


# ---- all together ----

def wants(suite, words):
    """Whether a word may mean an instrumented suite; its build folder need not be there otherwise."""
    return not words or any(word.split("/")[0] == suite for word in words)


def programs(build, words):
    """(suite, name, function that runs it), in the order in which they run."""
    env = ENV if build == BUILD else dict(ENV, JARI_BIN=os.path.join(build, "jari"))
    for name, function in LINT:
        yield "lint", name, function
    tests = list(c_tests(build))
    for suite in ("unit", "store", "sim"):
        for owner, name, command in tests:
            if owner == suite:
                yield suite, name, lambda command=command, suite=suite: run_c(command, SECONDS_MAX[suite])
    # In the release folder: fibers and sanitizers do not go together (tests/sim/meson.build).
    yield "sim", "simulation", lambda: run_c([os.path.join(RELEASE, "tests", "sim", "jari-sim")], SECONDS_MAX["sim"])
    yield "sim", "planted", lambda: run_c([sys.executable, "tests/sim/planted.py", RELEASE], 2 * SECONDS_MAX["sim"])
    for suite in ("api", "package", "web"):
        for name, path in node_tests(suite):
            yield suite, name, lambda path=path, suite=suite: run_node([path], SECONDS_MAX[suite], env)
    yield "fuzz", "regressions", run_regressions
    for target in targets.FLAGS:
        yield "fuzz", target, lambda target=target: run_fuzz(target)
    for suite, more in (("tsan", tsan_programs), ("valgrind", valgrind_programs)):
        if wants(suite, words):
            for name, function in more():
                yield suite, name, function
    yield "bench", "compare", run_compare


def wanted(suite, name, words):
    if suite in INSTRUMENTED:
        return wants(suite, words) and any(word in f"{suite}/{name}" for word in words or [suite])
    return not words or any(word == suite or (word not in SUITES and word in f"{suite}/{name}") for word in words)


def plural(n, word):
    return f"{n} {word}" + ("" if n == 1 else "s")


def timed(program):
    suite, name, function = program
    began = time.monotonic()
    result, out = function()
    with open(os.path.join(LOGS, f"{suite}-{name.replace('/', '-')}.log"), "w", encoding="utf-8") as f:
        f.write(out)
    return suite, name, result, time.monotonic() - began


def tell(suite, name, result, seconds):
    for text in result.failures:
        print(f"--- {suite}/{name}\n{text}\n---")
    count = plural(result.passed + result.failed + result.skipped, "test")
    told = f", {result.failed} FAILED" if result.failed else ""
    print(f"{'not ok' if result.failed else 'ok':6} {suite + '/' + name:28} {count:>10} {seconds:7.1f} s{told}", flush=True)


def results(chosen):
    """Lint first, which uses every processor by itself; then the programs, some at once; then those that want to be alone."""
    together = [p for p in chosen if p[0] != "lint" and f"{p[0]}/{p[1]}" not in ALONE]
    yield from map(timed, (p for p in chosen if p[0] == "lint"))
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        futures = [pool.submit(timed, p) for p in together]
        try:
            for future in concurrent.futures.as_completed(futures):
                yield future.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    yield from map(timed, (p for p in chosen if f"{p[0]}/{p[1]}" in ALONE))


def main():
    args = sys.argv[1:]
    build = BUILD
    if args[:1] == ["--build"]:
        build = os.path.join(ROOT, args[1])
        args = args[2:]
    words = [word.removeprefix("tests/").removesuffix(".test.mjs").removesuffix(".c").replace("/test_", "/") for word in args]
    os.makedirs(LOGS, exist_ok=True)
    total = Result()
    for suite, name, result, seconds in results([p for p in programs(build, words) if wanted(p[0], p[1], words)]):
        tell(suite, name, result, seconds)
        total.passed += result.passed
        total.failed += result.failed
        total.skipped += result.skipped
    if total.passed + total.failed == 0:
        print("no test has run: is the name right?", file=sys.stderr)
    print(f"{total.passed} passed, {total.failed} failed" + (f", {total.skipped} skipped" if total.skipped else ""))
    return 0 if total.failed == 0 and total.passed > 0 else 1


def interrupted(_number, _frame):
    raise KeyboardInterrupt


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, interrupted)
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        for left in list(RUNNING):
            end_group(left)
        sys.exit(130)
