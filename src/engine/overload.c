#include "engine/overload.h"

#include "engine/engine.h"

/* A slower round counts for half at once: a line grows fast while it is thought short. A faster one counts for a quarter. */
#define SLOWER 2
#define FASTER 4

void overload_note(struct overload *o, int64_t n, int64_t took_us)
{
	int64_t was = atomic_load_explicit(&o->round_us, memory_order_relaxed);
	if (took_us > was)
		atomic_store_explicit(&o->round_us, was + (took_us - was) / SLOWER, memory_order_relaxed);
	else if (n >= o->at_once)
		atomic_store_explicit(&o->round_us, was - (was - took_us) / FASTER, memory_order_relaxed);
}

int64_t overload_wait_us(const struct overload *o, int64_t waiting, int64_t first_us)
{
	if (waiting < o->at_once)
		return 0;
	int64_t rounds = waiting / o->at_once + 1 + o->beyond;
	int64_t wait_us = rounds * atomic_load_explicit(&o->round_us, memory_order_relaxed);
	return wait_us > first_us ? wait_us : first_us;
}

int engine_patience(enum core_op op)
{
	switch (op) {
	case CORE_JOIN:
		return 1;
	case CORE_LEAVE:
	case CORE_HOLD:
	case CORE_CANCEL:
	case CORE_CHARGE_WALLET:
	case CORE_PAY:
		return 2;
	case CORE_PATCH_QUEUE:
	case CORE_PATCH_CONCERT:
	case CORE_PATCH_SHOW:
	case CORE_ADD_CATALOGUE:
	case CORE_HEAR:
	case CORE_TICK:
		break;
	}
	return 0;
}
