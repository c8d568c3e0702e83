/* import.c: `jari import FILE`: adds a catalogue while no server runs. */
#include "cli/cli.h"
#include "base/limits.h"
#include "http/catalogue.h"
#include "http/reply.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* Reads all of `fd`, or a byte more than a catalogue may have. */
static bool read_descriptor(int fd, struct buf *out)
{
	char piece[65536];

	while (out->n <= JARI_CATALOGUE_BODY_MAX) {
		ssize_t n = read(fd, piece, sizeof(piece));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		if (n == 0)
			break;
		buf_add(out, piece, (size_t)n);
	}
	return true;
}

static bool is_standard_input(const char *file)
{
	return strcmp(file, "-") == 0;
}

/* What messages call the document. */
static const char *called(const char *file)
{
	return is_standard_input(file) ? "on standard input" : file;
}

static bool read_document(const char *file, struct buf *out)
{
	bool standard_input = is_standard_input(file), ok;
	int fd = standard_input ? STDIN_FILENO : open(file, O_RDONLY | O_CLOEXEC);

	ok = fd >= 0 && read_descriptor(fd, out);
	if (!ok)
		cli_fail("cannot read the catalogue %s: %s", called(file), strerror(errno));
	if (fd >= 0 && !standard_input && close(fd) != 0 && ok) {
		cli_fail("cannot read the catalogue %s: %s", file, strerror(errno));
		return false;
	}
	if (ok && out->n > JARI_CATALOGUE_BODY_MAX) {
		cli_fail("the catalogue %s is larger than %d bytes; import it in parts", called(file), JARI_CATALOGUE_BODY_MAX);
		return false;
	}
	return ok;
}

static void print_ids(const char *what, const int64_t *ids, size_t n)
{
	if (n == 0)
		return;
	(void)printf("%s:", what);
	for (size_t i = 0; i < n; i++)
		(void)printf(" %lld", (long long)ids[i]);
	(void)printf("\n");
}

static int64_t count_seats(const struct core_catalogue *doc)
{
	int64_t seats = 0;

	for (size_t i = 0; i < doc->concert_count; i++)
		for (size_t j = 0; j < doc->concerts[i].show_count; j++)
			for (size_t k = 0; k < doc->concerts[i].shows[j].seats_count; k++)
				seats += doc->concerts[i].shows[j].seats[k].to - doc->concerts[i].shows[j].seats[k].from + 1;
	return seats;
}

static const char *plural(size_t n)
{
	return n == 1 ? "" : "s";
}

static void print_added(const struct core_catalogue *doc, const struct core_reply *reply)
{
	int64_t seats = count_seats(doc);

	(void)printf("added %zu queue%s, %zu concert%s, %zu show%s, %lld seat%s\n", reply->queue_id_count,
	             plural(reply->queue_id_count), reply->concert_id_count, plural(reply->concert_id_count),
	             reply->show_id_count, plural(reply->show_id_count), (long long)seats, seats == 1 ? "" : "s");
	print_ids("queues", reply->queue_ids, reply->queue_id_count);
	print_ids("concerts", reply->concert_ids, reply->concert_id_count);
	print_ids("shows", reply->show_ids, reply->show_id_count);
}

/* Decides the document through the engine, as a server would. */
static int add(const struct cli_options *options, struct store *store, const struct core_catalogue *doc, struct arena *arena)
{
	struct clock time;
	struct engine_config config = {.store = store, .clock = &time, .rules = cli_rules(options), .render = http_render};
	struct core_reply reply = {0};
	struct buf why = {0};
	char error[STORE_ERROR_SIZE];
	struct engine *engine;
	int status = CLI_EXIT_OK;

	clock_init(&time, store_clock(store));
	engine = engine_open(&config, error);
	if (engine == NULL)
		return cli_fail("%s", error);
	if (cli_add_catalogue(engine, doc, "import", false, arena, &reply, &why))
		print_added(doc, &reply);
	else
		status = cli_fail("the catalogue %s was not added: %.*s", called(options->argument), (int)why.n, why.p);
	engine_close(engine);
	buf_free(&why);
	return status == CLI_EXIT_OK ? cli_flush() : status;
}

static int open_and_add(const struct cli_options *options, const struct core_catalogue *doc, struct arena *arena)
{
	struct store *store = NULL;
	char error[STORE_ERROR_SIZE];
	enum store_result result;
	int status;

	if (!cli_make_default_folder(options))
		return CLI_EXIT_FAILED;
	result = cli_store_open(options, STORE_SERVE, &store, error);
	if (result == STORE_BUSY)
		return cli_fail("%s; while a server runs, send the catalogue to POST /api/admin/catalogue instead", error);
	if (result != STORE_OK)
		return cli_fail("%s", error);
	status = add(options, store, doc, arena);
	store_close(store);
	return status;
}

int cli_import(const struct cli_options *options)
{
	struct buf json = {0};
	struct arena arena = {0};
	struct core_catalogue doc;
	char error[CATALOGUE_ERROR_SIZE];
	int status = CLI_EXIT_FAILED;

	if (!read_document(options->argument, &json))
		goto done;
	if (!catalogue_read(buf_view(&json), &arena, &doc, error)) {
		status = cli_fail("the catalogue %s was not added: %s", called(options->argument), error);
		goto done;
	}
	status = open_and_add(options, &doc, &arena);
done:
	arena_free(&arena);
	buf_free(&json);
	return status;
}
