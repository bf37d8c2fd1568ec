"use strict";
(() => {
  const form = document.querySelector("form");
  const search = form.querySelector("input[type=search]");
  const levels = [...form.querySelectorAll("input[type=checkbox]")];
  const status = form.querySelector("output");
  const nothing = document.querySelector(".none");
  const heads = [...document.querySelectorAll("thead th")].slice(1);
  const names = heads.map((head) => head.textContent.toLowerCase());
  let rows = null;

  // The searchable text of each cell: its service, its environment and its content.
  const read = () => [...document.querySelectorAll("tbody tr")].map((row) => {
    const service = row.cells[0].textContent.toLowerCase();
    const cells = [...row.cells].slice(1);
    return {
      row, cells,
      texts: cells.map((cell, n) => service + "\n" + names[n] + "\n" + cell.textContent.toLowerCase()),
    };
  });

  const filter = () => {
    rows = rows || read();
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const visible = new Set(levels.filter((level) => level.checked).map((level) => level.value));
    const found = names.map(() => false);
    let count = 0;
    for (const { row, cells, texts } of rows) {
      let any = false;
      cells.forEach((cell, n) => {
        const hit = visible.has(cell.className.split(" ")[0]) && words.every((word) => texts[n].includes(word));
        cell.classList.toggle("off", !hit);
        found[n] = found[n] || hit;
        any = any || hit;
      });
      row.hidden = !any;
      count += any ? 1 : 0;
    }
    // Hides the environments in which nothing was found.
    heads.forEach((head, n) => {
      if (head.hidden === !found[n]) return;
      head.hidden = !found[n];
      for (const { cells } of rows) cells[n].hidden = !found[n];
    });
    nothing.hidden = count > 0;
    nothing.parentElement.scrollTop = 0;
    status.textContent = count + " of " + rows.length + (rows.length === 1 ? " service" : " services");
  };

  let due = 0;
  const soon = () => { clearTimeout(due); due = setTimeout(filter, 120); };
  search.addEventListener("input", soon);
  for (const level of levels) level.addEventListener("change", filter);
  form.addEventListener("submit", (event) => event.preventDefault());
  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && document.activeElement !== search) {
      event.preventDefault();
      search.focus();
    } else if (event.key === "Escape" && document.activeElement === search) {
      search.value = "";
      filter();
    }
  });
  form.hidden = false;
})();
