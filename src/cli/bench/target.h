/* target.h: the server that `jari bench --url` names: http:// or https://, a name or an address, and a port where it is not the usual one.
 *
 * A name is looked up once, and its first address is taken: a load that goes to several servers in turns would measure neither. localhost
 * is 127.0.0.1, as it is for `--listen`.
 * Ownership: everything is in the struct. Threads: before there are any; bench_target_find waits for the system's answer. Errors:
 * false with one line. Source: RFC 3986 (host, port), RFC 9110 section 4.2 (the usual ports). */
#ifndef JARI_CLI_BENCH_TARGET_H
#define JARI_CLI_BENCH_TARGET_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#define BENCH_NAME_SIZE 254      /* RFC 1035: a name has 253 characters at most */
#define BENCH_AUTHORITY_SIZE 264 /* with brackets, or a port */
#define BENCH_TARGET_ERROR_SIZE 512

struct bench_target {
	bool tls;
	bool numeric;                         /* an address, no name */
	bool loopback;                        /* this machine's alone; known when it was found */
	uint16_t port;                        /* 1 to 65535 */
	char name[BENCH_NAME_SIZE];           /* as the URL has it, without brackets: what a certificate must be for */
	char authority[BENCH_AUTHORITY_SIZE]; /* what Host says: without a port where it is the usual one */
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} address; /* known when it was found */
	socklen_t address_n;
};

bool bench_target_parse(const char *url, struct bench_target *out, char error[BENCH_TARGET_ERROR_SIZE]);
/* Finds the address of what was parsed. */
bool bench_target_find(struct bench_target *target, char error[BENCH_TARGET_ERROR_SIZE]);

#endif
