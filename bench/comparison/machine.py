"""The machine, in words."""
import os
import platform
import re


def first(path, pattern):
    try:
        with open(path, encoding="utf-8", errors="replace") as f:
            match = re.search(pattern, f.read(), re.M)
        return match.group(1).strip() if match else None
    except OSError:
        return None


def file_system(path):
    """The type of what `path` is on."""
    best, kind = "", "unknown"
    with open("/proc/mounts", encoding="utf-8") as f:
        for line in f:
            _, mount, fs = line.split()[:3]
            if (os.path.realpath(path) + "/").startswith(mount.rstrip("/") + "/") and len(mount) >= len(best):
                best, kind = mount, fs
    return kind


def fsync_us(folder, times=200):
    """How long one 4 KiB write and fdatasync takes, as the median: what durability costs here."""
    import time
    path, took = os.path.join(folder, "fsync"), []
    fd = os.open(path, os.O_CREAT | os.O_WRONLY, 0o600)
    try:
        for i in range(times):
            began = time.perf_counter_ns()
            os.pwrite(fd, b"x" * 4096, i * 4096)
            os.fdatasync(fd)
            took.append(time.perf_counter_ns() - began)
    finally:
        os.close(fd)
        os.unlink(path)
    return sorted(took)[len(took) // 2] // 1000


def describe(folder):
    memory = first("/proc/meminfo", r"MemTotal:\s+(\d+)")
    return {
        "processor": first("/proc/cpuinfo", r"model name\s*: (.*)") or platform.machine(),
        "processors": len(os.sched_getaffinity(0)),
        "memoryMiB": int(memory) // 1024 if memory else None,
        "kernel": platform.release(),
        "system": first("/etc/os-release", r'PRETTY_NAME="(.*)"'),
        "fileSystem": file_system(folder),
        "fdatasyncUs": fsync_us(folder),
    }
