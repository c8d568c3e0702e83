#!/usr/bin/python3
"""Runs a program under the system call rules of a systemd unit, where no systemd runs: the same lists, loaded with libseccomp.

Use: sandbox.py UNIT PROGRAM [ARGUMENT]...

In force are SystemCallFilter=, RestrictAddressFamilies=, MemoryDenyWriteExecute=, RestrictNamespaces=, NoNewPrivileges= and, as root, an empty
CapabilityBoundingSet=. A call outside of SystemCallFilter= ends the process at once (SIGSYS), where the unit gives it an error: a test is to see it.
What a unit says of files and devices (ProtectSystem= and its like) needs systemd itself, and is not imitated."""
import errno
import mmap
import os
import socket
import subprocess
import sys

import seccomp

CLONE_NEW = 0x7E020080  # every CLONE_NEW… of <linux/sched.h> that clone(2) takes
FAMILIES = range(46)    # <linux/socket.h>, AF_MAX


def settings(path: str) -> dict[str, list[str]]:
    """Each setting of the unit with its values, in the order in which they stand. An empty value forgets those before it."""
    found: dict[str, list[str]] = {}
    with open(path, encoding="utf-8") as f:
        for line in f:
            name, equals, value = line.strip().partition("=")
            if equals and not name.startswith(("#", ";")):
                values = found.setdefault(name, [])
                if value == "":
                    values.clear()
                values.append(value)
    return found


def calls_of(name: str) -> set[str]:
    """The system calls of a set such as @file-system, with those of the sets in it."""
    if not name.startswith("@"):
        return {name}
    out = subprocess.run(["systemd-analyze", "--no-pager", "syscall-filter", name], check=True, capture_output=True, text=True).stdout
    words = [line.strip() for line in out.splitlines()[1:]]
    return set().union(*(calls_of(word) for word in words if word and not word.startswith("#")))


def allowed_calls(unit: dict[str, list[str]]) -> set[str]:
    calls = calls_of("@default")  # always there
    for value in unit["SystemCallFilter"]:
        named = set().union(*(calls_of(word) for word in value.removeprefix("~").split()))
        calls = calls - (named - calls_of("@default")) if value.startswith("~") else calls | named
    return calls


def load_calls(unit: dict[str, list[str]]) -> None:
    rules = seccomp.SyscallFilter(seccomp.KILL_PROCESS)
    if os.getuid() == 0:
        # As root, and only then, SQLite gives what it makes to the owner of the store. The unit's user is not root.
        rules.add_rule(seccomp.ERRNO(errno.EPERM), "fchown")
    for call in sorted(allowed_calls(unit)):
        try:
            rules.add_rule(seccomp.ALLOW, call)
        except (RuntimeError, ValueError, OSError):
            continue  # of another architecture, or newer than this libseccomp: it stays forbidden
    rules.load()


def load_arguments(unit: dict[str, list[str]]) -> None:
    """What is decided by a call's arguments: a filter of its own, since the first one allows these calls whatever they ask for."""
    rules = seccomp.SyscallFilter(seccomp.ALLOW)
    if unit.get("MemoryDenyWriteExecute") == ["yes"]:
        both, execute = mmap.PROT_WRITE | mmap.PROT_EXEC, mmap.PROT_EXEC
        rules.add_rule(seccomp.ERRNO(errno.EPERM), "mmap", seccomp.Arg(2, seccomp.MASKED_EQ, both, both))
        for call in ("mprotect", "pkey_mprotect"):
            rules.add_rule(seccomp.ERRNO(errno.EPERM), call, seccomp.Arg(2, seccomp.MASKED_EQ, execute, execute))
    families = {getattr(socket, name) for name in " ".join(unit["RestrictAddressFamilies"]).split()}
    for family in FAMILIES:
        if family not in families:
            rules.add_rule(seccomp.ERRNO(errno.EAFNOSUPPORT), "socket", seccomp.Arg(0, seccomp.EQ, family))
    if unit.get("RestrictNamespaces") == ["yes"]:
        for bit in (1 << n for n in range(32) if CLONE_NEW >> n & 1):
            rules.add_rule(seccomp.ERRNO(errno.EPERM), "clone", seccomp.Arg(0, seccomp.MASKED_EQ, bit, bit))
        rules.add_rule(seccomp.ERRNO(errno.ENOSYS), "clone3")  # its flags are in memory; the C library then takes clone
        for call in ("unshare", "setns"):
            rules.add_rule(seccomp.ERRNO(errno.EPERM), call)
    rules.load()


def main() -> int:
    if len(sys.argv) < 3:
        sys.stderr.write(__doc__ + "\n")
        return 2
    unit = settings(sys.argv[1])
    if os.getuid() == 0 and os.environ.get("SANDBOX_CAPABILITIES") != "none":
        # Dropped by util-linux's tool, which then runs this once more.
        os.environ["SANDBOX_CAPABILITIES"] = "none"
        os.execvp("setpriv", ["setpriv", "--bounding-set=-all", "--inh-caps=-all", "--no-new-privs", sys.executable, *sys.argv])
    load_arguments(unit)
    load_calls(unit)
    os.execvp(sys.argv[2], sys.argv[2:])
    return 127


if __name__ == "__main__":
    sys.exit(main())
