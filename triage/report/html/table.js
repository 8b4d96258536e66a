// The table of indicators: filters, order, pages, and each row's record.
const pageRows = 100, printRows = 2000;

// All columns of all chunks; times of undated rows are NaN.
function readRows(data) {
  const rows = {
    count: data.count, time: new Float64Array(data.count), level: new Uint8Array(data.count),
    rule: new Uint16Array(data.count), artifact: new Uint16Array(data.count), path: new Uint32Array(data.count),
    actor: new Uint32Array(data.count), message: new Array(data.count),
    artifacts: [], paths: [], actors: [], chunkStart: [],
  };
  const places = { artifacts: new Map(), paths: new Map(), actors: new Map() };
  const intern = (kind, text) => {
    let place = places[kind].get(text);
    if (place === undefined) {
      place = rows[kind].push(text) - 1;
      places[kind].set(text, place);
    }
    return place;
  };
  let at = 0;
  for (const [count, size, packed] of data.chunks) {
    const chunk = unpack(size, packed);
    const artifacts = chunk.A.map((text) => intern("artifacts", text));
    const paths = chunk.P.map((text) => intern("paths", text));
    const actors = chunk.C.map((text) => intern("actors", text));
    rows.chunkStart.push(at);
    let time = 0;
    for (let i = 0; i < count; i++, at++) {
      rows.time[at] = chunk.t[i] === null ? NaN : time += chunk.t[i];
      rows.level[at] = chunk.l[i];
      rows.rule[at] = chunk.r[i];
      rows.artifact[at] = artifacts[chunk.a[i]];
      rows.path[at] = paths[chunk.p[i]];
      rows.actor[at] = actors[chunk.c[i]];
      rows.message[at] = chunk.m[i];
    }
  }
  return rows;
}

// The incident of each row, plus one; 0 for none. findings.json lists at most 200 rows of a step:
// the others of the same address within the incident's time are taken along.
function findIncidents(data, rows) {
  const of = new Uint16Array(rows.count);
  data.incidents.forEach((incident, index) => {
    for (const step of incident.steps) for (const number of step) of[number - 1] = index + 1;
  });
  data.incidents.forEach((incident, index) => {
    const actors = new Set(incident.actors.map((address) => rows.actors.indexOf(address)));
    const first = Date.parse(incident.first) * 1000, last = Date.parse(incident.last) * 1000 + 999;
    for (let i = 0; i < rows.count; i++)
      if (!of[i] && rows.actors[rows.actor[i]] && actors.has(rows.actor[i]) && rows.time[i] >= first && rows.time[i] <= last)
        of[i] = index + 1;
  });
  return of;
}

class IndicatorTable {
  constructor(box, data, rows) {
    Object.assign(this, { box, data, rows, page: 0, sortKey: "time", sortDown: false, open: new Set(), listeners: [] });
    this.incident = findIncidents(data, rows);
    this.only = null; // numbers that a part of the report rests on
    this.range = null; // of the chart
    this.details = new Map();
    this.build();
    this.apply();
  }

  recordOf(row) {
    let chunk = this.rows.chunkStart.length - 1;
    while (this.rows.chunkStart[chunk] > row) chunk--;
    if (!this.details.has(chunk)) {
      if (this.details.size >= 8) this.details.delete(this.details.keys().next().value);
      this.details.set(chunk, unpack(this.data.chunks[chunk][3], this.data.chunks[chunk][4]));
    }
    return this.details.get(chunk)[row - this.rows.chunkStart[chunk]];
  }

  // --- the frame ---

  select(label, options) {
    const select = element("select", { onchange: () => this.changed() });
    select.append(element("option", { value: "" }, "all"));
    for (const [value, text] of options) select.append(element("option", { value }, visible(text)));
    return [select, element("label", {}, label, select)];
  }

  counted(column, names) {
    const counts = new Array(names.length).fill(0);
    for (const place of this.rows[column]) counts[place]++;
    return names.map((name, place) => [place, name, counts[place]]).filter((entry) => entry[1] && entry[2])
      .sort((a, b) => b[2] - a[2] || (a[1] < b[1] ? -1 : 1)).map(([place, name, count]) => [place, name + " (" + count + ")"]);
  }

  build() {
    const ruleNames = [...new Set(this.data.rules.map((rule) => rule.name))].sort();
    this.text = element("input", { type: "search", id: "filter-text", autocomplete: "off", spellcheck: "false", oninput: () => this.later() });
    const textLabel = element("label", {}, "Text: message, path, rule, actor", this.text);
    this.deep = element("input", { type: "checkbox", onchange: () => this.changed() });
    const deepLabel = element("label", { class: "inline" }, this.deep, "also in records and fields (slower)");
    let levelLabel, artifactLabel, ruleLabel, actorLabel, incidentLabel, datedLabel;
    [this.level, levelLabel] = this.select("Level", levels.slice(1).map((name, i) => [i + 1, i === 3 ? name : name + " and above"]).reverse());
    [this.artifact, artifactLabel] = this.select("Artifact", this.counted("artifact", this.rows.artifacts));
    [this.rule, ruleLabel] = this.select("Rule", ruleNames.map((name) => [name, name]));
    [this.actor, actorLabel] = this.select("Actor", this.counted("actor", this.rows.actors));
    [this.inIncident, incidentLabel] = this.select("Incident", this.data.incidents.map((incident, i) => [i + 1, incident.id + ": " + incident.kind]));
    [this.dated, datedLabel] = this.select("Time", [["dated", "with a time"], ["undated", "without a time"]]);
    this.clearButton = element("button", { type: "button", onclick: () => this.clear() }, "Clear filters");
    this.copyButton = element("button", { type: "button", onclick: () => this.copy() }, "Copy as TSV");
    this.status = element("p", { class: "status", role: "status", "aria-live": "polite" });
    this.printNote = element("p", { class: "print-note" });
    this.body = element("tbody", {});
    this.heads = [["time", "Time (UTC)"], ["level", "Level"], ["rule", "Rule"], ["what", "What"], ["actor", "Actor"], ["artifact", "Artifact"]].map(([key, title]) =>
      element("th", { scope: "col", class: "c-" + key }, element("button", { type: "button", onclick: () => this.sort(key) }, title), element("span", { class: "on-paper" }, title))); // buttons are not repeated on paper
    this.pager = element("div", { class: "pager", role: "group", "aria-label": "Pages of the table" },
      element("button", { type: "button", onclick: () => this.turn(-1) }, "Previous"), element("span", {}),
      element("button", { type: "button", onclick: () => this.turn(1) }, "Next"));
    this.box.replaceChildren(
      element("div", { class: "controls", role: "search", "aria-label": "Filter the indicators" }, textLabel, levelLabel, artifactLabel, ruleLabel, actorLabel, incidentLabel, datedLabel, deepLabel, this.clearButton, this.copyButton),
      this.status, this.printNote,
      element("table", { class: "rows" }, element("thead", {}, element("tr", {}, ...this.heads)), this.body), this.pager);
  }

  // --- which rows ---

  later() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.changed(), 150);
  }

  changed() {
    this.page = 0;
    this.apply();
  }

  clear() {
    this.text.value = "";
    for (const select of [this.level, this.artifact, this.rule, this.actor, this.inIncident, this.dated]) select.value = "";
    this.deep.checked = false;
    this.only = this.range = null;
    this.changed();
  }

  // A part of the report asks for its indicators.
  showOnly(numbers, label) {
    this.clear();
    this.only = { numbers: new Set(numbers), label };
    this.changed();
    this.reveal();
  }

  reveal() {
    const section = document.getElementById("indicators");
    section.scrollIntoView();
    this.status.setAttribute("tabindex", "-1");
    this.status.focus({ preventScroll: true });
  }

  setRange(range) {
    this.range = range;
    this.changed();
  }

  textMatcher() {
    const words = this.text.value.toLowerCase().split(/\s+/).filter(Boolean), rows = this.rows, rules = this.data.rules;
    if (!words.length) return null;
    return (i) => {
      const rule = rules[rows.rule[i]];
      const whole = (rows.message[i] + "\n" + rows.paths[rows.path[i]] + "\n" + rows.actors[rows.actor[i]] + "\n" + rule.name + "\n" + rule.title).toLowerCase();
      if (words.every((word) => whole.includes(word))) return true;
      if (!this.deep.checked) return false;
      const record = this.recordOf(i), deeper = whole + ("\n" + record.raw + "\n" + Object.entries(record.fields || {}).flat().join("\n") + "\n" + record.raw_sha256).toLowerCase();
      return words.every((word) => deeper.includes(word));
    };
  }

  apply() {
    const rows = this.rows, rules = this.data.rules, matches = this.textMatcher();
    const level = Number(this.level.value || 0), rule = this.rule.value, dated = this.dated.value;
    const artifact = this.artifact.value === "" ? -1 : Number(this.artifact.value);
    const actor = this.actor.value === "" ? -1 : Number(this.actor.value);
    const incident = Number(this.inIncident.value || 0), only = this.only, range = this.range;
    const found = [];
    for (let i = 0; i < rows.count; i++) {
      if (rows.level[i] < level || (artifact >= 0 && rows.artifact[i] !== artifact) || (actor >= 0 && rows.actor[i] !== actor)) continue;
      if ((rule && rules[rows.rule[i]].name !== rule) || (incident && this.incident[i] !== incident)) continue;
      if (dated && (dated === "dated") === isNaN(rows.time[i])) continue;
      if ((only && !only.numbers.has(i + 1)) || (range && !(rows.time[i] >= range[0] && rows.time[i] <= range[1]))) continue;
      if (matches && !matches(i)) continue;
      found.push(i);
    }
    this.found = found;
    this.order();
    this.tell();
    this.render();
    for (const listener of this.listeners) listener();
  }

  order() {
    const rows = this.rows, down = this.sortDown ? -1 : 1, rules = this.data.rules;
    const byText = (of) => (a, b) => { const x = of(a), y = of(b); return x < y ? -down : x > y ? down : a - b; };
    const order = {
      time: (a, b) => down * (a - b), // they are in the order of time, undated ones last
      level: (a, b) => down * (rows.level[b] - rows.level[a]) || a - b,
      rule: byText((i) => rules[rows.rule[i]].name), what: byText((i) => rows.message[i]),
      actor: byText((i) => rows.actors[rows.actor[i]]), artifact: byText((i) => rows.artifacts[rows.artifact[i]]),
    };
    if (this.sortKey !== "time" || this.sortDown) this.found.sort(order[this.sortKey]);
    this.heads.forEach((head) => {
      if (head.classList.contains("c-" + this.sortKey)) head.setAttribute("aria-sort", this.sortDown ? "descending" : "ascending");
      else head.removeAttribute("aria-sort");
    });
  }

  sort(key) {
    this.sortDown = this.sortKey === key && !this.sortDown;
    this.sortKey = key;
    this.changed();
  }

  tell() {
    const parts = [this.found.length === this.rows.count ? "All " + grouped(this.rows.count) + " indicators" : grouped(this.found.length) + " of " + grouped(this.rows.count) + " indicators"];
    if (this.only) parts.push("those behind: " + this.only.label);
    if (this.range) parts.push("from " + timeText(this.range[0]) + " to " + timeText(this.range[1]) + " UTC");
    this.status.textContent = visible(parts.join("; ")) + ".";
    this.clearButton.disabled = this.found.length === this.rows.count;
  }

  // --- what is shown ---

  turn(by) {
    this.page += by;
    this.render();
    this.box.querySelector(".rows").scrollIntoView({ block: "nearest" });
  }

  cells(row) {
    const rows = this.rows, level = levels[rows.level[row]], id = "detail-" + (row + 1);
    const button = element("button", { type: "button", class: "open-row", id: "indicator-" + (row + 1), "aria-expanded": String(this.open.has(row)), "aria-controls": id, onclick: () => this.toggle(row) }, visible(rows.message[row]));
    return element("tr", {},
      element("td", { class: "c-time" }, isNaN(rows.time[row]) ? "no time" : element("time", {}, timeText(rows.time[row]))),
      element("td", { class: "c-level" }, element("span", { class: "level " + level }, level)),
      element("td", { class: "c-rule" }, visible(this.data.rules[rows.rule[row]].name)),
      element("td", { class: "c-what" }, button),
      element("td", { class: "c-actor" }, visible(rows.actors[rows.actor[row]])),
      element("td", { class: "c-artifact" }, visible(rows.artifacts[rows.artifact[row]])));
  }

  render(limit) {
    const pages = Math.max(1, Math.ceil(this.found.length / pageRows));
    this.page = Math.min(Math.max(this.page, 0), pages - 1);
    const shown = limit ? this.found.slice(0, limit) : this.found.slice(this.page * pageRows, (this.page + 1) * pageRows);
    const made = [];
    for (const row of shown) {
      made.push(this.cells(row));
      if (this.open.has(row)) made.push(this.detail(row));
    }
    if (!made.length) made.push(element("tr", {}, element("td", { colspan: 6 }, "No indicator passes the filter.")));
    this.body.replaceChildren(...made);
    const [previous, text, next] = this.pager.children;
    text.textContent = "Page " + grouped(this.page + 1) + " of " + grouped(pages);
    previous.disabled = this.page === 0;
    next.disabled = this.page + 1 >= pages;
    this.printNote.textContent = "Printed are " + grouped(shown.length) + " of the " + grouped(this.found.length) + " indicators that the filter shows, of " + grouped(this.rows.count) + " in all.";
  }

  toggle(row) {
    const button = document.getElementById("indicator-" + (row + 1)), line = button.closest("tr");
    if (this.open.delete(row)) {
      line.nextElementSibling.remove();
    } else {
      this.open.add(row);
      line.after(this.detail(row));
      history.replaceState(null, "", "#indicator-" + (row + 1));
    }
    button.setAttribute("aria-expanded", String(this.open.has(row)));
  }

  // Opens the page that has the row, and the row.
  follow(number) {
    const row = number - 1;
    if (!(row >= 0 && row < this.rows.count)) return;
    this.clear();
    this.page = Math.floor(this.found.indexOf(row) / pageRows);
    this.open.add(row);
    this.render();
    const button = document.getElementById("indicator-" + number);
    button.scrollIntoView({ block: "center" });
    button.focus({ preventScroll: true });
  }

  pairs(entries) {
    const list = element("dl", { class: "pairs" });
    for (const [name, value, kind] of entries)
      if (value !== null && value !== undefined && value !== "")
        list.append(element("dt", {}, visible(name)), element("dd", { class: kind || false }, visible(value)));
    return list;
  }

  detail(row) {
    const rows = this.rows, record = this.recordOf(row), rule = this.data.rules[rows.rule[row]];
    const incident = this.incident[row] && this.data.incidents[this.incident[row] - 1];
    return element("tr", { class: "detail", id: "detail-" + (row + 1) }, element("td", { colspan: 6 },
      element("p", { class: "what" }, visible(rows.message[row])),
      element("h4", {}, "Record"),
      element("pre", { tabindex: "0", "aria-label": "The record as it is" }, visibleLines(record.raw)),
      record.raw_cut ? element("p", { class: "quiet" }, "Cut at 4 KiB; the hash is of the whole record.") : null,
      element("h4", {}, "Where it is"),
      this.pairs([
        ["Path", rows.paths[rows.path[row]], "path"], ["Evidence", record.evidence], ["Volume", record.volume],
        ["Shadow copy", record.snapshot || ""], ["MFT entry", record.mft_entry], ["Byte in the file", grouped(record.offset)],
        ["Line or record", grouped(record.record)], ["SHA-256 of the record", record.raw_sha256, "hash"], ["Host", record.host],
        ["Artifact", rows.artifacts[rows.artifact[row]]], ["Indicator", "number " + (row + 1) + (incident ? ", incident " + incident.id : "")], ["Marks", record.marks]]),
      element("h4", {}, "When"),
      this.pairs([["Time", isNaN(rows.time[row]) ? "none in the record" : timeText(rows.time[row]) + " UTC"], ["Meaning", record.timestamp_desc], ["As recorded", record.time_text], ["Basis", record.time_basis]]),
      element("h4", {}, "Rule"),
      this.pairs([["Name", rule.name], ["Title", rule.title], ["Level", rule.level], ["Confidence", rule.confidence], ["Tags", (rule.tags || []).join(", ")],
        ["Author", rule.author], ["Kind", rule.language], ["Id", rule.id], ["File", rule.path + ", line " + rule.line, "path"], ["SHA-256 of the file", rule.sha256, "hash"], ["How it matched", record.how]]),
      element("h4", {}, "Fields"),
      this.pairs(Object.entries(record.fields || {}).map(([name, value]) => [name, typeof value === "object" ? JSON.stringify(value) : value, "path"]))));
  }

  // --- out of the page ---

  tsv() {
    const rows = this.rows;
    // No cell may break the line, or be taken for a formula.
    const cell = (value) => visible(String(value).replace(/[\t\r\n]+/g, " ")).replace(/^(?=[=+\-@].)/, "'");
    const lines = [["datetime", "level", "rule", "message", "actor", "artifact", "path", "number"].join("\t")];
    for (const i of this.found)
      lines.push([isNaN(rows.time[i]) ? "" : timeText(rows.time[i]), levels[rows.level[i]], this.data.rules[rows.rule[i]].name, rows.message[i], rows.actors[rows.actor[i]], rows.artifacts[rows.artifact[i]], rows.paths[rows.path[i]], i + 1].map(cell).join("\t"));
    return lines.join("\n") + "\n";
  }

  async copy() {
    const text = this.tsv();
    let done = true;
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      const area = element("textarea", { "aria-hidden": "true" });
      area.value = text;
      document.body.append(area);
      area.select();
      done = document.execCommand("copy");
      area.remove();
    }
    this.status.textContent = done ? "Copied " + grouped(this.found.length) + " rows." : "The browser did not allow copying.";
  }
}
