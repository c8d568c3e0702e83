"""The results as Markdown with plots, and docs/benchmarks.md, in which what people wrote between its marks is kept."""
import os
import re

from . import operations, plots

HAND_BEGIN, HAND_END = "<!-- hand-written: kept by bench/compare --write-docs -->", "<!-- /hand-written -->"
NOTHING_YET = "Nothing has been written here yet."


def number(n):
    return "–" if n is None else plots.grouped(n)


def ms(us):
    return "–" if us is None else f"{us / 1000:.2f}" if us < 10000 else f"{us / 1000:.1f}"


def versus(value, target):
    if target is None:
        return ""
    if value is None:
        return f"not measured (≥ {target})"
    return f"{value:.2f} (≥ {target}) {'✓' if value >= target else '✗'}"


def table(heads, rows):
    return "\n".join(["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads), *("| " + " | ".join(str(c) for c in row) + " |" for row in rows), ""])


def machine_lines(results):
    m, versions = results["machine"], results["versions"]
    return [f"Measured {results['began']} with `{results['command']}`: {results['options']['connections']} connections, "
            f"{results['options']['rounds']} rounds of {results['options']['seconds']} s that take turns; the medians.", "",
            f"- machine: {m['processor']}, {m['processors']} processors shared with the load generator, {number(m['memoryMiB'])} MiB",
            f"- system: {m['system']}, Linux {m['kernel']}, {m['fileSystem']}; a 4 KiB write with fdatasync takes {number(m['fdatasyncUs'])} µs",
            *(f"- {name}: {version}" for name, version in versions.items()), ""]


def operation_tables(results, plot):
    ops = results["operations"]
    measured, ratios = ops["measured"], ops["ratios"]
    lines = ["## Operations", "", f"![rates]({plot}operations.svg)", "",
             table(["", "a second", "p50 ms", "p99 ms", "server's processor µs"],
                   [[operations.NAMES[n], number(r["perSecond"]), ms(r.get("p50Us")), ms(r.get("p99Us")),
                     f"{r['serverCpuNs'] / 1000:.1f}" if r.get("serverCpuNs") else "–"] for n, r in measured.items()]),
             "What is to be reached, and what was:", "",
             table(["operation", "against the constant reply", "against the peer", "peer"],
                   [[n, versus(r["constant"], r["constantTarget"]), versus(r.get("peer"), r.get("peerTarget")),
                     operations.NAMES[r["peerName"]] if "peerName" in r else ""] for n, r in ratios.items()])]
    return lines + shared_table(ops["shared"]) if "shared" in ops else lines


def shared_table(ratios):
    return ["Jari on PostgreSQL, in another database of the server that pgbench loads:", "",
            table(["operation", "against pgbench's transaction a request", "two processes against one"],
                  [[n, versus(r["peer"], r["peerTarget"]), versus(r.get("two"), r.get("twoTarget"))] for n, r in ratios.items()])]


def within(values, percent=15):
    least, most = min(values), max(values)
    return f"{(most / least - 1) * 100:.0f} % apart {'✓' if most <= least * (1 + percent / 100) else '✗'}"


def growth_tables(results, plot):
    g = results["growth"]
    line, memory, busy, past = g["line"], g["memory"], g["busy"], g["past"]
    lines = ["## The length of the line", "", f"![cost by the length of the line]({plot}line.svg)", "",
             "Processor time of the server for each answer, in microseconds; *admit* is somebody leaving, which lets the next in, and somebody joining.", "",
             table(["waiting", "poll", "join", "admit"],
                   [[number(int(n)), *(f"{row[k]['serverCpuNs'] / 1000:.1f} ({number(row[k]['perSecond'])}/s)" for k in ("poll", "join", "admit"))]
                    for n, row in line.items()] +
                   [["at most 15 % apart", *(within([row[k]["serverCpuNs"] or 1 for row in line.values()]) for k in ("poll", "join", "admit"))]]),
             f"With {number(memory['waiting'])} waiting: **{memory['bytesEach']} bytes** of resident memory for each (≤ 200) "
             f"{'✓' if memory['bytesEach'] <= 200 else '✗'}, everything counted; **{number(memory['readyMs'])} ms** until ready after a restart (≤ 5 000) "
             f"{'✓' if memory['readyMs'] and memory['readyMs'] <= 5000 else '✗'}.", "",
             "## Polls beside writes", "",
             f"{number(busy['polls']['perSecond'])} polls a second on {number(busy['connections'])} connections, each due at a fixed time, beside "
             f"{number(busy['writes']['perSecond'])} charges a second: p50 {ms(busy['polls']['p50Us'])} ms, **p99 {ms(busy['polls']['p99Us'])} ms** (≤ 10) "
             f"{'✓' if busy['polls']['p99Us'] <= 10000 else '✗'}, p99.9 {ms(busy['polls']['p999Us'])} ms.", "",
             "## The length of the past", "",
             "Answers a second, on a new store and on one with so many ended tickets, lapsed reservations and ledger rows of each:", "",
             table(["past rows of each", "poll", "join", "charge", "hold", "pay", "ready ms"],
                   [[number(int(n)), *(number(row[k]["perSecond"]) for k in ("poll", "join", "charge", "hold", "pay")), number(row["readyMs"])]
                    for n, row in past.items()])]
    return lines


def write_plots(results, folder):
    made = {}
    if "operations" in results:
        rows = [(operations.NAMES[n], r["perSecond"], "constant" if n.startswith("constant") or n == "healthz" else "peer" if n.startswith(("redis", "pg")) else "jari")
                for n, r in results["operations"]["measured"].items()]
        made["operations.svg"] = plots.bars("Answers a second", rows, "")
    if "growth" in results:
        rows = [(f"{k}, {number(int(n))} waiting", row[k]["serverCpuNs"] / 1000, "jari") for k in ("poll", "join", "admit")
                for n, row in results["growth"]["line"].items()]
        made["line.svg"] = plots.bars("Processor time of the server for each answer", rows, "µs")
    os.makedirs(folder, exist_ok=True)
    for name, svg in made.items():
        with open(os.path.join(folder, name), "w", encoding="utf-8") as f:
            f.write(svg)


def markdown(results, plot=""):
    lines = machine_lines(results)
    if results["small"]:
        lines += ["**A small run, to see that it works: its numbers mean nothing.**", ""]
    if "operations" in results:
        lines += operation_tables(results, plot)
    if "growth" in results:
        lines += growth_tables(results, plot)
    if results["notMeasured"]:
        lines += ["Not measured: " + "; ".join(results["notMeasured"]) + ".", ""]
    return "\n".join(lines)


def hand_written(path):
    try:
        with open(path, encoding="utf-8") as f:
            match = re.search(re.escape(HAND_BEGIN) + r"\n(.*?)\n?" + re.escape(HAND_END), f.read(), re.S)
    except FileNotFoundError:
        match = None
    return match.group(1).strip("\n") if match else NOTHING_YET


def write_docs(results, docs):
    path = os.path.join(docs, "benchmarks.md")
    hand = hand_written(path)
    write_plots(results, os.path.join(docs, "benchmarks"))
    with open(path, "w", encoding="utf-8") as f:
        f.write("# Benchmarks\n\nWritten by `bench/compare --write-docs`; what stands between the marks is kept and is a person's.\n\n"
                f"{HAND_BEGIN}\n{hand}\n{HAND_END}\n\n" + markdown(results, "benchmarks/"))
