-- The first schema. Words and enum values are those of src/core/types.h; instants are milliseconds since 1970 in UTC and 0 where
-- there is none, amounts are won, ids are 0 where there is none. The constraints guard the invariants I1 to I10 of
-- docs/ARCHITECTURE.md once more; the rules themselves live in src/core.
--
-- Every table that grows is keyed by what it could be distributed by: queue, show, user. References between growing tables are not
-- declared, since looking each one up costs a batch more than it gives: the rules keep them, and `jari audit` checks them.
-- WITHOUT ROWID where rows come in key order or are only updated; a table with a rowid where they come in another order, so that
-- inserting always appends. Conditions have no IN with more than two values: SQLite builds a table for such a list, at each statement anew.

CREATE TABLE meta (
	name  TEXT NOT NULL PRIMARY KEY,
	value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
-- The latest instant that a committed batch was decided at.
INSERT INTO meta (name, value) VALUES ('clock', 0);

CREATE TABLE user (
	user_id    INTEGER PRIMARY KEY CHECK (user_id >= 1),
	name       TEXT NOT NULL UNIQUE CHECK (name <> ''),
	balance    INTEGER NOT NULL CHECK (balance BETWEEN 0 AND 1000000000000), -- I3
	created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE queue (
	queue_id        INTEGER PRIMARY KEY CHECK (queue_id >= 1),
	name            TEXT NOT NULL UNIQUE CHECK (name <> ''),
	capacity        INTEGER NOT NULL CHECK (capacity >= 0),
	ceiling         INTEGER NOT NULL CHECK (ceiling >= capacity),
	rate_per_second INTEGER NOT NULL CHECK (rate_per_second >= 0),
	rate_free_at_us INTEGER NOT NULL,
	paused          INTEGER NOT NULL CHECK (paused IN (0, 1)),
	last_number     INTEGER NOT NULL CHECK (last_number >= 0), -- I5
	waiting         INTEGER NOT NULL CHECK (waiting >= 0),
	active          INTEGER NOT NULL CHECK (active BETWEEN 0 AND ceiling), -- I6
	admitted        INTEGER NOT NULL CHECK (admitted BETWEEN 0 AND last_number),
	passed          INTEGER NOT NULL CHECK (passed >= 0)
) STRICT;

-- status: 1 WAITING, 2 ACTIVE, 3 EXPIRED, 4 PASSED (waits, but is passed over until it is heard from). reason: 0 none, 1 PAID, 2 TIMED_OUT, 3 LEFT, 4 ABANDONED.
CREATE TABLE ticket (
	queue_id    INTEGER NOT NULL,
	number      INTEGER NOT NULL CHECK (number >= 1), -- I5
	user_id     INTEGER NOT NULL,
	status      INTEGER NOT NULL CHECK (status BETWEEN 1 AND 4),
	reason      INTEGER NOT NULL CHECK (reason BETWEEN 0 AND 4),
	issued_at   INTEGER NOT NULL,
	admitted_at INTEGER NOT NULL,
	expires_at  INTEGER NOT NULL,
	ended_at    INTEGER NOT NULL,
	returned_at INTEGER NOT NULL,
	PRIMARY KEY (queue_id, number),
	CHECK ((status = 3) = (reason <> 0) AND (status = 3) = (ended_at <> 0)),
	CHECK ((status NOT IN (1, 4) OR admitted_at = 0) AND (status <> 2 OR admitted_at > 0) AND (status <> 4 OR expires_at > 0))
) STRICT, WITHOUT ROWID;
-- I5: one live ticket a user and queue.
CREATE UNIQUE INDEX ticket_live ON ticket (queue_id, user_id) WHERE status <> 3;
CREATE INDEX ticket_line ON ticket (queue_id, number) WHERE status = 1;
CREATE INDEX ticket_due ON ticket (expires_at, queue_id, number) WHERE status IN (2, 4);

CREATE TABLE concert (
	concert_id    INTEGER PRIMARY KEY CHECK (concert_id >= 1),
	queue_id      INTEGER NOT NULL,
	title         TEXT NOT NULL,
	artist        TEXT NOT NULL,
	venue         TEXT NOT NULL,
	sales_open_at INTEGER NOT NULL
) STRICT;

CREATE TABLE show (
	show_id     INTEGER PRIMARY KEY CHECK (show_id >= 1),
	concert_id  INTEGER NOT NULL,
	starts_at   INTEGER NOT NULL,
	date        INTEGER NOT NULL, -- yyyymmdd, local to the venue
	total_seats INTEGER NOT NULL CHECK (total_seats >= 0),
	version     INTEGER NOT NULL
) STRICT;
CREATE INDEX show_on ON show (concert_id, date, starts_at, show_id);

-- status: 0 FREE, 1 HELD, 2 SOLD. I1: a seat is one row, and names at most one reservation.
CREATE TABLE seat (
	show_id        INTEGER NOT NULL,
	seat_number    INTEGER NOT NULL CHECK (seat_number >= 1),
	section        TEXT NOT NULL,
	price          INTEGER NOT NULL CHECK (price >= 0),
	status         INTEGER NOT NULL CHECK (status BETWEEN 0 AND 2),
	reservation_id INTEGER NOT NULL,
	user_id        INTEGER NOT NULL,
	held_until     INTEGER NOT NULL,
	PRIMARY KEY (show_id, seat_number),
	CHECK (CASE status WHEN 0 THEN reservation_id = 0 AND user_id = 0 AND held_until = 0
	                   WHEN 1 THEN reservation_id > 0 AND user_id > 0 AND held_until > 0
	                   ELSE reservation_id > 0 AND user_id > 0 AND held_until = 0 END)
) STRICT, WITHOUT ROWID;
CREATE INDEX seat_user ON seat (show_id, user_id, seat_number) WHERE user_id <> 0;

-- status: 1 HELD, 2 PAID, 3 EXPIRED, 4 CANCELLED, 5 REFUNDED. seats: the seat numbers, ascending, as a JSON array.
CREATE TABLE reservation (
	reservation_id INTEGER PRIMARY KEY CHECK (reservation_id >= 1),
	user_id        INTEGER NOT NULL,
	concert_id     INTEGER NOT NULL,
	show_id        INTEGER NOT NULL,
	queue_id       INTEGER NOT NULL,
	ticket_number  INTEGER NOT NULL,
	date           INTEGER NOT NULL,
	total_price    INTEGER NOT NULL CHECK (total_price >= 0),
	status         INTEGER NOT NULL CHECK (status BETWEEN 1 AND 5),
	held_until     INTEGER NOT NULL,
	created_at     INTEGER NOT NULL,
	paid_at        INTEGER NOT NULL,
	payment_id     INTEGER NOT NULL,
	seats          TEXT NOT NULL CHECK (seats <> '[]'),
	CHECK ((status IN (2, 5)) = (paid_at > 0) AND (status IN (2, 5)) = (payment_id > 0))
) STRICT;
CREATE INDEX reservation_due ON reservation (held_until, reservation_id) WHERE status = 1;
CREATE INDEX reservation_user ON reservation (user_id, reservation_id);
CREATE INDEX reservation_concert ON reservation (concert_id, reservation_id);

-- I3: one entry moves `amount` from the debited to the credited account. type: 1 CHARGE, 2 PAYMENT, 3 REFUND.
-- Accounts: kind 0 money outside (id 0), 1 a user's wallet, 2 a concert's revenue.
CREATE TABLE ledger (
	entry_id       INTEGER PRIMARY KEY CHECK (entry_id >= 1),
	user_id        INTEGER NOT NULL CHECK (user_id >= 1),
	type           INTEGER NOT NULL CHECK (type BETWEEN 1 AND 3),
	debit_kind     INTEGER NOT NULL,
	debit_id       INTEGER NOT NULL,
	credit_kind    INTEGER NOT NULL,
	credit_id      INTEGER NOT NULL,
	amount         INTEGER NOT NULL CHECK (amount >= 0),
	balance_after  INTEGER NOT NULL CHECK (balance_after BETWEEN 0 AND 1000000000000),
	reservation_id INTEGER NOT NULL,
	created_at     INTEGER NOT NULL,
	UNIQUE (user_id, entry_id),
	CHECK (CASE type WHEN 1 THEN debit_kind = 0 AND debit_id = 0 AND credit_kind = 1 AND credit_id = user_id AND reservation_id = 0
	                 WHEN 2 THEN debit_kind = 1 AND debit_id = user_id AND credit_kind = 2 AND credit_id > 0 AND reservation_id <> 0
	                 ELSE debit_kind = 2 AND debit_id > 0 AND credit_kind = 1 AND credit_id = user_id AND reservation_id <> 0 END)
) STRICT;
CREATE TRIGGER ledger_keeps_rows BEFORE DELETE ON ledger BEGIN SELECT raise(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER ledger_keeps_values BEFORE UPDATE ON ledger BEGIN SELECT raise(ABORT, 'the ledger is append-only'); END;

-- I8: the answer that a user's idempotency key has had.
CREATE TABLE idempotency (
	user_id    INTEGER NOT NULL,
	key        TEXT NOT NULL CHECK (key <> ''),
	digest     BLOB NOT NULL CHECK (length(digest) = 32),
	status     INTEGER NOT NULL CHECK (status BETWEEN 200 AND 299),
	body       TEXT NOT NULL,
	created_at INTEGER NOT NULL,
	PRIMARY KEY (user_id, key)
) STRICT;
CREATE INDEX idempotency_due ON idempotency (created_at);

CREATE TABLE audit_log (
	audit_id   INTEGER PRIMARY KEY CHECK (audit_id >= 1),
	created_at INTEGER NOT NULL,
	actor      TEXT NOT NULL,
	action     TEXT NOT NULL,
	target     TEXT NOT NULL,
	detail     TEXT NOT NULL
) STRICT;
CREATE TRIGGER audit_log_keeps_rows BEFORE DELETE ON audit_log BEGIN SELECT raise(ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER audit_log_keeps_values BEFORE UPDATE ON audit_log BEGIN SELECT raise(ABORT, 'the audit log is append-only'); END;
