-- The tables of a ticket shop as one writes them for a web framework. Each of pgbench's clients has seats, users and reservations of its own.
CREATE TABLE users (id bigint PRIMARY KEY, name text NOT NULL UNIQUE, balance bigint NOT NULL CHECK (balance >= 0));
CREATE TABLE tickets (id bigint PRIMARY KEY, user_id bigint NOT NULL, status smallint NOT NULL, expires_at timestamptz NOT NULL);
CREATE TABLE seats (show_id bigint, seat bigint, price bigint NOT NULL, status smallint NOT NULL, reservation_id bigint, user_id bigint, held_until timestamptz,
	PRIMARY KEY (show_id, seat));
CREATE TABLE reservations (id bigserial PRIMARY KEY, user_id bigint NOT NULL, show_id bigint NOT NULL, seat bigint NOT NULL, price bigint NOT NULL,
	status smallint NOT NULL, held_until timestamptz NOT NULL, created_at timestamptz NOT NULL, paid_at timestamptz);
CREATE TABLE ledger (id bigserial PRIMARY KEY, user_id bigint NOT NULL, type smallint NOT NULL, amount bigint NOT NULL, balance_after bigint NOT NULL,
	reservation_id bigint, created_at timestamptz NOT NULL);

INSERT INTO users SELECT i, 'user-' || i, 1000000000 FROM generate_series(1, :clients * 1000) i;
INSERT INTO tickets SELECT i, i, 2, now() + interval '1 day' FROM generate_series(1, :clients * 1000) i;
-- show 1: free seats to hold; show 2: held seats to pay
INSERT INTO seats SELECT 1, i, 1000, 0 FROM generate_series(1, :clients * :each) i;
INSERT INTO reservations (user_id, show_id, seat, price, status, held_until, created_at)
	SELECT ((i - 1) % (:clients * 1000)) + 1, 2, i, 1000, 1, now() + interval '1 day', now() FROM generate_series(1, :clients * :each) i;
INSERT INTO seats SELECT 2, seat, price, 1, id, user_id, held_until FROM reservations;
CREATE INDEX ON seats (show_id, user_id) WHERE user_id IS NOT NULL;
CREATE INDEX ON reservations (user_id);
CREATE INDEX ON ledger (user_id, id);
VACUUM ANALYZE;
