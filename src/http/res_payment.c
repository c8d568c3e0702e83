/* res_payment.c: paying a hold. */
#include "http/res_common.h"

struct pay_body {
	int64_t amount;
};

void res_pay(struct http_request *req)
{
	static const struct json_field fields[] = {
	    {"amount", JSON_T_INT, false, offsetof(struct pay_body, amount), 0,
	     INT64_MAX}, /* whether it is the price is the core's to say */
	};
	struct pay_body in = {0};
	uint32_t seen;

	if (!res_body(req, fields, 1, &in, &seen, NULL))
		return;
	res_who(req, CORE_PAY);
	req->job.cmd.u.pay.reservation_id = req->ids[0];
	req->job.cmd.u.pay.has_amount = (seen & 1) != 0;
	req->job.cmd.u.pay.amount = in.amount;
	if (res_key(req))
		http_submit(req, res_decided);
}
