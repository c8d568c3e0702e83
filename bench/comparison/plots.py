"""Bar charts as SVG files, drawn by hand: a rate is a length, and nothing else."""
WIDTH, ROW, LEFT, RIGHT = 760, 26, 230, 120
COLOURS = {"jari": "#0072b2", "constant": "#8a8a8a", "peer": "#d55e00"}


def grouped(n):
    return f"{n:,}".replace(",", " ")


def bars(title, rows, unit):
    """rows: (label, value, kind)."""
    height = 44 + ROW * len(rows)
    top = max([value for _, value, _ in rows] + [1])
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="system-ui,sans-serif" font-size="13">',
           f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>', f'<text x="10" y="22" font-size="15" font-weight="600">{title}</text>']
    for i, (label, value, kind) in enumerate(rows):
        y = 36 + i * ROW
        length = round(value / top * (WIDTH - LEFT - RIGHT))
        out.append(f'<text x="{LEFT - 8}" y="{y + 15}" text-anchor="end">{label}</text>'
                   f'<rect x="{LEFT}" y="{y + 2}" width="{length}" height="{ROW - 8}" fill="{COLOURS[kind]}"/>'
                   f'<text x="{LEFT + length + 6}" y="{y + 15}">{grouped(round(value))} {unit}</text>')
    return "\n".join([*out, "</svg>", ""])
