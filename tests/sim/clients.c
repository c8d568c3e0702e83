/* clients.c: people whose requests are late, lost, sent twice or again, at any server; who ask for their place, or fall silent, or give up. */
#include "world.h"

#include <stddef.h>
#include <stdlib.h>

enum {
	WAY_US = 2000,
	PATIENCE_US = 2500000,
	AGAIN_US = 300000,
	TICKET_US = 20000,
	TICKET_WAIT_US = 1500000,
	BACK_US = 1800000,
	TRIES = 8
};

/* ---- what a reply says ---- */

static uint64_t mix(uint64_t h, int64_t v)
{
	h = (h ^ (uint64_t)v) * 0x9E3779B97F4A7C15ULL;
	return h ^ h >> 29;
}

static uint64_t mix_text(uint64_t h, struct text t)
{
	h = mix(h, (int64_t)t.n);
	for (size_t i = 0; i < t.n; i++)
		h = mix(h, t.p[i]);
	return h;
}

static uint64_t mix_ints(uint64_t h, const int64_t *p, size_t n)
{
	h = mix(h, (int64_t)n);
	for (size_t i = 0; i < n; i++)
		h = mix(h, p[i]);
	return h;
}

static uint64_t hash_reply(const struct core_reply *r)
{
	const int64_t all[] = {r->code,
	                       r->replayed,
	                       r->replay_status,
	                       r->created,
	                       r->ticket.queue_id,
	                       r->ticket.number,
	                       r->ticket.status,
	                       r->ticket.expires_at,
	                       r->user.user_id,
	                       r->user.balance,
	                       r->queue.queue_id,
	                       r->queue.admitted,
	                       r->concert.concert_id,
	                       r->show.version,
	                       r->reservation.reservation_id,
	                       r->reservation.total_price,
	                       r->reservation.status,
	                       r->reservation.held_until,
	                       r->entry.entry_id,
	                       r->entry.amount,
	                       r->required,
	                       r->sales_open_at,
	                       r->reservation_id,
	                       r->limit};
	uint64_t h = mix_ints(1, all, sizeof all / sizeof all[0]);
	h = mix_text(mix_text(h, r->replay_body), r->user.name);
	h = mix_ints(mix_ints(h, r->seats, r->seat_count), r->reservation.seats, (size_t)r->reservation.seat_count);
	return mix_ints(mix_ints(h, r->concert_ids, r->concert_id_count), r->show_ids, r->show_id_count);
}

/* ---- what was decided ---- */

static struct request *request_of(const struct core_cmd *cmd)
{
	return (struct request *)(void *)((char *)(uintptr_t)cmd - offsetof(struct request, job.cmd));
}

static bool has_effect(const struct decision *d)
{
	if (d->reply.code != CORE_OK || d->reply.replayed)
		return false;
	enum core_op op = d->cmd->op;
	return (op == CORE_JOIN && d->reply.created) || op == CORE_HOLD || op == CORE_CANCEL || op == CORE_CHARGE_WALLET ||
	       op == CORE_PAY || op == CORE_ADD_CATALOGUE;
}

void clients_decided(struct world *w, const struct decision *d, bool committed)
{
	if (d->cmd->op == CORE_TICK || d->cmd->op == CORE_HEAR)
		return;
	struct request *r = request_of(d->cmd);
	if (r->effect)
		world_fail(w, "once", "request %d has had an effect, and is decided again", (int)(r - w->requests));
	if (has_effect(d) && !committed)
		world_fail(w, "once", "request %d succeeds without a commit", (int)(r - w->requests));
	r->decided = true;
	r->effect = has_effect(d);
	r->seq = w->seq;
	r->hash = hash_reply(&d->reply);
}

void clients_unknown(struct world *w, struct conn *c, int64_t seq)
{
	for (int i = 0; i < w->request_n; i++) {
		struct request *r = &w->requests[i];
		if (r->sent && !r->answered && r->decided && r->seq == seq && r->server == c->server &&
		    r->life == c->server->life)
			r->unknown = true;
	}
}

void clients_undo(struct world *w, int64_t seq)
{
	for (int i = 0; i < w->request_n; i++) {
		struct request *r = &w->requests[i];
		if (r->decided && r->seq > seq && r->answered)
			world_fail(w, "I7", "request %d was answered, and is lost with the power", i);
		if (r->seq > seq)
			r->decided = r->effect = false;
	}
}

/* ---- requests ---- */

static void again(struct world *w, void *arg);
static void deliver(struct world *w, void *arg);

int clients_waiting(const struct world *w)
{
	int n = 0;
	for (int i = 0; i < w->op_n; i++)
		n += !w->ops[i].over;
	return n;
}

struct known *clients_known(struct world *w, int64_t queue_id, int64_t number)
{
	for (int i = 0; i < w->known_n; i++)
		if (w->known[i].queue_id == queue_id && w->known[i].number == number)
			return &w->known[i];
	return NULL;
}

static void poll(struct world *w, void *arg);

static void keep_ticket(struct world *w, const struct core_ticket *t)
{
	struct known *k = clients_known(w, t->queue_id, t->number);
	if (k && k->user_id != t->user_id)
		world_fail(w, "I5", "number %lld of queue %lld was told to two", (long long)t->number, (long long)t->queue_id);
	if (k || w->known_n == KNOWN)
		return;
	k = &w->known[w->known_n++];
	*k = (struct known){.queue_id = t->queue_id, .number = t->number, .user_id = t->user_id};
	k->every_us = 100000 + world_below(w, 500000);
	k->server = world_below(w, 2) ? -1 : (int)world_below(w, w->servers);
	int64_t r = world_below(w, 100);
	if (r < 40) /* gone, mostly until some time after having been passed over, or for good */
		k->gone_until_us = r < 15 ? INT64_MAX : threads_us() + (w->idle_ms + world_below(w, 4000)) * 1000;
	world_at(w, world_below(w, k->every_us), poll, k);
}

static struct server *some_server(struct world *w)
{
	return &w->server[world_below(w, w->servers)];
}

/* Whether sending it again can't do it twice. */
static bool is_safe(const struct core_cmd *cmd)
{
	return cmd->key.n > 0 || cmd->op == CORE_JOIN || cmd->op == CORE_LEAVE || cmd->op == CORE_CANCEL;
}

static void is_lost(struct world *w, struct request *r)
{
	struct op *op = r->op;
	op->on_the_way--;
	if (op->over || op->on_the_way > 0)
		return;
	bool goes_on = is_safe(&op->cmd) ? w->faults ? op->tries < TRIES : true : op->tries < 2 && world_below(w, 2) == 0;
	if (goes_on)
		world_at(w, world_below(w, AGAIN_US), again, op);
	else
		op->over = true;
}

/* Nobody listens any more. */
static void time_is_up(struct world *w, void *arg)
{
	struct request *r = arg;
	if (r->timed_out)
		return;
	r->timed_out = true;
	is_lost(w, r);
}

static void arrive(struct world *w, void *arg)
{
	struct request *r = arg;
	if (r->timed_out)
		return;
	r->timed_out = true;
	if (r->job.reply.code == CORE_STORE_UNAVAILABLE) {
		is_lost(w, r);
		return;
	}
	r->op->on_the_way--;
	r->op->over = true;
	if (r->job.cmd.op == CORE_JOIN && r->job.reply.code == CORE_OK)
		keep_ticket(w, &r->job.reply.ticket);
}

/* Whoever was given a place sees it at once. */
static void check_ticket_shown(struct world *w, struct server *s, const struct core_reply *reply)
{
	struct core_ticket t;
	if (reply->created && !engine_look_auth(s->engine, reply->ticket.queue_id, reply->ticket.number, &t))
		world_fail(w, "shown", "server %d does not show ticket %lld/%lld, which it has just issued", s->id,
		           (long long)reply->ticket.queue_id, (long long)reply->ticket.number);
}

/* On the syncer's thread: whatever becomes of the reply on its way, it has been given. */
static void answered(struct engine_job *job)
{
	struct request *r = job->owner;
	struct server *s = r->server;
	struct world *w = s->w;
	int i = (int)(r - w->requests);
	if (!s->conn || s->conn->dead || r->life != s->life)
		return;
	threads_hold();
	r->answered = true;
	w->count[COUNT_ANSWERS]++;
	w->count[COUNT_FAILED] += job->reply.code == CORE_STORE_UNAVAILABLE;
	world_trace(w, "server %d answers request %d: %s", s->id, i, core_code_name(job->reply.code));
	if (job->reply.code == CORE_STORE_UNAVAILABLE) {
		if (r->effect && !r->unknown)
			world_fail(w, "reply", "request %d is told that nothing has happened, and it has", i);
	} else {
		if (!r->decided || r->hash != hash_reply(&job->reply))
			world_fail(w, "reply", "request %d is told %s, which is not what was decided", i,
			           core_code_name(job->reply.code));
		if (r->seq > w->durable)
			world_fail(w, "I7", "request %d is told of commit %lld, and only %lld are durable", i, (long long)r->seq,
			           (long long)w->durable);
		if (r->effect) {
			s->told = r->seq > s->told ? r->seq : s->told;
			seen_own(w, s, r->seq);
			check_ticket_shown(w, s, &job->reply);
		}
	}
	threads_release();
	if (!world_odds(w, w->odds.lost))
		world_at(w, world_below(w, WAY_US), arrive, r);
}

void clients_server_lost(struct world *w, struct server *s)
{
	for (int i = 0; i < w->request_n; i++) {
		struct request *r = &w->requests[i];
		if (r->sent && !r->answered && r->server == s && r->life == s->life && !r->timed_out)
			world_at(w, world_below(w, WAY_US), time_is_up, r);
	}
}

/* What the HTTP layer does before a command is submitted: the token must open that very ticket. */
static bool may_pass(struct request *r, bool *later)
{
	const struct core_cmd *cmd = &r->job.cmd;
	struct server *s = r->server;
	struct core_ticket t;
	*later = false;
	if (cmd->auth_number == 0)
		return true;
	if (!engine_look_auth(s->engine, cmd->auth_queue_id, cmd->auth_number, &t)) {
		*later =
		    engine_expects_ticket(s->engine, cmd->auth_queue_id, cmd->auth_number) && threads_us() < r->waits_until_us;
		return false;
	}
	return t.user_id == cmd->auth_user_id && core_token_opens(&t, engine_now(s->engine));
}

static void deliver(struct world *w, void *arg)
{
	struct request *r = arg;
	struct server *s = r->server;
	bool later;
	if (!s->up || s->stopping) {
		time_is_up(w, r);
		return;
	}
	if (!may_pass(r, &later)) {
		if (later) {
			world_at(w, TICKET_US, deliver, r);
			return;
		}
		world_trace(w, "server %d refuses request %d", s->id, (int)(r - w->requests));
		r->timed_out = true;
		r->op->on_the_way--;
		r->op->over = true;
		return;
	}
	r->life = s->life;
	r->sent = true;
	world_trace(w, "server %d takes request %d: op %d", s->id, (int)(r - w->requests), (int)r->job.cmd.op);
	if (!engine_submit(s->engine, &r->job)) {
		r->sent = false;
		time_is_up(w, r);
	}
}

static void send(struct world *w, struct op *op)
{
	if (w->request_n == REQUESTS) {
		op->over = true;
		return;
	}
	struct request *r = &w->requests[w->request_n++];
	*r = (struct request){.op = op, .server = w->faults_end_us ? some_server(w) : &w->server[0]};
	r->job = (struct engine_job){.cmd = op->cmd, .arena = &r->arena, .done = answered, .owner = r};
	r->waits_until_us = threads_us() + TICKET_WAIT_US;
	op->on_the_way++;
	world_at(w, world_below(w, w->faults && world_below(w, 10) == 0 ? 100 * WAY_US : WAY_US), deliver, r);
	/* when nothing goes wrong every answer comes; who does not wait for it only makes the server's work longer */
	int64_t patience_us = w->faults ? PATIENCE_US / 2 : 4 * PATIENCE_US;
	world_at(w, patience_us + world_below(w, PATIENCE_US / 2), time_is_up, r);
}

static void again(struct world *w, void *arg)
{
	struct op *op = arg;
	if (op->over)
		return;
	op->tries++;
	send(w, op);
	if (world_odds(w, w->odds.twice))
		send(w, op);
}

/* ---- what somebody wants ---- */

static void want(struct world *w, struct op *op, void (*make)(struct world *w, struct core_cmd *cmd))
{
	w->sim.arena = (struct arena){0};
	w->sim.now = world_ms(w) + w->database_ms;
	make(w, &op->cmd);
	op->arena = w->sim.arena; /* its texts and numbers */
	w->sim.arena = (struct arena){0};
	world_at(w, 0, again, op);
}

static void any_command(struct world *w, struct core_cmd *cmd)
{
	do
		sim_command(&w->sim, cmd);
	while (cmd->op == CORE_TICK || cmd->op == CORE_HEAR); /* are the engine's own */
}

static void first_catalogue(struct world *w, struct core_cmd *cmd)
{
	sim_catalogue(&w->sim, cmd, 2, 2, false);
}

static void next_catalogue(struct world *w, struct core_cmd *cmd)
{
	int made = w->sim.queues_made;
	sim_catalogue(&w->sim, cmd, 0, 1, true);
	w->sim.queues_made = made;
}

static void want_any(struct world *w, void *arg)
{
	(void)arg;
	if (!w->faults || w->op_n == OPS)
		return;
	bool catalogue = w->sim.m->concerts < 10 && world_below(w, 60) == 0;
	want(w, &w->ops[w->op_n++], catalogue ? next_catalogue : any_command);
	world_at(w, world_below(w, w->gap_us), want_any, NULL);
}

/* Before there are concerts nothing can be wanted, and nothing goes wrong. */
static void want_concerts(struct world *w, void *arg)
{
	(void)arg;
	if (w->op_n == 0 && w->server[0].up)
		want(w, &w->ops[w->op_n++], first_catalogue);
	if (w->op_n == 0 || !w->ops[0].over) {
		world_at(w, AGAIN_US, want_concerts, NULL);
		return;
	}
	if (w->sim.m->concerts == 0)
		world_fail(w, "world", "there are no concerts");
	world_faults(w);
	want_any(w, NULL);
}

/* ---- asking for a place ---- */

/* How many more wait than are shown one by one. */
static int64_t unheard_of(const struct world *w, const struct server *s, int64_t queue_id)
{
	struct arena arena = {0};
	struct core_queue *q;
	struct core_ticket t;
	size_t n;
	int64_t more = 0;
	engine_look_queues(s->engine, &arena, &q, &n);
	for (size_t i = 0; w->shared && i < n; i++) {
		if (q[i].queue_id != queue_id)
			continue;
		more = q[i].waiting;
		for (int64_t number = 1; number <= q[i].last_number; number++)
			more -= engine_look_auth(s->engine, queue_id, number, &t) && t.status == CORE_WAITING;
	}
	arena_free(&arena);
	return more > 0 ? more : 0;
}

static int64_t waiting_before(const struct server *s, const struct known *k)
{
	int64_t n = 0;
	struct core_ticket t;
	for (int64_t number = 1; number < k->number; number++)
		n += engine_look_auth(s->engine, k->queue_id, number, &t) && t.status == CORE_WAITING;
	return n;
}

/* Who was passed over and asks is back at once. */
static void check_taken_back(struct world *w, struct known *k)
{
	const struct model_ticket *t = model_ticket(w->sim.m, k->queue_id, k->number);
	if (w->faults || !t || t->status != CORE_PASSED)
		k->asks_us = 0;
	else if (k->asks_us == 0)
		k->asks_us = threads_us();
	else if (threads_us() - k->asks_us > BACK_US)
		world_fail(w, "liveness", "ticket %lld/%lld asks, and stays passed over", (long long)k->queue_id,
		           (long long)k->number);
}

/* It is passed over, and the server shows it so. */
static bool is_passed(const struct server *s, const struct known *k)
{
	const struct model_ticket *stored = model_ticket(s->w->sim.m, k->queue_id, k->number);
	struct core_ticket shown;
	return stored && stored->status == CORE_PASSED && engine_look_auth(s->engine, k->queue_id, k->number, &shown) &&
	       shown.status == CORE_PASSED;
}

/* Who was passed over and asks is told its place in the line, which is kept from the next batch on. With several servers on one store another server may
 * not know yet (docs/decisions/0005-passed-over-tickets.md). */
static void note_back(struct world *w, const struct server *s, struct known *k, bool asks)
{
	if (w->shared || (asks && k->back_life == s->life))
		return;
	k->back_us = threads_us();
	k->back_life = asks ? s->life : 0;
}

void clients_taken_back(struct world *w, int64_t queue_id, int64_t number)
{
	struct known *k = clients_known(w, queue_id, number);
	if (k)
		k->back_life = 0;
}

void clients_let_in(struct world *w, const struct conn *c, int64_t queue_id, int64_t number)
{
	for (int i = 0; i < w->known_n; i++) {
		const struct known *k = &w->known[i];
		if (k->queue_id != queue_id || k->number >= number || k->back_life != c->server->life ||
		    k->back_us >= c->ended_us)
			continue;
		const struct model_ticket *t = model_ticket(w->sim.m, queue_id, k->number);
		if (t && model_passed(t, c->now))
			world_fail(w, "I5", "ticket %lld/%lld is let in before %lld, who has asked and was told a place",
			           (long long)queue_id, (long long)number, (long long)k->number);
	}
}

static void poll_at(struct world *w, struct server *s, struct known *k)
{
	struct engine_ticket seen;
	int64_t now = engine_now(s->engine);
	bool passed = is_passed(s, k);
	if (!engine_look_ticket(s->engine, k->queue_id, k->number, now, &seen)) {
		const struct model_ticket *t = model_ticket(w->sim.m, k->queue_id, k->number);
		if (!t)
			world_fail(w, "I7", "ticket %lld/%lld was told of, and is gone", (long long)k->queue_id,
			           (long long)k->number);
		if (!w->shared && t->status != CORE_EXPIRED)
			world_fail(w, "shown", "server %d does not show ticket %lld/%lld", s->id, (long long)k->queue_id,
			           (long long)k->number);
		(void)engine_expects_ticket(s->engine, k->queue_id, k->number);
		return;
	}
	if (seen.ticket.user_id != k->user_id)
		world_fail(w, "I5", "ticket %lld/%lld is another's", (long long)k->queue_id, (long long)k->number);
	int64_t ahead = seen.ticket.status == CORE_WAITING ? waiting_before(s, k) : 0;
	/* of some whom another server has given a place word may not have come here: they are counted all the same */
	int64_t most = seen.ticket.status == CORE_WAITING ? ahead + unheard_of(w, s, k->queue_id) : 0;
	if (seen.ahead != ahead && seen.ahead != most)
		world_fail(w, "ahead", "ticket %lld/%lld has %lld ahead, and %lld are waiting before it", (long long)k->queue_id,
		           (long long)k->number, (long long)seen.ahead, (long long)ahead);
	check_taken_back(w, k);
	note_back(w, s, k, passed && is_passed(s, k) && seen.ticket.status == CORE_WAITING);
	k->polled_us = threads_us();
	if (seen.ticket.status != CORE_WAITING)
		return; /* nobody need hear of who has no place in the line */
	k->heard_ms[s->id] = now;
	k->heard_life[s->id] = s->life;
}

static void poll(struct world *w, void *arg)
{
	struct known *k = arg;
	struct server *s = k->server < 0 ? some_server(w) : &w->server[k->server];
	if (s->up && threads_us() >= k->gone_until_us) {
		poll_at(w, s, k);
		if (w->faults && world_below(w, 100) < w->restless)
			k->gone_until_us = threads_us() + (w->idle_ms + world_below(w, 4000)) * 1000;
	}
	world_at(w, k->every_us, poll, k);
}

size_t __real_model_silent(struct model *m, int64_t queue_id, int64_t now, int64_t idle_ms, int64_t *out, size_t max);
size_t __wrap_model_silent(struct model *m, int64_t queue_id, int64_t now, int64_t idle_ms, int64_t *out, size_t max);
/* Nobody is called silent by a server that was asked within the time. */
size_t __wrap_model_silent(struct model *m, int64_t queue_id, int64_t now, int64_t idle_ms, int64_t *out, size_t max)
{
	struct server *s = threads_owner();
	size_t n = __real_model_silent(m, queue_id, now, idle_ms, out, max);
	for (size_t i = 0; i < n; i++) {
		struct known *k = clients_known(s->w, queue_id, out[i]);
		if (k && k->heard_life[s->id] == s->life && now - k->heard_ms[s->id] < idle_ms - 1000)
			world_fail(s->w, "silent", "ticket %lld/%lld is called silent, and has asked server %d %lld ms ago",
			           (long long)queue_id, (long long)out[i], s->id, (long long)(now - k->heard_ms[s->id]));
	}
	return n;
}

/* ---- reading the store ---- */

struct look {
	struct engine_read read;
	struct world *w;
	struct server *server;
	int64_t life, id, seq;
	struct arena arena;
	struct core_reservation row;
};

static enum store_result run_look(struct engine_read *read, struct store_reader *reader)
{
	struct look *look = read->owner;
	enum store_result r = store_reservation(reader, look->id, &look->arena, &look->row);
	look->seq = look->w->seq;
	return r;
}

static void look_done(struct engine_read *read)
{
	struct look *look = read->owner;
	struct world *w = look->w;
	bool counts = look->server->conn && !look->server->conn->dead && look->life == look->server->life;
	if (counts && read->result == STORE_OK && look->seq > w->durable)
		world_fail(w, "I7", "a read is told of commit %lld, and only %lld are durable", (long long)look->seq,
		           (long long)w->durable);
	w->count[COUNT_READS]++;
	arena_free(&look->arena);
	free(look);
}

static void want_look(struct world *w, void *arg)
{
	struct server *s = some_server(w);
	const struct model *m = w->sim.m;
	(void)arg;
	world_at(w, world_below(w, 200000), want_look, NULL);
	if (!s->up || s->stopping || m->reservations == 0)
		return;
	struct look *look = mem_zero(sizeof *look);
	*look = (struct look){.w = w, .server = s, .life = s->life, .id = m->reservation[world_below(w, m->reservations)].id};
	look->read = (struct engine_read){.run = run_look, .done = look_done, .owner = look};
	if (!engine_read(s->engine, &look->read))
		free(look);
}

static void sample(struct world *w, void *arg)
{
	struct server *s = some_server(w);
	(void)arg;
	if (s->up)
		seen_sample(w, s);
	world_at(w, 1000 + world_below(w, w->faults ? 20000 : 100000), sample, NULL);
}

void clients_begin(struct world *w)
{
	w->ops = mem_zero(OPS * sizeof *w->ops);
	w->requests = mem_zero(REQUESTS * sizeof *w->requests);
	world_at(w, 0, want_concerts, NULL);
	world_at(w, 0, want_look, NULL);
	world_at(w, 0, sample, NULL);
}

void clients_end(struct world *w)
{
	for (int i = 0; i < w->op_n; i++)
		arena_free(&w->ops[i].arena);
	for (int i = 0; i < w->request_n; i++)
		arena_free(&w->requests[i].arena);
	free(w->ops);
	free(w->requests);
}
