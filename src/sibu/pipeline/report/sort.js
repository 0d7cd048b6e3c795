// A click on a column's head sorts its table; without scripts the table stays as it came.
for (const table of document.querySelectorAll("table.sortable")) {
  const body = table.tBodies[0];
  [...table.tHead.rows[0].cells].forEach((head, column) => {
    const button = document.createElement("button");
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") === "ascending";
      const key = (row) => row.cells[column].textContent.trim();
      const number = (text) => (text === "–" ? -Infinity : Number(text.replace(/[,%\s]/g, "").replace("−", "-")));
      const order = (a, b) => {
        const [one, two] = [key(a), key(b)];
        const gap = number(one) - number(two);
        return Number.isNaN(gap) ? one.localeCompare(two) : gap;
      };
      const rows = [...body.rows].sort((a, b) => (down ? order(b, a) : order(a, b)));
      for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      body.append(...rows);
    });
  });
}
