// Run by report_browser.py: report_browser.mjs CHROMIUM WORK DEMO HOSTILE LARGE PRINTED EMPTY; one JSON line per check.
import fs from "node:fs";
import path from "node:path";
import { chromium } from "playwright-core";

const [executablePath, work, demo, hostile, large, printed, empty] = process.argv.slice(2);
const args = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--enable-precise-memory-info"];
const say = (line) => console.log(JSON.stringify(line));
const check = (ok, name, detail) => say({ ok: Boolean(ok), name, detail: ok || detail === undefined ? "" : String(detail).slice(0, 2000) });

const profile = fs.mkdtempSync(path.join(work, "profile-"));
const context = await chromium.launchPersistentContext(profile, { executablePath, headless: true, args, viewport: { width: 1280, height: 900 } });

// A page with what it said and what it asked the network for.
async function open(url) {
  const page = await context.newPage();
  page.said = [];
  page.asked = [];
  page.on("console", (message) => ["error", "warning"].includes(message.type()) && page.said.push(message.text()));
  page.on("pageerror", (error) => page.said.push(error.message));
  page.on("dialog", (dialog) => { page.said.push("dialog " + dialog.message()); dialog.dismiss(); });
  page.on("request", (request) => request.url() !== url.split("#")[0] && page.asked.push(request.url()));
  const start = Date.now();
  await page.goto(url);
  await page.waitForSelector(".rows tbody tr");
  page.took = Date.now() - start;
  return page;
}

const status = (page) => page.locator("#table [role=status]").textContent();
const count = async (page) => Number((await status(page)).replace(/^All /, "").split(" of ")[0].replace(/\D/g, ""));
const fits = (page) => page.evaluate(() => document.documentElement.scrollWidth <= innerWidth);

async function reading() {
  const page = await open(demo), all = await count(page);
  check(page.said.length === 0, "opens without a word on the console", page.said.join("\n"));
  check(page.asked.length === 0, "asks nothing of the network", page.asked.join("\n"));
  check(/broken into/.test(await page.locator("h1").textContent()), "the verdict stands at the top");
  check((await page.locator("main h2").count()) >= 10 && (await page.locator("main, nav, header").count()) >= 3, "has landmarks and headings");
  const nameless = await page.evaluate(() => [...document.querySelectorAll("button, select, input, a[href]")].filter((e) => !(e.textContent.trim() || e.getAttribute("aria-label") || (e.labels && e.labels.length))).length);
  check(nameless === 0, "everything that can be used has a name", nameless);
  const headless = await page.evaluate(() => [...document.querySelectorAll("table")].filter((t) => !t.querySelector("thead th[scope=col]")).length);
  check(headless === 0, "every table has headers", headless);

  await page.fill("#filter-text", "OutlookZH");
  await page.waitForFunction(() => / of /.test(document.querySelector("#table [role=status]").textContent));
  const some = await count(page);
  check(some > 0 && some < all, "the text filter narrows, and tells how many are left", some + " of " + all);
  await page.locator("label", { hasText: "Level" }).locator("select").selectOption("4");
  const fewer = await count(page);
  check(fewer > 0 && fewer < some, "the level filter narrows further", fewer + " of " + some);
  check((await page.locator(".rows tbody .level").allTextContents()).every((text) => text === "critical"), "only such rows are shown");
  await page.getByRole("button", { name: "Clear filters" }).click();
  check((await count(page)) === all, "filters can be cleared");
  await page.fill("#filter-text", "python-requests/2.25.1");
  await page.waitForFunction(() => /^0 of /.test(document.querySelector("#table [role=status]").textContent) || / of /.test(document.querySelector("#table [role=status]").textContent));
  const shallow = await count(page);
  await page.getByLabel("also in records").check();
  const deep = await count(page);
  check(deep > shallow, "records and fields are searched when asked for", deep + " against " + shallow);
  await page.getByRole("button", { name: "Clear filters" }).click();

  await page.locator("th.c-level button").click();
  check((await page.locator("th.c-level").getAttribute("aria-sort")) === "ascending" && (await page.locator(".rows .level").first().textContent()) === "critical", "sorts by level, gravest first");
  await page.getByRole("button", { name: "Next" }).click();
  check(/Page 2 of/.test(await page.locator(".pager").textContent()), "turns pages");
  await page.getByRole("button", { name: "Clear filters" }).isDisabled();
  await page.close();
}

async function following() {
  const page = await open(demo);
  const step = page.locator(".chain li", { hasText: "status 241" });
  await step.locator("button.show").click();
  check(/those behind: An administrator's session/.test(await status(page)), "a step of the chain shows its indicators", await status(page));
  const row = page.locator(".rows .open-row").first();
  await row.focus();
  await page.keyboard.press("Enter");
  check((await row.getAttribute("aria-expanded")) === "true", "the keyboard opens an indicator");
  const detail = await page.locator("tr.detail").first().textContent();
  check(/proxyLogon/.test(await page.locator("tr.detail pre").first().textContent()), "it shows the raw record");
  check(/Byte in the file/.test(detail) && /SHA-256 of the record[0-9a-f]{64}/.test(detail), "it shows where the record is", detail);
  check(/SHA-256 of the file[0-9a-f]{64}/.test(detail) && /\.yml, line \d+/.test(detail) && /attack\.t1190/.test(detail), "it shows the rule, its file, hash and tags", detail);
  const hash = await page.evaluate(() => location.hash);
  await page.close();
  const again = await open(demo + hash);
  check(await again.evaluate((hash) => document.activeElement.id === hash.slice(1), hash), "an address leads to the same indicator", hash);
  const paint = () => again.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const before = await paint();
  await again.getByRole("button", { name: "Dark" }).click();
  check(before !== (await paint()), "the switch turns light to dark");
  await again.close();
}

async function chart() {
  const page = await open(demo), all = await count(page);
  await page.locator(".chart-box").focus();
  await page.keyboard.press("0");
  const seen = await page.locator("#chart [role=status]").textContent();
  for (const key of ["+", "+", "ArrowRight"]) await page.keyboard.press(key);
  check(seen !== (await page.locator("#chart [role=status]").textContent()), "keys zoom and move the timeline");
  await page.keyboard.press("Enter");
  check((await count(page)) < all && /from .* to .* UTC/.test(await status(page)), "Enter narrows the table to what the chart shows", await status(page));
  await page.keyboard.press("0");
  check(seen.split(":").slice(0, -1).join() === (await page.locator("#chart [role=status]").textContent()).split(":").slice(0, -1).join(), "0 shows all again");
  await page.close();
}

async function sizes() {
  for (const width of [390, 1280])
    for (const colorScheme of ["light", "dark"]) {
      const page = await open(demo);
      await page.setViewportSize({ width, height: 900 });
      await page.emulateMedia({ colorScheme });
      await page.locator(".rows .open-row").first().click();
      check(await fits(page), width + " pixels, " + colorScheme + ": nothing is wider than the page", await page.evaluate(() => document.documentElement.scrollWidth));
      const crowded = await page.evaluate(() => [...document.querySelectorAll(".contents li")].filter((item) => item.scrollWidth > item.clientWidth + 1).length);
      check(crowded === 0, width + " pixels, " + colorScheme + ": the names of the sections do not overlap", crowded);
      const weak = await page.evaluate(weakTexts);
      check(weak.length === 0, width + " pixels, " + colorScheme + ": text stands out from its ground (WCAG AA, 4.5 to 1)", weak.join("\n"));
      await page.close();
    }
}

// Texts whose contrast is less than 4.5 to 1.
function weakTexts() {
  const channel = (v) => ((v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
  const parse = (text) => text.match(/[\d.]+/g).map(Number);
  const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const ground = (e) => { for (; e; e = e.parentElement) { const c = parse(getComputedStyle(e).backgroundColor); if (c.length < 4 || c[3] > 0) return c; } return [255, 255, 255]; };
  const weak = new Set();
  for (const e of document.querySelectorAll("main *, header *, nav *")) {
    if (e.disabled || e.closest("svg") || ![...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim())) continue;
    const a = light(parse(getComputedStyle(e).color)), b = light(ground(e)), ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) weak.add(e.tagName + "." + e.className + " " + ratio.toFixed(2));
  }
  return [...weak].slice(0, 10);
}

async function printing() {
  const page = await open(demo);
  await page.locator("label", { hasText: "Level" }).locator("select").selectOption("4");
  const some = await count(page);
  await page.evaluate(() => window.dispatchEvent(new Event("beforeprint")));
  check((await page.locator(".print-note").textContent()).includes("Printed are " + some + " of the " + some), "on paper it is said how many are printed", await page.locator(".print-note").textContent());
  check((await page.locator("details:not([open])").count()) === 0, "nothing is folded away on paper");
  const pdf = await page.pdf({ path: path.join(work, "report.pdf"), preferCSSPageSize: true });
  const pages = (pdf.toString("latin1").match(/\/Type\s*\/Page\b/g) || []).length;
  check(pages > 3, "prints to PDF", pages);
  say({ note: "PDF with the critical indicators: " + pages + " pages" });
  await page.close();
}

async function filing() {
  const page = await context.newPage(), said = [];
  page.on("console", (message) => said.push(message.text()));
  await page.goto(printed);
  check(said.length === 0 && (await page.locator("script").count()) === 0, "the report for the file has no script and says nothing", said.join("\n"));
  check((await page.locator("details:not([open])").count()) === 0, "nothing of it is folded away");
  const pdf = await page.pdf({ path: path.join(work, "report-print.pdf"), preferCSSPageSize: true });
  const pages = (pdf.toString("latin1").match(/\/Type\s*\/Page\b/g) || []).length;
  check(pages > 5, "it prints to PDF", pages);
  say({ note: "PDF for the file: " + pages + " pages" });
  await page.close();
}

async function nothing() {
  const page = await open(empty);
  check(page.said.length === 0 && /No indicator passes/.test(await page.locator(".rows").textContent()), "a report without indicators opens", page.said.join("\n"));
  await page.close();
}

async function withoutScript() {
  const other = await chromium.launch({ executablePath, headless: true, args });
  const page = await other.newPage({ javaScriptEnabled: false });
  await page.goto(demo);
  const text = await page.locator("main").innerText();
  check(/broken into/.test(text) && /CVE-2021-26855/.test(text) && /iispage\.aspx/.test(text) && /timeline\.csv/.test(text), "without JavaScript the facts are there");
  await other.close();
}

async function resisting() {
  const page = await open(hostile);
  check(page.said.length === 0, "hostile case: nothing on the console", page.said.join("\n"));
  for (let i = 0; i < 4; i++) await page.locator(".rows .open-row").nth(i).click();
  await page.fill("#filter-text", "<script>");
  await page.waitForTimeout(400);
  await page.locator(".chain button.show").first().click();
  await page.locator(".rows .open-row").first().click();
  const found = await page.evaluate(() => ({
    hacked: window.hacked, foreign: document.querySelectorAll("img, iframe, object, embed, form, link, base, [onerror], [onload], main script").length,
    links: [...document.querySelectorAll("a")].filter((a) => !/^#[a-z]+$/.test(a.getAttribute("href"))).length,
    turned: /[\u202a-\u202e\u2066-\u2069]/.test(document.body.innerText), shown: document.body.innerText.includes("\\u{202e}gnp.exe"),
  }));
  check(found.hacked === undefined && found.foreign === 0 && found.links === 0, "hostile case: text stays text", JSON.stringify(found));
  check(!found.turned && found.shown, "hostile case: what turns the direction of reading is shown as an escape", JSON.stringify(found));
  check(page.asked.length === 0, "hostile case: asks nothing of the network", page.asked.join("\n"));
  const cells = await page.evaluate(() => {
    let text = "";
    navigator.clipboard.writeText = (copied) => { text = copied; return Promise.resolve(); };
    [...document.querySelectorAll("button")].find((b) => b.textContent === "Copy as TSV").click();
    return text.trim().split("\n").map((line) => line.split("\t"));
  });
  check(cells.length > 1 && cells.every((row) => row.length === 8 && row.every((cell) => !/^[=+@-]./.test(cell))), "hostile case: copied cells are no formulas and keep their columns", JSON.stringify(cells.slice(0, 2)));
  await page.setViewportSize({ width: 390, height: 800 });
  check(await fits(page), "hostile case: fits a phone", await page.evaluate(() => document.documentElement.scrollWidth));
  await page.close();
}

async function many() {
  const page = await open(large), all = await count(page);
  const start = Date.now();
  await page.fill("#filter-text", "OutlookZH");
  await page.waitForFunction(() => / of /.test(document.querySelector("#table [role=status]").textContent));
  const filtered = Date.now() - start;
  await page.locator(".rows .open-row").last().click();
  const heap = await page.evaluate(() => performance.memory.usedJSHeapSize / 2 ** 20);
  say({ note: all + " indicators: open and usable after " + page.took + " ms, filtered in " + filtered + " ms, JavaScript heap " + heap.toFixed(0) + " MiB" });
  check(page.took < 60000 && filtered < 20000, "opens and filters many indicators", page.took + " ms, " + filtered + " ms");
  check((await page.locator("tr.detail pre").count()) === 1 && page.said.length === 0, "and opens one of them", page.said.join("\n"));
  await page.close();
}

let code = 0;
try {
  for (const part of [reading, following, chart, sizes, printing, filing, nothing, withoutScript, resisting, many]) await part();
} catch (error) {
  console.error(error);
  code = 1;
}
await context.close();
fs.rmSync(profile, { recursive: true, force: true });
process.exit(code);
