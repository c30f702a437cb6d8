/* How answers look: JSON in colours, errors in words. All text is put in as text, never as HTML. */
(function (root) {
  "use strict";

  var TOKEN = /("(?:[^"\\]|\\.)*")(\s*:)?|\b(true|false|null)\b|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;
  var LONGEST_COLOURED = 200000;

  /* Laid out without being parsed, so that numbers keep their digits and names their order. */
  function layOut(text) {
    try { JSON.parse(text); } catch (error) { return text; }
    var out = "", depth = 0, inString = false;
    for (var at = 0; at < text.length; at++) {
      var letter = text[at];
      if (inString) {
        out += letter;
        if (letter === "\\") { out += text[++at]; } else if (letter === '"') { inString = false; }
      } else if (letter === '"') { inString = true; out += letter;
      } else if (letter === "{" || letter === "[") {
        var rest = text.slice(at + 1).match(/^\s*([}\]])/);
        if (rest) { out += letter + rest[1]; at += rest[0].length; } else { depth++; out += letter + line(depth); }
      } else if (letter === "}" || letter === "]") { depth--; out += line(depth) + letter;
      } else if (letter === ",") { out += "," + line(depth);
      } else if (letter === ":") { out += ": ";
      } else if (!/\s/.test(letter)) { out += letter; }
    }
    return out;
  }

  function line(depth) { return "\n" + "  ".repeat(depth); }

  function json(into, text) {
    var laid = layOut(text);
    into.textContent = "";
    if (laid.length > LONGEST_COLOURED) { into.textContent = laid; return; }
    var last = 0, found;
    TOKEN.lastIndex = 0;
    while ((found = TOKEN.exec(laid))) {
      into.append(laid.slice(last, found.index));
      var kind = found[1] ? (found[2] ? "key" : "string") : found[3] ? "word" : "number";
      var token = document.createElement("span");
      token.className = kind;
      token.textContent = found[1] || found[0];
      into.append(token);
      if (found[2]) { into.append(found[2]); }
      last = found.index + found[0].length;
    }
    into.append(laid.slice(last));
  }

  /* The error in words: a heading, what belongs to it, and for whoever develops the site the traceback. */
  function error(into, found) {
    into.textContent = "";
    var heading = element("h3", found.message || "Error");
    if (found.code !== undefined) { heading.append(" ", element("code", String(found.code))); }
    into.append(heading);
    var data = found.data !== undefined ? found.data : found.error;
    if (data && typeof data.traceback === "string") {
      into.append(element("p", data.exception), scrollable(data.traceback));
    } else if (data !== undefined && data !== null && !(data && data.parameter)) {
      var pre = scrollable("");
      json(pre, JSON.stringify(data));
      into.append(pre);
    }
    into.hidden = false;
  }

  function element(name, text) {
    var made = document.createElement(name);
    made.textContent = text;
    return made;
  }

  /* A part that may be wider than the page can be scrolled by keyboard, too. */
  function scrollable(text) {
    var made = element("pre", text);
    made.tabIndex = 0;
    return made;
  }

  function size(bytes) {
    return bytes < 1000 ? bytes + " B" : bytes < 1e6 ? (bytes / 1000).toFixed(1) + " kB" : (bytes / 1e6).toFixed(1) + " MB";
  }

  root.consoleShow = {json: json, error: error, size: size, element: element, layOut: layOut};
})(window);
