"use strict";
// Adds to a page that is complete without it: tables that sort, and one that is searched.

function value(row, column) {
	const cell = row.cells[column];
	return cell.dataset.value === undefined ? cell.textContent.toLowerCase() : Number(cell.dataset.value);
}

function sort(table, column, ascending) {
	const rows = Array.from(table.tBodies[0].rows, (row) => ({ row, value: value(row, column) }));
	const sign = ascending ? 1 : -1;
	rows.sort((a, b) => (a.value < b.value ? -sign : a.value > b.value ? sign : 0));
	table.tBodies[0].append(...rows.map((item) => item.row));
	Array.from(table.tHead.rows[0].cells).forEach((cell, index) => {
		if (index === column) cell.setAttribute("aria-sort", ascending ? "ascending" : "descending");
		else cell.removeAttribute("aria-sort");
	});
}

// Numbers and times begin with the largest, texts with the first.
function makeSortable(table) {
	Array.from(table.tHead.rows[0].cells).forEach((cell, column) => {
		const button = document.createElement("button");
		const first = cell.className ? "descending" : "ascending";
		button.type = "button";
		button.textContent = cell.textContent;
		button.addEventListener("click", () => {
			const now = cell.getAttribute("aria-sort");
			sort(table, column, now ? now === "descending" : first === "ascending");
		});
		cell.replaceChildren(button);
	});
}

// A row is shown when it has all the words, anywhere.
function search(table, text) {
	const words = text.toLowerCase().split(/\s+/);
	let shown = 0;
	for (const row of table.tBodies[0].rows) {
		const content = row.textContent.toLowerCase();
		row.hidden = !words.every((word) => content.includes(word));
		shown += row.hidden ? 0 : 1;
	}
	return shown;
}

function makeSearchable(table) {
	const box = document.createElement("div");
	const label = document.createElement("label");
	const input = document.createElement("input");
	const output = document.createElement("output");
	const show = () => {
		output.textContent = `${search(table, input.value)} of ${table.tBodies[0].rows.length} rows`;
	};
	box.className = "search";
	box.setAttribute("role", "search");
	input.type = "search";
	input.id = "search";
	input.autocomplete = "off";
	input.spellcheck = false;
	label.htmlFor = output.htmlFor = "search";
	label.textContent = "Search names, reasons and programs";
	input.addEventListener("input", show);
	box.append(label, input, output);
	table.parentElement.before(box);
	show();
}

document.querySelectorAll("table").forEach(makeSortable);
document.querySelectorAll("table.searched").forEach(makeSearchable);
