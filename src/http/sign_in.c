#include "http/sign_in.h"
#include "base/buf.h"
#include "base/limits.h"
#include "base/log.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A set that threads are checking with lives until the last of them is done. */
struct shared_keys {
	struct jwks *set;
	int64_t users; /* under the lock; one of them is `current` */
};

struct sign_in {
	const char *file;
	struct jwt_rules rules;
	struct buf seen; /* what the file had when it was read last */
	int seen_error;  /* why it could not be read then; 0: it could */
	pthread_mutex_t lock;
	struct shared_keys *current;
};

/* ---- the keys in use ---- */

static struct shared_keys *borrow(struct sign_in *s)
{
	(void)pthread_mutex_lock(&s->lock);
	struct shared_keys *keys = s->current;
	keys->users++;
	(void)pthread_mutex_unlock(&s->lock);
	return keys;
}

static void give_back(struct sign_in *s, struct shared_keys *keys)
{
	(void)pthread_mutex_lock(&s->lock);
	bool last = --keys->users == 0;
	(void)pthread_mutex_unlock(&s->lock);
	if (!last)
		return;
	jwks_free(keys->set);
	free(keys);
}

static void replace(struct sign_in *s, struct jwks *set)
{
	struct shared_keys *keys = mem_zero(sizeof(*keys));

	keys->set = set;
	keys->users = 1;
	(void)pthread_mutex_lock(&s->lock);
	struct shared_keys *before = s->current;
	s->current = keys;
	(void)pthread_mutex_unlock(&s->lock);
	if (before != NULL)
		give_back(s, before);
}

/* ---- the file ---- */

/* 0, or why the file can't be read. */
static int read_file(const char *name, struct buf *out)
{
	int fd = open(name, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	int why = 0;
	ssize_t got = 1;

	if (fd < 0)
		return errno;
	while (got > 0 && out->n <= JARI_JWKS_BYTES_MAX && why == 0) {
		buf_reserve(out, 4096);
		got = read(fd, out->p + out->n, 4096);
		if (got > 0)
			out->n += (size_t)got;
		else if (got < 0 && errno == EINTR)
			got = 1;
		else if (got < 0)
			why = errno;
	}
	if (close(fd) != 0 && why == 0)
		why = errno;
	return why != 0 ? why : out->n > JARI_JWKS_BYTES_MAX ? EFBIG : 0;
}

/* The keys of what was read; NULL with the reason. */
static struct jwks *keys_of(const struct sign_in *s, const struct buf *content, int why, char error[SIGN_IN_ERROR_SIZE])
{
	char wrong[JWKS_ERROR_SIZE];
	struct jwks *set = NULL;

	if (why != 0)
		(void)snprintf(error, SIGN_IN_ERROR_SIZE, "cannot read the keys in %s: %s", s->file, strerror(why));
	else if ((set = jwks_read(buf_view(content), wrong)) == NULL)
		(void)snprintf(error, SIGN_IN_ERROR_SIZE, "the keys in %s cannot be used: %s", s->file, wrong);
	return set;
}

static void say_taken(const struct sign_in *s)
{
	const struct jwks *set = s->current->set;

	log_event(LOG_INFO, "sign_in_keys", "taken", "%zu from %s%s", set->count, s->file,
	          set->passed_over > 0 ? "; others there are for something else" : "");
}

/* Reads the file. Its keys are taken when it has changed since it was read last, or `anyway`. False, with the reason, when they can't be. */
static bool look(struct sign_in *s, bool anyway, bool *changed, char error[SIGN_IN_ERROR_SIZE])
{
	struct buf content = {0};
	int why = read_file(s->file, &content);
	struct jwks *set = NULL;

	/* The content is compared, and not its time: a file that is being written when it is read has the same time afterwards. */
	*changed = why != s->seen_error || !text_equal(buf_view(&content), buf_view(&s->seen));
	if (*changed || anyway)
		set = keys_of(s, &content, why, error);
	buf_free(&s->seen);
	s->seen = content;
	s->seen_error = why;
	if (set != NULL)
		replace(s, set);
	return set != NULL || !(*changed || anyway);
}

void sign_in_look(struct sign_in *s, bool asked)
{
	char error[SIGN_IN_ERROR_SIZE];
	bool changed;

	if (!look(s, asked, &changed, error))
		log_event(LOG_ERROR, "sign_in_keys_kept", "why", "%s; the keys from before go on to be used", error);
	else if (changed || asked)
		say_taken(s);
}

struct sign_in *sign_in_open(const struct sign_in_config *config, char error[SIGN_IN_ERROR_SIZE])
{
	struct sign_in *s = mem_zero(sizeof(*s));
	bool changed;

	s->file = config->jwks_file;
	s->rules = config->rules;
	(void)pthread_mutex_init(&s->lock, NULL);
	if (look(s, true, &changed, error))
		return s;
	sign_in_close(s);
	return NULL;
}

void sign_in_close(struct sign_in *s)
{
	if (s == NULL)
		return;
	if (s->current != NULL)
		give_back(s, s->current);
	(void)pthread_mutex_destroy(&s->lock);
	buf_free(&s->seen);
	free(s);
}

enum jwt_verdict sign_in_check(struct sign_in *s, struct text token, int64_t now, struct arena *arena, struct text *subject)
{
	struct shared_keys *keys = borrow(s);
	enum jwt_verdict verdict = jwt_check(keys->set, &s->rules, token, now, arena, subject);

	give_back(s, keys);
	return verdict;
}
