/* errors.c: the table of errors. See errors.h. */
#include "core/errors.h"

#include <assert.h>

struct code_row {
	const char *name, *title;
	int status;
};

static const struct code_row codes[CORE_CODE_COUNT] = {[CORE_OK] = {"OK", "Done", 200},
#define X(name_, status_, title_) [CORE_##name_] = {#name_, title_, status_},
                                                       CORE_CODES(X)
#undef X
};

const char *core_code_name(enum core_code code)
{
	assert(code < CORE_CODE_COUNT);
	return codes[code].name;
}

int core_code_status(enum core_code code)
{
	assert(code < CORE_CODE_COUNT);
	return codes[code].status;
}

const char *core_code_title(enum core_code code)
{
	assert(code < CORE_CODE_COUNT);
	return codes[code].title;
}
