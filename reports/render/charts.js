// Draws every chart of the page with Chart.js from the JSON in #charts (schema strata-chart/1).
const charts = JSON.parse(document.getElementById("charts").textContent);
const colour = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const of_palette = index => colour("--c" + (index % 6));
const shapes = ["circle", "rect", "triangle", "rectRot", "star", "crossRot"];
const drawn = [];

// A band is two lines with the space between them filled; the second stays out of the legend.
function datasets_of(series, categories) {
    const base = { label: series.name, borderColor: of_palette(series.colour), backgroundColor: of_palette(series.colour),
        borderDash: series.dashed ? [6, 4] : [], pointStyle: shapes[series.colour % 6] };
    const points = series.points.map(([x, y]) => ({ x, y }));
    if (series.style === "band") {
        const edge = { borderWidth: 0, pointRadius: 0, pointHitRadius: 0, borderColor: "transparent" };
        const shade = of_palette(series.colour) + "33";
        return [{ ...base, ...edge, data: points, label: "", backgroundColor: shade },
                { ...base, ...edge, data: series.points.map(([x, , y]) => ({ x, y })), fill: "-1", backgroundColor: shade, pointStyle: "rect" }];
    }
    if (series.style === "span")
        return [{ ...base, data: series.points.map(([row, from, to]) => ({ x: [from, to], y: categories[row] })), grouped: false,
            borderWidth: 0, barPercentage: 0.9, categoryPercentage: 0.9, minBarLength: 1, borderSkipped: false, pointStyle: "rect" }];
    if (series.style === "bar" || series.style === "stacked") {
        const filled = series.dashed ? of_palette(series.colour) + "55" : of_palette(series.colour);
        const heights = categories.map(() => null);
        for (const [at, height] of series.points) heights[at] = height;
        return [{ ...base, type: "bar", data: heights, skipNull: true, backgroundColor: filled, borderWidth: 1,
            ...(series.style === "stacked" ? { stack: "all" } : {}) }];
    }
    const markers = series.style === "markers", many = !markers && series.points.length > 40;
    // Lines that coincide are told apart by their markers: bigger ones lie below.
    return [{ ...base, data: points, showLine: !markers, borderWidth: 2, pointRadius: many ? 0 : Math.max(2, (markers ? 7 : 5) - series.colour * 1.5),
        pointHoverRadius: 7, ...(series.dashed && !markers ? { pointBackgroundColor: colour("--paper"), pointBorderWidth: 2 } : {}), ...(many ? { pointStyle: "line" } : {}) }];
}

// Beside, above or below a ring: where a text of this width covers the fewest points and stays inside the axes.
function freest_place(chart, x, y, width) {
    const area = chart.chartArea, gap = 13;
    const places = [[x + gap, y - gap], [x - gap - width, y - gap], [x + gap, y + gap + 9], [x - gap - width, y + gap + 9],
                    [x - width / 2, y - gap - 10], [x - width / 2, y + gap + 18], [x - width / 2, y - gap - 32]];
    const points = chart.data.datasets.flatMap((data, i) => data.label === "" ? [] : chart.getDatasetMeta(i).data);
    const cost = ([left, base]) =>
        points.filter(p => p.x > left - 7 && p.x < left + width + 7 && p.y > base - 17 && p.y < base + 9).length +
        (left < area.left || left + width > area.right || base - 12 < area.top || base > area.bottom ? 1000 : 0);
    return places.reduce((best, place) => cost(place) < cost(best) ? place : best);
}

const annotations = {
    id: "annotations",
    afterDatasetsDraw(chart) {
        const { ctx, chartArea, scales } = chart;
        for (const note of chart.config.options.notes) {
            const x = scales.x.getPixelForValue(note.x), y = scales.y.getPixelForValue(note.y);
            ctx.save();
            ctx.strokeStyle = ctx.fillStyle = colour("--ink");
            ctx.lineWidth = 2;
            ctx.beginPath();
            ctx.arc(x, y, 9, 0, 7);
            ctx.stroke();
            ctx.font = "bold 12px 'DejaVu Sans', sans-serif";
            const [left, base] = freest_place(chart, x, y, ctx.measureText(note.text).width);
            ctx.fillText(note.text, left, base);
            ctx.restore();
        }
    }
};

// Of a log axis, which Chart.js would start and end anywhere: all points, and a little room for their markers.
function log_range(values) {
    return { min: Math.min(...values) / 1.15, max: Math.max(...values) * 1.15 };
}

// Bars would have their axis begin at 0, wherever they lie.
function range_of(values) {
    return { min: Math.min(...values), max: Math.max(...values) };
}

function axis_of(axis, position, values) {
    const bars = axis.categories.length > 0;
    return { type: bars ? "category" : axis.log ? "logarithmic" : "linear", position, labels: bars ? axis.categories : undefined,
        title: { display: true, text: axis.label, color: colour("--ink") },
        ticks: { color: colour("--soft"), maxRotation: bars ? 50 : 0, ...(axis.ticks.length ? { autoSkip: false, callback: (_, i) => axis.ticks[i][1] } : {}) },
        ...(axis.ticks.length ? { afterBuildTicks: scale => { scale.ticks = axis.ticks.map(([value]) => ({ value })); } } : {}),
        ...(axis.log && !bars && values.length ? log_range(values) : {}),
        grid: { color: colour("--line") } };
}

function scales_of(chart) {
    const points = chart.series.flatMap(series => series.points);
    const across = axis_of(chart.x, "bottom", points.map(point => point[0]));
    const values = axis_of(chart.y, "left", points.flatMap(point => point.slice(1)));
    // Spans lie: their rows run down, their values to the right.
    if (chart.series.some(series => series.style === "span"))
        return { x: { ...values, position: "bottom", ...range_of(points.flatMap(point => point.slice(1))) }, y: { ...across, position: "left", grid: { display: false } } };
    const stacked = chart.series.some(series => series.style === "stacked");
    values.beginAtZero = stacked || chart.series.some(series => series.style === "bar");
    values.grace = values.beginAtZero ? "14%" : "6%";  // room for a note above the highest bar
    return { x: { ...across, stacked }, y: { ...values, stacked } };
}

function shown_value(item) {
    const raw = item.raw, name = item.dataset.label;
    if (raw && Array.isArray(raw.x)) return `${name}: ${raw.x.map(value => value.toPrecision(5)).join(" to ")}`;
    return `${name}: ${item.formattedValue}`;
}

function draw(canvas) {
    const chart = charts[canvas.dataset.chart], narrow = canvas.parentElement.clientWidth < 480;
    const lies = chart.series.some(series => series.style === "span");
    if (lies) canvas.parentElement.style.height = `${Math.min(120 + 32 * chart.x.categories.length, 560)}px`;
    return new Chart(canvas, {
        type: chart.x.categories.length ? "bar" : "line",
        data: { datasets: chart.series.flatMap(series => datasets_of(series, chart.x.categories)).map((data, i) => ({ ...data, order: -i })) },
        plugins: [annotations],
        options: {
            notes: chart.annotations, animation: false, responsive: true, maintainAspectRatio: false, indexAxis: lies ? "y" : "x",
            interaction: { mode: "nearest", intersect: lies },
            scales: scales_of(chart),
            plugins: {
                legend: { position: "top", align: "start", reverse: true, labels: { usePointStyle: true, boxWidth: 8, boxHeight: 8,
                    font: { size: narrow ? 11 : 12 }, color: colour("--ink"), padding: narrow ? 8 : 14, filter: item => item.text !== "" } },
                tooltip: { filter: item => item.dataset.label !== "", callbacks: { label: shown_value } }
            }
        }
    });
}

function draw_all() {
    for (const chart of drawn.splice(0)) chart.destroy();
    Chart.defaults.font.family = "'DejaVu Sans', Verdana, sans-serif";
    for (const canvas of document.querySelectorAll("canvas[data-chart]")) drawn.push(draw(canvas));
}
draw_all();
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw_all);
