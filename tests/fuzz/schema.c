#include "schema.h"

#include "fuzz.h"

struct check {
	json_t *document;
	bool nulls_are_absent;
};

static bool admits(const struct check *c, json_t *schema, json_t *value);

static struct text string(json_t *v)
{
	return (struct text){json_string_value(v), json_string_length(v)};
}

static bool is_of_type(const char *type, json_t *v)
{
	if (strcmp(type, "integer") == 0)
		return json_is_integer(v);
	if (strcmp(type, "string") == 0)
		return json_is_string(v);
	if (strcmp(type, "boolean") == 0)
		return json_is_boolean(v);
	if (strcmp(type, "object") == 0)
		return json_is_object(v);
	if (strcmp(type, "array") == 0)
		return json_is_array(v);
	EXPECT(strcmp(type, "null") == 0, "the type %s", type);
	return json_is_null(v);
}

static bool type(json_t *types, json_t *v)
{
	json_t *one;
	size_t i;

	if (json_is_string(types))
		return is_of_type(json_string_value(types), v);
	json_array_foreach(types, i, one)
	{
		if (is_of_type(json_string_value(one), v))
			return true;
	}
	return false;
}

static bool is_among(json_t *values, json_t *v)
{
	json_t *one;
	size_t i;

	json_array_foreach(values, i, one)
	{
		if (json_equal(one, v))
			return true;
	}
	return false;
}

static bool has_format(const char *format, json_t *v)
{
	int64_t at;
	int32_t day;

	if (!json_is_string(v))
		return true;
	if (strcmp(format, "date-time") == 0)
		return text_instant_parse(string(v), &at, NULL);
	if (strcmp(format, "date") == 0)
		return text_date_parse(string(v), &day);
	return strcmp(format, "uuid") != 0 || json_string_length(v) == 36;
}

static bool has_required(const struct check *c, json_t *names, json_t *v)
{
	json_t *name;
	size_t i;

	if (!json_is_object(v))
		return true;
	json_array_foreach(names, i, name)
	{
		json_t *member = json_object_get(v, json_string_value(name));

		if (member == NULL || (c->nulls_are_absent && json_is_null(member)))
			return false;
	}
	return true;
}

static bool has_properties(const struct check *c, json_t *schemas, json_t *v)
{
	const char *name;
	json_t *schema;

	json_object_foreach(schemas, name, schema)
	{
		json_t *member = json_object_get(v, name);

		if (member != NULL && !(c->nulls_are_absent && json_is_null(member)) && !admits(c, schema, member))
			return false;
	}
	return true;
}

static bool has_items(const struct check *c, json_t *schema, json_t *v)
{
	json_t *item;
	size_t i;

	json_array_foreach(v, i, item)
	{
		if (!admits(c, schema, item))
			return false;
	}
	return true;
}

static bool is_unique(json_t *v)
{
	for (size_t i = 0; i < json_array_size(v); i++)
		for (size_t j = 0; j < i; j++)
			if (json_equal(json_array_get(v, i), json_array_get(v, j)))
				return false;
	return true;
}

static size_t count_admitting(const struct check *c, json_t *schemas, json_t *v)
{
	json_t *schema;
	size_t i, n = 0;

	json_array_foreach(schemas, i, schema) n += admits(c, schema, v);
	return n;
}

static json_t *follow(json_t *document, const char *ref)
{
	struct text path = text_of(ref);

	EXPECT(text_equal(fuzz_until(&path, '/'), TEXT("#")), "the reference %s", ref);
	while (path.n > 0) {
		struct text step = fuzz_until(&path, '/');

		document = json_object_getn(document, step.p, step.n);
	}
	EXPECT(document != NULL, "nothing is at %s", ref);
	return document;
}

/* One keyword of a schema. */
static bool keyword(const struct check *c, const char *word, json_t *with, json_t *v)
{
	static const char *const silent[] = {"description", "default", "pattern", "minProperties", "title", "examples"};
	bool text = json_is_string(v), list = json_is_array(v), number = json_is_integer(v);
	int64_t chars = text ? text_utf8_chars(string(v)) : 0, n = json_integer_value(with);

	if (strcmp(word, "$ref") == 0)
		return admits(c, follow(c->document, json_string_value(with)), v);
	if (strcmp(word, "type") == 0)
		return type(with, v);
	if (strcmp(word, "enum") == 0)
		return is_among(with, v);
	if (strcmp(word, "const") == 0)
		return json_equal(with, v);
	if (strcmp(word, "format") == 0)
		return has_format(json_string_value(with), v);
	if (strcmp(word, "required") == 0)
		return has_required(c, with, v);
	if (strcmp(word, "properties") == 0)
		return has_properties(c, with, v);
	if (strcmp(word, "items") == 0)
		return has_items(c, with, v);
	if (strcmp(word, "uniqueItems") == 0)
		return is_unique(v);
	if (strcmp(word, "allOf") == 0)
		return count_admitting(c, with, v) == json_array_size(with);
	if (strcmp(word, "oneOf") == 0)
		return count_admitting(c, with, v) == 1;
	if (strcmp(word, "minimum") == 0)
		return !number || json_integer_value(v) >= n;
	if (strcmp(word, "maximum") == 0)
		return !number || json_integer_value(v) <= n;
	if (strcmp(word, "minLength") == 0)
		return !text || chars >= n;
	if (strcmp(word, "maxLength") == 0)
		return !text || chars <= n;
	if (strcmp(word, "minItems") == 0)
		return !list || (int64_t)json_array_size(v) >= n;
	if (strcmp(word, "maxItems") == 0)
		return !list || (int64_t)json_array_size(v) <= n;
	for (size_t i = 0; i < sizeof(silent) / sizeof(silent[0]); i++)
		if (strcmp(word, silent[i]) == 0)
			return true;
	EXPECT(false, "the schemas use the keyword %s", word);
}

static bool admits(const struct check *c, json_t *schema, json_t *value)
{
	const char *word;
	json_t *with;

	json_object_foreach(schema, word, with)
	{
		if (!keyword(c, word, with, value))
			return false;
	}
	return true;
}

bool schema_admits(json_t *document, json_t *schema, json_t *value, bool nulls_are_absent)
{
	const struct check c = {document, nulls_are_absent};

	return admits(&c, schema, value);
}
