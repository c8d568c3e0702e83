-- A wallet's entries are a chain: the user has the newest, each entry the one before it, 0 where there is none. So an entry is written at the end of
-- the ledger alone; the index by user that was there changed a page at random with each entry (docs/decisions/0015-a-wallets-chain.md).
ALTER TABLE user ADD COLUMN last_entry INTEGER NOT NULL DEFAULT 0 CHECK (last_entry >= 0);
CREATE TABLE ledger_chained (
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
	previous       INTEGER NOT NULL CHECK (previous BETWEEN 0 AND entry_id - 1),
	CHECK (CASE type WHEN 1 THEN debit_kind = 0 AND debit_id = 0 AND credit_kind = 1 AND credit_id = user_id AND reservation_id = 0
	                 WHEN 2 THEN debit_kind = 1 AND debit_id = user_id AND credit_kind = 2 AND credit_id > 0 AND reservation_id <> 0
	                 ELSE debit_kind = 2 AND debit_id > 0 AND credit_kind = 1 AND credit_id = user_id AND reservation_id <> 0 END)
) STRICT;
INSERT INTO ledger_chained
	SELECT entry_id, user_id, type, debit_kind, debit_id, credit_kind, credit_id, amount, balance_after, reservation_id, created_at,
	       lag(entry_id, 1, 0) OVER (PARTITION BY user_id ORDER BY entry_id)
	FROM ledger ORDER BY entry_id;
UPDATE user SET last_entry = e.newest FROM (SELECT user_id, max(entry_id) AS newest FROM ledger GROUP BY user_id) AS e WHERE e.user_id = user.user_id;
DROP TABLE ledger;
ALTER TABLE ledger_chained RENAME TO ledger;
CREATE TRIGGER ledger_keeps_rows BEFORE DELETE ON ledger BEGIN SELECT raise(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER ledger_keeps_values BEFORE UPDATE ON ledger BEGIN SELECT raise(ABORT, 'the ledger is append-only'); END;
