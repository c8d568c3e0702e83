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
    db.execute("INSERT INTO queue VALUES (?, ?, 1, 1, 0, 0, 0, ?, 0, 0, ?)", (queue, f"past-{queue}", rows, rows))
    db.execute("INSERT INTO concert VALUES (?, ?, 'The past', 'nobody', 'nowhere', 0)", (concert, queue))
    db.execute("INSERT INTO show VALUES (?, ?, ?, 20200101, 1, 1)", (show, concert, past + DAY_MS))
    db.execute("INSERT INTO seat VALUES (?, 1, 'A', 1000, 0, 0, 0, 0)", (show,))
    db.execute(f"""WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {users})
        INSERT INTO user SELECT {first_user} + i, 'past-{queue}-' || i, 1000 * ({rows} / {users} + (i <= {rows} % {users})), {past} FROM n""")
    db.execute("COMMIT")
    for start in range(0, rows, STEP):
        end = min(start + STEP, rows)
        # row k is of user (k - 1) % users
        numbers = f"WITH RECURSIVE n(k) AS (SELECT {start} + 1 UNION ALL SELECT k + 1 FROM n WHERE k < {end})"
        user = f"{first_user} + (k - 1) % {users} + 1"
        db.execute("BEGIN")
        db.execute(f"{numbers} INSERT INTO ticket SELECT {queue}, k, {user}, 3, 2, {past}, {past}, {past} + 600000, {past} + 600000 FROM n")
        db.execute(f"{numbers} INSERT INTO reservation SELECT {first_reservation} + k, {user}, {concert}, {show}, {queue}, k, 20200101, 1000, 3, "
                   f"{past} + 300000, {past}, 0, 0, '[1]' FROM n")
        db.execute(f"{numbers} INSERT INTO ledger SELECT {first_entry} + k, {user}, 1, 0, 0, 1, {user}, 1000, "
                   f"1000 * ((k - 1) / {users} + 1), 0, {past} FROM n")
        db.execute("COMMIT")
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()


if __name__ == "__main__":
    if len(sys.argv) != 3 or not sys.argv[2].isdigit():
        sys.exit(__doc__)
    fill(sys.argv[1], int(sys.argv[2]))
