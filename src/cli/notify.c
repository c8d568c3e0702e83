/* notify.c: see notify.h. */
#include "cli/notify.h"
#include "base/log.h"
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* The address that NOTIFY_SOCKET means: a path, or a name behind '@' in the namespace that has no files. False when it is none. */
static bool address_of(const char *name, struct sockaddr_un *out, socklen_t *size)
{
	size_t n = strlen(name);

	if ((name[0] != '/' && name[0] != '@') || n < 2 || n >= sizeof(out->sun_path))
		return false;
	*out = (struct sockaddr_un){.sun_family = AF_UNIX};
	memcpy(out->sun_path, name, n);
	if (name[0] == '@')
		out->sun_path[0] = '\0';
	*size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n);
	return true;
}

static bool tell(const char *name, const char *state)
{
	struct sockaddr_un to;
	socklen_t size;
	ssize_t sent;
	int fd, why;

	if (!address_of(name, &to, &size)) {
		errno = EINVAL;
		return false;
	}
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return false;
	do
		sent = sendto(fd, state, strlen(state), MSG_NOSIGNAL, (const struct sockaddr *)&to, size);
	while (sent < 0 && errno == EINTR);
	why = errno;
	if (close(fd) != 0 && sent >= 0)
		return false;
	errno = why;
	return sent >= 0;
}

static void notify(const char *state)
{
	const char *name = getenv("NOTIFY_SOCKET");

	if (name != NULL && name[0] != '\0' && !tell(name, state))
		log_event(LOG_WARN, "not_notified", "error", "%s: %s", name, strerror(errno));
}

void cli_notify_ready(void)
{
	notify("READY=1");
}

void cli_notify_stopping(int64_t seconds)
{
	char state[80];

	(void)snprintf(state, sizeof(state), "STOPPING=1\nEXTEND_TIMEOUT_USEC=%lld", (long long)seconds * 1000000);
	notify(state);
}
