-- Stand-ins for the functions of Citus that docs/scaling/citus.sql calls. They distribute nothing: they refuse what Citus's documentation says that
-- it refuses, by the catalog of the tables as they are. To be run where the schema is `jari`.

CREATE SCHEMA rules;
CREATE TABLE rules.spread (
	rel        regclass PRIMARY KEY,
	how        text NOT NULL CHECK (how IN ('local', 'reference', 'distributed')),
	by_column  int2,
	type       oid,
	together   text -- whose rows lie on the same node for the same value
);

CREATE FUNCTION jari.citus_add_local_table_to_metadata(rel regclass) RETURNS void LANGUAGE sql AS
$$ INSERT INTO rules.spread VALUES (rel, 'local', NULL, NULL, NULL) $$;

CREATE FUNCTION rules.check_triggers(rel regclass) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	IF EXISTS (SELECT 1 FROM pg_trigger WHERE tgrelid = rel AND NOT tgisinternal)
		AND coalesce(current_setting('citus.enable_unsafe_triggers', true), 'off') <> 'on' THEN
		RAISE EXCEPTION '% has triggers, and citus.enable_unsafe_triggers is off', rel;
	END IF;
END $$;

CREATE FUNCTION jari.create_reference_table(rel regclass) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	PERFORM rules.check_triggers(rel);
	INSERT INTO rules.spread VALUES (rel, 'reference', NULL, NULL, NULL);
END $$;

CREATE FUNCTION jari.create_distributed_table(rel regclass, by_column text, colocate_with text DEFAULT 'default') RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	col  pg_attribute;
	bad  text;
	with_ rules.spread;
BEGIN
	SELECT * INTO col FROM pg_attribute WHERE attrelid = rel AND attname = by_column AND attnum > 0 AND NOT attisdropped;
	IF NOT FOUND THEN
		RAISE EXCEPTION '% has no column %', rel, by_column;
	END IF;
	IF NOT col.attnotnull OR col.attgenerated <> '' THEN
		RAISE EXCEPTION '% of % may be NULL or is computed', by_column, rel;
	END IF;
	-- Primary keys, UNIQUE and unique indexes alike; an expression is 0 in indkey.
	SELECT string_agg(indexrelid::regclass::text, ', ') INTO bad FROM pg_index
		WHERE indrelid = rel AND (indisunique OR indisexclusion) AND NOT col.attnum = ANY (indkey[0:indnkeyatts - 1]);
	IF bad IS NOT NULL THEN
		RAISE EXCEPTION '%: % does not contain %', rel, bad, by_column;
	END IF;
	PERFORM rules.check_triggers(rel);
	IF colocate_with = 'default' THEN
		RAISE EXCEPTION '%: say what it lies together with, or ''none''', rel;
	ELSIF colocate_with <> 'none' THEN
		SELECT * INTO with_ FROM rules.spread AS s WHERE s.rel = colocate_with::regclass;
		IF with_.how IS DISTINCT FROM 'distributed' OR with_.type <> col.atttypid THEN
			RAISE EXCEPTION '% cannot lie together with %', rel, colocate_with;
		END IF;
	END IF;
	INSERT INTO rules.spread VALUES (rel, 'distributed', col.attnum, col.atttypid, coalesce(with_.together, rel::text));
END $$;

-- What can only be said when all have been called: a line for each table that was forgotten, and each foreign key that Citus would not take.
CREATE FUNCTION rules.broken() RETURNS SETOF text LANGUAGE sql AS $$
	SELECT format('%s is not named', c.oid::regclass) FROM pg_class AS c
		WHERE c.relnamespace = 'jari'::regnamespace AND c.relkind IN ('r', 'p') AND c.oid NOT IN (SELECT rel FROM rules.spread)
	UNION ALL
	SELECT format('foreign key %s of %s', f.conname, f.conrelid::regclass) FROM pg_constraint AS f
		LEFT JOIN rules.spread AS a ON a.rel = f.conrelid LEFT JOIN rules.spread AS b ON b.rel = f.confrelid
		WHERE f.contype = 'f' AND (a.rel IS NOT NULL OR b.rel IS NOT NULL) AND NOT coalesce(CASE
			WHEN b.how = 'reference' THEN true
			WHEN a.how = 'local' THEN b.how = 'local'
			WHEN a.how = 'distributed' AND b.how = 'distributed' THEN a.together = b.together
				AND EXISTS (SELECT 1 FROM unnest(f.conkey, f.confkey) AS k(x, y) WHERE k.x = a.by_column AND k.y = b.by_column)
			ELSE false END, false)
$$;
