#!/usr/bin/env python3
"""Plants one mistake at a time into a copy of one source file, builds jari-sim with it, and wants it found.

Use: planted.py BUILD [PART OF A NAME]...     BUILD: the release folder, in which tests/sim/jari-sim is built

Each mistake is a text of a file in src that stands there exactly once, and what takes its place. One file is compiled and the program linked with
it in front of the libraries. It must be found within SEEDS seeds, by the check that is named. Prints TAP; a mistake's line says by which seed."""
import concurrent.futures
import json
import os
import re
import shlex
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SEEDS = 3000
AT_ONCE = 2
SECONDS_MAX = 120


class Planted:
    """`found` are the checks that may find it, as jari-sim names them."""

    def __init__(self, name, path, old, new, found):
        self.name, self.path, self.old, self.new, self.found = name, path, old, new, found.split()


PLANTED = [
    Planted("what is told is not synced", "src/engine/syncer.c",
            "store_sync(e->config.store);", "", "I7"),
    Planted("a batch that failed is told as if it had not", "src/engine/committer.c",
            "batch->failed = r != STORE_OK;", "batch->failed = r == STORE_BUSY;", "reply once shown"),
    Planted("a read does not wait until what it has seen is durable", "src/engine/engine.c",
            "\t\tflights_wait_durable(e);\n", "", "I7"),
    Planted("what a killed process left unsynced is told", "src/engine/engine.c",
            "\tstore_sync(config->store);", "", "I7"),
    Planted("a reply is given before the read model shows it", "src/engine/syncer.c",
            "\tif (core_rows_dirty(&f->rows)) {\n\t\tmodel_publish(&e->model, &f->rows, f->now);",
            "\tif (core_rows_dirty(&f->rows)) {\n\t\tif (f->n == 0)\n\t\t\tmodel_publish(&e->model, &f->rows, f->now);", "shown"),
    Planted("a commit of unknown outcome is made again", "src/engine/committer.c",
            "tries < BUSY_TRIES && r == STORE_BUSY &&", "tries < BUSY_TRIES && (r == STORE_BUSY || r == STORE_BROKEN) &&", "once"),
    Planted("a batch is tried again on the rows of the last try", "src/engine/committer.c",
            "\t\tarena_reset(&batch->arena);\n\t\tcore_rows_init(core->rows, &batch->arena, batch->n * 8);",
            "\t\tif (tries == 0) {\n\t\t\tarena_reset(&batch->arena);\n\t\t\tcore_rows_init(core->rows, &batch->arena, batch->n * 8);\n\t\t}",
            "model rows guard I10 once assertion"),
    Planted("a refused batch forgets its first command", "src/engine/committer.c",
            "run_part(c, jobs, n - n / 2);", "run_part(c, jobs + 1, n - n / 2 - 1);", "close"),
    Planted("who stops does not look into the inbox again", "src/engine/committer.c",
            "bool over = batch->n == 0 && e->inbox_closed;", "bool over = e->inbox_closed;", "close"),
    Planted("rows of others are shown ahead of own ones before them", "src/engine/follower.c",
            "\tfollowing->last_us = clock_elapsed_us();\n",
            "\tmodel_publish(&e->model, &f->rows, f->now);\n\tfollowing->last_us = clock_elapsed_us();\n", "shown I7"),
    Planted("what others commit is not followed", "src/engine/follower.c",
            "return store_follow(e->config.store, gather_row, rows);",
            "(void)rows;\n\tstruct arena a = {0};\n\tstruct core_rows none;\n\tcore_rows_init(&none, &a, 64);\n"
            "\tenum store_result r = store_follow(e->config.store, gather_row, &none);\n\tarena_free(&a);\n\treturn r;", "shown liveness"),
    Planted("a version speaks of changes that are not shown yet", "src/engine/model.c",
            "\tif (s && was)\n\t\tshown.version = s->row.version + (shown.version - was->version);", "\t(void)s;\n\t(void)was;", "shown"),
    Planted("after a takeover nothing is read anew", "src/engine/follower.c",
            "\t\tr = read_anew(e, f);\n", "\t\tif (f->now == 0)\n\t\t\tr = read_anew(e, f);\n", "liveness shown"),
    Planted("part of another's show is shown", "src/engine/model.c",
            "if (!row->now || is_part(m, row))", "if (!row->now || (is_part(m, row) && !row->now))", "shown"),
    Planted("the engine keeps to its own clock", "src/engine/engine.c",
            "\t\tclock_follow(e->config.clock, now);", "\t\t(void)now;", "silent shown liveness"),
    Planted("the departed count in `ahead`", "src/engine/model.c",
            "\telse\n\t\trank_clear(&q->waiting, row->number);\n", "", "ahead"),
    Planted("the silent are not passed over", "src/engine/model.c",
            "> idle_ms / 1000;", "> idle_ms;", "liveness"),
    Planted("who asks is called silent", "src/engine/model.c",
            "\t\tatomic_store(&t->heard_s, second);\n", "", "silent"),
    Planted("who came back is forgotten with a failed batch", "src/engine/committer.c",
            "\t\tmodel_put_back(&c->e->model, batch->hear_cmd[i]", "\t\tif (batch->n > JARI_BATCH_MAX)\n\t\tmodel_put_back(&c->e->model, batch->hear_cmd[i]",
            "liveness I5"),
    Planted("who was passed over can ask but once", "src/engine/model.c",
            "\tatomic_store_explicit(&t->asked, MODEL_NOT_ASKED, memory_order_relaxed);\n", "", "liveness"),
    Planted("an answer is not kept", "src/core/decide.c",
            "\t\t(void)core_row_create(b->rows, CORE_ROW_KEY, &fresh);\n", "", "model"),
    Planted("a key answers another request", "src/core/decide.c",
            "if (memcmp(k->digest, cmd->digest, sizeof k->digest) != 0)", "if (memcmp(k->digest, cmd->digest, 1) > 1000)", "model"),
    Planted("a lapsed hold can be paid", "src/core/view.c",
            "return r->status == CORE_RES_HELD && r->held_until <= now ? CORE_RES_EXPIRED : r->status;", "return r->status;", "model assertion"),
    Planted("a hold is shorter than promised", "src/core/seats.c",
            ".held_until = b->now + b->rules->hold_ms,", ".held_until = b->now + b->rules->hold_ms - 1,", "model"),
    Planted("a hold lapses before its end", "src/core/view.c",
            "return r->status == CORE_RES_HELD && r->held_until <= now ?", "return r->status == CORE_RES_HELD && r->held_until - 300 <= now ?",
            "model rows"),
    Planted("an active place ends before its time", "src/core/view.c",
            "if (ends && t->expires_at <= now) {", "if (ends && t->expires_at - 300 <= now) {", "model rows"),
    Planted("a held seat is held again", "src/core/seats.c",
            "return taken_count ? CORE_SEAT_TAKEN : CORE_OK;", "return CORE_OK;", "assertion"),
    Planted("a seat that another has taken over is freed", "src/core/seats.c",
            "if (((const struct core_seat *)row->now)->reservation_id != r->reservation_id)",
            "if (((const struct core_seat *)row->now)->reservation_id == 0)", "rows assertion"),
    Planted("whoever joins slips in before those who wait", "src/core/line.c",
            "if (!q->paused && q->waiting == 0 && q->active < q->capacity", "if (!q->paused && q->active < q->capacity", "model"),
    Planted("who comes back is overtaken in the same batch", "src/core/line.c",
            "if (at == line->n && !line->complete)", "if (!line->complete)", "rows model"),
    Planted("who comes back stands behind everybody", "src/core/line.c",
            "while (at > 0 && line->rows[at - 1]->id.b > ticket->id.b)", "while (false)", "rows model"),
    Planted("who has asked is overtaken until the next tick", "src/engine/committer.c",
            "if (batch->tick || (batch->n > 0 && !core_alone(&batch->jobs[0]->cmd)))\n\t\tprepare_back", "if (batch->tick)\n\t\tprepare_back", "I5"),
    Planted("one too many is let in", "src/core/line.c",
            "return !q->paused && q->waiting > 0 && q->active < q->capacity;",
            "return !q->paused && q->waiting > 0 && q->active <= q->capacity;", "assertion model"),
    Planted("a paused queue lets in", "src/core/line.c",
            "return !q->paused && q->waiting > 0", "return q->waiting > 0", "model"),
    Planted("a freed slot is lost", "src/core/line.c",
            "\t\tq->active--;\n\t\tcore_set_ceiling(q);", "\t\tcore_set_ceiling(q);", "model rows assertion"),
    Planted("a payment does not hand its slot on", "src/core/wallet.c",
            "\tcore_admit_next(b, r->queue_id);\n", "", "model"),
    Planted("a place that was lost is given back", "src/core/line.c",
            "if (seen->status != CORE_PASSED || seen->expires_at <= b->now)", "if (seen->status != CORE_PASSED)", "rows model"),
    Planted("a refusal changes something", "src/core/seats.c",
            "\t\treply->code = CORE_NOT_HELD;", "\t\t(void)edit(b, row);\n\t\treply->code = CORE_NOT_HELD;", "I10"),
    Planted("money is paid in twice", "src/core/wallet.c",
            ": __builtin_add_overflow(u->balance, amount, &u->balance);",
            ": __builtin_add_overflow(u->balance, amount * 2, &u->balance);", "model"),
]


def compile_commands(build):
    with open(os.path.join(build, "compile_commands.json"), encoding="utf-8") as f:
        return {os.path.normpath(os.path.join(entry["directory"], entry["file"])): shlex.split(entry["command"]) for entry in json.load(f)}


def link_command(build):
    out = subprocess.run(["ninja", "-C", build, "-t", "commands", "tests/sim/jari-sim"], check=True, capture_output=True, text=True).stdout
    return shlex.split(out.strip().splitlines()[-1])


def run(command, folder, seconds=SECONDS_MAX):
    process = subprocess.run(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=seconds,
                             check=False)
    return process.returncode, process.stdout.decode("utf-8", "replace")


def plant(planted, source, copy):
    with open(source, encoding="utf-8") as f:
        text = f.read()
    if text.count(planted.old) != 1:
        return f"the text stands {text.count(planted.old)} times in {planted.path}, not once: {planted.old!r}"
    with open(copy, "w", encoding="utf-8") as f:
        f.write(text.replace(planted.old, planted.new))
    return ""


def build_with(planted, build, commands, link, program):
    """A program with the mistake; says what went wrong, or nothing."""
    source, copy, made = os.path.join(ROOT, planted.path), program + ".c", program + ".o"
    wrong = plant(planted, source, copy)
    if wrong:
        return wrong
    command = list(commands[source])
    command[command.index("-o") + 1] = made
    command[command.index("-c") + 1] = copy
    for flag in ("-MQ", "-MF"):
        command[command.index(flag) + 1] = made + (".d" if flag == "-MF" else "")
    status, out = run(command + ["-Wno-error"], build)
    if status != 0:
        return out
    command = list(link)
    at = command.index("-o")
    command[at + 1:at + 2] = [program, made]
    status, out = run(command, build)
    return out if status != 0 else ""


def find(planted, number, build, commands, link, folder):
    """None when it was found as it should be; what it came to."""
    program = os.path.join(folder, f"planted-{number}")
    wrong = build_with(planted, build, commands, link, program)
    if wrong:
        return wrong, ""
    began = time.monotonic()
    try:
        status, out = run([program, "--seeds", str(SEEDS)], folder)
    except subprocess.TimeoutExpired:
        return f"it was stopped after {SECONDS_MAX} seconds", ""
    for end in ("", ".c", ".o", ".o.d"):
        if os.path.exists(program + end):
            os.remove(program + end)
    said = re.search(r"^not ok - seed (\d+): \[(\w+)\] (.*)", out, re.M)
    if status == 0 or not said:
        return f"{SEEDS} seeds did not find it", ""
    if said[2] not in planted.found:
        return f"found by [{said[2]}], not by {planted.found}: {said[3]}", ""
    return "", f"seed {said[1]}, {time.monotonic() - began:.1f} s: [{said[2]}] {said[3]}"


def main():
    build = os.path.abspath(sys.argv[1])
    chosen = [p for p in PLANTED if len(sys.argv) < 3 or any(word in p.name for word in sys.argv[2:])]
    commands, link = compile_commands(build), link_command(build)
    folder = os.path.join(build, "planted")
    os.makedirs(folder, exist_ok=True)
    bad = 0
    print(f"1..{len(chosen)}", flush=True)
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        for i, (wrong, told) in enumerate(pool.map(lambda p: find(p[1], p[0], build, commands, link, folder), enumerate(chosen))):
            print(f"{'not ok' if wrong else 'ok'} {i + 1} - {chosen[i].name}")
            print("\n".join("# " + line for line in (wrong or told).rstrip().splitlines()), flush=True)
            bad += bool(wrong)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
