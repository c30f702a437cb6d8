/* Each cell of a table is told the heading of its column, for tables.css, which shows it on a phone. */
document.addEventListener("DOMContentLoaded", function () {
  "use strict";
  document.querySelectorAll("table.docutils").forEach(function (table) {
    var headings = Array.from(table.querySelectorAll("thead th"), function (each) { return each.textContent.trim(); });
    table.querySelectorAll("tbody tr").forEach(function (row) {
      Array.from(row.cells).forEach(function (cell, number) {
        // Of two columns, the second one says by itself what it is.
        if (headings.length > 2 && headings[number]) { cell.setAttribute("data-heading", headings[number]); }
      });
    });
    table.classList.add("has-headings");
  });
});
