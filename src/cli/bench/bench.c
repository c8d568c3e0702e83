/* bench.c: `jari bench`: options, the organiser's key, the measurement, the reports; see bench.h. */
#include "cli/bench/bench.h"
#include "cli/bench/phase.h"
#include "cli/bench/report.h"
#include "cli/bench/steady.h"
#include "cli/cli.h"
#include "cli/keys.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static int fail_usage(const struct bench_options *o, const char *error)
{
	cli_fail("%s", error);
	if (o->op == BENCH_NO_OP)
		(void)fputs("try 'jari bench --help'\n", stderr);
	else
		(void)fprintf(stderr, "try 'jari bench %s --help'\n", bench_op_name(o->op));
	return CLI_EXIT_USAGE;
}

static bool write_all(int fd, const struct buf *bytes)
{
	size_t at = 0;

	while (at < bytes->n) {
		ssize_t n = write(fd, bytes->p + at, bytes->n - at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		at += (size_t)n;
	}
	return true;
}

/* ---- the files of the reports ---- */

/* Opened before anything is measured, since a long run must not end in "cannot write"; what was in it stays until there is another. */
struct report_file {
	const char *name; /* NULL: none is wanted */
	int fd;
	bool made, written;
};

static bool cannot_write(const struct report_file *f)
{
	cli_fail("cannot write %s: %s", bench_is_standard(f->name) ? "to standard output" : f->name, strerror(errno));
	return false;
}

static bool open_file(struct report_file *f, const char *name)
{
	*f = (struct report_file){.name = name, .fd = -1};
	if (name == NULL)
		return true;
	if (bench_is_standard(name)) {
		f->fd = STDOUT_FILENO;
		return true;
	}
	f->fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	f->made = f->fd >= 0;
	if (f->fd < 0 && errno == EEXIST)
		f->fd =
		    open(name, O_WRONLY | O_CREAT | O_CLOEXEC, 0644); /* with O_CREAT also where a link leads to no file yet */
	return f->fd >= 0 || cannot_write(f);
}

static bool write_file(struct report_file *f, const struct report *r, void (*write)(const struct report *, struct buf *))
{
	struct stat is;
	struct buf out = {0};
	bool ok;

	if (f->name == NULL)
		return true;
	write(r, &out);
	ok = fstat(f->fd, &is) == 0 && (f->fd == STDOUT_FILENO || !S_ISREG(is.st_mode) || ftruncate(f->fd, 0) == 0) &&
	     write_all(f->fd, &out);
	buf_free(&out);
	f->written = true;
	return ok || cannot_write(f);
}

static bool close_file(struct report_file *f)
{
	bool ok = f->fd < 0 || f->fd == STDOUT_FILENO || close(f->fd) == 0 || cannot_write(f);

	if (f->made && !f->written)
		(void)unlink(f->name); /* nothing was measured, and nothing is left of it */
	return ok;
}

struct files {
	struct report_file json, html;
};

static bool open_files(struct files *f, const struct bench_options *o)
{
	bool ok = open_file(&f->json, o->json);

	return open_file(&f->html, ok ? o->html : NULL) && ok;
}

static bool close_files(struct files *f)
{
	bool ok = close_file(&f->json);

	return close_file(&f->html) && ok;
}

static int tell(const struct report *r, struct files *files)
{
	bool to_stdout = bench_is_standard(r->o->json) || bench_is_standard(r->o->html);
	struct buf out = {0};
	bool ok;

	report_table(r, &out);
	if (!r->o->quiet)
		(void)fwrite(out.p, 1, out.n, to_stdout ? stderr : stdout);
	buf_free(&out);
	if (cli_flush() != CLI_EXIT_OK)
		return CLI_EXIT_FAILED;
	ok = write_file(&files->json, r, report_json);
	ok = write_file(&files->html, r, report_html) && ok;
	return ok ? CLI_EXIT_OK : CLI_EXIT_FAILED;
}

/* Finds the organiser's key where it was given; without one it is NULL, and what needs it says so. */
static bool find_key(const struct bench_options *o, struct cli_key *key, struct api *api, char error[CLI_KEYS_ERROR_SIZE])
{
	struct cli_key_source source = {.value = o->admin_key, .value_name = "JARI_ADMIN_KEY", .file = o->admin_key_file};

	if (bench_given(o, "admin-key-file"))
		source.value = NULL;
	switch (cli_key_find(CLI_KEY_ADMIN, &source, key, error)) {
	case CLI_KEY_FOUND:
		api->admin_key = key->text;
		return true;
	case CLI_KEY_ABSENT:
		return true;
	case CLI_KEY_BAD:
		break;
	}
	return false;
}

/* Finds the server. The exit status, with a line said when it is not 0. */
static int find_server(struct bench_options *o)
{
	char error[CLI_ERROR_SIZE], wire_error[WIRE_ERROR_SIZE];
	bool wrong;

	if (!bench_options_find(o, &wrong, error))
		return wrong ? fail_usage(o, error) : cli_fail("%s", error);
	if (!o->at.tls)
		return CLI_EXIT_OK;
	/* OpenSSL writes to sockets as to files: to one that the server has closed that would be a signal. */
	(void)signal(SIGPIPE, SIG_IGN);
	o->trust = wire_trust_open(o->at.name, o->at.numeric, o->ca_file, wire_error);
	return o->trust != NULL ? CLI_EXIT_OK : cli_fail("%s", wire_error);
}

static int64_t wall_ms(void)
{
	struct timespec now = {0};

	(void)clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ---- the measurement ---- */

static int run(const struct bench_options *o, struct api *api, struct files *files)
{
	struct journey journey = {0};
	struct report r = {.o = o, .began_ms = wall_ms()};
	struct stats *stats = stats_new();
	char error[CLI_ERROR_SIZE] = "";
	int status;
	bool ok;

	r.stats = stats;
	ok = phase_raise_files(o->connections, error);
	if (ok && o->op == BENCH_ONSALE) {
		r.journey = &journey;
		ok = journey_run(o, api, stats, &journey, error);
	} else if (ok) {
		ok = steady_run(o, api, stats, error);
	}
	status = ok ? tell(&r, files) : cli_fail("%s", error);
	if (status == CLI_EXIT_OK && stats_answers(stats) == 0 && stats_problems(stats) > 0)
		status = cli_fail("nothing succeeded");
	journey_free(&journey);
	stats_free(stats);
	return status;
}

int cli_bench(int argc, char **argv)
{
	struct bench_options o;
	struct api api;
	struct files files = {.json.fd = -1, .html.fd = -1};
	struct cli_key key = {0};
	char error[CLI_ERROR_SIZE], key_error[CLI_KEYS_ERROR_SIZE];
	int status;

	switch (bench_options_parse(argc, argv, &o, error)) {
	case BENCH_HELP:
		bench_help(stdout, o.op);
		return cli_flush();
	case BENCH_VERSION:
		(void)printf("jari %s\n", JARI_VERSION);
		return cli_flush();
	case BENCH_WRONG:
		return fail_usage(&o, error);
	case BENCH_RUN:
		break;
	}
	status = find_server(&o);
	if (status != CLI_EXIT_OK)
		return status;
	api_init(&api, &o);
	if (!find_key(&o, &key, &api, key_error))
		status = cli_fail("%s", key_error);
	else
		status = open_files(&files, &o) ? run(&o, &api, &files) : CLI_EXIT_FAILED;
	if (!close_files(&files))
		status = CLI_EXIT_FAILED;
	cli_key_wipe(&key);
	free(api.shows);
	wire_trust_close(o.trust);
	return status;
}
