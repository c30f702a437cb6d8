"""What the build leaves out of Dojo's stylesheets and texts is nothing that a page could miss."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from djintegrate.dojo.build import build
from djintegrate.dojo.page.names import THEMES
from tests.dojo.forms import Many
from tests.support.combinations import few

# What any rule of Dojo's whole stylesheet could say of an element, for every element, in some states of the dijits;
# without what takes its time, and without the files' places.
STYLES = """
const done = arguments[0], registry = require('dijit/registry'), theme = document.getElementById('djintegrate-theme');
const still = new CSSStyleSheet(), found = {}, properties = new Set();
still.replaceSync('*, *::before, *::after { transition: none !important; animation: none !important; }');
document.adoptedStyleSheets.push(still);
const states = {
    plain: {}, disabled: { disabled: true }, wrong: { state: 'Error', readOnly: true },
    hovered: { hovering: true, focused: true }, active: { active: true },
};
function every() {
    return Array.from(document.querySelectorAll('body *')).map(element => {
        const style = getComputedStyle(element);
        const says = name => style.getPropertyValue(name).replace(/url\\([^)]*\\/static\\/[\\w-]+\\//g, 'url(')
            .replace(/(^| )0%/g, '$10px')
            .replace(/rgba\\([^)]*, 0\\)/g, 'transparent');
        return [`${element.tagName}.${element.className}`, ...Array.from(properties, name =>
            element.style.getPropertyValue(name) || (element.style.top && /^(right|bottom)$/.test(name)) ||
            (name === 'outline-width' && style.outlineStyle === 'none') ? '' : `${name}: ${says(name)}`)];
    });
}
function all(kind) {
    for (const [name, state] of Object.entries(states)) {
        registry.toArray().forEach(dijit => dijit.set({
            disabled: false, readOnly: false, state: '', hovering: false, active: false, focused: false, ...state
        }));
        found[kind + name] = every();
    }
}
function note(sheet) {
    for (const rule of sheet.cssRules) {
        if (rule.styleSheet) { note(rule.styleSheet); }
        for (const name of rule.style || []) { properties.add(name); }
    }
}
const use = href => new Promise(loaded => {
    theme.addEventListener('load', loaded, { once: true });
    theme.href = href;
});
(async () => {
    const pruned = theme.href;
    for (const name of ['id_day', 'id_hour', 'id_room']) { await registry.byId(name).loadAndOpenDropDown(); }
    await use(pruned.replace('/dojo-release/', '/dojo/'));
    note(theme.sheet);
    all('whole');
    await use(pruned);
    all('pruned');
    const lost = Object.keys(states).flatMap(name => found['pruned' + name].flatMap((style, number) => {
        const other = found['whole' + name][number];
        const differs = style.map((said, at) => at === 0 || said === other[at] ? '' : `${said} (${other[at]})`)
            .filter(Boolean);
        return differs.length ? [`${name}: ${style[0]}: ${differs}`] : [];
    }));
    done([found.prunedplain.length, properties.size, lost]);
})().catch(error => done([0, 0, String(error)]));
"""


@pytest.mark.parametrize("theme", few(THEMES, "claro"))
def test_the_rules_that_a_theme_has_lost_are_of_no_use_here(
    show: Any, built: None, settings: Any, dojo_root: Path, theme: str
) -> None:
    """With Dojo's whole stylesheet instead, no element of the dijits looks different, open or closed, in any state."""
    settings.STATICFILES_DIRS = [*settings.STATICFILES_DIRS, ("dojo", dojo_root)]
    browser = show(Many, lambda page, form: [setattr(page, "theme", theme), page.dojo_form(form)])
    elements, properties, lost = browser.execute_async_script(STYLES)
    assert lost == []
    assert elements > 300 and properties > 80


@pytest.fixture
def minify(dojo_root: Path, tmp_path: Path) -> Any:
    """minify(script, text, styles) in one process, each style with its options; returns the text and the styles."""
    node = shutil.which("node")
    if not node:
        pytest.skip("There is no Node in PATH.")

    def minify(
        script: str,
        text: str = "define('x', {});",
        styles: Sequence[tuple[str, dict[str, Any]]] = (),
        boot: Any = None,
    ) -> tuple[str, list[str]]:
        sheets = [(tmp_path / f"{number}.css", style, options) for number, (style, options) in enumerate(styles)]
        files = {tmp_path / "a.js": script, tmp_path / "nls.js": text, **{path: style for path, style, _ in sheets}}
        for path, content in files.items():
            path.write_text(content)
        work = {"root": str(dojo_root), "scripts": [str(tmp_path / "a.js")], "texts": [str(tmp_path / "nls.js")],
                "styles": [{"path": str(path), **options} for path, _, options in sheets], "boot": boot}  # fmt: skip
        subprocess.run([node, str(build.MINIFY)], input=json.dumps(work), text=True, check=True)
        return (tmp_path / "nls.js").read_text(), [path.read_text() for path, *_ in sheets]

    return minify


def classes(style: str) -> set[str]:
    return set(re.findall(r"\.([\w-]+)", style))


def test_rules_are_kept_for_classes_that_the_scripts_name_or_begin(minify: Any) -> None:
    style = "".join(f".{name}{{color:red}}" for name in (
        "dijitBox", "dijitBoxFocused", "dijitFocused", "dijitTree", "claro", "dj_a11y", "dj_ie6", "mine"
    ))  # fmt: skip
    _, (pruned, whole) = minify(
        'define([], () => ({ baseClass: "dijitBox" }));', styles=[(style, {"pruned": True}), (style, {})]
    )
    assert classes(pruned) == {"dijitBox", "dijitBoxFocused", "dijitFocused", "claro", "dj_a11y", "mine"}
    assert classes(whole) == classes(style)


BLOCKS = {
    "#zoom:1;*display:inline;_height:1px;margin:0": "margin:0",
    "-moz-box-shadow:none;box-shadow:none": "box-shadow:none",
    "-webkit-user-select:none": "-webkit-user-select:none",
    "background:-moz-linear-gradient(red,tan);background:linear-gradient(red,tan)":
        "background:linear-gradient(red,tan)",
    # The one without a prefix says nothing to a browser, for it has a side without "to".
    "background:-webkit-linear-gradient(top,red,tan);background:linear-gradient(top,red,tan)":
        "background:-webkit-linear-gradient(top,red,tan);background:linear-gradient(top,red,tan)",
}  # fmt: skip


def test_declarations_go_that_others_beside_them_have_taken_the_place_of(minify: Any) -> None:
    _, made = minify("define([]);", styles=[(f".a{{{block}}}", {}) for block in BLOCKS])
    assert dict(zip(BLOCKS, made, strict=True)) == {block: f".a{{{left}}}" for block, left in BLOCKS.items()}


TEXTS = """define('x/nls/x_de',{
'dojo/cldr/nls/gregorian':{"field-year":"Jahr","months":["a, b","\\"field-x\\":"],"dateFormatItem-yMd":"d.M.y",
"dateFormatItem-yyyy":"y","field-day-short":"Tag"}
,
'x/nls/y':{"a":"b","field-list":["x","y"]}
});"""


def read(text: str) -> Any:
    said = re.fullmatch(r'define\("x/nls/x_de",(.*)\);', text)
    assert said
    return json.loads(said[1])


def test_texts_are_kept_that_a_script_may_look_up(minify: Any) -> None:
    months = ["a, b", '"field-x":']
    texts, _ = minify('define([], bundle => bundle["dateFormatItem-yyyy"]);', TEXTS)
    assert read(texts) == {
        "dojo/cldr/nls/gregorian": {"months": months, "dateFormatItem-yyyy": "y"}, "x/nls/y": {"a": "b"}
    }  # fmt: skip
    texts, _ = minify('define([], (bundle, name) => bundle["field-" + name]);', TEXTS)
    assert read(texts)["dojo/cldr/nls/gregorian"] == {
        "field-year": "Jahr", "field-day-short": "Tag", "months": months
    }  # fmt: skip


def test_texts_that_start_a_page_are_the_argument_of_its_script(minify: Any, tmp_path: Path) -> None:
    boot = tmp_path / "boot.js"
    boot.write_text("(function (texts) {\n\trun(texts);\n})();\n")
    work = {"path": str(boot), "texts": [str(tmp_path / "nls.js")]}
    made, _ = minify("", "define('a/b', {c: 1});", boot=work)
    assert made == '!function(n){run(n)}({"a/b":function(){define("a/b",{"c":1});}});'


def test_what_cannot_be_read_is_an_error(minify: Any, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(subprocess.CalledProcessError):
        minify("define([], function () {")
    assert "SyntaxError" in capfd.readouterr().err
