// The timeline: indicators in time by artifact. Keys and buttons move and zoom; dragging selects.
class TimelineChart {
  constructor(box, table) {
    Object.assign(this, { box, table, rows: table.rows, drag: null });
    this.all = this.extent();
    if (!this.all) {
      box.replaceChildren(element("p", { class: "quiet" }, "No indicator has a time."));
      return;
    }
    this.view = this.opening();
    this.build();
    table.listeners.push(() => this.draw());
    new ResizeObserver(() => this.draw()).observe(this.frame);
  }

  extent() {
    let first = Infinity, last = -Infinity;
    for (const time of this.rows.time) {
      if (time < first) first = time;
      if (time > last) last = time;
    }
    if (first > last) return null;
    const margin = Math.max((last - first) * 0.01, 5e5);
    return [first - margin, last + margin];
  }

  // The time of the intrusions with as much again beside it, when that is a small part of all.
  opening() {
    const spans = this.table.data.incidents.filter((incident) => incident.kind === "intrusion" && incident.first)
      .map((incident) => [Date.parse(incident.first) * 1000, Date.parse(incident.last) * 1000]);
    const first = Math.min(...spans.map((span) => span[0])), last = Math.max(...spans.map((span) => span[1]));
    const margin = Math.max((last - first) / 2, 36e8), view = [Math.max(first - margin, this.all[0]), Math.min(last + margin, this.all[1])];
    return view[1] - view[0] < (this.all[1] - this.all[0]) / 3 ? view : [...this.all];
  }

  build() {
    const button = (text, action) => element("button", { type: "button", onclick: action }, text);
    this.status = element("p", { class: "status", role: "status", "aria-live": "polite" });
    this.svg = drawn("svg", { role: "img", "aria-label": "Indicators in time, by artifact" });
    this.frame = element("div", { class: "chart-box", tabindex: "0", role: "group", "aria-label": "Timeline chart. Arrow left and right move, plus and minus zoom, 0 shows all, Enter filters the table to what is shown." , onkeydown: (event) => this.key(event) });
    this.frame.append(this.svg);
    this.box.replaceChildren(
      element("p", { class: "chart-hint" }, "Each mark is a span of time with indicators; its height tells how many (logarithmic), its colour the gravest level. It shows what the table's filter shows. Drag to zoom in." + (this.view[1] - this.view[0] < this.all[1] - this.all[0] ? " It begins with the time of the intrusions." : "")),
      this.frame,
      element("div", { class: "controls" }, button("Zoom in", () => this.zoom(0.5)), button("Zoom out", () => this.zoom(2)), button("Earlier", () => this.move(-0.5)), button("Later", () => this.move(0.5)), button("Show all", () => this.set(this.all)), button("Filter the table to this span", () => this.filter())),
      this.status);
    this.svg.addEventListener("pointerdown", (event) => this.down(event));
    this.svg.addEventListener("pointermove", (event) => this.moved(event));
    this.svg.addEventListener("pointerup", (event) => this.up(event));
    this.svg.addEventListener("pointercancel", () => { this.drag = null; this.draw(); });
  }

  // --- moving ---

  set(view) {
    const least = 1e5, most = this.all[1] - this.all[0];
    const size = Math.min(Math.max(view[1] - view[0], Math.min(least, most)), most);
    const first = Math.min(Math.max(view[0], this.all[0]), this.all[1] - size);
    this.view = [first, first + size];
    this.draw();
  }

  zoom(by) {
    const middle = (this.view[0] + this.view[1]) / 2, half = (this.view[1] - this.view[0]) / 2 * by;
    this.set([middle - half, middle + half]);
  }

  move(by) {
    const step = (this.view[1] - this.view[0]) * by;
    this.set([this.view[0] + step, this.view[1] + step]);
  }

  filter() {
    this.table.setRange(this.view[0] <= this.all[0] && this.view[1] >= this.all[1] ? null : [Math.ceil(this.view[0]), Math.floor(this.view[1])]);
  }

  key(event) {
    const actions = { ArrowLeft: () => this.move(-0.2), ArrowRight: () => this.move(0.2), "+": () => this.zoom(0.5), "=": () => this.zoom(0.5), "-": () => this.zoom(2), 0: () => this.set(this.all), Enter: () => this.filter() };
    if (!actions[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    actions[event.key]();
  }

  at(event) {
    const box = this.svg.getBoundingClientRect();
    return Math.min(Math.max(event.clientX - box.left, this.left), box.width);
  }

  timeAt(x) {
    return this.view[0] + (x - this.left) / (this.width - this.left) * (this.view[1] - this.view[0]);
  }

  down(event) {
    if (event.button) return;
    this.svg.setPointerCapture(event.pointerId);
    this.drag = [this.at(event), this.at(event)];
  }

  moved(event) {
    if (!this.drag) return;
    this.drag[1] = this.at(event);
    this.draw();
  }

  up() {
    const drag = this.drag;
    this.drag = null;
    if (drag && Math.abs(drag[0] - drag[1]) > 6) this.set([this.timeAt(Math.min(...drag)), this.timeAt(Math.max(...drag))]);
    else this.draw();
  }

  // --- drawing ---

  // Lanes by first sighting, with bins of count and gravest level.
  bins(columns) {
    const rows = this.rows, lanes = new Map(), scale = columns / (this.view[1] - this.view[0]);
    let shown = 0;
    for (const i of this.table.found) {
      if (isNaN(rows.time[i])) continue;
      let lane = lanes.get(rows.artifact[i]);
      if (!lane) lanes.set(rows.artifact[i], lane = { count: new Uint32Array(columns), level: new Uint8Array(columns), total: 0 });
      const column = Math.floor((rows.time[i] - this.view[0]) * scale);
      if (column < 0 || column >= columns) continue;
      lane.count[column]++;
      lane.total++;
      shown++;
      if (rows.level[i] > lane.level[column]) lane.level[column] = rows.level[i];
    }
    return [[...lanes].sort((a, b) => (rows.artifacts[a[0]] < rows.artifacts[b[0]] ? -1 : 1)), shown];
  }

  // Round steps of time: about one label per 110 pixels.
  ticks() {
    const steps = [1e-3, 1e-2, 0.1, 1, 5, 15, 60, 300, 900, 3600, 10800, 21600, 43200, 86400, 172800, 604800, 2592000, 7776000, 31536000].map((s) => s * 1e6);
    const wanted = (this.view[1] - this.view[0]) / Math.max(1, (this.width - this.left) / 110);
    const step = steps.find((s) => s >= wanted) || Math.ceil(wanted / 31536e9) * 31536e9, made = [];
    for (let time = Math.ceil(this.view[0] / step) * step; time <= this.view[1]; time += step) made.push(time);
    return [made, step];
  }

  x(time) {
    return this.left + (time - this.view[0]) / (this.view[1] - this.view[0]) * (this.width - this.left);
  }

  draw() {
    this.width = Math.max(260, this.frame.clientWidth - 20);
    const narrow = this.width < 560, laneHeight = narrow ? 36 : 24, bin = 4;
    this.left = narrow ? 0 : 190;
    const columns = Math.floor((this.width - this.left) / bin), [lanes, shown] = this.bins(columns);
    const top = 14, height = top + lanes.length * laneHeight + 22, made = [];
    this.drawGrid(made, height);
    this.drawIncidents(made);
    lanes.forEach(([artifact, lane], index) => this.drawLane(made, artifact, lane, top + index * laneHeight, laneHeight, narrow, bin));
    if (this.drag) made.push(drawn("rect", { class: "select", x: Math.min(...this.drag), y: 0, width: Math.abs(this.drag[0] - this.drag[1]), height: height - 20 }));
    this.svg.setAttribute("viewBox", "0 0 " + this.width + " " + height);
    this.svg.setAttribute("height", height);
    this.svg.replaceChildren(...made);
    if (!this.drag) this.status.textContent = timeText(Math.round(this.view[0] / 1e6) * 1e6) + " to " + timeText(Math.round(this.view[1] / 1e6) * 1e6) + " UTC: " + grouped(shown) + " indicators.";
  }

  drawGrid(made, height) {
    const [times, step] = this.ticks();
    for (const time of times) {
      const x = this.x(time), text = timeText(time);
      made.push(drawn("line", { class: "grid", x1: x, x2: x, y1: 8, y2: height - 20 }));
      if (x < this.width - 40)
        made.push(drawn("text", { x: x + 3, y: height - 6 }, step >= 864e8 ? text.slice(0, 10) : step >= 6e7 ? text.slice(5, 16) : text.slice(11, 23)));
    }
  }

  drawIncidents(made) {
    for (const incident of this.table.data.incidents) {
      const from = Math.max(this.x(Date.parse(incident.first) * 1000), this.left), until = Math.min(this.x(Date.parse(incident.last) * 1000), this.width);
      if (!(until >= from)) continue;
      const bar = drawn("rect", { class: incident.kind === "scanning" ? "span scanning" : "span", x: from, y: incident.kind === "scanning" ? 0 : 4, width: Math.max(2, until - from), height: 3 });
      bar.append(drawn("title", {}, "Incident " + incident.id + ": " + incident.kind));
      made.push(bar);
    }
  }

  drawLane(made, artifact, lane, y, height, narrow, bin) {
    const base = y + height - 2, room = narrow ? height - 17 : height - 5;
    made.push(drawn("text", narrow ? { x: 0, y: y + 12 } : { x: 0, y: y + height - 7 }, visible(this.rows.artifacts[artifact]) + " " + grouped(lane.total)));
    made.push(drawn("line", { class: "grid", x1: this.left, x2: this.width, y1: base, y2: base }));
    lane.count.forEach((count, column) => {
      if (!count) return;
      const size = Math.min(room, 4 + Math.log2(count) * room / 12);
      const mark = drawn("rect", { class: "bin-" + lane.level[column], x: this.left + column * bin, y: base - size, width: bin - 1, height: size });
      mark.append(drawn("title", {}, grouped(count) + " indicators, gravest: " + levels[lane.level[column]]));
      made.push(mark);
    });
  }
}
