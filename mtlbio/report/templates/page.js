"use strict";
// Filter by verdict, search, and copy a sentence. Without this script all dimensions are shown and nothing is lost.
(() => {
  const $ = (id) => document.getElementById(id);
  const entries = [...document.querySelectorAll("[data-names]")];
  const tools = $("tools"), find = $("find"), found = $("found");
  const buttons = [...tools.querySelectorAll("[data-verdict]")];
  const measured = $("measured") ? new Set(JSON.parse($("measured").textContent).toUpperCase().split(" ")) : null;
  const ordinal = (n) => n + (n % 100 > 10 && n % 100 < 14 ? "th" : ["th", "st", "nd", "rd"][n % 10] || "th");

  for (const entry of entries) {
    entry.names = entry.dataset.names.toLowerCase();
    entry.genes = [...entry.querySelectorAll(".genes i")].map((item) => ({
      name: item.textContent, upper: item.textContent.toUpperCase(), up: item.dataset.up === "1",
    }));
  }

  // what of an entry a query finds: whole names of genes first, then their beginnings, then names of sets
  function hits(entry, query) {
    if (!query) return [];
    const upper = query.toUpperCase(), place = (gene, rank) => ({ ...gene, rank: rank + 1 });
    const ranked = entry.genes.map(place);
    const whole = ranked.filter((gene) => gene.upper === upper);
    const begun = whole.length ? whole : ranked.filter((gene) => gene.upper.startsWith(upper));
    return begun.map((gene) => `${gene.name} ${gene.up ? "↑" : "↓"}, ${ordinal(gene.rank)} largest loading`);
  }

  function update() {
    const query = find.value.trim();
    const pressed = buttons.filter((b) => b.getAttribute("aria-pressed") === "true").map((b) => b.dataset.verdict);
    let shown = 0;
    for (const entry of entries) {
      const here = hits(entry, query);
      const named = query && entry.names.includes(query.toLowerCase());
      const visible = (!pressed.length || pressed.includes(entry.dataset.is)) && (!query || here.length > 0 || named);
      entry.hidden = !visible;
      const tile = $("tile-" + entry.id.slice(5));
      if (tile) tile.hidden = !visible;
      const note = entry.querySelector(".hit");
      note.hidden = !here.length;
      note.textContent = here.slice(0, 3).join("; ") + (here.length > 3 ? `; ${here.length - 3} more` : "");
      shown += visible;
    }
    const active = query || pressed.length;
    $("all").disabled = !active;
    $("rows").hidden = ![...$("rows").querySelectorAll("[data-names]")].some((entry) => !entry.hidden);
    found.textContent = active ? `${shown} of ${entries.length} dimensions shown.${missing(query, shown)}` : "";
  }

  // a whole name that no dimension shown has among its genes: was it measured at all?
  function missing(query, shown) {
    const upper = query.toUpperCase();
    if (!query || !measured) return "";
    const { feature, features, searched } = tools.dataset;
    if (!measured.has(upper)) return shown ? "" : ` No ${feature} of this run is called ${query}.`;
    if (entries.some((entry) => !entry.hidden && entry.genes.some((gene) => gene.upper === upper))) return "";
    return ` ${query} was measured, but is not among the ${searched} ${features} with the largest loadings of a dimension shown.`;
  }

  async function copy(button) {
    const text = button.closest(".cite").querySelector("p");
    let done = true;
    try {
      await navigator.clipboard.writeText(text.textContent);
    } catch {
      // pages from a disk: some browsers only copy what is selected
      text.closest("details").open = true;
      getSelection().selectAllChildren(text);
      done = document.execCommand("copy");
    }
    button.textContent = done ? "Copied" : "Press Ctrl+C";
    setTimeout(() => (button.textContent = "Copy sentence"), 2500);
  }

  for (const button of buttons) {
    button.addEventListener("click", () => {
      button.setAttribute("aria-pressed", String(button.getAttribute("aria-pressed") !== "true"));
      update();
    });
  }
  function reset() {
    find.value = "";
    buttons.forEach((button) => button.setAttribute("aria-pressed", "false"));
    update();
  }
  find.addEventListener("input", update);
  $("all").addEventListener("click", () => (reset(), find.focus()));
  document.addEventListener("click", (event) => {
    const button = event.target.closest(".copy");
    if (button) copy(button);
  });
  // a link to a dimension opens its row, and shows it where a filter hides it
  function follow() {
    const target = location.hash && $(decodeURIComponent(location.hash.slice(1)));
    if (!target) return;
    if (target.hidden) reset();
    if (target.tagName === "DETAILS") target.open = true;
    target.scrollIntoView();
  }
  addEventListener("hashchange", follow);
  document.querySelectorAll(".copy").forEach((button) => (button.hidden = false));
  tools.hidden = false;
  update();
  follow();
})();
