/* wire.h: the bytes of one connection of the load generator, as they are or over TLS, on a socket that does not block.
 *
 * TLS is 1.2 or 1.3, and the server's certificate must be for the name or address that the URL has and lead to one that is trusted, as in a
 * browser. The handshake is part of the first send. Sessions are not resumed: a load should not be cheaper than strangers are.
 * Ownership: the socket is the wire's from wire_open to wire_close; the trust is the caller's, and outlives its wires. Threads: a
 * wire on one; wires of several threads may share a trust. Errors: a result; in words errno, or the wire's `trouble`. */
#ifndef JARI_CLI_BENCH_WIRE_H
#define JARI_CLI_BENCH_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define WIRE_ERROR_SIZE 512

/* What a server must show, and the settings of TLS. */
struct wire_trust;
/* For a server with this name or address (`numeric`), which stays the caller's and outlives the trust. `ca_file` has the certificates that are
 * trusted, PEM, perhaps the server's own; NULL: those of the system. NULL with a line in `error`. */
struct wire_trust *wire_trust_open(const char *name, bool numeric, const char *ca_file, char error[WIRE_ERROR_SIZE]);
void wire_trust_close(struct wire_trust *trust);

enum wire_result {
	WIRE_DONE,     /* *n bytes have gone, or have come */
	WIRE_WAIT_IN,  /* call again when the socket can be read */
	WIRE_WAIT_OUT, /* call again when it can be written */
	WIRE_END,      /* nothing comes any more */
	WIRE_FAILED
};

struct wire {
	int fd;              /* -1: there is none */
	void *tls;           /* OpenSSL's; NULL: there is none */
	bool waits_in;       /* the last wire_send waits for what comes, as in a handshake */
	const char *trouble; /* what TLS had against the last call that failed; NULL: it is errno's */
};

/* A wire on a socket that is connected or being connected. `trust` NULL: without TLS. False when there is no memory; then the socket is closed. */
bool wire_open(struct wire *w, int fd, struct wire_trust *trust);
/* Closes the socket too; over TLS the server is told, as far as that goes at once. Harmless when there is none. */
void wire_close(struct wire *w);
enum wire_result wire_send(struct wire *w, const void *p, size_t size, size_t *n);
/* Not while the last wire_send waits for what comes: this would read it, and nothing would tell that sending can go on. */
enum wire_result wire_receive(struct wire *w, void *p, size_t size, size_t *n);
/* Something came while nothing was asked. True when it was TLS' own, such as a ticket for later, and the connection is good still. */
bool wire_is_quiet(struct wire *w);

#endif
