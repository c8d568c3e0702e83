-- How Jari's tables (src/store/migrations_pg/0001_first.sql) are spread over the nodes of a Citus cluster: see docs/scaling.md, "Sharding".
-- To be run on the coordinator by the tables' owner, after `jari migrate` and before there is anything in them. Citus has not been there to run it;
-- tests/store/test_sharding.c holds it against the real catalog.
SET search_path = jari;

-- Small, and locked or written by every batch: on the coordinator, where one statement may lock several rows.
SELECT citus_add_local_table_to_metadata('meta');
SELECT citus_add_local_table_to_metadata('queue');
SELECT citus_add_local_table_to_metadata('batch');
SELECT citus_add_local_table_to_metadata('heard');
SELECT citus_add_local_table_to_metadata('audit_log');

-- Small, written by organisers alone, and joined with: on every node.
SELECT create_reference_table('concert');

-- What a wallet is: a user's balance, entries and kept answers lie together. The ledger's guards only raise an error, so it is no matter on which
-- node they do.
SET citus.enable_unsafe_triggers = on;
SELECT create_distributed_table('users', 'user_id', colocate_with => 'none');
SELECT create_distributed_table('ledger', 'user_id', colocate_with => 'users');
SELECT create_distributed_table('idempotency', 'user_id', colocate_with => 'users');
SELECT create_distributed_table('user_name', 'name', colocate_with => 'none');

-- The line: the tickets of a queue lie together.
SELECT create_distributed_table('ticket', 'queue_id', colocate_with => 'none');

-- The hall: a show and its seats lie together.
SELECT create_distributed_table('show', 'show_id', colocate_with => 'none');
SELECT create_distributed_table('seat', 'show_id', colocate_with => 'show');

SELECT create_distributed_table('reservation', 'reservation_id', colocate_with => 'none');
