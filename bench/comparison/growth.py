"""What must not grow: the cost of an operation with the length of the line and with the length of the past; memory and the time to start."""
import time
import urllib.request

from . import fill, jari, proc

POLL_CONNECTIONS = 1000


class Growth:
    def __init__(self, setup, say):
        self.setup, self.say = setup, say

    def server(self):
        folder = proc.folder(self.setup.disk)
        return jari.Jari(self.setup.jari, folder, options=jari.PATIENT)

    def end(self, server):
        server.stop()
        proc.drop(server.folder)

    def common(self):
        s = self.setup
        return {"connections": s.connections, "duration": s.seconds, "warmup": s.warmup}

    def line(self):
        """poll, join and admission with lines of several lengths, which take turns: the machine's speed changes within minutes."""
        rows = {waiting: {} for waiting in self.setup.lines}
        for number in range(self.setup.rounds):
            for waiting, row in rows.items():
                for operation in ("poll", "join", "turn"):
                    server = self.server()
                    try:
                        result = jari.numbers(server.bench(operation, waiting=waiting, **self.common()))
                    finally:
                        self.end(server)
                    name = "admit" if operation == "turn" else operation
                    # the least processor time: whatever else ran on the machine only adds to it
                    if name not in row or result["serverCpuNs"] < row[name]["serverCpuNs"]:
                        row[name] = result
                self.say(f"  round {number + 1}, {waiting} waiting: " + ", ".join(f"{k} at best {v['serverCpuNs'] / 1000:.1f} us" for k, v in row.items()))
        return {str(waiting): row for waiting, row in rows.items()}

    def memory(self):
        """The resident set from an empty queue to a full one, and the time until a restarted server is ready."""
        waiting = self.setup.waiting
        server = self.server()
        try:
            # the first brings in what any use brings in: buffers, caches, the seals
            server.bench("join", waiting=0, requests=2000, warmup=0, connections=self.setup.connections)
            time.sleep(0.5)
            before = server.server.resident_kb()
            server.bench("poll", waiting=waiting, requests=1000, warmup=0, connections=self.setup.connections)
            time.sleep(0.5)
            after = server.server.resident_kb()
            server.stop()
            began = time.monotonic()
            server.start()
            with urllib.request.urlopen(server.url + "/readyz", timeout=60) as reply:
                ready = round((time.monotonic() - began) * 1000) if reply.status == 200 else None
            fresh = server.server.resident_kb()
        finally:
            self.end(server)
        out = {"waiting": waiting, "beforeKiB": before, "afterKiB": after, "bytesEach": round((after - before) * 1024 / waiting),
               "readyMs": ready, "restartedKiB": fresh}
        self.say(f"  {waiting} waiting: {out['bytesEach']} bytes each, ready {ready} ms after a restart")
        return out

    def busy(self):
        """Polls on many connections while writes go on."""
        s = self.setup
        server = self.server()
        try:
            writes = server.bench_beside("charge", users=s.users, connections=s.connections, rate=s.writes, duration=s.seconds * 3 + s.settle, warmup=0)
            result = server.bench("poll", waiting=s.users, connections=POLL_CONNECTIONS, rate=s.polls, duration=s.seconds, warmup=s.warmup)
            wrote = writes()
        finally:
            self.end(server)
        out = {"polls": jari.numbers(result), "writes": jari.numbers(wrote), "connections": POLL_CONNECTIONS}
        self.say(f"  p99 of a poll {out['polls']['p99Us'] / 1000:.1f} ms with {POLL_CONNECTIONS} connections and {wrote['perSecond']} writes a second")
        return out

    def past(self):
        """The same operations on an empty store and on one with a long past."""
        s, out = self.setup, {}
        for rows in (0, s.past):
            row, ready = {}, None
            for operation, more in (("poll", {"waiting": s.users}), ("join", {"waiting": s.users}), ("charge", {"users": s.users}),
                                    ("hold", {"users": s.users, "shows": s.hold_shows}), ("pay", {"users": s.pay_users})):
                if operation == "poll":
                    server = self.server()
                    if rows:
                        server.stop()
                        fill.fill(server.store, rows)
                        server.start()
                    ready = server.server.ready_ms
                result = server.bench(operation, **more, **self.common())
                row[operation] = jari.numbers(result)
            self.end(server)
            out[str(rows)] = {"readyMs": ready, **row}
            self.say(f"  {rows} past rows of each kind: " + ", ".join(f"{k} {v['perSecond']} a second" for k, v in row.items()))
        return out

    def run(self):
        self.say("the length of the line")
        line = self.line()
        self.say("memory and restart")
        memory = self.memory()
        self.say("polls beside writes")
        busy = self.busy()
        self.say("the length of the past")
        return {"line": line, "memory": memory, "busy": busy, "past": self.past()}
