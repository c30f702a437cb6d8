// Minifies what Dojo's build system made: its layers, their texts, and the themes without the rules that no widget in
// the layers needs. What it is to do comes as JSON: {root, scripts, texts, styles: [{path, with, pruned, after}],
// boot: {path, texts}}. Each file is written over itself.
"use strict";
const fs = require("fs");
const work = JSON.parse(fs.readFileSync(0, "utf8"));
const load = name => require(require.resolve(name, { paths: [work.root] }));
const read = path => fs.readFileSync(path, "utf8");

async function minifyScript(text) {
	const { code } = await load("terser").minify(text, { compress: { passes: 2 }, ecma: 2018, format: { comments: false } });
	return code;
}

async function minifyScripts(paths) {
	for (const path of paths) {
		fs.writeFileSync(path, await minifyScript(read(path)));
	}
}

// boot.js calls its function without an argument: the texts, by the name of their module, become that.
async function booting(path) {
	const [head, tail, ...more] = (await minifyScript(read(path).replace(/\(\);\s*$/, "(TEXTS);"))).split("TEXTS");
	if (tail !== ");" || more.length) {
		throw new Error("boot.js does not end with the call of its function.");
	}
	return (name, code) => `${head}{${JSON.stringify(name)}:function(){${code}}}${tail}`;
}

// Unicode's words for languages have many entries that Dojo never looks up; nor does any other module of the layers,
// unless their names are in it.
const SELDOM = ["field", "dateFormatItem", "dateTimeFormats-appendItem", "currencySpacing"];

async function minifyTexts(paths, scripts, boot) {
	const all = scripts.join("\n");
	const kinds = SELDOM.filter(kind => !new RegExp(`["']${kind}-["']`).test(all));
	const starting = boot && await booting(boot.path);
	const isUnused = name => kinds.some(kind => name.startsWith(`${kind}-`)) && !all.includes(name);
	for (const path of paths) {
		new Function("define", read(path))((name, bundles) => {
			Object.values(bundles).forEach(bundle => {
				Object.keys(bundle).filter(isUnused).forEach(unused => { delete bundle[unused]; });
			});
			const code = `define(${JSON.stringify(name)},${JSON.stringify(bundles)});`;
			fs.writeFileSync(path, boot && boot.texts.includes(path) ? starting(name, code) : code);
		});
	}
}

// A class is needed where the scripts have its name, or the beginning of its name: dijit/_CssStateMixin, for one,
// makes dijitTextBoxFocused and dijitFocused of dijitTextBox. Of those that are not Dijit's all are needed, but for
// what dojo/uacss would say of browsers that profile.py knows to be gone.
const STATE = /^dijit(Rtl|Mixed|Checked|Incomplete|Error|Selected|Opened|Disabled|ReadOnly|Active|Hover|Focused|(Up|Down|Left|Right)ArrowButton)/;
const GONE = /^dj_(ie|trident|opera|khtml|edge)/;

function neededClasses(css, scripts) {
	const beginnings = Array.from(new Set(scripts.join(" ").match(/\bdijit[A-Z]\w+/g)));
	const isNeeded = name => /^dijit[A-Z]/.test(name) ?
		STATE.test(name) || beginnings.some(word => name.startsWith(word)) : !GONE.test(name);
	const found = new Set(Array.from(css.matchAll(/\.(-?[A-Za-z_][\w-]*)/g), match => match[1]));
	return Array.from(found).filter(isNeeded);
}

// Declarations that were for other browsers: those of the first Internet Explorers, and those with a maker's prefix
// beside the same one without, unless that is in the words of the prefixed one: linear-gradient(top, …) says nothing.
function dropForerunners(block, generate) {
	const declarations = block.children.toArray().filter(node => node.type === "Declaration");
	const bare = text => text.replace(/-(moz|webkit|ms|o)-/g, "");
	const said = node => `${node.property}:${generate(node.value)}`;
	const properties = new Set(declarations.map(node => node.property));
	const known = new Set(declarations.map(said).filter(text => !/gradient\((top|right|bottom|left)\b/.test(text)));
	const isDropped = node => /^[#*_]/.test(node.property) || /progid:|expression\(/.test(said(node)) ||
		(bare(node.property) !== node.property && properties.has(bare(node.property))) ||
		(/-gradient\(/.test(said(node)) && bare(said(node)) !== said(node) && known.has(bare(said(node))));
	block.children.forEach((node, item, list) => {
		if (node.type === "Declaration" && isDropped(node)) {
			list.remove(item);
		}
	});
}

function minifyStyles(styles, scripts) {
	const { minify, syntax } = load("csso");
	const options = { restructure: false, comments: false };
	for (const { path, with: more = [], pruned, after } of styles) {
		const css = [path, ...more].map(read).join("\n"), tree = syntax.parse(css);
		syntax.walk(tree, { visit: "Block", enter: block => dropForerunners(block, syntax.generate) });
		const usage = pruned ? { classes: neededClasses(css, scripts) } : null;
		const made = syntax.generate(syntax.compress(tree, { ...options, usage }).ast);
		fs.writeFileSync(path, made + (after ? minify(read(after), options).css : ""));
	}
}

async function main() {
	await minifyScripts(work.scripts);
	const scripts = work.scripts.map(read);
	await minifyTexts(work.texts, scripts, work.boot);
	minifyStyles(work.styles, scripts);
}

main().catch(error => {
	console.error(String(error && error.stack || error));
	process.exitCode = 1;
});
