#include "http/client.h"
#include <string.h>

void http_forwarding_add(struct http_forwarding *f, struct text line)
{
	if (f->count == HTTP_FORWARDING_LINES) {
		memmove(&f->lines[0], &f->lines[1], sizeof(f->lines) - sizeof(f->lines[0]));
		f->count--;
	}
	f->lines[f->count++] = line;
}

/* ---- the networks ---- */

bool http_proxies_parse(struct text in, struct http_proxies *out, struct text *wrong)
{
	*out = (struct http_proxies){.count = 0};
	for (bool more = true; more;) {
		const char *comma = in.n ? memchr(in.p, ',', in.n) : NULL;
		struct text piece = {in.p, comma ? (size_t)(comma - in.p) : in.n};
		more = comma != NULL;
		if (more) {
			in.p += piece.n + 1;
			in.n -= piece.n + 1;
		}
		*wrong = (struct text){NULL, 0};
		if (out->count == JARI_TRUSTED_PROXIES_MAX)
			return false;
		*wrong = text_trim(piece);
		if (!http_network_parse(*wrong, &out->networks[out->count++]))
			return false;
	}
	return true;
}

bool http_proxies_have(const struct http_proxies *trusted, const struct http_address *a)
{
	for (size_t i = 0; i < trusted->count; i++)
		if (http_network_has(&trusted->networks[i], a))
			return true;
	return false;
}

/* ---- entries ---- */

/* 192.0.2.1, 192.0.2.1:4711, 2001:db8::1, [2001:db8::1], [2001:db8::1]:4711. What is behind the address only has to look like a port. */
static bool read_node(struct text node, struct http_address *out)
{
	struct text rest = {NULL, 0};
	if (node.n && node.p[0] == '[') {
		const char *end = memchr(node.p, ']', node.n);
		if (!end)
			return false;
		rest = (struct text){end + 1, (size_t)(node.p + node.n - end - 1)};
		node = (struct text){node.p + 1, (size_t)(end - node.p - 1)};
		if (!memchr(node.p, ':', node.n))
			return false;
	} else {
		const char *colon = node.n ? memchr(node.p, ':', node.n) : NULL;
		size_t behind = colon ? (size_t)(node.p + node.n - colon - 1) : 0;
		if (colon && !memchr(colon + 1, ':', behind)) {
			rest = (struct text){colon, behind + 1};
			node.n = (size_t)(colon - node.p);
		}
	}
	if (rest.n && (rest.n < 2 || rest.p[0] != ':'))
		return false;
	return http_address_parse(node, out);
}

/* The value without its quotes. A node has no character that would have to be escaped in them. */
static struct text unquoted(struct text t)
{
	if (t.n >= 2 && t.p[0] == '"' && t.p[t.n - 1] == '"')
		return (struct text){t.p + 1, t.n - 2};
	return t;
}

/* The node behind "for=" of a Forwarded entry such as for="[2001:db8::1]:4711";proto=https. A second one is nonsense. */
static bool read_pairs(struct text entry, struct http_address *out)
{
	bool found = false;
	while (entry.n) {
		const char *end = memchr(entry.p, ';', entry.n);
		struct text pair = {entry.p, end ? (size_t)(end - entry.p) : entry.n};
		size_t step = pair.n + (end != NULL);
		entry.p += step;
		entry.n -= step;
		pair = text_trim(pair);
		if (pair.n < 4 || !text_equal_nocase((struct text){pair.p, 4}, TEXT("for=")))
			continue;
		if (found || !read_node(unquoted((struct text){pair.p + 4, pair.n - 4}), out))
			return false;
		found = true;
	}
	return found;
}

/* ---- the way back ---- */

/* Entries from the last to the first. */
struct back {
	const struct http_forwarding *header;
	size_t line; /* how many lines are left, the current one counted */
	size_t left; /* of it, in bytes */
};

/* Backwards, so that a quote which the client has left open can't hide what a proxy added behind it. */
static bool entry_before(struct back *b, struct text *out)
{
	while (b->line && !b->left) {
		b->line--;
		b->left = b->line ? b->header->lines[b->line - 1].n : 0;
	}
	if (!b->line)
		return false;
	const char *p = b->header->lines[b->line - 1].p;
	size_t at = b->left;
	for (bool quoted = false; at && (quoted || p[at - 1] != ','); at--)
		quoted ^= p[at - 1] == '"';
	*out = text_trim((struct text){p + at, b->left - at});
	b->left = at ? at - 1 : 0;
	return true;
}

static struct http_address walk(const struct http_address *connected, const struct http_proxies *trusted,
                                const struct http_forwarding *header, bool (*read)(struct text, struct http_address *))
{
	struct http_address at = *connected, before;
	struct back b = {header, header->count, header->count ? header->lines[header->count - 1].n : 0};
	struct text entry;
	while (http_proxies_have(trusted, &at) && entry_before(&b, &entry) && read(entry, &before))
		at = before;
	return at;
}

struct http_address http_client_address(const struct http_address *connected, const struct http_proxies *trusted,
                                        const struct http_forwarding *x_forwarded_for, const struct http_forwarding *forwarded)
{
	struct http_address x = walk(connected, trusted, x_forwarded_for, read_node);
	struct http_address f = walk(connected, trusted, forwarded, read_pairs);
	if (!forwarded->count || http_address_equal(&x, &f))
		return x;
	return x_forwarded_for->count ? *connected : f;
}
