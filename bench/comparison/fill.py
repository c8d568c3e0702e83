"""Fills a SQLite store with the past: tickets that have ended, reservations that have lapsed, charges in the ledger.

Use: python3 -m comparison.fill STORE ROWS     with the server stopped; the schema must be there (jari import made it)

Every invariant holds afterwards (`jari audit`): the tickets are numbered on in a queue of their own, each wallet is the sum of its charges."""
import sqlite3
import sys
import time

DAY_MS = 86_400_000
STEP = 500_000
USERS = 100_000


def one(db, sql, *values):
    return db.execute(sql, values).fetchone()[0]


def insert(db, table, source="", **values):
    """Inserts what the SQL expressions say, one row, or one for each row of `source`; columns that are not named get 0."""
    columns = [row[1] for row in db.execute(f"PRAGMA table_info({table})")]
    unknown = set(values) - set(columns)
    if unknown:
        raise ValueError(f"{table} has no {', '.join(sorted(unknown))}")
    with_source, _, name = source.rpartition("@")
    db.execute(f"{with_source} INSERT INTO {table} ({', '.join(columns)}) "
               f"SELECT {', '.join(str(values.get(c, 0)) for c in columns)} {'FROM ' + name if name else ''}")


def numbers(first, last):
    """A source of rows with k from first to last."""
    return f"WITH RECURSIVE n(k) AS (SELECT {first} UNION ALL SELECT k + 1 FROM n WHERE k < {last})@n"


def fill(path, rows):
    db = sqlite3.connect(path, isolation_level=None)
    db.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-200000; PRAGMA temp_store=MEMORY;")
    users = min(USERS, rows)
    past = int(time.time() * 1000) - 40 * DAY_MS
    first_user = one(db, "SELECT coalesce(max(user_id), 0) FROM user")
    first_reservation = one(db, "SELECT coalesce(max(reservation_id), 0) FROM reservation")
    first_entry = one(db, "SELECT coalesce(max(entry_id), 0) FROM ledger")
    queue = one(db, "SELECT max(queue_id) + 1 FROM queue")
    concert = one(db, "SELECT coalesce(max(concert_id), 0) + 1 FROM concert")
    show = one(db, "SELECT coalesce(max(show_id), 0) + 1 FROM show")
    db.execute("BEGIN")
    insert(db, "queue", queue_id=queue, name=f"'past-{queue}'", capacity=1, ceiling=1, last_number=rows, admitted=rows)
    insert(db, "concert", concert_id=concert, queue_id=queue, title="'The past'", artist="'nobody'", venue="'nowhere'")
    insert(db, "show", show_id=show, concert_id=concert, starts_at=past + DAY_MS, date=20200101, total_seats=1, version=1)
    insert(db, "seat", show_id=show, seat_number=1, section="'A'", price=1000)
    insert(db, "user", numbers(1, users), user_id=f"{first_user} + k", name=f"'past-{queue}-' || k",
           balance=f"1000 * ({rows} / {users} + (k <= {rows} % {users}))", created_at=past,
           last_entry=f"{first_entry} + k + {users} * (({rows} - k) / {users})")
    db.execute("COMMIT")
    user = f"{first_user} + (k - 1) % {users} + 1"  # row k is of this one
    for start in range(0, rows, STEP):
        source = numbers(start + 1, min(start + STEP, rows))
        db.execute("BEGIN")
        insert(db, "ticket", source, queue_id=queue, number="k", user_id=user, status=3, reason=2, issued_at=past, admitted_at=past,
               expires_at=past + 600_000, ended_at=past + 600_000)
        insert(db, "reservation", source, reservation_id=f"{first_reservation} + k", user_id=user, concert_id=concert, show_id=show, queue_id=queue,
               ticket_number="k", date=20200101, total_price=1000, status=3, held_until=past + 300_000, created_at=past, seats="'[1]'")
        insert(db, "ledger", source, entry_id=f"{first_entry} + k", user_id=user, type=1, credit_kind=1, credit_id=user, amount=1000,
               balance_after=f"1000 * ((k - 1) / {users} + 1)", created_at=past, previous=f"iif(k > {users}, {first_entry} + k - {users}, 0)")
        db.execute("COMMIT")
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()


if __name__ == "__main__":
    if len(sys.argv) != 3 or not sys.argv[2].isdigit():
        sys.exit(__doc__)
    fill(sys.argv[1], int(sys.argv[2]))
