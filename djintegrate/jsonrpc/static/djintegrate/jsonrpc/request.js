/* What is sent: the form's values become the JSON of a call, and a call becomes a line for curl. Nothing here sends. */
(function (root) {
  "use strict";

  var NUMBER = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/;
  var HIDDEN = "•••";

  /* The JSON of one value, or undefined where the field is left empty. Numbers keep all their digits. */
  function valueOf(param, texts, isTicked) {
    if (param.kind === "boolean") { return isTicked ? "true" : "false"; }
    var text = texts.length ? texts[texts.length - 1] : "";
    if (text === "" && (!param.required || param.kind !== "text")) { return undefined; }
    if (param.kind === "number") { return NUMBER.test(text.trim()) ? text.trim() : JSON.stringify(text); }
    if (param.kind === "text" || param.kind === "word") { return JSON.stringify(text); }
    return isJSON(text) ? text.trim() : param.kind === "any" ? JSON.stringify(text) : undefined;
  }

  function isJSON(text) {
    try { JSON.parse(text); } catch (error) { return false; }
    return true;
  }

  /* The problems of a form, by name: what is missing, and what is no JSON. */
  function problems(params, form) {
    var found = {};
    params.forEach(function (param) {
      var text = form.getAll(param.name).join("");
      if (param.kind === "json" && text !== "" && !isJSON(text)) { found[param.name] = "This is not JSON yet."; }
      if (param.required && text === "" && param.kind !== "boolean" && param.kind !== "text") {
        found[param.name] = "This is missing.";
      }
    });
    return found;
  }

  function call(config, form, version, isNotification) {
    var values = config.byPlace ? byPlace(config.params, form) : byName(config.params, form);
    var open = config.byPlace ? "[" : "{", close = config.byPlace ? "]" : "}";
    var lines = [];
    if (version === "2.0") { lines.push('"jsonrpc": "2.0"'); }
    if (version === "1.1") { lines.push('"version": "1.1"'); }
    lines.push('"method": ' + JSON.stringify(config.method));
    lines.push('"params": ' + (values.length ? open + "\n" + values.join(",\n") + "\n  " + close : "[]"));
    if (!isNotification) { lines.push('"id": 1'); } else if (version === "1.0") { lines.push('"id": null'); }
    return "{\n  " + lines.join(",\n  ") + "\n}";
  }

  function byName(params, form) {
    var values = [];
    params.forEach(function (param) {
      var value = valueOf(param, form.getAll(param.name), form.has(param.name));
      if (value !== undefined) { values.push("    " + JSON.stringify(param.name) + ": " + indented(value)); }
    });
    return values;
  }

  /* Up to the last that is given; those before it that are not have their defaults. */
  function byPlace(params, form) {
    var values = [], last = 0;
    params.forEach(function (param) {
      var value = valueOf(param, form.getAll(param.name), form.has(param.name));
      values.push("    " + indented(value === undefined ? param.default : value));
      if (value !== undefined) { last = values.length; }
    });
    return values.slice(0, last);
  }

  function indented(value) { return value.replace(/\n/g, "\n    "); }

  function curl(url, body, credentials) {
    var user = credentials ? " \\\n  -u " + quoted(credentials.name) : "";
    return "curl " + quoted(url) + " \\\n  -H 'Content-Type: application/json'" + user + " \\\n  -d " + quoted(compact(body));
  }

  function compact(body) { return body.replace(/\n\s*/g, " "); }

  /* For a shell, in which nothing within single quotes has a meaning. */
  function quoted(text) { return "'" + text.replace(/'/g, "'\\''") + "'"; }

  /* The same call as it may be kept: without the values of secrets, and without those that may be a password. */
  function keepable(body, config) {
    var found;
    try { found = JSON.parse(body); } catch (error) { return null; }
    if (Array.isArray(found) || typeof found !== "object" || found === null) { return config.passwords ? null : body; }
    var isHidden = false;
    function hide(value, name) {
      if (/pass|secret|token/i.test(name)) { isHidden = true; return HIDDEN; }
      if (value === null || typeof value !== "object") { return value; }
      Object.keys(value).forEach(function (key) { value[key] = hide(value[key], key); });
      return value;
    }
    if (Array.isArray(found.params)) {
      var secrets = config.params.map(function (param) { return param.secret; });
      found.params = found.params.map(function (value, place) {
        if (config.passwords || secrets[place]) { isHidden = true; return HIDDEN; }
        return hide(value, "");
      });
    } else if (found.params && typeof found.params === "object") {
      if (config.passwords && "username" in found.params) { isHidden = true; found.params.username = HIDDEN; }
      found.params = hide(found.params, "");
    }
    return isHidden ? JSON.stringify(found, null, 2) : body;
  }

  root.consoleRequest = {call: call, curl: curl, keepable: keepable, problems: problems};
})(window);
