/* model_changes.h: what an organiser changes of concerts and shows. A part of model.c.
 *
 * The driver makes changes that are all right, or wrong in one way, which it says in the actor's name. */
#ifndef JARI_TESTS_MODEL_CHANGES_H
#define JARI_TESTS_MODEL_CHANGES_H

#include "model.h"

#include <string.h>

static inline bool expect_change(struct model *m, enum core_code code, const struct core_reply *got)
{
	return got->code == code || model_fail(m, "a change answered %s, not %s", core_code_name(got->code), core_code_name(code));
}

static inline bool check_patch_concert(struct model *m, const struct core_cmd *cmd, const struct core_reply *got)
{
	struct model_concert *c = model_concert(m, cmd->u.patch_concert.concert_id);

	if (text_equal(cmd->u.patch_concert.actor, TEXT("wrong")))
		return expect_change(m, CORE_INVALID_REQUEST, got);
	if (!c)
		return expect_change(m, CORE_CONCERT_NOT_FOUND, got);
	if (cmd->u.patch_concert.has_title) {
		memset(c->title, 0, sizeof(c->title));
		memcpy(c->title, cmd->u.patch_concert.title.p, cmd->u.patch_concert.title.n);
	}
	if (cmd->u.patch_concert.has_sales_open_at)
		c->sales_open_at = cmd->u.patch_concert.sales_open_at;
	return expect_change(m, CORE_OK, got) &&
	       ((got->concert.concert_id == c->id && got->concert.sales_open_at == c->sales_open_at &&
	         text_equal(got->concert.title, text_of(c->title))) ||
	        model_fail(m, "concert %lld is answered otherwise than it was changed", (long long)c->id));
}

/* Seats that nobody has cost the new price; what is held or sold keeps its own. */
static inline void set_prices(struct model *m, struct model_show *s, const struct core_new_price *price, int64_t now,
                              int64_t *repriced, int64_t *kept)
{
	for (int i = 0; i < s->seat_count; i++) {
		struct model_seat *seat = &s->seats[i];
		struct model_reservation *r = model_owner(m, s->id, seat->number, now);

		if (!text_equal(price->section, (struct text){&seat->section, 1}))
			continue;
		if (!r) {
			seat->price = price->price;
			++*repriced;
		} else if (r->status == CORE_RES_HELD && seat->price != price->price) {
			++*kept;
		}
	}
}

static inline bool check_patch_show(struct model *m, const struct core_cmd *cmd, int64_t now, const struct core_reply *got)
{
	struct model_show *s = model_show(m, cmd->u.patch_show.show_id);
	int64_t repriced = 0, kept = 0;

	if (!s && !text_equal(cmd->u.patch_show.actor, TEXT("wrong")))
		return expect_change(m, CORE_SHOW_NOT_FOUND, got);
	if (!s || text_equal(cmd->u.patch_show.actor, TEXT("wrong")))
		return expect_change(m, CORE_INVALID_REQUEST, got);
	if (cmd->u.patch_show.has_starts_at) {
		s->starts_at = cmd->u.patch_show.starts_at;
		s->date = cmd->u.patch_show.date;
	}
	if (cmd->u.patch_show.has_closed)
		s->closed = cmd->u.patch_show.closed;
	for (size_t i = 0; i < cmd->u.patch_show.price_count; i++)
		set_prices(m, s, &cmd->u.patch_show.prices[i], now, &repriced, &kept);
	s->changes += MODEL_DECIDED;
	if (!expect_change(m, CORE_OK, got))
		return false;
	if (got->repriced != repriced || got->prices_kept != kept)
		return model_fail(m, "show %lld: %lld seats repriced, %lld kept, not %lld and %lld", (long long)s->id,
		                  (long long)got->repriced, (long long)got->prices_kept, (long long)repriced, (long long)kept);
	return (got->show.show_id == s->id && got->show.starts_at == s->starts_at && got->show.closed == s->closed) ||
	       model_fail(m, "show %lld is answered otherwise than it was changed", (long long)s->id);
}

#endif
