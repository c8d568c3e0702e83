#!/usr/bin/env python3
"""The rules about what may use what, checked over the source and the built objects.

Use: layers.py [OBJECTS]     OBJECTS: a build folder without sanitizers; without it only the source is looked at
     layers.py --self-test   plants a violation of each rule in a temporary folder and wants it found

Dependencies point one way: cli -> http -> engine -> core -> base; the engine and cli use the store through store/store.h; the
core is pure. Nothing is mutable and global. Calls that overrun buffers or hide errors are not used.
Prints one line for each violation and exits 1 if there is any."""
import os
import re
import subprocess
import sys
import tempfile

# What a layer may include of others: a folder for all of its headers, or one header.
MAY_INCLUDE = {
    "base": {"base/"},
    "core": {"core/", "base/text.h", "base/arena.h", "base/limits.h"},
    "store": {"store/", "core/rows.h", "core/types.h", "core/core.h", "base/"},
    "engine": {"engine/", "store/store.h", "core/", "base/"},
    "http": {"http/", "engine/engine.h", "store/store.h", "core/", "base/"},
    "cli": {"cli/", "http/", "engine/engine.h", "store/store.h", "core/", "base/"},
}
# A layer's internal header stays its own.
PRIVATE = re.compile(r"/internal\.h$")
# The freestanding headers of C17, string.h and assert.h: all of the system that the core may see.
CORE_SYSTEM = {"assert.h", "float.h", "iso646.h", "limits.h", "stdalign.h", "stdarg.h", "stdbool.h", "stddef.h", "stdint.h",
               "stdnoreturn.h", "string.h"}
# Libraries, and who may include them.
LIBRARIES = [
    (re.compile(r"^sqlite3"), ("src/store/",), "SQLite is the store's"),
    (re.compile(r"^(libpq|postgres)"), ("src/store/",), "PostgreSQL is the store's"),
    (re.compile(r"^openssl/"), ("src/http/", "src/base/seal.c", "src/cli/bench/wire.c"), "OpenSSL is for src/http, src/base/seal.c and src/cli/bench/wire.c"),
    (re.compile(r"^(event2/|event\.h|evhttp|jansson)"), ("src/http/",), "libevent and jansson are the HTTP layer's"),
]
# jansson and libevent may be used by the command line too, where it starts the server and reads catalogues.
CLI_LIBRARIES = re.compile(r"^(event2/|jansson)")
FORBIDDEN_CALLS = ["sprintf", "vsprintf", "strcpy", "stpcpy", "strcat", "strncat", "strncpy", "atoi", "atol", "atoll", "atof", "gets", "strtok",
                   "strtok_r", "scanf", "alloca", "setjmp", "longjmp", "rand", "random", "gmtime", "localtime", "ctime", "asctime"]
SQL = re.compile(r'"\s*(SELECT|INSERT\s+INTO|UPDATE\s+\w+\s+SET|DELETE\s+FROM|CREATE\s+TABLE|PRAGMA)\b')
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.M)
COMMENT = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)

# Variables that are allowed to be mutable and global, each with its reason.
MUTABLE_ALLOWED = {"sqlite_cache": "sqlite_pages.c: SQLite gives its page cache to the process, and hands no pointer to it; written once, before SQLite is used"}
# What the core may call outside itself.
CORE_CALLS = re.compile(r"^(core_|arena_|text_|mem(cpy|move|set|cmp|chr)$|str(len|cmp|ncmp|chr)$|__assert_fail$|__stack_chk_fail$"
                        r"|__(memcpy|memmove|memset)_chk$|_GLOBAL_OFFSET_TABLE_$)")


def sources(root, folder="src"):
    for where, _, names in sorted(os.walk(os.path.join(root, folder))):
        for name in sorted(names):
            if name.endswith((".c", ".h")):
                path = os.path.join(where, name)
                yield os.path.relpath(path, root), path


def without_comments(text, strings=False):
    """The code without comments, and without what is between quotes; lines stay where they were."""
    def blank(match):
        s = match.group(0)
        if s[0] in "\"'" and strings:
            return s
        return re.sub(r"[^\n]", " ", s)
    return COMMENT.sub(blank, text)


def line_of(text, position):
    return text.count("\n", 0, position) + 1


def allowed(layer, header):
    if PRIVATE.search(header) and not header.startswith(layer + "/"):
        return False
    return any(header == a or (a.endswith("/") and header.startswith(a)) for a in MAY_INCLUDE[layer])


def check_includes(path, layer, text):
    for match in INCLUDE.finditer(without_comments(text, strings=True)):
        quote, header = match.groups()
        at = f"{path}:{line_of(text, match.start(1))}"
        if quote == '"':
            if not allowed(layer, header):
                yield f"{at}: {layer} must not include \"{header}\""
            continue
        if layer == "core" and header not in CORE_SYSTEM:
            yield f"{at}: core is pure and must not include <{header}>"
        for library, places, why in LIBRARIES:
            if library.search(header) and not path.startswith(places):
                if not (layer == "cli" and CLI_LIBRARIES.search(header)):
                    yield f"{at}: <{header}>: {why}"


def check_text(path, layer, text):
    code = without_comments(text)
    for name in FORBIDDEN_CALLS:
        for match in re.finditer(rf"(?<![\w.>]){name}\s*\(", code):
            yield f"{path}:{line_of(code, match.start())}: {name} is not used here"
    if layer in ("core", "engine", "http"):
        quoted = without_comments(text, strings=True)
        for match in SQL.finditer(quoted):
            yield f"{path}:{line_of(quoted, match.start())}: SQL belongs in src/store"
    if layer == "core":
        for match in re.finditer(r"\b(float|double)\b", code):
            yield f"{path}:{line_of(code, match.start())}: money and places are integers; no {match.group(1)} in the core"


def check_source(root):
    for path, full in sources(root):
        parts = path.split(os.sep)
        layer = parts[1] if len(parts) > 2 else ""
        if layer not in MAY_INCLUDE:
            yield f"{path}: no layer of this name; the layers are {', '.join(MAY_INCLUDE)}"
            continue
        with open(full, encoding="utf-8") as f:
            text = f.read()
        yield from check_includes(path, layer, text)
        yield from check_text(path, layer, text)


def objects(build):
    """The objects of the layers and of the program, not of the tests."""
    for folder in ("src", "jari.p"):
        for where, _, names in sorted(os.walk(os.path.join(build, folder))):
            for name in sorted(names):
                if name.endswith(".o"):
                    yield os.path.join(where, name)


def run(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def check_object(path):
    shown = os.path.basename(path)
    symbol = re.compile(r"^[0-9a-f]+ (.{7}) (\S+)\s+([0-9a-f]+) (?:\.hidden )?(\S+)$")
    for line in run("objdump", "-t", path).splitlines():
        match = symbol.match(line)
        if not match or "d" in match.group(1):
            continue
        section, name = match.group(2), re.sub(r"\.\d+$", "", match.group(4))
        mutable = section == "*COM*" or (re.match(r"\.(data|bss|tdata|tbss)", section) and not section.startswith(".data.rel.ro"))
        if mutable and name not in MUTABLE_ALLOWED:
            yield f"{shown}: the variable {name} is mutable and global ({section}); pass state instead"
    if "jari_core" in path:
        for line in run("nm", "-u", path).splitlines():
            name = line.split()[-1]
            if not CORE_CALLS.match(name):
                yield f"{shown}: core is pure and must not call {name}"


def check_objects(build):
    found = list(objects(build))
    if not found:
        yield f"{build}: no objects to look at; build first (script/build)"
    for path in found:
        yield from check_object(path)


# ---- the test of the test ----

PLANTED = [
    # file, its text, what must be said about it (None: nothing)
    ("src/core/a.c", '#include "core/types.h"\n#include <string.h>\n#include "base/limits.h"\n', None),
    ("src/core/b.c", "#include <stdio.h>\n", "must not include <stdio.h>"),
    ("src/core/c.c", '#include "base/log.h"\n', 'must not include "base/log.h"'),
    ("src/core/d.c", '#include "store/store.h"\n', 'must not include "store/store.h"'),
    ("src/core/e.c", "double x(void);\n", "no double in the core"),
    ("src/base/a.c", '#include "core/core.h"\n', 'must not include "core/core.h"'),
    ("src/base/b.c", "#include <openssl/evp.h>\n", "OpenSSL is for"),
    ("src/base/seal.c", "#include <openssl/evp.h>\n", None),
    ("src/engine/a.c", '#include "store/sqlite.h"\n', 'must not include "store/sqlite.h"'),
    ("src/engine/b.c", '#include "http/http.h"\n', 'must not include "http/http.h"'),
    ("src/engine/c.c", '#include "core/internal.h"\n', 'must not include "core/internal.h"'),
    ("src/http/a.c", "#include <sqlite3.h>\n", "SQLite is the store's"),
    ("src/cli/p.c", "#include <libpq-fe.h>\n", "PostgreSQL is the store's"),
    ("src/http/b.c", 'const char *q = "SELECT 1";\n', "SQL belongs in src/store"),
    ("src/http/c.c", "void f(void) { sprintf(0, 0); }\n", "sprintf is not used"),
    ("src/http/d.c", '/* sprintf( */ const char *s = "strcpy(a, b)"; void f(void) { snprintf(0, 0, s); }\n', None),
    ("src/http/e.c", "// #include <sqlite3.h>\n", None),
    ("src/store/a.c", "#include <sqlite3.h>\n", None),
    ("src/store/b.c", '#include "engine/engine.h"\n', 'must not include "engine/engine.h"'),
    ("src/other/a.c", "\n", "no layer of this name"),
]
PLANTED_OBJECTS = [
    ("jari_core.a.p/a", "static int f(void) { return 1; } int core_f(void); int core_f(void) { return f(); }", None),
    ("jari_core.a.p/b", "#include <time.h>\nlong core_f(void); long core_f(void) { return (long)time(0); }", "must not call time"),
    ("jari_http.a.p/c", "int counter = 1;", "counter is mutable and global"),
    ("jari_http.a.p/d", "static int n; int f(void); int f(void) { return ++n; }", "n is mutable and global"),
    ("jari_http.a.p/e", "int f(void); int f(void) { static int calls; return ++calls; }", "calls is mutable and global"),
    ("jari_http.a.p/f", "_Thread_local int mine; ", "mine is mutable and global"),
    ("jari_http.a.p/g", 'const char *const names[] = {"a", "b"}; static const int x = 1; int f(void); int f(void) { return x; }', None),
]


def expect(name, said, wanted):
    if wanted is None and said:
        return [f"self-test: {name} is allowed, but this was said: {said[0]}"]
    if wanted is not None and not any(wanted in s for s in said):
        return [f"self-test: {name}: nobody said \"{wanted}\""]
    return []


def self_test():
    wrong = []
    with tempfile.TemporaryDirectory() as root:
        for name, text, _ in PLANTED:
            path = os.path.join(root, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w", encoding="utf-8") as f:
                f.write(text)
        said = list(check_source(root))
        for name, _, wanted in PLANTED:
            wrong += expect(name, [s for s in said if s.startswith(name + ":")], wanted)
        for name, text, wanted in PLANTED_OBJECTS:
            path = os.path.join(root, "build", "src", name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            subprocess.run(["gcc", "-O1", "-fPIC", "-x", "c", "-c", "-o", path + ".o", "-"], input=text, text=True, check=True)
        said = list(check_objects(os.path.join(root, "build")))
        for name, _, wanted in PLANTED_OBJECTS:
            wrong += expect(name, [s for s in said if s.startswith(os.path.basename(name) + ".o:")], wanted)
        wrong += expect("an empty build", list(check_objects(os.path.join(root, "none"))), "no objects")
    return wrong


def main():
    if sys.argv[1:] == ["--self-test"]:
        wrong = self_test()
    else:
        root = os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir)
        wrong = list(check_source(root))
        if len(sys.argv) > 1:
            wrong += check_objects(sys.argv[1])
    for line in wrong:
        print(line)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
