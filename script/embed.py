#!/usr/bin/env python3
"""Writes a C file with a table of files built into the binary (src/base/embedded.h).

Use: embed.py OUT.c NAME FILE...   (a folder stands for all files below it) makes embedded_NAME and embedded_NAME_count.
The bytes are taken in by the assembler's .incbin, so a file of megabytes costs nothing to compile."""
import os
import sys


def files_of(path: str) -> list[str]:
    if not os.path.isdir(path):
        return [path]
    return [os.path.join(folder, name) for folder, _, names in os.walk(path) for name in names]


def main() -> int:
    if len(sys.argv) < 4:
        sys.stderr.write(__doc__ + "\n")
        return 2
    out, name = sys.argv[1], sys.argv[2]
    files = sorted((file for path in sys.argv[3:] for file in files_of(path)), key=os.path.basename)
    lines = ['#include "base/embedded.h"', ""]
    for i, path in enumerate(files):
        symbol = f"embedded_{name}_{i}"
        quoted = os.path.abspath(path).replace("\\", "\\\\").replace('"', '\\"')
        lines += [
            "__asm__(\".section .rodata\\n\"",
            f"        \".balign 16\\n.global {symbol}\\n{symbol}:\\n\"",
            f"        \".incbin \\\"{quoted}\\\"\\n\"",
            f"        \".byte 0\\n.size {symbol}, . - {symbol}\\n.previous\\n\");",
            f"extern const uint8_t {symbol}[];",
        ]
    lines += ["", f"const struct embedded_file embedded_{name}[] = {{"]
    for i, path in enumerate(files):
        lines.append(f'\t{{"{os.path.basename(path)}", embedded_{name}_{i}, {os.path.getsize(path)}}},')
    lines += ["};", f"const size_t embedded_{name}_count = {len(files)};", ""]
    with open(out, "w", encoding="utf-8") as f:
        f.write("\n".join(lines))
    return 0


if __name__ == "__main__":
    sys.exit(main())
