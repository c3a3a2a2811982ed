"""The measured tables of docs/cluster.md, each between its markers; the text around them is written by hand."""
import re
import time

import cluster
from page import installed, machine, number, version_of, table, verdict


def about(found):
    busy = found["load"]
    how_busy = (f"Other work was going on meanwhile: the load average was {busy:.1f} when it began. Take times from a "
                "quiet machine instead; ratios and CPU a request suffer less." if busy >= 1 else
                f"Nothing else ran (load average {busy:.1f} when it began).")
    return (f"By `./dev bench cluster` on {time.strftime('%Y-%m-%d', time.gmtime())}; {machine()}; etcd "
            f"{etcd_version()}, cpp-httplib "
            f"{installed('libcpp-httplib-dev')}. {how_busy}\n")


def etcd_version():
    from etcd import program
    return version_of(program("etcd"), "--version", pattern=r"etcd Version: (\S+)")


def cells(row):
    return [number(row["rps"]), number(row["p50"]), number(row["p99"]), number(row["p999"])]


def claims(found):
    rows = found["claims"]
    return table(
        ["", "rooms/s", "p50 ms", "p99 ms", "p99.9 ms", "members' CPU µs a room", "sidecar's CPU µs a room"],
        [["one sidecar", *cells(rows["sidecar"]), number(rows["sidecar"]["members"]), number(rows["sidecar"]["cpu"])],
         ["the bare transaction", *cells(rows["bare"]), number(rows["bare"]["members"]), "–"]])


def sticky(found):
    rows = found["sticky"]
    return table(["", "answers/s", "p50 ms", "p99 ms", "p99.9 ms", "CPU µs an answer"],
                 [[name, *cells(rows[key]), number(rows[key]["cpu"])]
                  for name, key in (("sharing", "shared"), ("alone", "alone"))])


def bars(found):
    return table(["", "bar", "measured", ""],
                 [[what, bar, measured, verdict(met)] for what, bar, measured, met in cluster.bars(found)])


def sidecars(found):
    rows = found["sidecars"]
    head = ["sidecars", *(str(row["count"]) for row in rows)]
    lines = [
        ["**idle:** members' CPU, all three, % of a core", *(f"{row['idle']['members']:.1f}" for row in rows)],
        ["a sidecar's CPU, % of a core", *(f"{row['idle']['sidecar']:.2f}" for row in rows)],
        ["requests/s to etcd, all", *(f"{row['idle']['requests']:.1f}" for row in rows)],
        [f"**{cluster.STEADY} new rooms/s in all:** p50 ms", *(number(row["steady"]["p50"]) for row in rows)],
        ["p99 ms", *(number(row["steady"]["p99"]) for row in rows)],
        ["events delivered a room", *(f"{row['steady']['events']:.1f}" for row in rows)],
        ["members' CPU ms a room", *(number(row["steady"]["members"] * 1e3) for row in rows)],
        ["sidecars' CPU ms a room, all together", *(number(row["steady"]["sidecars"] * 1e3) for row in rows)],
        ["**as fast as they can:** new rooms/s in all", *(number(row["flood"]["rps"]) for row in rows)],
        ["events delivered/s", *(number(row["flood"]["deliveries"]) for row in rows)],
        ["members' CPU ms a room", *(number(row["flood"]["members"] * 1e3) for row in rows)],
        ["sidecars' CPU ms a room, all together", *(number(row["flood"]["sidecars"] * 1e3) for row in rows)],
        ["all know all of them after the last answer, ms", *(number(row["flood"]["late"]) for row in rows)],
        [f"**{thousands(cluster.BURST)} rooms put by another client:** until all know them, s",
         *(f"{row['burst']:.1f}" for row in rows)],
        ["events delivered/s", *(number(delivered(row)) for row in rows)]]
    return table(head, lines) + (f"\nThree idle members take {found['unused']:.1f} % of a core.\n")


def rooms(found):
    row = found["rooms"]
    known = thousands(cluster.KNOWN)
    return table(["", "none", f"{known} rooms"], [
        ["memory of a sidecar that follows, MiB", number(row["empty"]), number(row["full"])],
        ["memory of a sidecar that has just listed them, MiB", "–", number(row["listed"])],
        ["its database file with its -wal, MiB", "–", number(row["database"])],
        ["memory of a member, MiB", number(row["member_empty"]), number(row["member_full"])],
        ["etcd's file, MiB", number(row["file_empty"]), number(row["file_full"])],
        ["start with an empty file, to *live*: all is listed, s", f"{row['fresh_empty']:.2f}", f"{row['fresh']:.2f}"],
        ["start with its file, to the first answer, s", "–", f"{row['again_answers']:.2f}"],
        ["start with its file, to *live*, s", "–", f"{row['again_live']:.2f}"],
        [f"{known} rooms put in {row['filled']:.1f} s by another client: lag at the end, s", "–",
         f"{row['behind']:.2f}"]])


def thousands(count):
    return f"{count:,}".replace(",", " ")


def delivered(row):
    """Events a second in the burst."""
    return row["count"] * cluster.BURST / row["burst"]


def line_through(rows, of):
    """The slope a sidecar, from the fewest to the most; and the value without any."""
    first, last = rows[0], rows[-1]
    slope = (of(last) - of(first)) / (last["count"] - first["count"])
    return of(first) - slope * first["count"], slope


def hundred(found):
    """Extrapolated in a straight line from the measurements."""
    rows = found["sidecars"]

    def at(count, of):
        base, slope = line_through(rows, of)
        return base + slope * count

    # CPU a room above the idle use at that rate.
    def beyond(row):
        return row["steady"]["members"] - row["idle"]["members"] / 100 / cluster.STEADY

    most = delivered(rows[-1])
    room = at(100, beyond)
    lines = [["requests/s to etcd while nothing happens",
              number(at(100, lambda row: row["idle"]["requests"]))],
             ["members' CPU then, all three, % of a core", number(at(100, lambda row: row["idle"]["members"]))],
             ["members' CPU for one new room, ms", number(room * 1e3)],
             ["members' CPU at 10 new rooms/s beside that, % of a core", number(room * 10 * 100)],
             ["events delivered/s at 10 new rooms/s", "1 000"],
             [f"until all know of {thousands(cluster.BURST)} rooms, at {number(most)} deliveries/s, s",
              number(100 * cluster.BURST / most)]]
    return table(["100 sidecars, calculated", ""], lines)


TABLES = {"about": about, "bars": bars, "claims": claims, "sticky": sticky, "sidecars": sidecars, "rooms": rooms,
          "hundred": hundred}


def write(found, page):
    text = page.read_text(encoding="utf-8")
    for name, made in TABLES.items():
        text, times = re.subn(rf"(<!-- table {name}:[^\n]*-->\n).*?(<!-- end of table -->)",
                              lambda marks, made=made: marks.group(1) + made(found) + marks.group(2), text,
                              flags=re.DOTALL)
        if times != 1:
            raise RuntimeError(f"{page} has {times} tables named {name}")
    page.write_text(text, encoding="utf-8")
