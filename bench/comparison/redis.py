"""Redis 7 with appendfsync always, driven by redis-benchmark without pipelining: a sorted set as the waiting line."""
import csv
import os
import shutil
import socket

from . import proc

PACKAGES = {"redis-server": "redis-server", "redis-benchmark": "redis-tools"}


def missing():
    return [package for program, package in PACKAGES.items() if not shutil.which(program)]


class Redis:
    def __init__(self, folder):
        self.port = proc.free_port()
        self.server = proc.Server(["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--dir", folder, "--appendonly", "yes",
                                   "--appendfsync", "always", "--save", "", "--daemonize", "no"],
                                  os.path.join(folder, "redis.log"), r"Ready to accept connections")

    def stop(self):
        self.server.stop()

    def fill(self, members):
        """Puts members line:000000000000 … in, a thousand a command."""
        with socket.create_connection(("127.0.0.1", self.port)) as s:
            replies = s.makefile("rb")
            for start in range(0, members, 1000):
                words = ["ZADD", "line"]
                for i in range(start, min(start + 1000, members)):
                    words += [str(i), f"line:{i:012d}"]
                s.sendall(f"*{len(words)}\r\n".encode() + b"".join(f"${len(w)}\r\n{w}\r\n".encode() for w in words))
                if not replies.readline().startswith(b":"):
                    raise proc.Failed("redis-server refused ZADD")

    def bench(self, connections, requests, keys, *command):
        out = proc.run(["redis-benchmark", "-h", "127.0.0.1", "-p", str(self.port), "-c", str(connections), "-n", str(requests), "-r", str(keys),
                        "-P", "1", "--csv", *command])
        rows = [row for row in csv.reader(out.splitlines()) if row]
        named = dict(zip(rows[-2], rows[-1]))
        return {"perSecond": round(float(named["rps"])), "p50Us": round(float(named["p50_latency_ms"]) * 1000),
                "p99Us": round(float(named["p99_latency_ms"]) * 1000), "maxUs": round(float(named["max_latency_ms"]) * 1000)}

    def zrank(self, connections, requests, members):
        return self.bench(connections, requests, members, "ZRANK", "line", "line:__rand_int__")

    def zadd(self, connections, requests):
        # numbers from a range so wide that practically each is a new member
        return self.bench(connections, requests, 999999999999, "ZADD", "line", "__rand_int__", "new:__rand_int__")


def version():
    return proc.run(["redis-server", "--version"]).strip()
