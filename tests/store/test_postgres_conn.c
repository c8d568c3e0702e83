/* test_postgres_conn.c: connections to PostgreSQL: what each refusal means, hosts that take nobody, and answers that end anywhere.
 *
 * What a real server says only for a moment, or never when one looks, is said by a toy: it speaks just enough of the protocol (PostgreSQL 15's
 * documentation, 55.7) to be connected to, and then gives what the test has put down. */
#include "fixture.h"

#include "pg_server.h"
#include "store/postgres.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>

#define ANSWERS_MAX 4
#define ANSWER_MS 40 /* of silence, then it is one; the toy answers at once */
#define PATIENT_MS 20000

/* ---- the toy ---- */

struct answer {
	const char *p;
	size_t n;
	bool closes; /* behind it the connection is closed; else nothing more comes until the client closes it */
};
struct toy {
	int listener, port;
	_Atomic bool over;
	pthread_mutex_t lock;               /* the toy's thread has it while it serves */
	struct answer answers[ANSWERS_MAX]; /* to the first piece that comes from the client, the second … */
	size_t n;
	struct buf said; /* their bytes */
	pthread_t thread;
};

static void toy_serve(const struct toy *toy, int fd)
{
	char piece[4096];
	for (size_t i = 0; i < toy->n && recv(fd, piece, sizeof piece, 0) > 0; i++) {
		if (send(fd, toy->answers[i].p, toy->answers[i].n, MSG_NOSIGNAL) < 0 || toy->answers[i].closes)
			return;
	}
	while (recv(fd, piece, sizeof piece, 0) > 0)
		continue;
}

static void *toy_run(void *arg)
{
	struct toy *toy = arg;
	while (!atomic_load(&toy->over)) {
		struct pollfd p = {.fd = toy->listener, .events = POLLIN};
		if (poll(&p, 1, 20) <= 0)
			continue;
		int fd = accept(toy->listener, NULL, NULL);
		if (fd < 0)
			continue;
		(void)pthread_mutex_lock(&toy->lock);
		toy_serve(toy, fd);
		(void)close(fd);
		(void)pthread_mutex_unlock(&toy->lock);
	}
	return NULL;
}

static int toy_start(void **state)
{
	struct toy *toy = test_calloc(1, sizeof *toy);
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof at;
	toy->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(toy->listener, (struct sockaddr *)&at, sizeof at), 0);
	assert_int_equal(listen(toy->listener, 8), 0);
	assert_int_equal(getsockname(toy->listener, (struct sockaddr *)&at, &size), 0);
	toy->port = ntohs(at.sin_port);
	assert_int_equal(pthread_mutex_init(&toy->lock, NULL), 0);
	assert_int_equal(pthread_create(&toy->thread, NULL, toy_run, toy), 0);
	*state = toy;
	return 0;
}

static int toy_end(void **state)
{
	struct toy *toy = *state;
	atomic_store(&toy->over, true);
	(void)pthread_join(toy->thread, NULL);
	(void)close(toy->listener);
	(void)pthread_mutex_destroy(&toy->lock);
	buf_free(&toy->said);
	test_free(toy);
	return 0;
}

/* What it says to whoever connects next; copied. It may still be busy with the connection before, whose client has gone: that is waited for. */
static void toy_says(struct toy *toy, size_t n, const struct answer *answers)
{
	size_t at = 0;
	assert_true(n <= ANSWERS_MAX);
	(void)pthread_mutex_lock(&toy->lock);
	buf_reset(&toy->said);
	for (size_t i = 0; i < n; i++)
		buf_add(&toy->said, answers[i].p, answers[i].n);
	for (size_t i = 0; i < n; i++) {
		toy->answers[i] = (struct answer){toy->said.p + at, answers[i].n, answers[i].closes};
		at += answers[i].n;
	}
	toy->n = n;
	(void)pthread_mutex_unlock(&toy->lock);
}

/* ---- messages of the protocol ---- */

static void put_int(struct buf *b, int bytes, uint32_t v)
{
	for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8)
		buf_char(b, (char)(v >> shift));
}

static void put_message(struct buf *b, char type, const void *p, size_t n)
{
	buf_char(b, type);
	put_int(b, 4, (uint32_t)(n + 4));
	buf_add(b, p, n);
}

static void put_setting(struct buf *b, const char *name, const char *value)
{
	struct buf body = {0};
	buf_add(&body, name, strlen(name) + 1);
	buf_add(&body, value, strlen(value) + 1);
	put_message(b, 'S', body.p, body.n);
	buf_free(&body);
}

static void put_error(struct buf *b, const char *severity, const char *state, const char *said)
{
	struct buf body = {0};
	buf_printf(&body, "S%s%cV%s%cC%s%cM%s%c", severity, 0, severity, 0, state, 0, said, 0);
	buf_char(&body, '\0');
	put_message(b, 'E', body.p, body.n);
	buf_free(&body);
}

/* One row of one column. */
static void put_row(struct buf *b, const char *value)
{
	struct buf body = {0};
	put_int(&body, 2, 1);
	buf_add(&body, "value", 6);
	put_int(&body, 4, 0);  /* no table */
	put_int(&body, 2, 0);  /* no column of one */
	put_int(&body, 4, 25); /* text */
	put_int(&body, 2, 0xffff);
	put_int(&body, 4, 0xffffffff);
	put_int(&body, 2, 0);
	put_message(b, 'T', body.p, body.n);
	body.n = 0;
	put_int(&body, 2, 1);
	put_int(&body, 4, (uint32_t)strlen(value));
	buf_str(&body, value);
	put_message(b, 'D', body.p, body.n);
	buf_free(&body);
	put_message(b, 'C', "SELECT 1", 9);
}

static void put_welcome(struct buf *b, bool standby)
{
	put_message(b, 'R', "\0\0\0", 4);
	put_setting(b, "server_version", "15.0");
	put_setting(b, "client_encoding", "UTF8");
	put_setting(b, "default_transaction_read_only", "off");
	put_setting(b, "in_hot_standby", standby ? "on" : "off");
	put_message(b, 'Z', "I", 1);
}

/* ---- connecting ---- */

static struct pg_target target_of(int port)
{
	struct pg_target target;
	char url[200], error[STORE_ERROR_SIZE];
	snprintf(url, sizeof url, "postgresql://postgres@127.0.0.1:%d/postgres?sslmode=disable&gssencmode=disable", port);
	assert_true(pg_target_read(url, &target, error));
	return target;
}

static void hosts_that_take_nobody(void **state)
{
	static const struct {
		const char *state, *said;
		enum store_trouble trouble;
	} hosts[] = {
	    {"57P03", "the database system is starting up", STORE_STARTING},
	    {"57P03", "the database system is shutting down", STORE_STARTING},
	    {"57P03", "the database system is in recovery mode", STORE_STARTING},
	    {"57P03", "the database system is not yet accepting connections", STORE_STARTING},
	    {"53300", "sorry, too many clients already", STORE_UNREACHABLE},
	    {"28000", "role \"jari\" is not permitted to log in", STORE_UNREACHABLE},
	};
	struct toy *toy = *state;
	struct pg_target target = target_of(toy->port);
	for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++) {
		struct pg_conn c = {0};
		struct buf says = {0};
		put_error(&says, "FATAL", hosts[i].state, hosts[i].said);
		toy_says(toy, 1, &(struct answer){says.p, says.n, true});
		assert_int_equal(pg_connect(&c, &target, false), STORE_BUSY);
		assert_non_null(strstr(c.said, hosts[i].said));
		if (c.trouble != hosts[i].trouble)
			fail_msg("%s: trouble %d", hosts[i].said, (int)c.trouble);
		assert_null(c.pg);
		assert_int_equal(c.after_us, 0); /* it said so at once, and may be asked again at once */
		pg_conn_free(&c);
		buf_free(&says);
	}
	pg_target_free(&target);
}

/* Neither to write, nor to read: it may be behind what was told already. */
static void a_standby_is_not_the_one(void **state)
{
	struct toy *toy = *state;
	struct pg_target target = target_of(toy->port);
	struct buf says = {0};
	put_welcome(&says, true);
	toy_says(toy, 1, &(struct answer){says.p, says.n, false});
	for (int reads = 0; reads < 2; reads++) {
		struct pg_conn c = {.reads = reads != 0, .answer_ms = ANSWER_MS};
		assert_int_equal(pg_connect(&c, &target, false), STORE_BUSY);
		assert_int_equal(c.trouble, STORE_READ_ONLY);
		pg_conn_free(&c);
	}
	buf_free(&says);
	pg_target_free(&target);
}

/* Those who wait get their answer before it is tried again. */
static void a_host_that_says_nothing_is_not_asked_for_a_while(void **state)
{
	struct toy *toy = *state;
	struct pg_target target = target_of(toy->port);
	struct pg_conn c = {0};
	toy_says(toy, 0, NULL);
	assert_int_equal(pg_connect(&c, &target, false), STORE_BUSY);
	assert_int_equal(c.trouble, STORE_SILENT);
	assert_int_equal(c.made, 1);
	assert_true(c.after_us > 0);
	c.after_us = clock_elapsed_us() + 60000000; /* a busy machine may be slow to ask */
	assert_int_equal(pg_connect(&c, &target, false), STORE_BUSY);
	assert_int_equal(c.made, 1);
	pg_conn_free(&c);
	pg_target_free(&target);
}

/* ---- answers that end anywhere ---- */

/* What a pipeline of one statement comes to when of its answer only so many bytes come. */
static enum store_result ask_half(struct toy *toy, struct pg_conn *c, const struct buf *answer, size_t bytes, bool closes)
{
	struct pg_target target = target_of(toy->port);
	struct buf welcome = {0}, level = {0};
	put_welcome(&welcome, false);
	put_row(&level, "on");
	put_message(&level, 'Z', "I", 1);
	const struct answer answers[] = {{welcome.p, welcome.n, false}, {level.p, level.n, false}, {answer->p, bytes, closes}};
	toy_says(toy, 3, answers);
	*c = (struct pg_conn){.quiet = true, .answer_ms = PATIENT_MS};
	assert_int_equal(pg_connect(c, &target, true), STORE_OK);
	if (bytes < answer->n)
		c->answer_ms = ANSWER_MS;
	pg_send(c, PG_NOW, NULL);
	enum store_result result = pg_sync(c);
	buf_free(&welcome);
	buf_free(&level);
	pg_target_free(&target);
	return result;
}

static void put_answered(struct buf *b)
{
	put_message(b, '1', NULL, 0);
	put_message(b, '2', NULL, 0);
	put_row(b, "12");
}

static void half_an_answer_is_none(void **state)
{
	struct toy *toy = *state;
	struct buf answer = {0};
	struct pg_conn c;
	put_answered(&answer);
	put_message(&answer, 'Z', "I", 1);
	for (size_t bytes = 0; bytes < answer.n; bytes++)
		for (int closes = 0; closes < 2; closes++) {
			enum store_result result = ask_half(toy, &c, &answer, bytes, closes != 0);
			if (result != STORE_BUSY || c.pg || c.trouble != (closes ? STORE_UNREACHABLE : STORE_SILENT))
				fail_msg("%zu of %zu bytes, then %s: %s, trouble %d", bytes, answer.n,
				         closes ? "the end" : "silence", store_result_name(result), (int)c.trouble);
			assert_true(c.said[0] != '\0');
			pg_conn_free(&c);
		}
	assert_int_equal(ask_half(toy, &c, &answer, answer.n, false), STORE_OK);
	assert_int_equal(c.results_n, 1);
	assert_string_equal(PQgetvalue(c.results[0], 0, 0), "12");
	pg_conn_free(&c);
	buf_free(&answer);
}

/* A refusal that has come whole counts, whatever becomes of the connection behind it. */
static void a_refusal_counts_when_it_is_whole(void **state)
{
	struct toy *toy = *state;
	struct buf answer = {0};
	struct pg_conn c;
	put_message(&answer, '1', NULL, 0);
	put_error(&answer, "ERROR", "23505", "duplicate key");
	size_t whole = answer.n;
	put_message(&answer, 'Z', "I", 1);
	for (size_t bytes = 0; bytes <= answer.n; bytes++)
		for (int closes = 0; closes < 2; closes++) {
			enum store_result result = ask_half(toy, &c, &answer, bytes, closes != 0);
			if (result != (bytes < whole ? STORE_BUSY : STORE_CONFLICT))
				fail_msg("%zu of %zu bytes, then %s: %s", bytes, answer.n, closes ? "the end" : "silence",
				         store_result_name(result));
			if (bytes < whole)
				assert_null(c.pg);
			pg_conn_free(&c);
		}
	buf_free(&answer);
}

/* ---- with a real server ---- */

static void connect_to(struct pg_conn *c, const struct pg_target *target)
{
	*c = (struct pg_conn){.quiet = true};
	assert_int_equal(pg_connect(c, target, false), STORE_OK);
}

static void each_refusal_has_its_meaning(void **state)
{
	static const struct {
		const char *state;
		enum store_result result;
		enum store_trouble trouble;
		bool drops; /* this connection is of no more use */
	} refusals[] = {
	    {"40001", STORE_BUSY, STORE_CONTENDED, false},    /* serialization failure */
	    {"40P01", STORE_BUSY, STORE_CONTENDED, false},    /* deadlock */
	    {"55P03", STORE_BUSY, STORE_CONTENDED, false},    /* a lock that took too long */
	    {"57014", STORE_BUSY, STORE_CONTENDED, false},    /* a statement that did */
	    {"23505", STORE_CONFLICT, STORE_REFUSING, false}, /* a row that is there */
	    {"23514", STORE_CONFLICT, STORE_REFUSING, false}, /* a row that breaks a rule */
	    {"JR001", STORE_CONFLICT, STORE_REFUSING, false}, /* the schema's own */
	    {"25006", STORE_BUSY, STORE_READ_ONLY, true},     /* may only read: not the primary any more */
	    {"57P03", STORE_BUSY, STORE_STARTING, true},      /* cannot connect now */
	    {"57P01", STORE_BUSY, STORE_UNREACHABLE, true},   /* shut down */
	    {"57P02", STORE_BUSY, STORE_UNREACHABLE, true},   /* crashed */
	    {"53300", STORE_BUSY, STORE_UNREACHABLE, true},   /* too many connections */
	    {"08006", STORE_BUSY, STORE_UNREACHABLE, true},   /* a proxy lost the server */
	    {"53100", STORE_BROKEN, STORE_REFUSING, false},   /* disk full */
	    {"XX001", STORE_BROKEN, STORE_REFUSING, false},   /* data corrupted */
	    {"42P01", STORE_BROKEN, STORE_REFUSING, false},   /* no such table */
	};
	const struct pg_server *server = *state;
	struct pg_target target = target_of(server->port);
	for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
		struct pg_conn c;
		char sql[200];
		connect_to(&c, &target);
		c.quiet = false;
		snprintf(sql, sizeof sql, "DO $$ BEGIN RAISE EXCEPTION 'as planned' USING ERRCODE = '%s'; END $$",
		         refusals[i].state);
		enum store_result result = pg_do(&c, sql);
		if (result != refusals[i].result || c.trouble != refusals[i].trouble || !c.pg != refusals[i].drops)
			fail_msg("%s: %s, trouble %d, %s", refusals[i].state, store_result_name(result), (int)c.trouble,
			         c.pg ? "kept" : "dropped");
		assert_string_equal(c.said, "as planned");
		pg_conn_free(&c);
	}
	pg_target_free(&target);
}

/* A commit that a standby has not got yet comes with a warning, and a notice is none. */
static void warnings_are_noticed(void **state)
{
	static const char *const levels[] = {"NOTICE", "WARNING"};
	const struct pg_server *server = *state;
	struct pg_target target = target_of(server->port);
	struct pg_conn c;
	connect_to(&c, &target);
	assert_int_equal(pg_do(&c, "SET client_min_messages = notice"), STORE_OK);
	for (int i = 0; i < 4; i++) {
		char sql[100];
		c.quiet = i >= 2; /* it only keeps it out of the log */
		c.warned = false;
		snprintf(sql, sizeof sql, "DO $$ BEGIN RAISE %s 'look'; END $$", levels[i % 2]);
		assert_int_equal(pg_do(&c, sql), STORE_OK);
		assert_int_equal(c.warned, i % 2 == 1);
	}
	pg_conn_free(&c);
	pg_target_free(&target);
}

/* What is answered is durable (I7), whatever the role or the database was set to. */
static void commits_are_durable_whatever_the_role_says(void **state)
{
	const struct pg_server *server = *state;
	struct pg_target target = target_of(server->port);
	struct pg_conn c;
	enum store_result result;
	static const char *const pairs[][2] = {{"off", "on"}, {"on", "on"}, {"local", "local"}, {"remote_apply", "remote_apply"}};
	for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
		assert_true(pg_sql(server, "ALTER ROLE postgres SET synchronous_commit = %s", pairs[i][0]));
		connect_to(&c, &target);
		char *level = pg_ask(&c, "SELECT current_setting('synchronous_commit')", &result);
		assert_string_equal(level, pairs[i][1]);
		free(level);
		pg_conn_free(&c);
	}
	assert_true(pg_sql(server, "ALTER ROLE postgres RESET synchronous_commit"));
	pg_target_free(&target);
}

static void no_number_is_nought(void **state)
{
	static const char *const asked[] = {"SELECT NULL::int", "SELECT 1 WHERE false", "SELECT 'many'",
	                                    "SELECT 9223372036854775808"};
	const struct pg_server *server = *state;
	struct pg_target target = target_of(server->port);
	struct pg_conn c;
	int64_t n;
	connect_to(&c, &target);
	for (size_t i = 0; i < sizeof asked / sizeof asked[0]; i++) {
		n = 7;
		assert_int_equal(pg_ask_int(&c, asked[i], &n), STORE_OK);
		assert_int_equal(n, 0);
	}
	assert_int_equal(pg_ask_int(&c, "SELECT 9223372036854775807", &n), STORE_OK);
	assert_true(n == INT64_MAX);
	pg_conn_free(&c);
	pg_target_free(&target);
}

/* What is sent over a connection that is not there any more is not sent, and the sync says so. */
static void nothing_is_sent_to_nobody(void **state)
{
	const struct pg_server *server = *state;
	struct pg_target target = target_of(server->port);
	struct pg_conn c = {.quiet = true};
	assert_int_equal(pg_connect(&c, &target, true), STORE_OK);
	pg_send(&c, PG_NOW, NULL);
	pg_drop(&c);
	pg_send(&c, PG_NOW, NULL);
	assert_int_equal(pg_sync(&c), STORE_BUSY);
	/* and it is connected anew, with nothing of that left */
	assert_int_equal(pg_connect(&c, &target, true), STORE_OK);
	pg_send(&c, PG_NOW, NULL);
	pg_send(&c, PG_NOW, NULL);
	assert_int_equal(pg_sync(&c), STORE_OK);
	assert_int_equal(c.results_n, 2);
	pg_conn_free(&c);
	pg_target_free(&target);
}

/* Where there are no tables a statement can't be prepared; it is prepared anew when they are there. */
static void a_statement_that_can_t_be_prepared_is_not(void **state)
{
	const struct pg_server *server = *state;
	struct pg_target target = target_of(server->port);
	struct fixture *f = fresh_postgres(server);
	struct pg_conn c;
	struct arena arena = {0};
	struct pg_params p = {.arena = &arena};
	enum store_result result;
	pg_bind_int(&p, 1);
	connect_to(&c, &target);
	for (int i = 0; i < 2; i++) {
		assert_null(pg_run(&c, PG_READ_RESERVATION, &p, &result));
		assert_int_equal(result, STORE_BROKEN);
		assert_non_null(strstr(c.said, "does not exist"));
	}
	open_again(f);
	store_close(f->store);
	PGresult *res = pg_run(&c, PG_READ_RESERVATION, &p, &result);
	assert_int_equal(result, STORE_OK);
	assert_int_equal(PQntuples(res), 0);
	PQclear(res);
	arena_free(&arena);
	pg_conn_free(&c);
	pg_target_free(&target);
	test_free(f);
}

int main(void)
{
#define TOY(name) cmocka_unit_test_setup_teardown(name, toy_start, toy_end)
	const struct CMUnitTest toys[] = {
	    TOY(hosts_that_take_nobody),
	    TOY(a_standby_is_not_the_one),
	    TOY(a_host_that_says_nothing_is_not_asked_for_a_while),
	    TOY(half_an_answer_is_none),
	    TOY(a_refusal_counts_when_it_is_whole),
	};
	const struct CMUnitTest real[] = {
	    cmocka_unit_test(each_refusal_has_its_meaning),
	    cmocka_unit_test(warnings_are_noticed),
	    cmocka_unit_test(commits_are_durable_whatever_the_role_says),
	    cmocka_unit_test(no_number_is_nought),
	    cmocka_unit_test(nothing_is_sent_to_nobody),
	    cmocka_unit_test(a_statement_that_can_t_be_prepared_is_not),
	};
	int failed = cmocka_run_group_tests_name("toys", toys, NULL, NULL);
	return failed + cmocka_run_group_tests_name("a server", real, start_postgres, end_postgres);
}
