// Makes every table of more than one row sortable: a click, Enter or Space on a column's head sorts by it, once more the
// other way round. aria-sort says so to screen readers.
"use strict";

// Numbers by value ("1,234", "12.3 %", "0.4 to 0.9" by what stands first); what is none, such as "-", after them, either way.
function number_in(text) {
    const found = text.replace(/,/g, "").match(/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?/i);
    return found ? parseFloat(found[0]) : NaN;
}

function sort_rows(table, column, down) {
    const rows = [...table.tBodies[0].rows], text = row => row.cells[column].textContent.trim();
    const numeric = table.tHead.rows[0].cells[column].classList.contains("n");
    const sign = down ? -1 : 1;
    const compare = (a, b) => {
        if (!numeric) return sign * text(a).localeCompare(text(b), "en", { numeric: true });
        const x = number_in(text(a)), y = number_in(text(b));
        return isNaN(x) || isNaN(y) ? isNaN(x) - isNaN(y) : sign * (x - y);
    };
    table.tBodies[0].append(...rows.sort(compare));
}

function make_sortable(table) {
    if (table.tBodies[0].rows.length < 2) return;
    [...table.tHead.rows[0].cells].forEach((head, column, heads) => {
        const button = document.createElement("button");
        button.type = "button";
        button.append(...head.childNodes);
        head.append(button);
        head.setAttribute("aria-sort", "none");
        button.addEventListener("click", () => {
            const down = head.getAttribute("aria-sort") === "ascending";
            for (const other of heads) other.setAttribute("aria-sort", "none");
            head.setAttribute("aria-sort", down ? "descending" : "ascending");
            sort_rows(table, column, down);
        });
    });
}

for (const table of document.querySelectorAll("main table")) make_sortable(table);
