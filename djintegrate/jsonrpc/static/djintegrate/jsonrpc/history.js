/* The calls of this tab, the last first. They go when the tab does, and belong to one person and one service. */
(function (root) {
  "use strict";

  var MOST = 50;
  var show = root.consoleShow;

  function History(config) {
    this.key = "djintegrate-jsonrpc " + config.owner + " " + config.service;
    this.home = config.home;
  }

  History.prototype.all = function () {
    try { return JSON.parse(sessionStorage.getItem(this.key)) || []; } catch (error) { return []; }
  };

  History.prototype.add = function (entry) {
    var entries = [entry].concat(this.all()).slice(0, MOST);
    try { sessionStorage.setItem(this.key, JSON.stringify(entries)); } catch (error) { /* full, or forbidden */ }
  };

  History.prototype.clear = function () { sessionStorage.removeItem(this.key); };

  /* The one that the page's address names, as #call-…, if it is still kept. */
  History.prototype.asked = function () {
    var number = /^#call-(\d+)$/.exec(location.hash);
    return number ? this.all().find(function (entry) { return entry.at === Number(number[1]); }) : undefined;
  };

  History.prototype.draw = function (section, list) {
    var entries = this.all(), home = this.home;
    section.hidden = !entries.length;
    list.textContent = "";
    entries.forEach(function (entry) {
      var item = document.createElement("li"), link = document.createElement("a");
      link.href = home + encodeURIComponent(entry.method) + "/#call-" + entry.at;
      link.append(
        mark(entry.ok), show.element("span", entry.method), show.element("code", entry.brief),
        show.element("span", entry.ms + " ms"), show.element("time", new Date(entry.at).toLocaleTimeString())
      );
      link.children[1].className = "what";
      link.children[3].className = "ms";
      item.append(link);
      list.append(item);
    });
  };

  function mark(ok) {
    var made = show.element("span", ok ? "✓" : "✗");
    made.className = ok ? "mark good" : "mark wrong";
    made.setAttribute("role", "img");
    made.setAttribute("aria-label", ok ? "succeeded" : "failed");
    return made;
  }

  root.consoleHistory = History;
})(window);
