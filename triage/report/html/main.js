// Puts the parts together once the page is there.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  document.getElementById("data").textContent = "";
  const table = new IndicatorTable(document.getElementById("table"), data, readRows(data));
  const chart = new TimelineChart(document.getElementById("chart"), table);

  const isDark = () => (document.documentElement.dataset.theme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
  const theme = element("button", { type: "button", "aria-pressed": String(isDark()), onclick: () => {
    document.documentElement.dataset.theme = isDark() ? "light" : "dark";
    theme.setAttribute("aria-pressed", String(isDark()));
  } }, "Dark");
  const print = element("button", { type: "button", onclick: () => window.print() }, "Print");
  document.getElementById("tools").append(theme, print);

  // "incidents/1/steps/3" in the findings: a list of indicators.
  const listOf = (way) => way.split("/").reduce((value, name) => value && value[name], data) || [];
  for (const place of document.querySelectorAll("[data-show]")) {
    const numbers = listOf(place.dataset.show);
    if (!numbers.length) continue;
    const all = Number(place.dataset.count || 0), rest = numbers.length < all ? " (the first " + grouped(numbers.length) + " of " + grouped(all) + ")" : "";
    const label = (place.querySelector("b, .what, th") || place).textContent.trim() + rest;
    const button = element("button", { type: "button", class: "show", onclick: () => table.showOnly(numbers, label) },
      "show " + grouped(numbers.length) + (numbers.length === 1 ? " indicator" : " indicators"));
    const count = place.querySelector(".count");
    if (count) button.replaceChildren(count.textContent);
    if (count) count.replaceChildren(button);
    else (place.matches("tr") ? place.querySelector(".reason") || place.firstElementChild : place).append(" ", button);
  }
  for (const row of document.querySelectorAll("[data-actor]")) {
    const place = table.rows.actors.indexOf(row.dataset.actor);
    if (place < 0) continue;
    const cell = row.children[3], count = cell.textContent;
    cell.replaceChildren(element("button", { type: "button", class: "show", "aria-label": "show the " + count + " indicators of " + row.dataset.actor, onclick: () => {
      table.clear();
      table.actor.value = String(place);
      table.changed();
      table.reveal();
    } }, count));
  }

  const followHash = () => {
    const match = /^#indicator-(\d+)$/.exec(location.hash);
    if (match) table.follow(Number(match[1]));
  };
  window.addEventListener("hashchange", followHash);
  followHash();

  // On paper: all that the filter shows, up to a limit that is told; nothing folded away.
  let folded = [];
  window.addEventListener("beforeprint", () => {
    folded = [...document.querySelectorAll("details:not([open])")];
    for (const details of folded) details.open = true;
    table.render(printRows);
  });
  window.addEventListener("afterprint", () => {
    for (const details of folded) details.open = false;
    table.render();
  });
})();
