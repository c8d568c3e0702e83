\set n :n + 1
\set id :client_id * :each + :n
BEGIN;
SELECT user_id, seat, price, status, held_until FROM reservations WHERE id = :id FOR UPDATE \gset
SELECT balance FROM users WHERE id = :user_id FOR UPDATE \gset
\set after :balance - :price
\set minus -:price
UPDATE users SET balance = :after WHERE id = :user_id;
INSERT INTO ledger (user_id, type, amount, balance_after, reservation_id, created_at) VALUES (:user_id, 2, :minus, :after, :id, now());
UPDATE reservations SET status = 2, paid_at = now() WHERE id = :id;
UPDATE seats SET status = 2, held_until = NULL WHERE show_id = 2 AND seat = :seat;
UPDATE tickets SET status = 3 WHERE id = :user_id;
COMMIT;
