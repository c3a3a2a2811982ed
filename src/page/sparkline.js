// ---- The last hour of one gateway, as a small line.

const width = 120, height = 28;
const hour = 3_600_000;
const longest = 100_000;  // between two samples, of which one is due every 30 s; a longer gap has no samples

function makeSparkline() {
  const svg = makeSvg("svg", { class: "sparkline", role: "img",
    viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: "none" });
  svg.append(makeSvg("path", { class: "limit" }), makeSvg("path", { class: "line" }));
  return svg;
}

function drawSparkline(svg, times, readings, capacity, what, gateway) {
  const now = times.at(-1) ?? 0;
  const seen = readings.filter((reading) => reading !== null);
  const top = Math.max(capacity, ...seen, 1);
  const y = (value) => (height - 1.5 - (value / top) * (height - 3)).toFixed(1);
  let path = "", before = -Infinity;
  times.forEach((time, i) => {
    if (readings[i] === null) before = -Infinity;
    if (readings[i] === null || time < now - hour) return;
    const at = `${(width - ((now - time) / hour) * width).toFixed(1)} ${y(readings[i])}`;
    // A sample that stands alone is a dot: a line of no length with round ends.
    path += time - before > longest ? `M${at}L${at}` : `L${at}`;
    before = time;
  });
  set(svg.firstChild, "d", `M0 ${y(capacity)}H${width}`);
  set(svg.lastChild, "d", path);
  set(svg, "aria-label", seen.length === 0 ? terms.no_last_hour(what, gateway)
    : terms.last_hour(what, gateway, Math.min(...seen), Math.max(...seen), seen.at(-1)));
}
