/* listen.h: the address that `jari serve --listen` names.
 *
 * A numeric IPv4 address, an IPv6 address in brackets, or localhost, with a port: 127.0.0.1:8080, [::1]:8080, localhost:0.
 * Other names are refused: what they mean is decided elsewhere and may change, and here it matters whether the address is this
 * machine's alone.
 * Ownership: everything is in the struct. Threads: pure. Errors: false with a sentence that goes on from the option's name. */
#ifndef JARI_CLI_LISTEN_H
#define JARI_CLI_LISTEN_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CLI_HOST_SIZE 64

struct cli_listen {
	char host[CLI_HOST_SIZE]; /* numeric, without brackets */
	uint16_t port;            /* 0: any free one */
	bool v6;
	bool loopback; /* only this machine can reach it */
};

/* Whether only this machine can reach an address; also an IPv4 one that is written as IPv6. */
bool cli_v4_is_loopback(struct in_addr a);
bool cli_v6_is_loopback(const struct in6_addr *a);

bool cli_listen_parse(const char *value, struct cli_listen *out, char *error, size_t error_size);

#endif
