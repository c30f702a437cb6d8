/* One method's page: keeps what is sent in step with the form, sends it, and shows what comes back. */
(function () {
  "use strict";

  var request = window.consoleRequest, show = window.consoleShow;
  var config = JSON.parse(document.getElementById("console-config").textContent);
  var history = new window.consoleHistory(config);

  function at(id) { return document.getElementById(id); }
  function drawHistory() { history.draw(document.querySelector(".history"), at("history")); }

  drawHistory();
  at("forget").addEventListener("click", function () { history.clear(); drawHistory(); });
  if (!config.method) { return; }

  var form = at("call"), body = at("body"), send = at("send");
  var byHand = false, running = null, answered = "";

  /* ##### The form and the request ##### */

  function write() {
    if (byHand) { return; }
    body.value = request.call(config, new FormData(form), at("version").value, at("notification").checked);
    fit();
  }

  function fit() { body.rows = Math.min(Math.max(body.value.split("\n").length, 5), 24); }

  function setByHand(value) {
    byHand = value;
    at("reset").hidden = !value;
    form.classList.toggle("by-hand", value);
  }

  function problem(name, text) {
    var field = form.querySelector('.dj-field[data-name="' + CSS.escape(name) + '"]');
    if (!field) { return null; }
    var said = field.querySelector(".problem");
    var inputs = field.querySelectorAll("input, select, textarea");
    said.textContent = text;
    said.hidden = !text;
    field.classList.toggle("is-wrong", Boolean(text));
    inputs.forEach(function (input) {
      input.setAttribute("aria-invalid", text ? "true" : "false");
      input.setAttribute("aria-describedby", said.id);
    });
    return inputs[0];
  }

  function complain(problems) {
    config.params.forEach(function (param) { problem(param.name, problems[param.name] || ""); });
    var first = config.params.find(function (param) { return problems[param.name]; });
    if (first) { problem(first.name, problems[first.name]).focus(); }
    return Boolean(first);
  }

  form.addEventListener("input", function (event) {
    if (event.target === body) { setByHand(true); fit(); return; }
    write();
  });
  // Dijits change without a key being pressed.
  form.addEventListener("change", function (event) { if (event.target !== body) { write(); } });
  at("reset").addEventListener("click", function () { setByHand(false); write(); });

  /* ##### Sending ##### */

  function credentials() {
    return at("name").value ? {name: at("name").value, password: at("password").value} : null;
  }

  function headers() {
    var found = {"Content-Type": "application/json", "X-CSRFToken": config.csrf}, given = credentials();
    if (given) {
      var bytes = new TextEncoder().encode(given.name + ":" + given.password);
      found.Authorization = "Basic " + btoa(Array.from(bytes, function (byte) { return String.fromCharCode(byte); }).join(""));
    }
    return found;
  }

  function setRunning(controller) {
    running = controller;
    send.textContent = controller ? "Cancel" : "Send";
    document.querySelector(".response").setAttribute("aria-busy", controller ? "true" : "false");
    if (controller) { status("Sending…", ""); }
  }

  function status(text, kind) { at("status").textContent = text; at("status").className = kind; }

  function start() {
    if (running) { running.abort(); return; }
    if (complain(byHand ? {} : request.problems(config.params, new FormData(form)))) { return; }
    write();
    var controller = new AbortController(), began = performance.now(), sent = body.value;
    at("error").hidden = true;
    setRunning(controller);
    fetch(config.service, {
      method: "POST", body: sent, headers: headers(), credentials: "same-origin", signal: controller.signal, redirect: "error"
    }).then(function (response) {
      return response.text().then(function (text) { finish(sent, response, text, performance.now() - began); });
    }).catch(function (error) {
      var isCancelled = error.name === "AbortError";
      status(isCancelled ? "Cancelled" : "No answer", "wrong");
      if (!isCancelled) { show.error(at("error"), {message: "The service was not reached. " + error.message}); }
    }).finally(function () { setRunning(null); });
  }

  function finish(sent, response, text, took) {
    var ms = Math.max(1, Math.round(took)), found = parsed(text);
    var errors = (Array.isArray(found) ? found : [found]).filter(function (each) { return each && each.error; });
    var isFine = response.ok && !errors.length && (found !== undefined || !text);
    var bytes = new TextEncoder().encode(text).length;
    status((isFine ? "✓ " : "✗ ") + "HTTP " + response.status + " · " + ms + " ms · " + show.size(bytes), isFine ? "good" : "wrong");
    answered = show.layOut(text);
    at("copy").hidden = !text;
    at("answer").classList.toggle("empty", !text);
    if (text) { show.json(at("answer"), text); } else { at("answer").textContent = "No answer, as none was wanted."; }
    if (errors.length) { told(errors[0].error); }
    if (found === undefined && text) { show.error(at("error"), {message: "This is no JSON-RPC answer."}); }
    keep(sent, isFine, ms);
    reveal();
  }

  function parsed(text) {
    try { return JSON.parse(text); } catch (error) { return undefined; }
  }

  function told(error) {
    show.error(at("error"), error);
    var data = error.data || error.error || {};
    var name = typeof data.parameter === "string" ? data.parameter.split(/[.[]/)[0] : "";
    if (name && !byHand) { problem(name, error.message.replace(/^Invalid params: /, "")); }
  }

  function reveal() {
    var place = document.querySelector(".response").getBoundingClientRect();
    if (place.top > window.innerHeight - 120) {
      var calm = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
      document.querySelector(".response").scrollIntoView({behavior: calm ? "auto" : "smooth", block: "start"});
    }
  }

  function keep(sent, isFine, ms) {
    var kept = request.keepable(sent, config);
    if (kept === null) { return; }
    var params = (parsed(kept) || {}).params;
    var brief = params === undefined ? kept : JSON.stringify(params);
    history.add({at: Date.now(), method: config.method, body: kept, ok: isFine, ms: ms, brief: brief.slice(0, 120)});
    drawHistory();
  }

  form.addEventListener("submit", function (event) { event.preventDefault(); start(); });
  document.addEventListener("keydown", function (event) {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) { event.preventDefault(); start(); }
    if (event.key === "Escape" && running) { running.abort(); }
  });

  /* ##### Copying ##### */

  function copy(button, text) {
    var was = button.textContent;
    function say(word) {
      button.textContent = word;
      setTimeout(function () { button.textContent = was; }, 1500);
    }
    // Pages that are not served by HTTPS have no clipboard but this one.
    function byHandOfOld() {
      var area = document.createElement("textarea");
      area.value = text;
      area.className = "hidden";
      document.body.append(area);
      area.select();
      say(document.execCommand("copy") ? "Copied" : "Not copied");
      area.remove();
      button.focus();
    }
    if (!navigator.clipboard) { byHandOfOld(); return; }
    navigator.clipboard.writeText(text).then(function () { say("Copied"); }, byHandOfOld);
  }

  at("curl").addEventListener("click", function (event) {
    write();
    copy(event.currentTarget, request.curl(new URL(config.service, location.href).href, body.value, credentials()));
  });
  at("copy").addEventListener("click", function (event) { copy(event.currentTarget, answered); });

  /* ##### What was called before ##### */

  function recall() {
    var entry = history.asked();
    if (entry && entry.method === config.method) {
      body.value = entry.body;
      setByHand(true);
      fit();
    }
  }

  window.addEventListener("hashchange", recall);
  write();
  recall();
})();
