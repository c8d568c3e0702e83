/* The server over TLS: what may take how long, who reads slowly, who ends half, and stopping. What goes over it otherwise is tested from outside. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "server_toy.h"
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <signal.h>
#include <valgrind/valgrind.h>

#define PATH_SIZE 300

static char folder[256], cert_file[PATH_SIZE], key_file[PATH_SIZE];
static struct http_tls *tls;
static SSL_CTX *client_ctx;

/* ---- a certificate, a server, a client ---- */

static bool write_pair(void)
{
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
	X509 *cert = X509_new();
	FILE *cert_out = fopen(cert_file, "we"), *key_out = fopen(key_file, "we");
	bool ok = key && cert && cert_out && key_out && ASN1_INTEGER_set(X509_get_serialNumber(cert), 1) == 1 &&
	          X509_gmtime_adj(X509_getm_notBefore(cert), -60) && X509_gmtime_adj(X509_getm_notAfter(cert), 3600) &&
	          X509_set_pubkey(cert, key) == 1 && X509_sign(cert, key, EVP_sha256()) > 0 &&
	          PEM_write_X509(cert_out, cert) == 1 && PEM_write_PrivateKey(key_out, key, NULL, NULL, 0, NULL, NULL) == 1;

	ok = cert_out && fclose(cert_out) == 0 && ok;
	ok = key_out && fclose(key_out) == 0 && ok;
	X509_free(cert);
	EVP_PKEY_free(key);
	return ok;
}

static int make(void **state)
{
	char error[HTTP_TLS_ERROR_SIZE] = "";
	const char *tmp = getenv("TMPDIR");

	(void)state;
	(void)snprintf(folder, sizeof(folder), "%s/jari-tls-XXXXXX", tmp ? tmp : "/tmp");
	if (!mkdtemp(folder))
		return -1;
	(void)snprintf(cert_file, sizeof(cert_file), "%s/cert.pem", folder);
	(void)snprintf(key_file, sizeof(key_file), "%s/key.pem", folder);
	if (!write_pair())
		return -1;
	tls = http_tls_open(cert_file, key_file, error);
	if (!tls)
		print_error("%s\n", error);
	client_ctx = SSL_CTX_new(TLS_client_method());
	/* A blocking read must come back when only a ticket has come. */
	if (client_ctx)
		SSL_CTX_clear_mode(client_ctx, SSL_MODE_AUTO_RETRY);
	memset(large_file, 'L', sizeof(large_file));
	(void)signal(SIGPIPE, SIG_IGN); /* who writes to a server that has closed fails, and does not end */
	return tls && client_ctx ? 0 : -1;
}

static int drop(void **state)
{
	(void)state;
	http_tls_close(tls);
	SSL_CTX_free(client_ctx);
	return unlink(cert_file) == 0 && unlink(key_file) == 0 && rmdir(folder) == 0 ? 0 : -1;
}

#define PATIENCE (RUNNING_ON_VALGRIND ? 5 : 1) /* valgrind makes a handshake take as long as a request may here */

/* What takes nothing for as long as a request may take is dropped too, and the idle have longer than that. */
static void with_tls(struct http_server_config *config)
{
	config->tls = tls;
	config->request_ms *= PATIENCE;
	config->write_ms = config->request_ms;
	config->idle_ms = 5 * config->request_ms;
}

static int set_up_tls(void **state)
{
	static struct world w;

	world_open_as(&w, 1, with_tls);
	*state = &w;
	return 0;
}

/* For what is not about time, however slow the machine. */
static void with_patient_tls(struct http_server_config *config)
{
	config->request_ms = 20000;
	with_tls(config);
}

static int set_up_patient_tls(void **state)
{
	static struct world w;

	world_open_as(&w, 1, with_patient_tls);
	*state = &w;
	return 0;
}
#define TLS_TEST(name) cmocka_unit_test_setup_teardown(name, set_up_tls, tear_down)
#define PATIENT_TEST(name) cmocka_unit_test_setup_teardown(name, set_up_patient_tls, tear_down)

/* A connection, when its handshake is over, which begins after some milliseconds. */
static SSL *shake_late(const struct world *w, int version, int64_t late_ms)
{
	SSL *ssl = SSL_new(client_ctx);

	assert_non_null(ssl);
	assert_int_equal(SSL_set_fd(ssl, client(w)), 1);
	assert_int_equal(SSL_set_max_proto_version(ssl, version), 1);
	nap(late_ms);
	assert_int_equal(SSL_connect(ssl), 1);
	return ssl;
}

static SSL *shake(const struct world *w, int version)
{
	return shake_late(w, version, 0);
}

static void end(SSL *ssl)
{
	int fd = SSL_get_fd(ssl);

	SSL_free(ssl);
	close(fd);
}

static void say(SSL *ssl, const char *what)
{
	assert_int_equal(SSL_write(ssl, what, (int)strlen(what)), (int)strlen(what));
}

/* Reads to the end. True when that was told (close_notify), and not just a connection that was gone. */
static bool hear_all(SSL *ssl, struct buf *out, int64_t pause_ms)
{
	for (;;) {
		buf_reserve(out, 65536);
		int n = SSL_read(ssl, out->p + out->n, 65535);
		if (n > 0)
			out->n += (size_t)n;
		else if (SSL_get_error(ssl, n) != SSL_ERROR_WANT_READ)
			break;
		nap(pause_ms);
	}
	out->p[out->n] = '\0';
	return (SSL_get_shutdown(ssl) & SSL_RECEIVED_SHUTDOWN) != 0;
}

/* How many answers there are. */
static size_t answers_in(const struct buf *got)
{
	size_t n = 0;
	struct reply reply;

	for (struct text rest = buf_view(got); next_reply(&rest, &reply, false); n++)
		assert_true(reply.status == 200 || reply.status == 201);
	return n;
}

static void connections_become(struct world *w, int64_t wanted)
{
	int64_t until = now_ms() + 8000;

	while (atomic_load(&w->metrics.gauges[HTTP_GAUGE_CONNECTIONS]) != wanted && now_ms() < until)
		nap(20);
	assert_int_equal(atomic_load(&w->metrics.gauges[HTTP_GAUGE_CONNECTIONS]), wanted);
}

/* ---- time ---- */

/* Nothing comes of who begins a handshake and leaves it, whatever the kernel thinks of the connection. */
static void half_a_handshake_ends(void **state)
{
	struct world *w = *state;
	static const unsigned char hello[] = {0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3};
	int64_t began = now_ms();
	int silent = client(w), begun = client(w), dripping = client(w);
	char byte;

	assert_true(put(begun, (const char *)hello, sizeof(hello)));
	for (size_t i = 0; i < 60 && put(dripping, i < sizeof(hello) ? (const char *)hello + i : "\0", 1); i++)
		nap(50);
	assert_true(now_ms() - began < 2500 * PATIENCE);
	assert_true(recv(silent, &byte, 1, 0) <= 0);
	assert_true(recv(begun, &byte, 1, 0) <= 0);
	assert_true(now_ms() - began >= 500);
	connections_become(w, 0);
	close(silent);
	close(begun);
	close(dripping);
}

static void idle_connections_end_with_a_word(void **state)
{
	struct world *w = *state;
	struct buf got = {0};
	SSL *ssl = shake(w, 0);
	int64_t began = now_ms();

	assert_true(hear_all(ssl, &got, 0));
	assert_int_equal(got.n, 0);
	assert_true(now_ms() - began >= 500);
	end(ssl);
	buf_free(&got);
}

/* The time of a request begins with it, not with the connection. */
static void the_handshake_takes_no_time_of_the_request(void **state)
{
	struct world *w = *state;
	struct buf got = {0};
	SSL *ssl = shake_late(w, 0, 400);

	say(ssl, "GET /hello HTTP/1.1\r\n");
	nap(400);
	say(ssl, H "Connection: close\r\n\r\n");
	assert_true(hear_all(ssl, &got, 0));
	assert_in(&got, "world");
	end(ssl);
	buf_free(&got);
}

static void half_a_request_ends(void **state)
{
	struct world *w = *state;
	struct buf got = {0};
	SSL *ssl = shake(w, 0);
	int64_t began = now_ms();

	say(ssl, "GET /hello HTTP/1.1\r\n");
	(void)hear_all(ssl, &got, 0);
	assert_true(now_ms() - began >= 500);
	end(ssl);
	buf_free(&got);
}

/* ---- readers ---- */

static void who_takes_nothing_is_dropped(void **state)
{
	struct world *w = *state;
	int small = 4096;
	SSL *ssl = shake(w, 0);

	assert_int_equal(setsockopt(SSL_get_fd(ssl), SOL_SOCKET, SO_RCVBUF, &small, sizeof(small)), 0);
	for (int i = 0; i < 40; i++)
		say(ssl, "GET /large HTTP/1.1\r\n" H "\r\n");
	connections_become(w, 1);
	connections_become(w, 0);
	end(ssl);
}

/* One who takes a little again and again is served, though all of it takes longer than that. */
static void who_takes_little_is_served(void **state)
{
	struct world *w = *state;
	struct buf got = {0};
	SSL *ssl = shake(w, 0);

	for (int i = 0; i < 4; i++)
		say(ssl, i < 3 ? "GET /large HTTP/1.1\r\n" H "\r\n" : "GET /large HTTP/1.1\r\n" H "Connection: close\r\n\r\n");
	assert_true(hear_all(ssl, &got, 20));
	assert_true(got.n > 4 * (size_t)LARGE_SIZE);
	end(ssl);
	buf_free(&got);
}

/* More questions than are read ahead, while answers wait to be sent. */
static void many_questions_at_once(void **state)
{
	struct world *w = *state;
	struct buf asked = {0}, got = {0};
	SSL *ssl = shake(w, 0);
	size_t large = 30, n = 4000, answers = 0;
	struct reply reply;

	for (size_t i = 0; i < n; i++)
		buf_str(&asked, i < large   ? "GET /large HTTP/1.1\r\n" H "\r\n"
		                : i + 1 < n ? GET1 H "\r\n"
		                            : GET1 H "Connection: close\r\n\r\n");
	assert_true(asked.n > (size_t)HTTP_READ_AHEAD + 32768);
	assert_int_equal(SSL_write(ssl, asked.p, (int)asked.n), (int)asked.n);
	nap(300); /* until nothing more goes out, and the buffer for what comes in is full */
	assert_true(hear_all(ssl, &got, 0));
	for (struct text rest = buf_view(&got); next_reply(&rest, &reply, false); answers++)
		assert_int_equal(reply.status, 200);
	assert_int_equal(answers, n);
	end(ssl);
	buf_free(&asked);
	buf_free(&got);
}

/* ---- reading ahead ---- */

/* Returns when the server has gone round so often: each time it also reads what there is on every other connection, a record at least. */
static void go_round(const struct world *w, size_t times)
{
	SSL *ssl = shake(w, 0);

	for (size_t i = 0; i < times; i++) {
		struct buf got = {0};
		say(ssl, GET1 H "\r\n");
		while (!got.n || !memmem(got.p, got.n, "world", 5)) {
			buf_reserve(&got, 4096);
			int n = SSL_read(ssl, got.p + got.n, 4096);
			assert_true(n > 0 || SSL_get_error(ssl, n) == SSL_ERROR_WANT_READ);
			got.n += n > 0 ? (size_t)n : 0;
		}
		buf_free(&got);
	}
	end(ssl);
}

#define RECORD 16384 /* the longest */

/* Questions of 1 KiB and a last one that is longer, `n` bytes in all, at least 2048. How many there are. */
static size_t add_questions(struct buf *out, size_t n, const char *last)
{
	size_t count = n / 1024 - 1, begun = out->n;

	for (size_t i = 1; i < count; i++)
		buf_printf(out, GET1 H "X: %0*d\r\n\r\n", 1024 - (int)sizeof(GET1 H "X: \r\n\r\n") + 1, 0);
	buf_printf(out, GET1 H "%sX: ", last);
	buf_printf(out, "%0*d\r\n\r\n", (int)(n - (out->n - begun)) - 4, 0);
	return count;
}

/* In records of at most `size`. How many there are. */
static size_t say_in_records(SSL *ssl, const char *p, size_t n, size_t size)
{
	size_t records = 0;

	for (size_t at = 0, part = 0; at < n; at += part, records++) {
		part = n - at < size ? n - at : size;
		assert_int_equal(SSL_write(ssl, p + at, (int)part), (int)part);
	}
	return records;
}

struct ahead {
	size_t before; /* bytes of questions answered before: they decide how the library cuts its memory into pieces */
	size_t last;   /* bytes of the last record, … */
	size_t past;   /* … and how many of them are past the limit of what is read ahead */
	int version;
};

/* While a request is being answered, more comes than is read ahead, and then nothing that would wake the server. No record of the first part
 * ends with a question: what is left of one keeps the library's memory in use. */
static void read_ahead(struct world *w, const struct ahead *a)
{
	static const char post[] = "POST /submit HTTP/1.1\r\n" H "\r\n";
	struct buf asked = {0}, got = {0};
	SSL *ssl = shake(w, a->version);
	int64_t taken = atomic_load(&w->engine.taken);
	size_t questions = 1, answers = 0, begun = 0, rest = 0, records = 0;

	if (a->before)
		questions += add_questions(&asked, a->before, "");
	buf_str(&asked, post);
	begun = asked.n + 10;
	rest = HTTP_READ_AHEAD + a->past - a->last;
	questions += add_questions(&asked, 10 + HTTP_READ_AHEAD + a->past, "Connection: close\r\n");
	set_holding(w, true);
	(void)say_in_records(ssl, asked.p, begun, 5000);
	while (atomic_load(&w->engine.taken) == taken)
		nap(1);
	records = say_in_records(ssl, asked.p + begun, rest, RECORD);
	records += say_in_records(ssl, asked.p + begun + rest, a->last, RECORD);
	assert_int_equal(begun + rest + a->last, asked.n);
	go_round(w, records + 2);
	set_holding(w, false);
	(void)hear_all(ssl, &got, 0);
	answers = answers_in(&got);
	if (answers != questions)
		fail_msg("%zu bytes before, a last record of %zu, %zu of it past the limit: %zu of %zu questions were answered",
		         a->before, a->last, a->past, answers, questions);
	end(ssl);
	buf_free(&asked);
	buf_free(&got);
}

static void what_is_read_ahead_is_answered(void **state)
{
	static const size_t lasts[] = {1, 2, 1000, 4096, 4097, 10000, RECORD};

	for (size_t i = 0; i < sizeof(lasts) / sizeof(lasts[0]); i++)
		for (size_t j = 0; j <= 3; j++)
			for (size_t before = 0; before < 100000; before += 24000 + before)
				read_ahead(*state,
				           &(struct ahead){before, lasts[i], lasts[i] * j / 3, j % 2 ? 0 : TLS1_2_VERSION});
}

/* Who sends more than is read ahead and waits costs the server's thread nothing. */
static void a_full_input_is_left_alone(void **state)
{
	struct world *w = *state;
	struct buf asked = {0}, got = {0};
	SSL *ssl = shake(w, 0);
	size_t questions = 1, records = 0;

	buf_str(&asked, "POST /submit HTTP/1.1\r\n" H "\r\n");
	questions += add_questions(&asked, 2 * (size_t)HTTP_READ_AHEAD, "Connection: close\r\n");
	set_holding(w, true);
	records = say_in_records(ssl, asked.p, asked.n, RECORD);
	go_round(w, records + 2);
	assert_true(is_at_rest(w));
	set_holding(w, false);
	(void)hear_all(ssl, &got, 0);
	assert_int_equal(answers_in(&got), questions);
	end(ssl);
	buf_free(&asked);
	buf_free(&got);
}

/* ---- streams ---- */

static void streams_come_whole(void **state)
{
	static const char *const paths[] = {"/stream", "/reads", "/ahead"};
	struct world *w = *state;

	for (int i = 0; i < 6; i++) {
		struct buf got = {0}, asked = {0};
		SSL *ssl = shake(w, i < 3 ? 0 : TLS1_2_VERSION);
		buf_printf(&asked, "GET %s HTTP/1.1\r\n" H "Connection: close\r\n\r\n", paths[i % 3]);
		buf_char(&asked, '\0');
		say(ssl, asked.p);
		assert_true(hear_all(ssl, &got, i % 2));
		assert_true(got.n > (size_t)PIECES * PIECE_SIZE);
		assert_string_equal(got.p + got.n - 5, "0\r\n\r\n");
		end(ssl);
		buf_free(&got);
		buf_free(&asked);
	}
}

/* ---- ends ---- */

/* Who says that nothing more will come is still answered: also when the answer comes later, and when much of it is waiting. */
static void half_closed_clients_are_answered(void **state)
{
	struct world *w = *state;
	static const char *const asked[] = {"POST /submit HTTP/1.1\r\n" H "\r\n",
	                                    "GET /large HTTP/1.1\r\n" H "\r\nGET /large HTTP/1.1\r\n" H
	                                    "\r\nGET /large HTTP/1.1\r\n" H "\r\n",
	                                    "GET /stream HTTP/1.1\r\n" H "\r\n"};
	static const size_t least[] = {50, 3 * (size_t)LARGE_SIZE, (size_t)PIECES * PIECE_SIZE};

	set_delay(w, 200);
	for (size_t i = 0; i < 6; i++) {
		struct buf got = {0};
		SSL *ssl = shake(w, 0);
		say(ssl, asked[i % 3]);
		/* with TLS's word for it, and without */
		assert_int_equal(i < 3 ? SSL_shutdown(ssl) : shutdown(SSL_get_fd(ssl), SHUT_WR), 0);
		(void)hear_all(ssl, &got, 1);
		if (got.n < least[i % 3])
			fail_msg("%zu: only %zu bytes came", i, got.n);
		end(ssl);
		buf_free(&got);
	}
	connections_become(w, 0);
}

static void clients_that_vanish_are_forgotten(void **state)
{
	struct world *w = *state;

	set_delay(w, 100);
	for (int i = 0; i < 20; i++) {
		SSL *ssl = shake(w, i % 2 ? 0 : TLS1_2_VERSION);
		say(ssl, i % 3 == 0   ? "POST /submit HTTP/1.1\r\n" H "\r\n"
		         : i % 3 == 1 ? "GET /large HTTP/1.1\r\n" H "\r\n"
		                      : "GET /he");
		end(ssl);
	}
	connections_become(w, 0);
}

static void broken_records_end_the_connection(void **state)
{
	struct world *w = *state;

	for (int i = 0; i < 5; i++) {
		SSL *ssl = shake(w, 0);
		int fd = SSL_get_fd(ssl);
		struct buf got = {0};
		say(ssl, "GET /hello HTTP/1.1\r\n" H "\r\n");
		put_str(fd, "\x17\x03\x03\x01\x00 this is no record that anybody has sealed");
		nap(10);
		shutdown(fd, SHUT_WR);
		(void)hear_all(ssl, &got, 0);
		end(ssl);
		buf_free(&got);
	}
	connections_become(w, 0);
	struct buf got = {0};
	SSL *ssl = shake(w, 0); /* what went wrong there is nobody else's */
	say(ssl, "GET /hello HTTP/1.1\r\n" H "Connection: close\r\n\r\n");
	assert_true(hear_all(ssl, &got, 0));
	assert_in(&got, "world");
	end(ssl);
	buf_free(&got);
}

static void stopping_finishes_what_is_in_flight(void **state)
{
	struct world *w = *state;
	struct buf got = {0}, nothing_said = {0};
	SSL *busy = shake(w, 0), *idle = shake(w, 0);
	int half = client(w);
	int64_t began = now_ms();

	set_delay(w, 300);
	say(busy, "POST /submit HTTP/1.1\r\n" H "\r\n");
	while (atomic_load(&w->engine.taken) == 0)
		nap(5);
	http_server_stop(w->server);
	assert_true(now_ms() - began < 5000 * PATIENCE);
	assert_true(hear_all(busy, &got, 0));
	assert_in(&got, "201 Created");
	assert_in(&got, "done");
	assert_true(hear_all(idle, &nothing_said, 0));
	assert_int_equal(nothing_said.n, 0);
	end(busy);
	end(idle);
	close(half);
	buf_free(&got);
	buf_free(&nothing_said);
}

/* Connections that end at the moment when the server does are freed all the same; the leak checker looks. */
static void ends_may_cross(void **state)
{
	(void)state;
	for (int round = 0; round < 10; round++) {
		void *w = NULL;
		SSL *ssl[20];
		set_up_tls(&w);
		for (size_t i = 0; i < 20; i++)
			ssl[i] = shake(w, 0);
		connections_become(w, 20);
		for (size_t i = 0; i < 20; i++)
			(void)SSL_shutdown(ssl[i]);
		tear_down(&w);
		for (size_t i = 0; i < 20; i++)
			end(ssl[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TLS_TEST(half_a_handshake_ends),
	    TLS_TEST(idle_connections_end_with_a_word),
	    TLS_TEST(the_handshake_takes_no_time_of_the_request),
	    TLS_TEST(half_a_request_ends),
	    TLS_TEST(who_takes_nothing_is_dropped),
	    TLS_TEST(who_takes_little_is_served),
	    PATIENT_TEST(many_questions_at_once),
	    PATIENT_TEST(what_is_read_ahead_is_answered),
	    PATIENT_TEST(a_full_input_is_left_alone),
	    TLS_TEST(streams_come_whole),
	    TLS_TEST(half_closed_clients_are_answered),
	    TLS_TEST(clients_that_vanish_are_forgotten),
	    TLS_TEST(broken_records_end_the_connection),
	    TLS_TEST(stopping_finishes_what_is_in_flight),
	    cmocka_unit_test(ends_may_cross),
	};
	return cmocka_run_group_tests(tests, make, drop);
}
