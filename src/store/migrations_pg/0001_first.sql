-- The first schema. Words and enum values are those of src/core/types.h; instants are milliseconds since 1970 in UTC and 0 where
-- there is none, amounts are won, ids are 0 where there is none. The constraints guard the invariants I1 to I10 of
-- docs/ARCHITECTURE.md once more; the rules themselves live in src/core.
--
-- Every table that grows is keyed by what it can be distributed by: ticket by queue, seat by show, users, ledger and idempotency by user,
-- user_name by name, reservation by its own id (docs/scaling/citus.sql). Every unique key of such a table contains that column. References between growing tables are
-- not declared, since looking each one up costs a batch more than it gives: the rules keep them, and `jari audit` checks them.
--
-- decided_at: the latest instant that a batch which changed this row was decided at. Whoever locks the row decides no earlier (I2, I5).

CREATE TABLE meta (
	name  text NOT NULL PRIMARY KEY,
	value bigint NOT NULL
);
-- clock: the latest instant of the batches whose rows are gone from `batch`. feed_floor: the highest transaction among them.
INSERT INTO meta (name, value) VALUES ('schema', 0), ('clock', 0), ('feed_floor', 0);

CREATE TABLE users (
	user_id    bigint PRIMARY KEY CHECK (user_id >= 1),
	name       text NOT NULL CHECK (name <> ''),
	balance    bigint NOT NULL CHECK (balance BETWEEN 0 AND 1000000000000), -- I3
	created_at bigint NOT NULL,
	decided_at bigint NOT NULL
) WITH (fillfactor = 80);
-- A name has one user. A table of its own, since users may be distributed by user_id and a unique key must contain that.
CREATE TABLE user_name (
	name    text COLLATE "C" NOT NULL PRIMARY KEY,
	user_id bigint NOT NULL
);

CREATE TABLE queue (
	queue_id        bigint PRIMARY KEY CHECK (queue_id >= 1),
	name            text COLLATE "C" NOT NULL UNIQUE CHECK (name <> ''),
	capacity        bigint NOT NULL CHECK (capacity >= 0),
	ceiling         bigint NOT NULL CHECK (ceiling >= capacity),
	rate_per_second bigint NOT NULL CHECK (rate_per_second >= 0),
	rate_free_at_us bigint NOT NULL,
	paused          smallint NOT NULL CHECK (paused IN (0, 1)),
	last_number     bigint NOT NULL CHECK (last_number >= 0), -- I5
	waiting         bigint NOT NULL CHECK (waiting >= 0),
	active          bigint NOT NULL CHECK (active BETWEEN 0 AND ceiling), -- I6
	admitted        bigint NOT NULL CHECK (admitted BETWEEN 0 AND last_number),
	passed          bigint NOT NULL CHECK (passed >= 0),
	decided_at      bigint NOT NULL
) WITH (fillfactor = 20);

-- status: 1 WAITING, 2 ACTIVE, 3 EXPIRED, 4 PASSED (waits, but is passed over until it is heard from). reason: 0 none, 1 PAID, 2 TIMED_OUT,
-- 3 LEFT, 4 ABANDONED.
CREATE TABLE ticket (
	queue_id    bigint NOT NULL,
	number      bigint NOT NULL CHECK (number >= 1), -- I5
	user_id     bigint NOT NULL,
	issued_at   bigint NOT NULL,
	admitted_at bigint NOT NULL,
	expires_at  bigint NOT NULL,
	ended_at    bigint NOT NULL,
	returned_at bigint NOT NULL,
	status      smallint NOT NULL CHECK (status IN (1, 2, 3, 4)),
	reason      smallint NOT NULL CHECK (reason BETWEEN 0 AND 4),
	PRIMARY KEY (queue_id, number),
	CHECK ((status = 3) = (reason <> 0) AND (status = 3) = (ended_at <> 0)),
	CHECK ((status NOT IN (1, 4) OR admitted_at = 0) AND (status <> 2 OR admitted_at > 0) AND (status <> 4 OR expires_at > 0))
);
-- I5: one live ticket a user and queue.
CREATE UNIQUE INDEX ticket_live ON ticket (queue_id, user_id) WHERE status <> 3;
CREATE INDEX ticket_line ON ticket (queue_id, number) WHERE status = 1;
CREATE INDEX ticket_due ON ticket (expires_at, queue_id, number) WHERE status IN (2, 4);

CREATE TABLE concert (
	concert_id    bigint PRIMARY KEY CHECK (concert_id >= 1),
	queue_id      bigint NOT NULL,
	title         text NOT NULL,
	artist        text NOT NULL,
	venue         text NOT NULL,
	sales_open_at bigint NOT NULL
);

CREATE TABLE show (
	show_id     bigint PRIMARY KEY CHECK (show_id >= 1),
	concert_id  bigint NOT NULL,
	starts_at   bigint NOT NULL,
	date        integer NOT NULL, -- yyyymmdd, local to the venue
	total_seats bigint NOT NULL CHECK (total_seats >= 0),
	version     bigint NOT NULL,
	decided_at  bigint NOT NULL
) WITH (fillfactor = 50);
CREATE INDEX show_on ON show (concert_id, date, starts_at, show_id);

-- status: 0 FREE, 1 HELD, 2 SOLD. I1: a seat is one row, and names at most one reservation.
CREATE TABLE seat (
	show_id        bigint NOT NULL,
	seat_number    bigint NOT NULL CHECK (seat_number >= 1),
	price          bigint NOT NULL CHECK (price >= 0),
	reservation_id bigint NOT NULL,
	user_id        bigint NOT NULL,
	held_until     bigint NOT NULL,
	status         smallint NOT NULL CHECK (status IN (0, 1, 2)),
	section        text NOT NULL,
	PRIMARY KEY (show_id, seat_number),
	CHECK (CASE status WHEN 0 THEN reservation_id = 0 AND user_id = 0 AND held_until = 0
	                   WHEN 1 THEN reservation_id > 0 AND user_id > 0 AND held_until > 0
	                   ELSE reservation_id > 0 AND user_id > 0 AND held_until = 0 END)
);
CREATE INDEX seat_user ON seat (show_id, user_id, seat_number) WHERE user_id <> 0;

-- status: 1 HELD, 2 PAID, 3 EXPIRED, 4 CANCELLED, 5 REFUNDED. seats: the seat numbers, ascending.
CREATE TABLE reservation (
	reservation_id bigint PRIMARY KEY CHECK (reservation_id >= 1),
	user_id        bigint NOT NULL,
	concert_id     bigint NOT NULL,
	show_id        bigint NOT NULL,
	queue_id       bigint NOT NULL,
	ticket_number  bigint NOT NULL,
	total_price    bigint NOT NULL CHECK (total_price >= 0),
	held_until     bigint NOT NULL,
	created_at     bigint NOT NULL,
	paid_at        bigint NOT NULL,
	payment_id     bigint NOT NULL,
	date           integer NOT NULL,
	status         smallint NOT NULL CHECK (status IN (1, 2, 3, 4, 5)),
	seats          bigint[] NOT NULL CHECK (cardinality(seats) > 0),
	CHECK ((status IN (2, 5)) = (paid_at > 0) AND (status IN (2, 5)) = (payment_id > 0))
);
CREATE INDEX reservation_due ON reservation (held_until, reservation_id) WHERE status = 1;
CREATE INDEX reservation_user ON reservation (user_id, reservation_id);
CREATE INDEX reservation_concert ON reservation (concert_id, reservation_id);

-- I3: one entry moves `amount` from the debited to the credited account. type: 1 CHARGE, 2 PAYMENT, 3 REFUND.
-- Accounts: kind 0 money outside (id 0), 1 a user's wallet, 2 a concert's revenue.
CREATE TABLE ledger (
	user_id        bigint NOT NULL CHECK (user_id >= 1),
	entry_id       bigint NOT NULL CHECK (entry_id >= 1),
	debit_id       bigint NOT NULL,
	credit_id      bigint NOT NULL,
	amount         bigint NOT NULL CHECK (amount >= 0),
	balance_after  bigint NOT NULL CHECK (balance_after BETWEEN 0 AND 1000000000000),
	reservation_id bigint NOT NULL,
	created_at     bigint NOT NULL,
	type           smallint NOT NULL CHECK (type IN (1, 2, 3)),
	debit_kind     smallint NOT NULL,
	credit_kind    smallint NOT NULL,
	PRIMARY KEY (user_id, entry_id),
	CHECK (CASE type WHEN 1 THEN debit_kind = 0 AND debit_id = 0 AND credit_kind = 1 AND credit_id = user_id AND reservation_id = 0
	                 WHEN 2 THEN debit_kind = 1 AND debit_id = user_id AND credit_kind = 2 AND credit_id > 0 AND reservation_id <> 0
	                 ELSE debit_kind = 2 AND debit_id > 0 AND credit_kind = 1 AND credit_id = user_id AND reservation_id <> 0 END)
);

-- I8: the answer that a user's idempotency key has had.
CREATE TABLE idempotency (
	user_id    bigint NOT NULL,
	created_at bigint NOT NULL,
	status     smallint NOT NULL CHECK (status BETWEEN 200 AND 299),
	key        text COLLATE "C" NOT NULL CHECK (key <> ''),
	digest     bytea NOT NULL CHECK (length(digest) = 32),
	body       text NOT NULL,
	PRIMARY KEY (user_id, key)
);
CREATE INDEX idempotency_due ON idempotency (created_at);

CREATE TABLE audit_log (
	audit_id   bigint PRIMARY KEY CHECK (audit_id >= 1),
	created_at bigint NOT NULL,
	actor      text NOT NULL,
	action     text NOT NULL,
	target     text NOT NULL,
	detail     text NOT NULL
);

CREATE FUNCTION append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER ledger_keeps BEFORE UPDATE OR DELETE ON ledger FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER ledger_keeps_all BEFORE TRUNCATE ON ledger FOR EACH STATEMENT EXECUTE FUNCTION append_only();
CREATE TRIGGER audit_log_keeps BEFORE UPDATE OR DELETE ON audit_log FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER audit_log_keeps_all BEFORE TRUNCATE ON audit_log FOR EACH STATEMENT EXECUTE FUNCTION append_only();

-- One row a commit, kept for some minutes: whether a commit whose answer was lost has happened (batch_id), and which rows it changed, for the
-- other processes. New seats are not listed one by one: whole_shows has their shows.
CREATE TABLE batch (
	batch_id       uuid PRIMARY KEY,
	xid            xid8 NOT NULL DEFAULT pg_current_xact_id(),
	process        bigint NOT NULL,
	decided_at     bigint NOT NULL,
	committed_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
	users          bigint[] NOT NULL,
	queues         bigint[] NOT NULL,
	concerts       bigint[] NOT NULL,
	shows          bigint[] NOT NULL,
	whole_shows    bigint[] NOT NULL,
	reservations   bigint[] NOT NULL,
	seat_shows     bigint[] NOT NULL,
	seat_numbers   bigint[] NOT NULL,
	ticket_queues  bigint[] NOT NULL,
	ticket_numbers bigint[] NOT NULL
);
CREATE INDEX batch_xid ON batch (xid);

-- Who has been heard from at which process: bit i of bits is number first + i of the queue. Rewritten all the time and of use for a minute, so it is
-- not logged: after a crash it is empty.
CREATE UNLOGGED TABLE heard (
	heard_us bigint NOT NULL, -- microseconds since 1970, the database's clock
	process  bigint NOT NULL,
	queue_id bigint NOT NULL,
	first    bigint NOT NULL,
	bits     bytea NOT NULL
);
CREATE INDEX heard_since ON heard (heard_us);

-- Ids. The main queue is number 1.
CREATE SEQUENCE user_ids;
CREATE SEQUENCE reservation_ids;
CREATE SEQUENCE entry_ids;
CREATE SEQUENCE audit_ids;
CREATE SEQUENCE queue_ids START WITH 2;
CREATE SEQUENCE concert_ids;
CREATE SEQUENCE show_ids;

-- Sets aside n ids that follow each other, and returns the first. The lock is held for this call alone.
CREATE FUNCTION take_ids(ids regclass, n bigint) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	first bigint;
BEGIN
	PERFORM pg_advisory_lock(1784772201, ids::oid::integer);
	first := nextval(ids);
	IF n > 1 THEN
		PERFORM setval(ids, first + n - 1);
	END IF;
	PERFORM pg_advisory_unlock(1784772201, ids::oid::integer);
	RETURN first;
END $$;

-- Ends the transaction when an update or removal has not met every row as it was loaded.
CREATE FUNCTION expect_rows(met bigint, meant bigint, what text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	IF met <> meant THEN
		RAISE EXCEPTION '% of % rows of % are not as they were loaded', meant - met, meant, what USING ERRCODE = 'JR001';
	END IF;
END $$;
