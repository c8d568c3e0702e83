"""Programs that are started, waited for and ended, in a temporary folder that goes with them."""
import atexit
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time


class Failed(Exception):
    """Something could not be measured; the message says why, for a person."""


_running = []
_folders = []


def folder(under):
    """A temporary folder on the disk that `under` is on (a tmpfs would make every fsync free)."""
    os.makedirs(under, exist_ok=True)
    path = tempfile.mkdtemp(prefix="bench-", dir=under)
    _folders.append(path)
    return path


def drop(path):
    shutil.rmtree(path, ignore_errors=True)
    if path in _folders:
        _folders.remove(path)


@atexit.register
def clean():
    for server in list(_running):
        server.stop()
    for path in list(_folders):
        drop(path)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def run(command, **more):
    """Runs a program to its end, and returns what it wrote to standard output."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **more)
    if done.returncode != 0:
        tail = (done.stderr or done.stdout).strip().splitlines()[-3:]
        raise Failed(f"{' '.join(command[:3])} … ended with {done.returncode}: {' / '.join(tail)}")
    return done.stdout


class Server:
    """A program that runs until it is told to end."""

    def __init__(self, command, log, ready=None, env=None, seconds=120):
        self.command, self.began = command, time.monotonic()
        self.log = open(log, "w+", encoding="utf-8")
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=self.log, stderr=subprocess.STDOUT, env=env,
                                        start_new_session=True)
        _running.append(self)
        self.match = self.wait_for_line(ready, seconds) if ready else None

    @property
    def pid(self):
        return self.process.pid

    def output(self):
        with open(self.log.name, encoding="utf-8", errors="replace") as f:
            return f.read()

    def wait_for_line(self, pattern, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            match = re.search(pattern, self.output())
            if match:
                self.ready_ms = round((time.monotonic() - self.began) * 1000)
                return match
            if self.process.poll() is not None:
                break
            time.sleep(0.005)
        self.stop()
        raise Failed(f"{' '.join(self.command[:2])} did not start: {' / '.join(self.output().strip().splitlines()[-3:])}")

    def stop(self, hard=False):
        if self in _running:
            _running.remove(self)
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL if hard else signal.SIGTERM)
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.log.close()

    def resident_kb(self):
        """The resident set: what of it is memory in use."""
        with open(f"/proc/{self.pid}/status", encoding="ascii") as f:
            return int(re.search(r"VmRSS:\s+(\d+)", f.read()).group(1))
