"""What the harness of tests/dojo/beside.py asks the page, plain or as dijits: the same questions of both."""

from __future__ import annotations

LISTEN = """
window.heard = [];
window.faceOf = (node, dijit) => {
    // What is seen of a control: itself, or the parts of the dijit beside it that take the focus.
    if (node.getClientRects().length || !dijit) { return [node]; }
    return dijit.dateBox ? [dijit.dateBox.focusNode, dijit.timeBox.focusNode] : [dijit.focusNode || dijit.domNode];
};
window.dijitOf = node => window.require && node.id &&
    require("dijit/registry").byId(node.id.replace(/["'\\\\\\]\\s]/g, "_"));
window.controlsOf = form => Array.from(form.elements).filter(node => node.name && node.type !== "submit");
for (const type of ["input", "change"]) {
    document.addEventListener(type, event => {
        const node = event.target;
        heard.push([type, node.name, node.type === "checkbox" ? node.checked : node.value]);
    });
}
document.addEventListener("submit", event => {
    heard.push(["submit", event.target.id.replace("form", "p") + "-"]);
    event.preventDefault();
});
// What a control's own listeners hear: those of HTMX, of `onblur` and the like.
for (const form of document.forms) {
    for (const node of controlsOf(form)) {
        for (const type of ["focus", "blur", "keydown", "keyup"]) {
            node.addEventListener(type, event => { heard.push([type, node.name, event.key || ""]); });
        }
    }
}
"""

MARK = """
// A mark for each part of a control that takes the focus; the accessibility tree is asked about those.
const marks = [], inputMode = { number: "decimal", email: "email", url: "url", tel: "tel", search: "search" };
for (const form of document.forms) {
    for (const node of controlsOf(form)) {
        if (node.type === "hidden") { continue; }
        for (const [part, face] of faceOf(node, dijitOf(node)).entries()) {
            face.setAttribute("data-face", marks.length);
            // Beside the name of the control, those of its parts, in the language of the dijits.
            const called = dijitOf(node)?.dateBox ? new Intl.DisplayNames(
                require("dojo/_base/kernel").locale, { type: "dateTimeField" }).of(["day", "hour"][part]) : "";
            // What a keyboard, a spelling checker or a memory of the browser's asks of the part that is typed into.
            // A browser remembers no choices of a <select>, so a box that finds them has none beside its list.
            const memory = face.getAttribute("autocomplete");
            marks.push([form.id, node.id, Object.fromEntries([
                ["inputmode", face.inputMode || inputMode[face.type] || ""],
                ["tabindex", node.matches(":disabled") ? "" : face.tabIndex],
                ["autocomplete", node.options && memory === "off" ? null : memory],
                ...["accesskey", "autocapitalize", "dir", "enterkeyhint", "lang", "list", "placeholder",
                    "spellcheck", "title"].map(name => [name, face.getAttribute(name)])]), called]);
        }
    }
}
return marks;
"""

COLLECT = """
for (const face of document.querySelectorAll("[data-face]")) { face.removeAttribute("data-face"); }
const result = {};
for (const form of document.forms) {
    const controls = controlsOf(form), own = heard.filter(one => one[1].startsWith(form.id.replace("form", "p") + "-"));
    result[form.id] = {
        sent: Array.from(new FormData(form), ([name, value]) => [name, value.name === undefined ? value : value.name]),
        valid: Object.fromEntries(controls.map(node => [node.id || node.name, node.checkValidity()])),
        disabled: controls.filter(node => node.matches(":disabled")).map(node => node.id),
        attributes: Object.fromEntries(controls.map(node => [node.id, Object.fromEntries(
            Array.from(node.attributes)
                .filter(a => !/^(class|style|role|widgetid|data-djintegrate-dijit|id|aria-.*)$/.test(a.name))
                .map(a => [a.name, a.value]))])),
        heard: own.filter(one => /input|change/.test(one[0])),
        handlers: own.filter(one => !/input|change|submit/.test(one[0])),
        submits: own.filter(one => one[0] === "submit").length,
    };
}
return result;
"""

WALK = """
// The control that each stop of the Tab key belongs to, once for all the parts of one.
const control = node => {
    if (node.name && node.form) { return node.id; }
    for (let dijit = window.require && require("dijit/registry").getEnclosingWidget(node); dijit;
             dijit = require("dijit/registry").getEnclosingWidget(dijit.domNode.parentNode)) {
        if (dijit.htmlControl) { return dijit.htmlControl.id; }
    }
    return node.type === "submit" ? "submit of " + node.form.id : "?" + node.outerHTML.slice(0, 80);
};
// What a dijit has opened for one who was there for less than a tenth of a second is closed.
document.querySelector("[type=submit]").focus();
document.body.tabIndex = -1;
document.body.focus();
document.body.removeAttribute("tabindex");
window.walked = [];
document.addEventListener("focusin", event => {
    const name = control(event.target);
    if (walked[walked.length - 1] !== name) { walked.push(name); }
});
"""

SCRIPT = """
const [id] = arguments, found = document.getElementById(id),
    node = found.matches("input, select, textarea") ? found : found.querySelector("input"), form = node.form,
    tell = type => { node.dispatchEvent(new Event(type, { bubbles: true })); },
    // Of those that others send along, nobody could say who was refused.
    send = () => {
        const name = form.id.replace("form", "p") + "-";
        if (controlsOf(form).every(one => one.name.startsWith(name))) { form.requestSubmit(); }
    };
"""

FACE = """
const id = arguments[0], node = document.getElementById(id) || document.getElementById(id + "_0");
const face = node.type === "hidden" ? node : faceOf(node, dijitOf(node))[0];
"""
SEEN = FACE + "return face;"
FOCUS = FACE + "face.focus(); if (face.select) { face.select(); } return face;"
