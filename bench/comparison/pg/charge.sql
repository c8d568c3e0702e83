\set user random(1, :users)
BEGIN;
SELECT balance FROM users WHERE id = :user FOR UPDATE \gset
\set after :balance + 1000
UPDATE users SET balance = :after WHERE id = :user;
INSERT INTO ledger (user_id, type, amount, balance_after, created_at) VALUES (:user, 1, 1000, :after, now());
COMMIT;
