/* gather.c: see gather.h. */
#include "engine/gather.h"

#include "base/limits.h"

struct gather gather_after(int64_t answered, int64_t waiting, int64_t ended_us)
{
	int64_t all = answered + waiting;
	return (struct gather){.awaited = all < JARI_BATCH_MAX ? all : JARI_BATCH_MAX, .ended_us = ended_us};
}

void gather_begin(struct gather *g, int64_t now_us)
{
	g->had = 0;
	g->until_us = now_us + GATHER_US;
	if (now_us - g->ended_us > GATHER_RECENT_US)
		g->awaited = 0;
}

bool gather_goes_on(struct gather *g, int64_t count, int64_t now_us)
{
	bool more = count > g->had;
	g->had = count;
	return more && count < g->awaited && now_us < g->until_us;
}
