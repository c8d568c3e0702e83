/* opening.c: see opening.h. */
#include "store/opening.h"

#include <stdarg.h>
#include <stdio.h>

int64_t store_migration_number(const struct embedded_file *file)
{
	int64_t number = 0;
	for (const char *p = file->name; *p >= '0' && *p <= '9'; p++)
		number = number * 10 + (*p - '0');
	return number;
}

int64_t store_newest_migration(const struct embedded_file *files, size_t n)
{
	return n ? store_migration_number(&files[n - 1]) : 0;
}

enum store_result store_refuse(enum store_result result, char *error, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	if (error)
		(void)vsnprintf(error, STORE_ERROR_SIZE, format, args);
	va_end(args);
	return result;
}
