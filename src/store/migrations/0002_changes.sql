-- What an organiser changes of a concert or a show: when, and whether a show takes no new holds. changed_at is 0 where nothing was changed; what the
-- row says was the rule for reservations made after it.
ALTER TABLE concert ADD COLUMN changed_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE show ADD COLUMN changed_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE show ADD COLUMN closed INTEGER NOT NULL DEFAULT 0 CHECK (closed IN (0, 1));
