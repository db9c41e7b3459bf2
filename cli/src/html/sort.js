// Tables that sort. A column whose head has data-sort gets a button: the first press sorts it up, the second down, the third
// restores the order of the page. Rows that are equal keep their order; those without a value stay last, up and down.
"use strict";
for (const table of document.querySelectorAll("table")) {
  const body = table.tBodies[0];
  const rows = Array.from(body.rows);
  const heads = Array.from(table.tHead.rows[0].cells);

  // The number in a cell: its data-value if it has one, else the first number of its text, so the mean of "92.9 ± 1.1 %".
  // "<0.001" comes right before 0.001, ">10" right after 10. Null where there is none: empty, "none", "diverged", NaN.
  const number = (cell) => {
    const text = (cell.dataset.value ?? cell.textContent).trim().replace(/\u2212/g, "-");
    const found = /^([<>\u2264\u2265\u2248~]?)\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?|[-+]?inf(?:inity)?\b|[-+]?\u221e)/i.exec(text);
    if (!found) return null;
    const value = /[i\u221e]/i.test(found[2]) ? (found[2][0] === "-" ? -Infinity : Infinity) : Number(found[2]);
    return [value, { "<": -1, ">": 1 }[found[1]] ?? 0];
  };
  const word = (cell) => cell.textContent.trim() || null;
  const byNumber = (a, b) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : a[1] - b[1]);
  const byWord = (a, b) => a.localeCompare(b, undefined, { numeric: true });

  const sort = (column, direction) => {
    if (direction === "none") return rows;
    const [key, compare] = heads[column].dataset.sort === "number" ? [number, byNumber] : [word, byWord];
    const sign = direction === "ascending" ? 1 : -1;
    const keyed = rows.map((row) => [row, key(row.cells[column])]);
    // Array.prototype.sort is stable.
    keyed.sort(([, a], [, b]) => (a === null || b === null ? (a === null) - (b === null) : sign * compare(a, b)));
    return keyed.map(([row]) => row);
  };

  heads.forEach((head, column) => {
    if (!head.dataset.sort) return;
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const next = { ascending: "descending", descending: "none" }[head.getAttribute("aria-sort")] ?? "ascending";
      for (const other of heads) other.removeAttribute("aria-sort");
      if (next !== "none") head.setAttribute("aria-sort", next);
      body.append(...sort(column, next));
    });
  });
}
