"""Jari itself, and the constant replies of the library under it; both under the load of `jari bench`."""
import json
import os
import secrets
import subprocess

from . import proc

# Nothing lapses and nobody counts as silent while it is measured.
PATIENT = ["--hold-seconds", "86400", "--active-seconds", "86400", "--waiting-idle", "86400"]
# The keys of every server of a run: those that share a store must have the same.
KEYS = {"JARI_ADMIN_KEY": secrets.token_hex(16), "JARI_TOKEN_KEY": secrets.token_hex(32)}
CONSTANT_BODY = '{"username":"b19abcdef012-123456","concertId":1}'


class Jari:
    """A server with a store of its own in `folder`, or the one at `url`; `binary` also makes the load."""

    def __init__(self, binary, folder, options=(), url=None):
        self.binary, self.folder, self.options = binary, folder, list(options)
        self.store = os.path.join(folder, "jari.db")
        self.options += ["--store", url or f"sqlite:{self.store}"]
        self.start()

    def start(self):
        self.env = {k: v for k, v in os.environ.items() if not k.startswith("JARI_")} | KEYS
        self.server = proc.Server([self.binary, "serve", "--listen", "127.0.0.1:0", *self.options],
                                  os.path.join(self.folder, "jari.log"), r"listening on (http://\S+)\n", env=self.env)
        self.url = self.server.match.group(1)

    def stop(self):
        self.server.stop()

    def arguments(self, operation, **options):
        """The command of a measurement; its result goes to the returned file."""
        out = os.path.join(self.folder, f"result-{secrets.token_hex(4)}.json")
        words = [self.binary, "bench", operation, "--url", self.url, "--quiet", "--json", out]
        if operation != "onsale":
            words += ["--pid", str(self.server.pid)]
        for name, value in options.items():
            words += [f"--{name.replace('_', '-')}", str(value)]
        return words, out

    def bench(self, operation, **options):
        words, out = self.arguments(operation, **options)
        proc.run(words, env=self.env)
        return read(out)

    def bench_beside(self, operation, **options):
        """Starts a measurement that goes on beside others; its result comes from calling what is returned."""
        words, out = self.arguments(operation, **options)
        process = subprocess.Popen(words, env=self.env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)

        def result():
            error = process.communicate()[1]
            if process.returncode != 0:
                raise proc.Failed(f"jari bench {operation}: {error.strip()}")
            return read(out)
        return result


class Constant(Jari):
    """The same HTTP library, answering the same bytes always."""

    def start(self):
        self.env = {k: v for k, v in os.environ.items() if not k.startswith("JARI_")}
        program = os.path.join(os.path.dirname(self.binary), "bench", "constant")
        self.server = proc.Server([program], os.path.join(self.folder, "constant.log"), r"listening on (http://\S+)\n")
        self.url = self.server.match.group(1)

    def get(self, **options):
        return self.bench("request", path="/constant", **options)

    def post(self, **options):
        return self.bench("request", path="/constant", method="POST", body=CONSTANT_BODY, **options)


def read(path):
    with open(path, encoding="utf-8") as f:
        result = json.load(f)
        result["endedUs"] = os.fstat(f.fileno()).st_mtime_ns // 1000
    os.unlink(path)
    return result


def numbers(result):
    """What is kept of a measurement of one operation."""
    latency = result["successLatencyUs"]  # of both steps, where somebody leaves and somebody joins
    return {
        "perSecond": result["perSecond"],
        "p50Us": latency["p50"],
        "p99Us": latency["p99"],
        "p999Us": latency["p999"],
        "maxUs": latency["max"],
        "serverCpuNs": result["serverCpuNsPerAnswer"],
        "answers": result["answers"],
        "problems": result["problems"],
    }
