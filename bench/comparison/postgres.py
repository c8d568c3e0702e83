"""PostgreSQL 15 with pgbench: hold, charge and pay as one transaction a request, a statement a round trip, prepared statements, fully durable."""
import glob
import os
import pwd
import re
import shutil

from . import proc

HERE = os.path.dirname(os.path.abspath(__file__))


def programs():
    """The folder with initdb, postgres and pgbench; None when there is none."""
    found = sorted(glob.glob("/usr/lib/postgresql/15/bin/postgres")) or sorted(glob.glob("/usr/lib/postgresql/*/bin/postgres"))
    if found:
        return os.path.dirname(found[-1])
    path = shutil.which("initdb")
    return os.path.dirname(path) if path else None


def missing():
    where = programs()
    return [] if where and os.path.exists(os.path.join(where, "pgbench")) else ["postgresql"]


class Postgres:
    """A cluster of its own. As root everything runs as the user postgres, because the server refuses to run as root."""

    def __init__(self, folder, connections, each):
        # `each`: seats and held reservations for each of pgbench's clients, so that no two ask for the same
        self.each = each
        self.bin, self.folder, self.connections, self.port = programs(), folder, connections, proc.free_port()
        self.prefix = []
        if os.geteuid() == 0:
            user = pwd.getpwnam("postgres")
            os.chown(folder, user.pw_uid, user.pw_gid)
            self.prefix = ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups", "--reset-env"]
        data = os.path.join(folder, "data")
        self.run("initdb", "-D", data, "-U", "bench", "-A", "trust", "-E", "UTF8", "--no-locale")
        settings = {"port": self.port, "listen_addresses": "127.0.0.1", "unix_socket_directories": "", "fsync": "on", "synchronous_commit": "on",
                    "full_page_writes": "on", "wal_compression": "lz4", "shared_buffers": "512MB", "max_wal_size": "8GB", "checkpoint_timeout": "30min",
                    "max_connections": connections + 20, "autovacuum": "off"}
        words = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        self.server = proc.Server([*self.prefix, os.path.join(self.bin, "postgres"), "-D", data, *words],
                                  os.path.join(folder, "postgres.log"), r"ready to accept connections")
        self.psql("-v", f"clients={connections}", "-v", f"each={each}", "-f", self.script("schema.sql"))

    def stop(self):
        self.server.stop()

    def database(self, name):
        """Another database, empty; its URL."""
        self.psql("-c", f"CREATE DATABASE {name}")
        return f"postgresql://bench@127.0.0.1:{self.port}/{name}"

    def run(self, program, *words):
        return proc.run([*self.prefix, os.path.join(self.bin, program), *words], cwd="/")

    def script(self, name):
        """A copy that the user postgres can read, wherever this repository is."""
        copy = os.path.join(self.folder, name)
        shutil.copyfile(os.path.join(HERE, "pg", name), copy)
        os.chmod(copy, 0o644)
        return copy

    def psql(self, *words):
        return self.run("psql", "-h", "127.0.0.1", "-p", str(self.port), "-U", "bench", "-d", "postgres", "-q", "-v", "ON_ERROR_STOP=1", *words)

    def bench(self, name, seconds, warmup, transactions):
        """For so many seconds, or so many transactions of each client."""
        # Each page's first change after a checkpoint is logged whole: a warm-up is only fair.
        if warmup:
            self.pgbench(name, ["-T", str(warmup)], 0)
        out = self.pgbench(name, ["-t", str(transactions)] if transactions else ["-T", str(seconds)], self.each // 2)
        tps = re.search(r"tps = ([\d.]+)", out)
        latency = re.search(r"latency average = ([\d.]+)", out)
        if not tps or not latency:
            raise proc.Failed(f"pgbench said: {out.strip()[-200:]}")
        return {"perSecond": round(float(tps.group(1))), "meanUs": round(float(latency.group(1)) * 1000)}

    def pgbench(self, name, long, first):
        """Each client begins at place `first` of its part."""
        return self.run("pgbench", "-h", "127.0.0.1", "-p", str(self.port), "-U", "bench", "-n", "-M", "prepared", "-c", str(self.connections), "-j", "2",
                       *long, "-D", f"n={first}", "-D", f"each={self.each}", "-D", f"users={self.connections * 1000}", "-f", self.script(f"{name}.sql"), "postgres")


def version():
    return proc.run([os.path.join(programs(), "postgres"), "--version"]).strip()
