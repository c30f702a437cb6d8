"""The profile that Dojo's build system is given: its packages and layers, and what browsers of today need no more.

Knows nothing of Django, and runs nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..page.release import LAYER, SEPARATE

__all__ = ["BOOT", "FEATURES", "LAYER", "change", "profile"]

# The browsers of today, since djintegrate/styles asks for constructed stylesheets, and djintegrate/aria for the names
# of a date's parts: Chrome 99, Firefox 103, Safari 16.4 or later. What is known of all of them, or is never used
# here, is said before; the minifier then drops the other code. "void 0" is for numbers that these browsers do not
# have: a comparison such as has("ie") < 9 is false then too.
GONE = ("air", "bb", "edge", "ie", "khtml", "msapp", "opera", "trident", "wii", "wp")
NEVER = (
    "MSPointer", "activex", "bug-byid", "bug-for-in-skips-shadowed", "config-bgIframe",
    "config-deferredInstrumentation", "config-dojo-loader-catches", "config-useDeferredInstrumentation",
    "dijit-legacy-requires", "djintegrate-sync", "dojo-bidi", "dojo-cdn", "dojo-firebug", "dojo-force-activex-xhr",
    "dojo-loader-eval-hint-url", "dojo-sync-loader",
    "dojo-test-sniff", "dojo-trace-api", "dojo-v1x-i18n-Api", "host-node", "host-rhino", "host-webworker",
    "ie-event-behavior", "jscript", "touch-can-modify-event-delegate",
)  # fmt: skip
ALWAYS = (
    "array-extensible", "console-as-object", "csp-restrictions", "dom-addeventlistener", "dom-attributes-explicit",
    "dom-attributes-specified-flag", "dom-classList", "dom-contains", "dom-matches-selector", "dom-parser", "dom-qsa",
    "dom-qsa2.1", "dom-qsa3", "dom-textContent", "event-focusin", "event-orientationchange",
    "event-stopimmediatepropagation", "events-keypress-typed", "events-mouseenter", "json-parse", "json-stringify",
    "native-arraybuffer", "native-blob", "native-formdata", "native-response-type", "native-xhr", "native-xhr2",
    "native-xhr2-blob", "pointer-events", "position-fixed-support",
)  # fmt: skip
FEATURES: Mapping[str, Any] = {
    **dict.fromkeys(GONE, "void 0"), **dict.fromkeys(NEVER, 0), **dict.fromkeys(ALWAYS, 1)
}  # fmt: skip

# The style of the element says how far it is seen, and the browser fades from what was there to that.
_FADE = """
	function fade(tooltip, opacity, then){
		var timer = 0;
		return {
			play: function(){
				var style = tooltip.domNode.style;
				style.opacity = getComputedStyle(tooltip.domNode).opacity;
				style.transition = "opacity " + tooltip.duration + "ms";
				style.opacity = opacity;
				timer = setTimeout(function(){
					timer = 0;
					style.transition = "";
					tooltip[then]();
				}, tooltip.duration);
			},
			stop: function(){
				clearTimeout(timer);
				timer = 0;
			},
			status: function(){ return timer ? "playing" : "stopped"; }
		};
	}
"""

# Dojo's requests come with these two for texts that are read while the page waits, which no page of ours does. The
# build has the templates, and a module that it lacks reads its own by fetch(). A check box brings all that lists of
# elements can do, for one class of its label; a tooltip all that animates any style, colours too, to be faded.
CHANGED: Mapping[str, Sequence[tuple[str, str]]] = {
    "dijit/form/CheckBox": [
        ('"dojo/NodeList-dom",', ""),
        ('.addClass("dijitFocusedLabel")', '.forEach(function(label){ label.classList.add("dijitFocusedLabel"); })'),
        (
            '.removeClass("dijitFocusedLabel")',
            '.forEach(function(label){ label.classList.remove("dijitFocusedLabel"); })',
        ),
    ],
    "dijit/Tooltip": [
        ('"dojo/_base/fx", // fx.fadeIn fx.fadeOut', ""),
        ("function(array, declare, fx,", "function(array, declare,"),
        ("var MasterTooltip =", f"{_FADE}var MasterTooltip ="),
        *(
            (
                f'fx.{name}({{ node: this.domNode, duration: this.duration, onEnd: lang.hitch(this, "{then}") }})',
                f'fade(this, {opacity}, "{then}")',
            )
            for name, opacity, then in (("fadeIn", 1, "_onShow"), ("fadeOut", 0, "_onHide"))
        ),
    ],
    "dojo/i18n": [("./has!host-browser?./_base/xhr", "./has!djintegrate-sync?./_base/xhr")],
    "dojo/text": [
        ("./has!host-browser?./request", "./has!djintegrate-sync?./request"),
        (
            "request(url, {sync:!!sync, headers: { 'X-Requested-With': null } }).then(load);",
            "fetch(url).then(function(response){ return response.text(); }).then(load);",
        ),
    ],
}

# No tests, and nothing hidden.
_LEFT_OUT = r"(^|\/)(tests|testsDOH|demos|bench|node_modules|_firebug)(\/|$)|(^|\/)\."
_CONFIGURE = r"""function (global) {
    var config = global.dojoConfig || global.djConfig || global.require || {};
    if (config.djintegrate) {
        config.packages.forEach(function (one) {
            if (one.name === "djintegrate") {
                one.location = config.baseUrl.replace(/[^\/]*\/$/, one.name);
            }
        });
    }
    return config;
}"""
"""What the loader in the layer asks for its configuration: other layers are in the build, and so are our modules.

A page of somebody else's, without our specification, has its own configuration.
"""

BOOT = "boot.js"
"""Runs before the layer: a file of the package djintegrate, and no module."""


def profile(
    root: Path,
    modules: Iterable[str],
    paths: Mapping[str, Path],
    locales: Sequence[str],
    used: Sequence[str] = (),
    features: Mapping[str, Any] = FEATURES,
    changed: Mapping[str, Path] | None = None,
) -> str:
    """The profile as JavaScript: the JSON of it, with the regular expressions that JSON has no word for.

    `used` are the packages of Dojo's beside dojo and dijit; `features` what is known of every browser;
    `changed` what takes the place of Dojo's own files.
    """
    first = sorted(name for name in modules if not _is_seldom(name))
    layers: dict[str, Any] = {LAYER: {"boot": True, "customBase": True, "include": first}}
    layers |= {name: {"include": [], "exclude": [LAYER]} for name in SEPARATE if name in modules}
    packages = [{**_package(name, root / name, _LEFT_OUT), "modules": {
        module.partition("/")[2]: str(path) for module, path in (changed or {}).items() if module.startswith(f"{name}/")
    }} for name in ("dojo", "dijit", *used)]  # fmt: skip
    packages += [
        {**_package(name, path, rf"{_LEFT_OUT}|(^|\/)boot\.js$"), "resourceTags": {"amd": "@@\\.js$@@"}}
        for name, path in paths.items()
    ]
    made = {
        "basePath": str(root),
        "optimize": "",
        "layerOptimize": "",
        "useSourceMaps": 0,
        "cssOptimize": "comments",
        "stripConsole": "none",
        "selectorEngine": "lite",
        "mini": True,
        "localeList": ",".join(locales),
        "staticHasFeatures": dict(features),
        "packages": packages,
        "layers": layers,
    }
    if "djintegrate" in paths:
        made["userConfig"] = _CONFIGURE
    text = json.dumps(made, indent=1)
    return "var profile = " + re.sub(r'"@@(.*?)@@"', lambda found: f"/{json.loads(found[0])[2:-2]}/", text) + ";\n"


def _is_seldom(name: str) -> bool:
    return name in SEPARATE or name.startswith(("dgrid/", "dstore/"))


def change(root: Path, folder: Path) -> dict[str, Path]:
    """Write the changed files of Dojo's into the folder, and say where each is."""
    made = {}
    for name, changes in CHANGED.items():
        text = (root / f"{name}.js").read_text()
        for before, after in changes:
            text = text.replace(before, after)
        made[name] = folder / f"{name.replace('/', '-')}.js"
        made[name].write_text(text)
    return made


def _package(name: str, location: Path, left_out: str) -> dict[str, Any]:
    return {"name": name, "location": str(location), "destLocation": name,
            "trees": [[str(location), name, f"@@{left_out}@@"]]}  # fmt: skip
