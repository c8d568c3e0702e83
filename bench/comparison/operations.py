"""Each operation beside the constant reply and its peer, in rounds that take turns, so that what disturbs the machine disturbs all."""
import statistics

from . import jari, plots, postgres, proc, redis, shared

# What is to be reached: part of the constant reply, and times the peer.
TARGETS = {
    "poll": (0.85, 1.0), "seats": (0.75, None), "join": (0.60, 0.9), "hold": (0.60, 4), "charge": (0.60, 4), "pay": (0.45, 3),
}
PEERS = {"poll": "redisZrank", "join": "redisZadd", "hold": "pgHold", "charge": "pgCharge", "pay": "pgPay"}
CONSTANT = {"poll": "constantGet", "seats": "constantGet", "join": "constantPost", "hold": "constantPost", "charge": "constantPost", "pay": "constantPost"}
NAMES = {
    "constantGet": "the library's constant GET", "constantPost": "the library's constant POST", "healthz": "GET /healthz",
    "poll": "poll", "seats": "seats of a show", "join": "join", "hold": "hold", "charge": "charge", "pay": "pay",
    "redisZrank": "Redis ZRANK", "redisZadd": "Redis ZADD, fsync always", "pgHold": "PostgreSQL hold", "pgCharge": "PostgreSQL charge",
    "pgPay": "PostgreSQL pay", **shared.NAMES,
}


def median_of(rounds):
    """The round in the middle by rate, with the rates of all."""
    ordered = sorted(rounds, key=lambda r: r["perSecond"])
    return {**ordered[len(ordered) // 2], "rounds": [r["perSecond"] for r in rounds]}


class Operations:
    def __init__(self, setup, say):
        self.setup, self.say, self.rounds = setup, say, {}

    def note(self, name, result):
        self.rounds.setdefault(name, []).append(result)
        self.say(f"  {NAMES[name]}: {plots.grouped(result['perSecond'])} a second")

    def constants(self):
        s = self.setup
        folder = proc.folder(s.disk)
        server = jari.Constant(s.jari, folder)
        try:
            common = {"connections": s.connections, "duration": s.seconds, "warmup": s.warmup}
            self.note("constantGet", jari.numbers(server.get(**common)))
            self.note("constantPost", jari.numbers(server.post(**common)))
        finally:
            server.stop()
            proc.drop(folder)

    def product(self, operation, **options):
        """One operation on a new store."""
        s = self.setup
        folder = proc.folder(s.disk)
        server = jari.Jari(s.jari, folder, options=jari.PATIENT)
        try:
            result = server.bench(operation, connections=s.connections, duration=s.seconds, warmup=s.warmup, **options)
            if result["problems"]:
                raise proc.Failed(f"jari bench {operation}: {result['problems']} answers were errors: {result['errors'][:3]}")
            self.note(operation, jari.numbers(result))
        finally:
            server.stop()
            proc.drop(folder)

    def all_of_jari(self):
        s = self.setup
        self.product("healthz")
        self.product("poll", waiting=s.waiting)
        self.product("join", waiting=s.waiting_before_join)
        self.product("seats", users=s.users)
        self.product("charge", users=s.users)
        self.product("hold", users=s.users, shows=s.hold_shows)
        self.product("pay", users=s.pay_users)

    def redis(self):
        s = self.setup
        folder = proc.folder(s.disk)
        server = redis.Redis(folder)
        try:
            server.fill(s.waiting)
            self.note("redisZrank", server.zrank(s.connections, s.redis_requests, s.waiting))
            self.note("redisZadd", server.zadd(s.connections, s.redis_requests // 2))
        finally:
            server.stop()
            proc.drop(folder)

    def postgres(self):
        s = self.setup
        folder = proc.folder(s.disk)
        server = postgres.Postgres(folder, s.connections, s.pg_each)
        try:
            for name, script in (("pgHold", "hold"), ("pgCharge", "charge"), ("pgPay", "pay")):
                self.note(name, server.bench(script, s.seconds + s.pg_connect, s.pg_warmup, s.pg_transactions))
            shared.Shared(s, server, self.note).run()
        finally:
            server.stop()
            proc.drop(folder)

    def run(self, with_redis, with_postgres):
        for number in range(self.setup.rounds):
            self.say(f"round {number + 1} of {self.setup.rounds}")
            self.constants()
            self.all_of_jari()
            if with_redis:
                self.redis()
            if with_postgres:
                self.postgres()
        measured = {name: median_of(rounds) for name, rounds in self.rounds.items()}
        out = {"measured": measured, "ratios": ratios(self.rounds)}
        if with_postgres:
            out["shared"] = shared.ratios(self.rounds, ratio)
        return out


def ratio(rounds, name, other):
    """The median over the rounds of the ratio within each: both were measured close together."""
    if name not in rounds or other not in rounds:
        return None
    each = [a["perSecond"] / b["perSecond"] for a, b in zip(rounds[name], rounds[other]) if b["perSecond"]]
    return round(statistics.median(each), 3) if each else None


def ratios(rounds):
    out = {}
    for name, (least_constant, least_peer) in TARGETS.items():
        row = {"constant": ratio(rounds, name, CONSTANT[name]), "constantTarget": least_constant}
        if least_peer is not None:
            row.update(peerName=PEERS[name], peer=ratio(rounds, name, PEERS[name]), peerTarget=least_peer)
        out[name] = row
    return out
