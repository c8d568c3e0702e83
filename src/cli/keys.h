/* keys.h: the organiser's key and the key of the buyers' tokens.
 *
 * A key is given (its value in the environment, or a file), or it lies in a file beside the store, or it is made there at the
 * first start: 32 random bytes as 64 hex digits, in a file that only its owner can read, on disk before it is used.
 * cli_key_find only reads; cli_key_make writes, and is called when the store is open and so locked against a second server.
 * A key itself is never logged; where it is, is.
 * Ownership: everything is in the structs. Threads: before there are any. Errors: one line in `error` that says which file
 * and what is wrong with it. */
#ifndef JARI_CLI_KEYS_H
#define JARI_CLI_KEYS_H

#include "base/seal.h"
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CLI_KEY_MIN 16
#define CLI_KEY_MAX 512
#define CLI_KEYS_ERROR_SIZE (PATH_MAX + 256)

enum cli_key_kind { CLI_KEY_ADMIN, CLI_KEY_TOKEN };
enum cli_key_found { CLI_KEY_FOUND, CLI_KEY_ABSENT, CLI_KEY_BAD };

/* Where a key may be: the first of these that is not NULL decides. */
struct cli_key_source {
	const char *value;      /* the key itself */
	const char *value_name; /* what the value is called in messages: JARI_ADMIN_KEY */
	const char *file;       /* a file that must exist */
	const char *store_path; /* a file beside this one, which may be absent */
};

struct cli_key {
	enum cli_key_kind kind;
	char text[CLI_KEY_MAX + 1];    /* CLI_KEY_ADMIN */
	uint8_t bytes[SEAL_KEY_BYTES]; /* CLI_KEY_TOKEN */
	char place[PATH_MAX];          /* the file or the variable that it is in */
	bool made;                     /* just now, by cli_key_make */
};

/* CLI_KEY_ABSENT when nothing is given and the file beside the store is not there (its name is in out->place then; "" when the
 * store has no file). Warns in the log when others can read the key's file. */
enum cli_key_found cli_key_find(enum cli_key_kind kind, const struct cli_key_source *source, struct cli_key *out,
                                char error[CLI_KEYS_ERROR_SIZE]);
/* Makes the key that was absent, in the file out->place; with an empty place it lasts as long as the process. */
bool cli_key_make(struct cli_key *out, char error[CLI_KEYS_ERROR_SIZE]);
/* Logs where the key is, never the key. */
void cli_key_log(const struct cli_key *key);
/* Overwrites the key. */
void cli_key_wipe(struct cli_key *key);

/* The name of the file beside a store: ".admin-key" or ".token-key" behind its path. False when it is too long. */
bool cli_key_path(enum cli_key_kind kind, const char *store_path, char out[PATH_MAX]);

#endif
