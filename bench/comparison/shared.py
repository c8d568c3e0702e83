"""Jari on PostgreSQL: in another database of the server that pgbench has just loaded, with one process, and with two that share it."""
import itertools

from . import jari, proc

# What is to be reached: times pgbench's transaction a request, and what two processes do of one.
LEAST_PEER, LEAST_TWO = 3, 1.0
NAMES = {
    "sharedJoin": "join, on PostgreSQL", "sharedCharge": "charge, on PostgreSQL", "sharedChargeTwo": "charge, two processes",
    "sharedHold": "hold, on PostgreSQL", "sharedHoldTwo": "hold, two processes", "sharedPay": "pay, on PostgreSQL",
}
TARGETS = {
    "hold": ("sharedHold", "pgHold", "sharedHoldTwo"), "charge": ("sharedCharge", "pgCharge", "sharedChargeTwo"), "pay": ("sharedPay", "pgPay", None),
}


class Shared:
    def __init__(self, setup, server, note):
        self.setup, self.server, self.note, self.count = setup, server, note, itertools.count(1)

    def measure(self, name, operation, processes=1, **options):
        """One operation on a new database, the connections shared out among the processes."""
        s, url, servers = self.setup, self.server.database(f"jari{next(self.count)}"), []
        try:
            for _ in range(processes):
                servers.append(jari.Jari(s.jari, proc.folder(s.disk), options=jari.PATIENT, url=url))
            running = [server.bench_beside(operation, connections=s.connections // processes, duration=s.seconds, warmup=s.warmup, **options)
                       for server in servers]
            results = [result() for result in running]
        finally:
            for server in servers:
                server.stop()
                proc.drop(server.folder)
        for result in results:
            if result["problems"]:
                raise proc.Failed(f"jari bench {operation} on PostgreSQL: {result['problems']} answers were errors: {result['errors'][:3]}")
        self.note(name, jari.numbers(results[0]) if processes == 1 else together(results))

    def run(self):
        s = self.setup
        self.measure("sharedJoin", "join", waiting=s.waiting_before_join)
        for name, operation, options in (("sharedCharge", "charge", {"users": s.users}), ("sharedHold", "hold", {"users": s.users, "shows": s.pg_shows})):
            self.measure(name, operation, **options)
            self.measure(name + "Two", operation, processes=2, **options)
        self.measure("sharedPay", "pay", users=s.pg_pay_users)


def together(results):
    """All answers, over the time from the first to the last: what one still did when the other had ended flatters nobody."""
    took = max(r["endedUs"] for r in results) - min(r["endedUs"] - r["elapsedUs"] for r in results)
    return {"perSecond": round(sum(r["answers"] for r in results) * 1_000_000 / took), "answers": sum(r["answers"] for r in results)}


def ratios(rounds, ratio):
    """For each operation against pgbench, and two processes against one."""
    out = {}
    for operation, (one, peer, two) in TARGETS.items():
        out[operation] = {"peer": ratio(rounds, one, peer), "peerTarget": LEAST_PEER}
        if two:
            out[operation].update(two=ratio(rounds, two, one), twoTarget=LEAST_TWO)
    return out
