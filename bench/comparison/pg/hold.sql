\set n :n + 1
\set seat :client_id * :each + :n
\set user ((:seat - 1) / 4) % :users + 1
BEGIN;
SELECT status, expires_at FROM tickets WHERE id = :user;
SELECT price, status, held_until FROM seats WHERE show_id = 1 AND seat = :seat FOR UPDATE;
SELECT count(*) FROM seats WHERE show_id = 1 AND user_id = :user;
INSERT INTO reservations (user_id, show_id, seat, price, status, held_until, created_at)
	VALUES (:user, 1, :seat, 1000, 1, now() + interval '5 minutes', now()) RETURNING id \gset
UPDATE seats SET status = 1, reservation_id = :id, user_id = :user, held_until = now() + interval '5 minutes' WHERE show_id = 1 AND seat = :seat;
COMMIT;
