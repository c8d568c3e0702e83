/* conn.h: the inside of the server: threads, connections, and requests as the server keeps them.
 *
 *              first byte               whole request          answered              nothing left to send
 *   IDLE ───────────────> RECEIVING ───────────────────> BUSY ──────────────> SENDING ─────────────────────> IDLE
 *                              │ refused early                                  │ answered with Connection: close
 *                              └──────────────────> LINGER <────────────────────┘   (bytes are thrown away, then the end)
 *
 * An answer that time goes on writing (feed.c) leaves BUSY for FED, without a slot; there a connection's deadline is its next look.
 *
 * A connection is on its thread's list of its state; each list is in the order of its deadlines, so a sweep looks at the heads only.
 * A request lives in a slot. Slots are pooled by thread and are lent to a connection from the first byte of a body or a head until the answer.
 * When a connection dies while its request is in the engine, the slot lives on without it until it comes back (I7 is the engine's: what was
 * committed stays committed).
 *
 * Threads: everything here belongs to one thread, the done list of struct http_thread excepted, which has a lock.
 * Every way into a connection is bracketed by http_conn_enter and http_conn_leave; only leave frees it. */
#ifndef JARI_HTTP_CONN_H
#define JARI_HTTP_CONN_H

#include "base/tally.h"
#include "http/callers.h"
#include "http/parse.h"
#include "http/route.h"
#include "http/server.h"
#include "http/tls.h"
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <pthread.h>

#define HTTP_READ_AHEAD 65536      /* bytes read and not used, past which no more are read */
#define HTTP_WRITE_AHEAD 65536     /* bytes waiting to be sent, past which the next request waits */
#define HTTP_SLOTS_KEPT 256        /* unused slots that a thread keeps */
#define HTTP_KEEP_BYTES 65536      /* of a buffer that is kept for the next use */
#define HTTP_STATIC_COPY_MAX 16384 /* built-in files up to this are copied: one write for head and body */

struct http_slot {
	struct http_request req; /* first: a request is its slot */
	struct arena arena;
	struct buf body;
	struct http_head head;
	struct http_match match;
	void (*more)(struct http_request *req);
	struct http_slot *all_next, *all_prev; /* of the thread */
	struct http_slot *free_next;
	bool in_engine; /* between a hand-on and its return, or waiting */
	bool answered;
	bool streaming, chunked, more_due;
	bool muted; /* nobody listens to the stream: freed as soon as it is not in the engine */
	bool held;  /* whoever called the handler frees it */
	bool has_cache_control, has_retry_after;
};

enum http_conn_state {
	HTTP_CONN_IDLE,
	HTTP_CONN_RECEIVING,
	HTTP_CONN_BUSY,
	HTTP_CONN_SENDING,
	HTTP_CONN_FED,
	HTTP_CONN_LINGER,
	HTTP_CONN_STATES
};
enum http_conn_part { HTTP_PART_HEAD, HTTP_PART_LENGTH, HTTP_PART_CHUNKS };

struct http_conn {
	struct http_thread *thread;
	struct bufferevent *bev;
	int fd;
	struct http_address from;   /* all zero: unknown */
	struct http_caller *caller; /* to be given back; may be NULL */
	enum http_conn_state state;
	struct http_conn *prev, *next; /* of the state's list */
	int64_t deadline_us;
	struct http_slot *slot; /* the request being received or answered */
	struct http_feed *feed; /* FED: what goes on being written */
	enum http_conn_part part;
	struct http_scanner scan;
	struct http_chunks chunks;
	int64_t body_left;
	size_t body_max;
	size_t discarded;     /* while lingering */
	int64_t held;         /* of memory, as pressure.c counts it */
	size_t fixed;         /* of what is to be sent: not copied */
	size_t unsent_before; /* when the time of the state began */
	struct buf out;       /* what this turn has to send */
	bool tls;             /* bev is of tls.h */
	bool shaking;         /* TLS, and its handshake is not over; counts as RECEIVING */
	bool entered;
	bool serving;  /* the slot's request is whole and not answered */
	bool answered; /* one was answered in this turn, or the handshake is over: times begin anew */
	bool eof;      /* the client will send nothing more */
	bool broken;   /* the connection is of no use */
	bool closing;  /* no request after this one */
	bool linger;   /* the client may still be sending */
};

struct http_conn_list {
	struct http_conn *first, *last;
};

struct http_thread {
	struct http_server *server;
	int index; /* among the server's */
	pthread_t id;
	bool started;
	struct event_base *base;
	struct evconnlistener *listener;
	struct event *wake, *tick, *pause, *feeding, *again;
	int wake_fd;
	struct seal *seal;
	struct rendered *rendered;
	struct http_conn_list lists[HTTP_CONN_STATES];
	int64_t conns;
	tally_count held;                  /* by all connections together, … */
	int64_t held_in[HTTP_CONN_STATES]; /* … and by those of each state */
	uint64_t chance;                   /* for jitter */
	int64_t in_engine;                 /* requests out with the engine, and those that wait */
	struct http_request *waiting;      /* for their tickets; linked by next_done */
	int64_t waiting_count;
	struct http_slot *all, *free;
	int64_t free_count;
	int64_t fed_count; /* connections with a feed */
	struct buf news;   /* what the feed being looked at writes */
	int64_t now_us;
	time_t date_second;
	char date[64]; /* "Date: …\r\n" */
	size_t date_n;
	bool draining;
	int64_t drain_deadline_us, warned_us;

	pthread_mutex_t done_lock;
	struct http_request *done_first, *done_last;
};

struct http_server {
	struct http_app *app;
	struct http_router *router;
	struct http_thread *threads;
	int count;
	int port;
	struct http_tls *tls; /* NULL: plain */
	int64_t idle_us, request_us, write_us, heartbeat_us;
	struct http_callers *callers;
	int64_t held_max; /* bytes */
	int64_t send_rate_min;
	int64_t streams_max; /* 0: any number */
	_Atomic int64_t streams;
	_Atomic bool stopping;
	bool stopped;
};

static inline struct http_slot *http_slot_of(struct http_request *req)
{
	return (struct http_slot *)req;
}

/* ---- slot.c ---- */
struct http_slot *http_slot_take(struct http_thread *t);
void http_slot_release(struct http_thread *t, struct http_slot *slot);
void http_slots_free(struct http_thread *t);
/* After something was done with a request that has no connection, or outside any turn. */
void http_slot_settle(struct http_slot *slot);
/* A request is back from the engine. */
void http_slot_back(struct http_request *req);

/* ---- answer.c ---- */
/* Counts an answer and writes its head, up to what says how long it is. */
void http_answer_head(struct http_slot *slot, int status, const char *content_type);

/* ---- feed.c ---- */
/* Looks at the feeds whose time has come. */
void http_feed_step(struct http_thread *t);
/* The connection is being closed. */
void http_feed_free(struct http_conn *c);
/* The server is stopping: ends all feeds. */
void http_feed_drain(struct http_thread *t);

/* ---- door.c ---- */
/* A connection was accepted: lets it in, or turns it away and closes it. */
void http_door(struct http_thread *t, int fd, const struct sockaddr *from, socklen_t n);
/* Closes the connection that has waited longest for a next request. False when none has waited for HTTP_SPARE_MS. */
bool http_door_make_room(struct http_thread *t);

/* ---- pressure.c ---- */
/* Counts anew what a connection holds. */
void http_pressure_note(struct http_conn *c);
void http_pressure_moved(struct http_conn *c, enum http_conn_state from);
/* The connection is being closed. */
void http_pressure_forget(struct http_conn *c);
/* Closes connections while too much is held. Not within a turn. */
void http_pressure_relieve(struct http_thread *t);
/* Whether enough of what was to be sent was taken in the time for it. */
bool http_pressure_is_taken(const struct http_conn *c);

/* ---- conn.c ---- */
void http_conn_new(struct http_thread *t, int fd, const struct http_address *from, struct http_caller *caller);
void http_conn_enter(struct http_conn *c);
/* Goes on with what has been read, as far as it goes. */
void http_conn_run(struct http_conn *c);
void http_conn_leave(struct http_conn *c);
/* Closes at once. Not within a turn. */
void http_conn_close(struct http_conn *c);
/* Sends what the turn has gathered. */
void http_conn_flush(struct http_conn *c);
/* Puts a connection at the end of a state's list, where its time begins anew. */
void http_conn_move(struct http_conn *c, enum http_conn_state state);
/* What is still to be sent. */
size_t http_conn_unsent(const struct http_conn *c);
/* Closes what is past its time. */
void http_conn_sweep(struct http_thread *t);
/* The server is stopping: closes what waits for a next request. */
void http_conn_drain(struct http_thread *t);

/* ---- receive.c ---- */
/* True when a whole request is there, ready to be served. False: more bytes are needed, or it was refused and answered. */
bool http_conn_receive(struct http_conn *c);

/* ---- thread.c ---- */
bool http_thread_open(struct http_thread *t, struct http_server *s, int fd, const uint8_t seal_key[SEAL_KEY_BYTES]);
void http_thread_close(struct http_thread *t);
void *http_thread_run(void *thread);
/* Hands a request back to its thread. Any thread. */
void http_thread_done(struct http_request *req, bool more_follow);
/* Has `resume` called a little later, on this thread, which is the caller's. False when too many wait already. */
bool http_thread_wait(struct http_request *req);
/* Ends the loop when the server is stopping and nothing is left. */
void http_thread_check_drained(struct http_thread *t);
void http_thread_date(struct http_thread *t);
/* A number for Retry-After, by lot, so that those who were turned away together do not come back together. */
int http_thread_retry_seconds(struct http_thread *t);

#endif
