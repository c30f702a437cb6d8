/* The list of methods: search as one types, by keyboard; a drawer on narrow screens. */
(function () {
  "use strict";

  var search = document.getElementById("search");
  var drawer = document.querySelector(".drawer");
  var items = Array.from(document.querySelectorAll(".list li"));
  var wide = window.matchMedia("(min-width: 60rem)");

  function fit() { drawer.open = wide.matches; }
  fit();
  wide.addEventListener("change", fit);

  function visible() { return items.filter(function (item) { return !item.hidden; }); }

  function filter() {
    var words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    items.forEach(function (item) {
      var text = item.dataset.words.toLowerCase();
      item.hidden = !words.every(function (word) { return text.includes(word); });
    });
    document.querySelectorAll(".list section").forEach(function (section) {
      section.hidden = !section.querySelector("li:not([hidden])");
    });
    var found = visible().length;
    document.querySelector(".list .none").hidden = found > 0;
    document.getElementById("found").textContent = words.length ? found + (found === 1 ? " method" : " methods") : "";
  }

  function move(from, by) {
    var links = visible().map(function (item) { return item.firstElementChild; });
    var next = links.indexOf(from) + by;
    if (next < 0) { search.focus(); } else if (links[next]) { links[next].focus(); }
  }

  search.addEventListener("input", filter);
  document.querySelector(".methods").addEventListener("keydown", function (event) {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      move(document.activeElement, event.key === "ArrowDown" ? 1 : -1);
    } else if (event.key === "Enter" && event.target === search && visible().length) {
      visible()[0].firstElementChild.click();
    } else if (event.key === "Escape" && search.value) {
      event.preventDefault();
      search.value = "";
      filter();
      search.focus();
    }
  });
  document.addEventListener("keydown", function (event) {
    var isTyping = /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName) || event.target.isContentEditable;
    if (event.key === "/" && !isTyping && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      drawer.open = true;
      search.focus();
      search.select();
    }
  });
  // What the browser has kept in the box when one comes back.
  if (search.value) { filter(); }
  var current = document.querySelector(".list [aria-current]");
  if (current && wide.matches) { current.scrollIntoView({block: "nearest"}); }
})();
