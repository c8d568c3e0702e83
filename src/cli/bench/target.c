/* target.c: see target.h. */
#include "cli/bench/target.h"
#include "base/text.h"
#include "cli/listen.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>

#define PORT_HTTP 80
#define PORT_HTTPS 443

static bool refuse(char error[BENCH_TARGET_ERROR_SIZE], const char *why)
{
	(void)snprintf(error, BENCH_TARGET_ERROR_SIZE, "%s, as in https://tickets.example or http://127.0.0.1:8080", why);
	return false;
}

/* Takes a beginning off, whatever its case. */
static bool skip(struct text *in, struct text beginning)
{
	if (in->n < beginning.n || !text_equal_nocase((struct text){in->p, beginning.n}, beginning))
		return false;
	*in = (struct text){in->p + beginning.n, in->n - beginning.n};
	return true;
}

static bool is_name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
}

/* Labels with dots between them. */
static bool is_name(struct text t)
{
	bool label = false;

	for (size_t i = 0; i < t.n; i++) {
		if (t.p[i] == '.' ? !label : !is_name_char(t.p[i]) || (t.p[i] == '-' && !label))
			return false;
		label = t.p[i] != '.';
	}
	return label;
}

/* The host, and what stands behind it. False when it is none. */
static bool take_host(struct text *in, struct bench_target *out)
{
	struct text host = *in;
	bool v6 = skip(&host, TEXT("["));
	const char *end = v6 ? memchr(host.p, ']', host.n) : memchr(host.p, ':', host.n);

	if (v6 && end == NULL)
		return false;
	if (end != NULL)
		host.n = (size_t)(end - host.p);
	if (host.n == 0 || host.n >= sizeof(out->name))
		return false;
	memcpy(out->name, host.p, host.n);
	*in = (struct text){host.p + host.n + v6, (size_t)(in->p + in->n - (host.p + host.n + v6))};
	out->address.any.sa_family = v6 ? AF_INET6 : AF_INET;
	out->numeric = v6 || inet_pton(AF_INET, out->name, &out->address.v4.sin_addr) == 1;
	return v6 ? inet_pton(AF_INET6, out->name, &out->address.v6.sin6_addr) == 1 : out->numeric || is_name(host);
}

static bool take_port(struct text in, struct bench_target *out)
{
	int64_t port = out->tls ? PORT_HTTPS : PORT_HTTP;

	if (in.n > 0 && (!skip(&in, TEXT(":")) || !text_to_int(in, 1, 65535, &port)))
		return false;
	out->port = (uint16_t)port;
	return true;
}

static void write_authority(struct bench_target *t)
{
	bool v6 = t->address.any.sa_family == AF_INET6, usual = t->port == (t->tls ? PORT_HTTPS : PORT_HTTP);
	char port[8] = "";

	if (!usual)
		(void)snprintf(port, sizeof(port), ":%u", (unsigned)t->port);
	(void)snprintf(t->authority, sizeof(t->authority), "%s%s%s%s", v6 ? "[" : "", t->name, v6 ? "]" : "", port);
}

bool bench_target_parse(const char *url, struct bench_target *out, char error[BENCH_TARGET_ERROR_SIZE])
{
	struct text rest = text_of(url);

	*out = (struct bench_target){0};
	out->tls = skip(&rest, TEXT("https://"));
	if (!out->tls && !skip(&rest, TEXT("http://")))
		return refuse(error, "needs http:// or https:// and a server");
	if (text_ends(rest, TEXT("/")))
		rest.n--;
	if (memchr(rest.p, '/', rest.n) != NULL || memchr(rest.p, '?', rest.n) != NULL)
		return refuse(error, "takes a server, and no path behind it");
	if (!take_host(&rest, out))
		return refuse(error, "needs a name or an address (IPv6 in brackets) behind the slashes");
	if (!take_port(rest, out))
		return refuse(error, "needs a port from 1 to 65535 behind the colon");
	write_authority(out);
	return true;
}

static bool look_up(struct bench_target *t, char error[BENCH_TARGET_ERROR_SIZE])
{
	struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG}, *found = NULL;
	int rc = getaddrinfo(t->name, NULL, &hints, &found);

	if (rc != 0) {
		(void)snprintf(error, BENCH_TARGET_ERROR_SIZE, "no address is known for %s: %s", t->name,
		               rc == EAI_SYSTEM ? strerror(errno) : gai_strerror(rc));
		return false;
	}
	memcpy(&t->address, found->ai_addr, found->ai_addrlen < sizeof(t->address) ? found->ai_addrlen : sizeof(t->address));
	freeaddrinfo(found);
	return true;
}

bool bench_target_find(struct bench_target *t, char error[BENCH_TARGET_ERROR_SIZE])
{
	if (!t->numeric && text_equal_nocase(text_of(t->name), TEXT("localhost")))
		t->address.v4 = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	else if (!t->numeric && !look_up(t, error))
		return false;
	if (t->address.any.sa_family == AF_INET6) {
		t->address.v6.sin6_port = htons(t->port);
		t->address_n = sizeof(t->address.v6);
		t->loopback = cli_v6_is_loopback(&t->address.v6.sin6_addr);
	} else {
		t->address.v4.sin_port = htons(t->port);
		t->address_n = sizeof(t->address.v4);
		t->loopback = cli_v4_is_loopback(t->address.v4.sin_addr);
	}
	return true;
}
