/* tls.h: TLS in the server itself: a certificate with its key, from files that may be read again while connections are open, and the bytes of one
 * connection on their way through it.
 *
 * TLS 1.2 and 1.3 (RFC 9325), with forward secrecy and authenticated encryption alone; no compression, no renegotiation, no early data. Clients are
 * offered http/1.1 (ALPN, RFC 7301); one that speaks other protocols only is turned away in the handshake. Sessions are resumed by tickets, of which
 * the server keeps nothing but the key, in memory.
 *
 * Ownership: made by http_tls_open, freed by http_tls_close; connections that are open then keep what they need. Threads: http_tls_accept
 * and what works on a bufferevent on that one's thread; the others from one thread. Errors: one line that a person understands. */
#ifndef JARI_HTTP_TLS_H
#define JARI_HTTP_TLS_H

#include <event2/bufferevent.h>
#include <limits.h>
#include <stdbool.h>

#define HTTP_TLS_ERROR_SIZE (2 * PATH_MAX + 256)

struct http_tls;

/* Reads a certificate with its chain, and its key, both PEM; the names stay the caller's and must outlive it. NULL with a line in `error`. */
struct http_tls *http_tls_open(const char *cert_file, const char *key_file, char error[HTTP_TLS_ERROR_SIZE]);
/* Reads both again: connections made from then on get the new pair. A pair that can't be used changes nothing. Either is in the log. */
void http_tls_reload(struct http_tls *t);
/* Logs what the certificate is, and until when it is valid. */
void http_tls_log(struct http_tls *t);
void http_tls_close(struct http_tls *t);

/* A bufferevent for a socket that was accepted, whose handshake begins. BEV_EVENT_CONNECTED tells that it is
 * over. Its callbacks come from the event loop alone, never from within a call. NULL when there is no memory. */
struct bufferevent *http_tls_accept(struct http_tls *t, struct event_base *base, int fd);
/* Tells the client that nothing follows (close_notify), as far as the socket takes it at once. Harmless when it was called before. */
void http_tls_finish(struct bufferevent *bev);
/* Frees a bufferevent of http_tls_accept. The socket stays open. */
void http_tls_free(struct bufferevent *bev);

#endif
