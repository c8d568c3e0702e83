/* keys.c: see keys.h. */
#include "cli/keys.h"
#include "base/log.h"
#include "base/text.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEX_CHARS ((size_t)SEAL_KEY_BYTES * 2)

static const struct {
	const char *name, *event, *suffix;
} kinds[] = {
    [CLI_KEY_ADMIN] = {"admin key", "admin_key", ".admin-key"},
    [CLI_KEY_TOKEN] = {"token key", "token_key", ".token-key"},
};

bool cli_key_path(enum cli_key_kind kind, const char *store_path, char out[PATH_MAX])
{
	int n = snprintf(out, PATH_MAX, "%s%s", store_path, kinds[kind].suffix);

	return n > 0 && n < PATH_MAX;
}

void cli_key_wipe(struct cli_key *key)
{
	explicit_bzero(key->text, sizeof(key->text));
	explicit_bzero(key->bytes, sizeof(key->bytes));
}

void cli_key_log(const struct cli_key *key)
{
	const char *event = kinds[key->kind].event;

	if (key->place[0] == '\0')
		log_event(LOG_WARN, event, "lasts", "%s", "until this server ends; it is written nowhere");
	else
		log_event(LOG_INFO, event, key->made ? "made" : "in", "%s", key->place);
}

/* ---- what a key must look like ---- */

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* NULL, or what is wrong with it. */
static const char *take_token_key(struct text key, uint8_t out[SEAL_KEY_BYTES])
{
	if (key.n != HEX_CHARS)
		return "must be 64 hex digits";
	for (size_t i = 0; i < SEAL_KEY_BYTES; i++) {
		int high = hex_digit(key.p[2 * i]), low = hex_digit(key.p[2 * i + 1]);

		if (high < 0 || low < 0)
			return "must be 64 hex digits";
		out[i] = (uint8_t)(high << 4 | low);
	}
	return NULL;
}

static const char *take_admin_key(struct text key, char out[CLI_KEY_MAX + 1])
{
	for (size_t i = 0; i < key.n; i++)
		if (key.p[i] <= ' ' || key.p[i] > '~')
			return "must be visible ASCII characters, without spaces, on one line";
	if (key.n < CLI_KEY_MIN)
		return "must have 16 characters or more";
	if (key.n > CLI_KEY_MAX)
		return "must have 512 characters or fewer";
	memcpy(out, key.p, key.n);
	out[key.n] = '\0';
	return NULL;
}

static bool take(struct cli_key *out, struct text key, char error[CLI_KEYS_ERROR_SIZE])
{
	const char *wrong = out->kind == CLI_KEY_ADMIN ? take_admin_key(key, out->text) : take_token_key(key, out->bytes);

	if (wrong == NULL)
		return true;
	cli_key_wipe(out);
	(void)snprintf(error, CLI_KEYS_ERROR_SIZE, "the %s in %s %s", kinds[out->kind].name, out->place, wrong);
	return false;
}

/* ---- reading ---- */

/* Reads at most `size` bytes; -1 with errno on an error. */
static ssize_t read_all(int fd, char *into, size_t size)
{
	size_t n = 0;

	while (n < size) {
		ssize_t got = read(fd, into + n, size - n);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -1;
		if (got == 0)
			break;
		n += (size_t)got;
	}
	return (ssize_t)n;
}

static void warn_when_open(const struct cli_key *key, int fd)
{
	struct stat st;

	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & (S_IRWXG | S_IRWXO)) != 0)
		log_event(LOG_WARN, "key_file_open_to_others", "file", "%s: mode %04o; make it yours alone: chmod 600",
		          key->place, (unsigned)(st.st_mode & 07777));
}

/* Reads the key in the file out->place. */
static enum cli_key_found read_file(struct cli_key *out, char error[CLI_KEYS_ERROR_SIZE])
{
	char bytes[CLI_KEY_MAX + 3]; /* the longest key, its end of line, and one more to see that there is more */
	int fd = open(out->place, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	enum cli_key_found found = CLI_KEY_BAD;
	ssize_t n = -1;

	if (fd >= 0)
		n = read_all(fd, bytes, sizeof(bytes));
	if (n < 0) {
		found = fd < 0 && errno == ENOENT ? CLI_KEY_ABSENT : CLI_KEY_BAD;
		(void)snprintf(error, CLI_KEYS_ERROR_SIZE, "cannot read the %s in %s: %s", kinds[out->kind].name, out->place,
		               strerror(errno));
		goto done;
	}
	warn_when_open(out, fd);
	if (n > 0 && bytes[n - 1] == '\n')
		n--;
	if (n > 0 && bytes[n - 1] == '\r')
		n--;
	if (take(out, (struct text){bytes, (size_t)n}, error))
		found = CLI_KEY_FOUND;
done:
	explicit_bzero(bytes, sizeof(bytes));
	if (fd >= 0 && close(fd) != 0)
		log_event(LOG_WARN, "key_file_close", "error", "%s", strerror(errno));
	return found;
}

static bool set_place(struct cli_key *out, const char *place, char error[CLI_KEYS_ERROR_SIZE])
{
	int n = snprintf(out->place, sizeof(out->place), "%s", place);

	if (n >= 0 && (size_t)n < sizeof(out->place))
		return true;
	(void)snprintf(error, CLI_KEYS_ERROR_SIZE, "the name of the %s's file is too long", kinds[out->kind].name);
	return false;
}

enum cli_key_found cli_key_find(enum cli_key_kind kind, const struct cli_key_source *source, struct cli_key *out,
                                char error[CLI_KEYS_ERROR_SIZE])
{
	enum cli_key_found found;

	*out = (struct cli_key){.kind = kind};
	error[0] = '\0';
	if (source->value != NULL) {
		if (!set_place(out, source->value_name, error) || !take(out, text_of(source->value), error))
			return CLI_KEY_BAD;
		return CLI_KEY_FOUND;
	}
	if (source->file == NULL && source->store_path == NULL)
		return CLI_KEY_ABSENT;
	if (source->file != NULL) {
		if (!set_place(out, source->file, error))
			return CLI_KEY_BAD;
	} else if (!cli_key_path(kind, source->store_path, out->place)) {
		(void)snprintf(error, CLI_KEYS_ERROR_SIZE, "the name of the %s's file is too long", kinds[kind].name);
		return CLI_KEY_BAD;
	}
	found = read_file(out, error);
	return found == CLI_KEY_ABSENT && source->file != NULL ? CLI_KEY_BAD : found;
}

/* ---- making ---- */

static bool draw(uint8_t bytes[SEAL_KEY_BYTES])
{
	size_t n = 0;

	while (n < SEAL_KEY_BYTES) {
		ssize_t got = getrandom(bytes + n, SEAL_KEY_BYTES - n, 0);

		if (got < 0 && errno != EINTR)
			return false;
		if (got > 0)
			n += (size_t)got;
	}
	return true;
}

static bool write_all(int fd, const char *from, size_t size)
{
	size_t n = 0;

	while (n < size) {
		ssize_t put = write(fd, from + n, size - n);

		if (put < 0 && errno != EINTR)
			return false;
		if (put > 0)
			n += (size_t)put;
	}
	return true;
}

/* Makes the name of a new file durable: the folder that it is in goes to disk. */
static bool sync_folder(const char *path)
{
	char folder[PATH_MAX];
	const char *slash = strrchr(path, '/');
	size_t n = slash == NULL ? 0 : (size_t)(slash - path);
	bool ok;
	int fd;

	if (slash == NULL)
		(void)snprintf(folder, sizeof(folder), ".");
	else
		(void)snprintf(folder, sizeof(folder), "%.*s", (int)(n == 0 ? 1 : n), path);
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return false;
	ok = fsync(fd) == 0;
	return close(fd) == 0 && ok;
}

/* A new file of mode 0600 with this line, on disk when it returns. What is half made is taken away again. */
static bool write_file(const char *path, const char *line, size_t n)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	bool ok;
	int why;

	if (fd < 0)
		return false;
	ok = fchmod(fd, 0600) == 0 && write_all(fd, line, n) && fsync(fd) == 0;
	why = errno;
	if (close(fd) != 0 && ok) {
		ok = false;
		why = errno;
	}
	if (ok && sync_folder(path))
		return true;
	if (ok)
		why = errno;
	if (unlink(path) != 0)
		log_event(LOG_WARN, "key_file_left_behind", "file", "%s", path);
	errno = why;
	return false;
}

bool cli_key_make(struct cli_key *out, char error[CLI_KEYS_ERROR_SIZE])
{
	char line[HEX_CHARS + 2];
	bool ok;

	error[0] = '\0';
	if (!draw(out->bytes)) {
		(void)snprintf(error, CLI_KEYS_ERROR_SIZE, "the system gives no random bytes for the %s: %s",
		               kinds[out->kind].name, strerror(errno));
		return false;
	}
	text_hex(out->bytes, SEAL_KEY_BYTES, line);
	if (out->kind == CLI_KEY_ADMIN)
		memcpy(out->text, line, HEX_CHARS + 1);
	line[HEX_CHARS] = '\n';
	line[HEX_CHARS + 1] = '\0';
	ok = out->place[0] == '\0' || write_file(out->place, line, HEX_CHARS + 1);
	if (!ok) {
		(void)snprintf(error, CLI_KEYS_ERROR_SIZE, "cannot write the %s to %s: %s", kinds[out->kind].name, out->place,
		               strerror(errno));
		cli_key_wipe(out);
	}
	out->made = ok;
	explicit_bzero(line, sizeof(line));
	return ok;
}
