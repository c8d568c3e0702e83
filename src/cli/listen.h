/* listen.h: the address that `jari serve --listen` names.
 *
 * A numeric IPv4 address, an IPv6 address in brackets, or localhost, with a port: 127.0.0.1:8080, [::1]:8080, localhost:0.
 * Other names are refused: what they mean is decided elsewhere and may change, and here it matters whether the address is this
 * machine's alone.
 * Ownership: everything is in the struct. Threads: pure. Errors: false with a sentence that goes on from the option's name. */
#ifndef JARI_CLI_LISTEN_H
#define JARI_CLI_LISTEN_H

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

bool cli_listen_parse(const char *value, struct cli_listen *out, char *error, size_t error_size);

#endif
