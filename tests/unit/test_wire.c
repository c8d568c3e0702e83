/* test_wire.c: the load generator's bytes, plain and over TLS, when the other side takes them slowly. What goes over it otherwise is tested from outside. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "cli/bench/wire.h"
#include <fcntl.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BYTES 300000
#define ROOM 8192 /* of the socket, so that it is full again and again */

static char cert_file[300];
static SSL_CTX *server_ctx;
static unsigned char sent[BYTES], came[BYTES];

/* A certificate for tickets.example, which is its own authority. */
static int make(void **state)
{
	const char *tmp = getenv("TMPDIR");
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
	X509 *cert = X509_new();
	X509_EXTENSION *names = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, "DNS:tickets.example");

	(void)state;
	(void)signal(SIGPIPE, SIG_IGN); /* as `jari bench` does with TLS */
	(void)snprintf(cert_file, sizeof(cert_file), "%s/jari-wire-%ld.pem", tmp ? tmp : "/tmp", (long)getpid());
	FILE *out = fopen(cert_file, "we");
	server_ctx = SSL_CTX_new(TLS_server_method());
	bool ok = key && cert && names && out && server_ctx && X509_set_version(cert, X509_VERSION_3) == 1 &&
	          ASN1_INTEGER_set(X509_get_serialNumber(cert), 1) == 1 && X509_gmtime_adj(X509_getm_notBefore(cert), -60) &&
	          X509_gmtime_adj(X509_getm_notAfter(cert), 3600) && X509_add_ext(cert, names, -1) == 1 &&
	          X509_set_pubkey(cert, key) == 1 && X509_sign(cert, key, EVP_sha256()) > 0 && PEM_write_X509(out, cert) == 1 &&
	          SSL_CTX_use_certificate(server_ctx, cert) == 1 && SSL_CTX_use_PrivateKey(server_ctx, key) == 1;
	ok = out && fclose(out) == 0 && ok;
	X509_EXTENSION_free(names);
	X509_free(cert);
	EVP_PKEY_free(key);
	for (size_t i = 0; i < BYTES; i++)
		sent[i] = (unsigned char)(i * 7 + i / 251);
	return ok ? 0 : -1;
}

static int drop(void **state)
{
	(void)state;
	SSL_CTX_free(server_ctx);
	return unlink(cert_file);
}

struct slow {
	int fd;
	bool tls;
	size_t got;
};

/* Reads to the end, with a pause before each piece, and says one byte when it has all of it. */
static void *take_slowly(void *arg)
{
	struct slow *s = arg;
	SSL *ssl = s->tls ? SSL_new(server_ctx) : NULL;
	bool open = !s->tls || (SSL_set_fd(ssl, s->fd) == 1 && SSL_accept(ssl) == 1);

	while (open && s->got < BYTES) {
		(void)nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
		ssize_t n =
		    s->tls ? SSL_read(ssl, came + s->got, (int)(BYTES - s->got)) : read(s->fd, came + s->got, BYTES - s->got);
		if (n <= 0)
			break;
		s->got += (size_t)n;
	}
	if (s->got == BYTES && (s->tls ? SSL_write(ssl, "!", 1) : (int)write(s->fd, "!", 1)) != 1)
		s->got = 0;
	SSL_free(ssl);
	close(s->fd);
	return NULL;
}

static void wait_for(const struct wire *w, enum wire_result r)
{
	struct pollfd fd = {.fd = w->fd, .events = r == WIRE_WAIT_IN ? POLLIN : POLLOUT};

	assert_true(r == WIRE_WAIT_IN || r == WIRE_WAIT_OUT);
	assert_int_equal(poll(&fd, 1, 20000), 1);
}

/* All of `sent`, and the byte that tells it came. How often there was no room is counted. */
static int talk(struct wire *w)
{
	size_t at = 0, n;
	int waits = 0;
	char byte = 0;

	while (at < BYTES) {
		enum wire_result r = wire_send(w, sent + at, BYTES - at, &n);

		assert_int_equal(w->waits_in, r == WIRE_WAIT_IN);
		at += n;
		waits += r == WIRE_WAIT_OUT;
		if (r != WIRE_DONE)
			wait_for(w, r);
	}
	for (enum wire_result r; (r = wire_receive(w, &byte, 1, &n)) != WIRE_DONE;)
		wait_for(w, r);
	assert_int_equal(byte, '!');
	return waits;
}

static void send_slowly(bool tls)
{
	char error[WIRE_ERROR_SIZE] = "";
	struct wire_trust *trust = tls ? wire_trust_open("tickets.example", false, cert_file, error) : NULL;
	int ends[2], room = ROOM;
	pthread_t id;
	struct wire w;

	if (tls && !trust)
		fail_msg("%s", error);
	memset(came, 0, sizeof(came));
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	assert_int_equal(setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &room, sizeof(room)), 0);
	assert_int_equal(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
	struct slow slow = {.fd = ends[1], .tls = tls};
	assert_int_equal(pthread_create(&id, NULL, take_slowly, &slow), 0);
	assert_true(wire_open(&w, ends[0], trust));
	int waits = talk(&w);
	wire_close(&w);
	assert_int_equal(w.fd, -1);
	assert_int_equal(pthread_join(id, NULL), 0);
	assert_true(waits > 3);
	assert_int_equal(slow.got, BYTES);
	assert_memory_equal(came, sent, BYTES);
	wire_trust_close(trust);
}

static void all_comes_although_there_is_no_room(void **state)
{
	(void)state;
	send_slowly(false);
}

static void so_over_tls(void **state)
{
	(void)state;
	send_slowly(true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(all_comes_although_there_is_no_room),
	    cmocka_unit_test(so_over_tls),
	};

	return cmocka_run_group_tests(tests, make, drop);
}
