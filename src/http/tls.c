#include "http/tls.h"
#include "base/arena.h"
#include "base/limits.h"
#include "base/log.h"
#include <event2/bufferevent_ssl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* TLS 1.2; those of TLS 1.3 are all good. */
#define CIPHERS "ECDHE+AESGCM:ECDHE+CHACHA20"

struct http_tls {
	const char *cert_file, *key_file;
	pthread_mutex_t lock;
	SSL_CTX *current;
};

/* ---- what goes wrong ---- */

static SSL_CTX *fail(char error[HTTP_TLS_ERROR_SIZE], SSL_CTX *ctx, const char *what, const char *file)
{
	unsigned long why = ERR_peek_last_error();
	const char *reason = why != 0 ? ERR_reason_error_string(why) : NULL;

	(void)snprintf(error, HTTP_TLS_ERROR_SIZE, "%s %s%s%s", what, file, reason != NULL ? ": " : "",
	               reason != NULL ? reason : "");
	ERR_clear_error();
	SSL_CTX_free(ctx);
	return NULL;
}

/* OpenSSL's words for a file that is not there are many; one is enough. */
static bool is_readable(const char *file, const char *what, char error[HTTP_TLS_ERROR_SIZE])
{
	int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	if (fd >= 0 && close(fd) == 0)
		return true;
	(void)snprintf(error, HTTP_TLS_ERROR_SIZE, "cannot read the %s in %s: %s", what, file, strerror(errno));
	return false;
}

/* ---- the context: what all connections share ---- */

/* A key with a password would ask for it on a terminal. */
static int no_password(char *buffer, int size, int writing, void *arg)
{
	(void)buffer, (void)size, (void)writing, (void)arg;
	return -1;
}

static int choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *out_n, const unsigned char *offered,
                           unsigned offered_n, void *arg)
{
	static const unsigned char ours[] = "\x8http/1.1";
	unsigned char *chosen = NULL;

	(void)ssl, (void)arg;
	if (SSL_select_next_proto(&chosen, out_n, ours, sizeof(ours) - 1, offered, offered_n) != OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	*out = chosen;
	return SSL_TLSEXT_ERR_OK;
}

static bool set_up(SSL_CTX *ctx)
{
	/* A client that ends without a word has ended all the same: a request says by itself where it ends. */
	SSL_CTX_set_options(ctx, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_IGNORE_UNEXPECTED_EOF);
	/* Thousands wait with a stream open: what a connection needs only now and then is given back in between. */
	SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_timeout(ctx, JARI_TLS_TICKET_SECONDS);
	SSL_CTX_set_default_passwd_cb(ctx, no_password);
	SSL_CTX_set_alpn_select_cb(ctx, choose_protocol, NULL);
	return SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) == 1 && SSL_CTX_set_cipher_list(ctx, CIPHERS) == 1 &&
	       SSL_CTX_set_num_tickets(ctx, 1) == 1;
}

static SSL_CTX *read_pair(const struct http_tls *t, char error[HTTP_TLS_ERROR_SIZE])
{
	if (!is_readable(t->cert_file, "certificate", error) || !is_readable(t->key_file, "certificate's key", error))
		return NULL;
	ERR_clear_error();
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	if (ctx == NULL || !set_up(ctx))
		return fail(error, ctx, "TLS cannot be set up for", t->cert_file);
	if (SSL_CTX_use_certificate_chain_file(ctx, t->cert_file) != 1)
		return fail(error, ctx, "there is no certificate that can be used in", t->cert_file);
	if (SSL_CTX_use_PrivateKey_file(ctx, t->key_file, SSL_FILETYPE_PEM) != 1)
		return fail(error, ctx, "there is no key for the certificate (PEM, its own, without a password) in", t->key_file);
	if (SSL_CTX_check_private_key(ctx) != 1)
		return fail(error, ctx, "the key is not that of the certificate:", t->key_file);
	return ctx;
}

/* ---- open, reload, close ---- */

struct http_tls *http_tls_open(const char *cert_file, const char *key_file, char error[HTTP_TLS_ERROR_SIZE])
{
	struct http_tls *t = mem_zero(sizeof(*t));

	t->cert_file = cert_file;
	t->key_file = key_file;
	(void)pthread_mutex_init(&t->lock, NULL);
	t->current = read_pair(t, error);
	if (t->current != NULL)
		return t;
	http_tls_close(t);
	return NULL;
}

void http_tls_reload(struct http_tls *t)
{
	char error[HTTP_TLS_ERROR_SIZE];
	SSL_CTX *fresh = read_pair(t, error), *before = NULL;

	if (fresh == NULL) {
		log_event(LOG_ERROR, "tls_certificate_kept", "why", "%s; the one from before goes on to be used", error);
		return;
	}
	(void)pthread_mutex_lock(&t->lock);
	before = t->current;
	t->current = fresh;
	(void)pthread_mutex_unlock(&t->lock);
	SSL_CTX_free(before); /* it stays for as long as connections use it */
	http_tls_log(t);
}

void http_tls_log(struct http_tls *t)
{
	const X509 *cert = SSL_CTX_get0_certificate(t->current);
	const ASN1_TIME *until = cert != NULL ? X509_get0_notAfter(cert) : NULL;
	struct tm when;

	if (until == NULL || ASN1_TIME_to_tm(until, &when) != 1)
		return;
	log_event(X509_cmp_current_time(until) < 0 ? LOG_WARN : LOG_INFO, "tls_certificate", "until",
	          "%04d-%02d-%02dT%02d:%02d:%02dZ, from %s", when.tm_year + 1900, when.tm_mon + 1, when.tm_mday, when.tm_hour,
	          when.tm_min, when.tm_sec, t->cert_file);
}

void http_tls_close(struct http_tls *t)
{
	if (t == NULL)
		return;
	SSL_CTX_free(t->current);
	(void)pthread_mutex_destroy(&t->lock);
	free(t);
}

/* ---- connections ---- */

struct bufferevent *http_tls_accept(struct http_tls *t, struct event_base *base, int fd)
{
	(void)pthread_mutex_lock(&t->lock);
	SSL *ssl = SSL_new(t->current);
	(void)pthread_mutex_unlock(&t->lock);
	if (ssl == NULL)
		return NULL;
	/* Deferred: a callback may end the connection, and OpenSSL's part of it with it, of which the library is still making use when it calls. */
	struct bufferevent *bev =
	    bufferevent_openssl_socket_new(base, fd, ssl, BUFFEREVENT_SSL_ACCEPTING, BEV_OPT_DEFER_CALLBACKS);
	if (bev == NULL)
		SSL_free(ssl);
	return bev;
}

void http_tls_finish(struct bufferevent *bev)
{
	SSL *ssl = bufferevent_openssl_get_ssl(bev);

	if (SSL_is_init_finished(ssl) && (SSL_get_shutdown(ssl) & SSL_SENT_SHUTDOWN) == 0)
		(void)SSL_shutdown(ssl);
	ERR_clear_error();
}

void http_tls_free(struct bufferevent *bev)
{
	SSL *ssl = bufferevent_openssl_get_ssl(bev);

	bufferevent_free(bev);
	SSL_free(ssl);
}
