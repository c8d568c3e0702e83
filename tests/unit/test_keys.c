/* test_keys.c: the key files: found, refused, made. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/text.h"
#include "cli/keys.h"
#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEX "00112233445566778899aabbccddeeffFFEEDDCCBBAA99887766554433221100"

struct place {
	char folder[256], store[300], file[400], log[400];
	int standard_error; /* the real one, while the log goes to a file */
};

static int make_place(void **state)
{
	struct place *p = calloc(1, sizeof(*p));
	const char *tmp = getenv("TMPDIR");

	if (p == NULL)
		return -1;
	(void)snprintf(p->folder, sizeof(p->folder), "%s/jari-keys-XXXXXX", tmp != NULL ? tmp : "/tmp");
	if (mkdtemp(p->folder) == NULL)
		return -1;
	(void)snprintf(p->store, sizeof(p->store), "%s/jari.db", p->folder);
	(void)snprintf(p->file, sizeof(p->file), "%s/key", p->folder);
	(void)snprintf(p->log, sizeof(p->log), "%s/log", p->folder);
	p->standard_error = dup(STDERR_FILENO);
	if (p->standard_error < 0 || freopen(p->log, "w", stderr) == NULL)
		return -1;
	*state = p;
	return 0;
}

static int remove_entry(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	(void)st;
	(void)kind;
	(void)ftw;
	return remove(path);
}

static int remove_place(void **state)
{
	struct place *p = *state;
	int gone;

	if (fflush(stderr) != 0 || dup2(p->standard_error, STDERR_FILENO) < 0 || close(p->standard_error) != 0)
		return -1;
	gone = nftw(p->folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
	free(p);
	return gone;
}

static void put(const char *path, const char *content, mode_t mode)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_true(fputs(content, f) >= 0);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(path, mode), 0);
}

/* The first 8191 bytes of a file, in a buffer of this function's. */
static const char *get(const char *path)
{
	static char content[8192];
	FILE *f = fopen(path, "r");
	size_t n;

	assert_non_null(f);
	n = fread(content, 1, sizeof(content) - 1, f);
	content[n] = '\0';
	assert_int_equal(fclose(f), 0);
	return content;
}

static enum cli_key_found find_file(enum cli_key_kind kind, const char *file, struct cli_key *key, char *error)
{
	struct cli_key_source source = {.file = file};

	return cli_key_find(kind, &source, key, error);
}

static void values_from_the_environment(void **state)
{
	static const struct {
		enum cli_key_kind kind;
		const char *value, *wrong; /* NULL: taken */
	} cases[] = {
	    {CLI_KEY_ADMIN, "0123456789abcdef", NULL},
	    {CLI_KEY_ADMIN, "!\"#$%&'()*+,-./~", NULL},
	    {CLI_KEY_ADMIN, "0123456789abcde", "16 characters or more"},
	    {CLI_KEY_ADMIN, "", "16 characters or more"},
	    {CLI_KEY_ADMIN, "0123456789 abcdef", "without spaces"},
	    {CLI_KEY_ADMIN, "0123456789\tabcdef", "without spaces"},
	    {CLI_KEY_ADMIN, "0123456789abcdef\n", "without spaces"},
	    {CLI_KEY_ADMIN, "0123456789abcdef\x7f", "without spaces"},
	    {CLI_KEY_ADMIN, "0123456789abcd\xc3\xa9", "visible ASCII"},
	    {CLI_KEY_TOKEN, HEX, NULL},
	    {CLI_KEY_TOKEN, "00112233", "64 hex digits"},
	    {CLI_KEY_TOKEN, HEX "0", "64 hex digits"},
	    {CLI_KEY_TOKEN, "g0112233445566778899aabbccddeeff00112233445566778899aabbccddeeff", "64 hex digits"},
	};
	struct cli_key key;
	char error[CLI_KEYS_ERROR_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct cli_key_source source = {.value = cases[i].value, .value_name = "JARI_A_KEY", .file = "/nowhere"};
		enum cli_key_found found = cli_key_find(cases[i].kind, &source, &key, error);

		assert_int_equal(found, cases[i].wrong == NULL ? CLI_KEY_FOUND : CLI_KEY_BAD);
		if (cases[i].wrong != NULL) {
			assert_non_null(strstr(error, cases[i].wrong));
			assert_non_null(strstr(error, "JARI_A_KEY"));
			if (cases[i].value[0] != '\0')
				assert_null(strstr(error, cases[i].value)); /* a key is never repeated */
		} else if (cases[i].kind == CLI_KEY_ADMIN) {
			assert_string_equal(key.text, cases[i].value);
		} else {
			assert_int_equal(key.bytes[1], 0x11);
			assert_int_equal(key.bytes[17], 0xee);
		}
	}
}

static void files(void **state)
{
	struct place *p = *state;
	struct cli_key key;
	char error[CLI_KEYS_ERROR_SIZE], long_key[CLI_KEY_MAX + 2];

	put(p->file, "a-key-of-one-line\n", 0600);
	assert_int_equal(find_file(CLI_KEY_ADMIN, p->file, &key, error), CLI_KEY_FOUND);
	assert_string_equal(key.text, "a-key-of-one-line");
	put(p->file, "a-key-from-windows\r\n", 0600);
	assert_int_equal(find_file(CLI_KEY_ADMIN, p->file, &key, error), CLI_KEY_FOUND);
	assert_string_equal(key.text, "a-key-from-windows");
	put(p->file, "a-key-without-an-end", 0600);
	assert_int_equal(find_file(CLI_KEY_ADMIN, p->file, &key, error), CLI_KEY_FOUND);
	put(p->file, "a-key-of-two-lines\nthis-is-the-second\n", 0600);
	assert_int_equal(find_file(CLI_KEY_ADMIN, p->file, &key, error), CLI_KEY_BAD);
	put(p->file, "", 0600);
	assert_int_equal(find_file(CLI_KEY_TOKEN, p->file, &key, error), CLI_KEY_BAD);
	assert_non_null(strstr(error, p->file));

	memset(long_key, 'k', sizeof(long_key) - 1);
	long_key[CLI_KEY_MAX + 1] = '\0';
	put(p->file, long_key, 0600);
	assert_int_equal(find_file(CLI_KEY_ADMIN, p->file, &key, error), CLI_KEY_BAD);
	long_key[CLI_KEY_MAX] = '\0';
	put(p->file, long_key, 0600);
	assert_int_equal(find_file(CLI_KEY_ADMIN, p->file, &key, error), CLI_KEY_FOUND);
	assert_string_equal(key.text, long_key);

	assert_int_equal(find_file(CLI_KEY_ADMIN, p->folder, &key, error), CLI_KEY_BAD);
	assert_int_equal(find_file(CLI_KEY_ADMIN, "/nowhere/at/all", &key, error), CLI_KEY_BAD); /* a given file must be there */
	assert_non_null(strstr(error, "No such file"));
}

static void a_file_that_others_can_read_is_warned_of(void **state)
{
	struct place *p = *state;
	struct cli_key key;
	char error[CLI_KEYS_ERROR_SIZE];

	put(p->file, HEX "\n", 0600);
	assert_int_equal(find_file(CLI_KEY_TOKEN, p->file, &key, error), CLI_KEY_FOUND);
	assert_null(strstr(get(p->log), "chmod 600"));
	put(p->file, HEX "\n", 0640);
	assert_int_equal(find_file(CLI_KEY_TOKEN, p->file, &key, error), CLI_KEY_FOUND);
	assert_non_null(strstr(get(p->log), "chmod 600"));
	assert_non_null(strstr(get(p->log), p->file));
	assert_null(strstr(get(p->log), "0011")); /* the key itself is never in the log */
}

static void a_key_is_made_once(void **state)
{
	struct place *p = *state;
	struct cli_key_source source = {.store_path = p->store};
	struct cli_key made, again;
	struct stat st;
	char error[CLI_KEYS_ERROR_SIZE], path[PATH_MAX], text[2 * SEAL_KEY_BYTES + 2];

	for (int kind = CLI_KEY_ADMIN; kind <= CLI_KEY_TOKEN; kind++) {
		assert_int_equal(cli_key_find((enum cli_key_kind)kind, &source, &made, error), CLI_KEY_ABSENT);
		assert_true(cli_key_make(&made, error));
		cli_key_log(&made);
		(void)snprintf(path, sizeof(path), "%s%s", p->store, kind == CLI_KEY_ADMIN ? ".admin-key" : ".token-key");
		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(st.st_mode & 07777, 0600);
		text_hex(made.bytes, SEAL_KEY_BYTES, text);
		assert_null(strstr(get(p->log), text));
		assert_non_null(strstr(get(p->log), path));
		memcpy(text + strlen(text), "\n", 2);
		assert_string_equal(get(path), text);
		assert_int_equal(cli_key_find((enum cli_key_kind)kind, &source, &again, error), CLI_KEY_FOUND);
		if (kind == CLI_KEY_TOKEN)
			assert_memory_equal(again.bytes, made.bytes, SEAL_KEY_BYTES);
		else
			assert_string_equal(again.text, made.text);
		assert_false(cli_key_make(&made, error)); /* never over one that is there */
		assert_non_null(strstr(error, "File exists"));
		assert_string_equal(get(path), text);
	}
}

static void a_malformed_key_beside_the_store_is_no_absent_one(void **state)
{
	struct place *p = *state;
	struct cli_key_source source = {.store_path = p->store};
	struct cli_key key;
	char error[CLI_KEYS_ERROR_SIZE], path[PATH_MAX];

	assert_true(cli_key_path(CLI_KEY_TOKEN, p->store, path));
	put(path, "half a k", 0600);
	assert_int_equal(cli_key_find(CLI_KEY_TOKEN, &source, &key, error), CLI_KEY_BAD);
	assert_non_null(strstr(error, path));
	assert_string_equal(get(path), "half a k");
}

static void where_nothing_can_be_written(void **state)
{
	struct cli_key_source source = {.store_path = "/nowhere/at/all/jari.db"}, memory = {0};
	struct cli_key key, other;
	char error[CLI_KEYS_ERROR_SIZE];

	(void)state;
	assert_int_equal(cli_key_find(CLI_KEY_TOKEN, &source, &key, error), CLI_KEY_ABSENT);
	assert_false(cli_key_make(&key, error));
	assert_non_null(strstr(error, "/nowhere/at/all/jari.db.token-key"));

	/* A store without a file: a key for as long as the process lasts. */
	assert_int_equal(cli_key_find(CLI_KEY_TOKEN, &memory, &key, error), CLI_KEY_ABSENT);
	assert_true(cli_key_make(&key, error));
	assert_int_equal(cli_key_find(CLI_KEY_TOKEN, &memory, &other, error), CLI_KEY_ABSENT);
	assert_true(cli_key_make(&other, error));
	assert_memory_not_equal(key.bytes, other.bytes, SEAL_KEY_BYTES);
	cli_key_wipe(&key);
	memset(&other, 0, sizeof(other));
	assert_memory_equal(key.bytes, other.bytes, SEAL_KEY_BYTES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(values_from_the_environment, make_place, remove_place),
	    cmocka_unit_test_setup_teardown(files, make_place, remove_place),
	    cmocka_unit_test_setup_teardown(a_file_that_others_can_read_is_warned_of, make_place, remove_place),
	    cmocka_unit_test_setup_teardown(a_key_is_made_once, make_place, remove_place),
	    cmocka_unit_test_setup_teardown(a_malformed_key_beside_the_store_is_no_absent_one, make_place, remove_place),
	    cmocka_unit_test_setup_teardown(where_nothing_can_be_written, make_place, remove_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
