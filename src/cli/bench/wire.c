/* wire.c: see wire.h. */
#include "cli/bench/wire.h"
#include "base/arena.h"
#include <assert.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- trust ---- */

struct wire_trust {
	SSL_CTX *ctx;
	const char *shown; /* the name that the server is asked for (SNI); NULL: an address is not shown */
};

static struct wire_trust *fail(struct wire_trust *trust, char error[WIRE_ERROR_SIZE], const char *what, const char *name)
{
	unsigned long why = ERR_peek_last_error();
	const char *reason = ERR_SYSTEM_ERROR(why) ? strerror(ERR_GET_REASON(why)) : ERR_reason_error_string(why);

	(void)snprintf(error, WIRE_ERROR_SIZE, "%s %s%s%s", what, name, reason != NULL ? ": " : "", reason != NULL ? reason : "");
	ERR_clear_error();
	wire_trust_close(trust);
	return NULL;
}

static bool set_name(SSL_CTX *ctx, const char *name, bool numeric)
{
	X509_VERIFY_PARAM *param = SSL_CTX_get0_param(ctx);

	X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	/* A certificate that is trusted itself needs nobody above it. */
	if (X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_PARTIAL_CHAIN) != 1)
		return false;
	return (numeric ? X509_VERIFY_PARAM_set1_ip_asc(param, name) : X509_VERIFY_PARAM_set1_host(param, name, 0)) == 1;
}

static bool set_up(SSL_CTX *ctx, const char *name, bool numeric)
{
	static const unsigned char protocols[] = "\x8http/1.1";

	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	/* An answer says by itself where it ends. */
	SSL_CTX_set_options(ctx, SSL_OP_IGNORE_UNEXPECTED_EOF);
	SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	return SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) == 1 && set_name(ctx, name, numeric) &&
	       SSL_CTX_set_alpn_protos(ctx, protocols, sizeof(protocols) - 1) == 0;
}

struct wire_trust *wire_trust_open(const char *name, bool numeric, const char *ca_file, char error[WIRE_ERROR_SIZE])
{
	struct wire_trust *trust = mem_zero(sizeof(*trust));

	ERR_clear_error();
	trust->shown = numeric ? NULL : name;
	trust->ctx = SSL_CTX_new(TLS_client_method());
	if (trust->ctx == NULL || !set_up(trust->ctx, name, numeric))
		return fail(trust, error, "TLS can't be set up for", name);
	if (ca_file != NULL && SSL_CTX_load_verify_file(trust->ctx, ca_file) != 1)
		return fail(trust, error, "there are no certificates to be trusted in", ca_file);
	if (ca_file == NULL && SSL_CTX_set_default_verify_paths(trust->ctx) != 1)
		return fail(trust, error, "the system's certificates can't be read for", name);
	return trust;
}

void wire_trust_close(struct wire_trust *trust)
{
	if (trust == NULL)
		return;
	SSL_CTX_free(trust->ctx);
	free(trust);
}

/* ---- a connection ---- */

bool wire_open(struct wire *w, int fd, struct wire_trust *trust)
{
	*w = (struct wire){.fd = fd};
	if (trust == NULL)
		return true;
	SSL *ssl = SSL_new(trust->ctx);
	if (ssl != NULL && SSL_set_fd(ssl, fd) == 1 &&
	    (trust->shown == NULL || SSL_set_tlsext_host_name(ssl, trust->shown) == 1)) {
		SSL_set_connect_state(ssl);
		w->tls = ssl;
		return true;
	}
	SSL_free(ssl);
	wire_close(w);
	errno = ENOMEM;
	return false;
}

void wire_close(struct wire *w)
{
	SSL *ssl = w->tls;

	if (ssl != NULL && SSL_is_init_finished(ssl) && w->trouble == NULL)
		(void)SSL_shutdown(ssl);
	SSL_free(ssl);
	ERR_clear_error();
	if (w->fd >= 0)
		(void)close(w->fd); /* nothing is lost with a socket that is given up */
	*w = (struct wire){.fd = -1};
}

/* What has become of a call of OpenSSL's that gave `ret`. */
static enum wire_result judge(struct wire *w, int ret)
{
	SSL *ssl = w->tls;
	int error = SSL_get_error(ssl, ret);

	switch (error) {
	case SSL_ERROR_NONE:
		return WIRE_DONE;
	case SSL_ERROR_WANT_READ:
		return WIRE_WAIT_IN;
	case SSL_ERROR_WANT_WRITE:
		return WIRE_WAIT_OUT;
	case SSL_ERROR_ZERO_RETURN:
		return WIRE_END;
	case SSL_ERROR_SYSCALL:
		if (errno == 0)
			errno = ECONNRESET;
		return WIRE_FAILED;
	default:
		break;
	}
	long verified = SSL_get_verify_result(ssl);
	w->trouble =
	    verified != X509_V_OK ? X509_verify_cert_error_string(verified) : ERR_reason_error_string(ERR_peek_last_error());
	if (w->trouble == NULL)
		w->trouble = "TLS failed";
	return WIRE_FAILED;
}

static enum wire_result judge_plain(ssize_t ret, enum wire_result wait, size_t *n)
{
	if (ret < 0)
		return errno == EAGAIN ? wait : WIRE_FAILED;
	*n = (size_t)ret;
	return ret == 0 ? WIRE_END : WIRE_DONE;
}

static void prepare(struct wire *w)
{
	ERR_clear_error();
	w->trouble = NULL;
	errno = 0;
}

enum wire_result wire_send(struct wire *w, const void *p, size_t size, size_t *n)
{
	ssize_t ret;

	*n = 0;
	if (w->tls != NULL) {
		prepare(w);
		enum wire_result r = judge(w, SSL_write_ex(w->tls, p, size, n));
		w->waits_in = r == WIRE_WAIT_IN;
		return r;
	}
	do
		ret = send(w->fd, p, size, MSG_NOSIGNAL);
	while (ret < 0 && errno == EINTR);
	return judge_plain(ret, WIRE_WAIT_OUT, n);
}

enum wire_result wire_receive(struct wire *w, void *p, size_t size, size_t *n)
{
	ssize_t ret;

	assert(!w->waits_in);
	*n = 0;
	if (w->tls != NULL) {
		prepare(w);
		return judge(w, SSL_read_ex(w->tls, p, size, n));
	}
	do
		ret = recv(w->fd, p, size, 0);
	while (ret < 0 && errno == EINTR);
	return judge_plain(ret, WIRE_WAIT_IN, n);
}

bool wire_is_quiet(struct wire *w)
{
	char byte;
	size_t n;

	if (w->tls == NULL)
		return false;
	prepare(w);
	return judge(w, SSL_peek_ex(w->tls, &byte, 1, &n)) == WIRE_WAIT_IN;
}
