// The page's program: filters rows, sums them, and hands them to charts and tables. Not here: what is asked, which
// forms charts have (both are in the data), and any figure that the data does not hold.
"use strict";

const REPORT = JSON.parse(document.getElementById("data").textContent);
const DAY = 86400000;
const Z = 1.959963984540054;
const WEEKS_FROM = 70; // days from which on charts over time show weeks
const LEAST_SPAN = 14; // days that an axis of time shows at least
const state = { from: "", to: "", tool: "" };
const drawn = []; // figures on the page, each with a function that brings it up to date
const $ = (id) => document.getElementById(id);

// --- words and numbers -------------------------------------------------------------------------------------------

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const decimal = new Intl.NumberFormat("en", { maximumFractionDigits: 2 });
const short = new Intl.NumberFormat("en", { notation: "compact", maximumSignificantDigits: 3 });
const dayWords = new Intl.DateTimeFormat("en-GB", { timeZone: "UTC", day: "numeric", month: "short", year: "numeric" });
const time = (day) => Date.parse(`${day}T00:00:00Z`);
const isoDay = (ms) => new Date(ms).toISOString().slice(0, 10);

function number(value) {
  if (value === null || value === undefined || Number.isNaN(value)) return "–";
  return (Number.isInteger(value) ? whole : decimal).format(value);
}

function percent(share) {
  if (share === null || share === undefined) return "–";
  const hundreds = share * 100;
  return `${hundreds > 0 && hundreds < 9.95 ? hundreds.toFixed(1) : Math.round(hundreds)} %`;
}

function duration(ms) {
  if (ms === null || ms === undefined) return "–";
  const units = [[1000, 1, "ms"], [60000, 1000, "s"], [3600000, 60000, "min"], [Infinity, 3600000, "h"]];
  const [, per, unit] = units.find(([below]) => ms < below);
  return `${decimal.format(Number((ms / per).toPrecision(2)))} ${unit}`;
}

function bytes(count) {
  if (count === null || count === undefined) return "–";
  const units = ["B", "kB", "MB", "GB", "TB"];
  const power = count < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(count) / 3));
  return `${decimal.format(Number((count / 1000 ** power).toPrecision(3)))} ${units[power]}`;
}

const FORMS = { number, share: percent, part: percent, ms: duration, bytes };
const format = (form, value) => (FORMS[form] || number)(value);

// --- rows: filtered, grouped, summed -----------------------------------------------------------------------------

for (const [name, data] of Object.entries(REPORT.data)) {
  const names = Object.keys(data.columns);
  const values = names.map((column) => {
    const held = data.columns[column];
    return held.words ? held.places.map((place) => held.words[place]) : held;
  });
  data.name = name;
  data.rows = Array.from({ length: names.length ? values[0].length : 0 }, (_, n) =>
    Object.fromEntries(names.map((column, c) => [column, values[c][n]])));
  data.hasDay = data.keys.includes("day");
  data.hasTool = data.keys.includes("tool");
  data.texts = names.filter((column) => !data.keys.includes(column) && data.columns[column].words);
  data.measures = names.filter((column) => !data.keys.includes(column) && !data.columns[column].words && column !== "bucket");
  const days = data.hasDay ? data.rows.map((row) => row.day).filter(Boolean).sort() : [];
  data.firstDay = days[0];
  data.lastDay = days[days.length - 1];
}

const datedSets = Object.values(REPORT.data).filter((data) => data.firstDay && data.hasTool);
const anyDated = datedSets.length ? datedSets : Object.values(REPORT.data).filter((data) => data.firstDay);
const firstDay = anyDated.map((data) => data.firstDay).sort()[0];
const lastDay = anyDated.map((data) => data.lastDay).sort().reverse()[0];

/** Whether the figure shows every tool and only marks the chosen one. */
const marks = (figure) => Boolean(figure.keys) && figure.keys.length === 1 && figure.keys[0] === "tool";

function filtered(data, { from, to, tool }) {
  const byDay = data.hasDay && (from || to);
  const byTool = data.hasTool && tool;
  if (!byDay && !byTool) return data.rows;
  return data.rows.filter((row) =>
    (!byDay || (row.day !== null && (!from || row.day >= from) && (!to || row.day <= to))) &&
    (!byTool || row.tool === tool));
}

/** Days are shown as days or as weeks, by how many there are. */
function unit() {
  const from = state.from || firstDay;
  const to = state.to || lastDay;
  return from && to && (time(to) - time(from)) / DAY >= WEEKS_FROM ? "week" : "day";
}

function periodOf(day) {
  if (unit() === "day") return time(day);
  const ms = time(day);
  return ms - ((new Date(ms).getUTCDay() + 6) % 7) * DAY; // Monday, as date_trunc has it
}

function periodWords(ms) {
  return unit() === "day" ? dayWords.format(ms) : `week of ${dayWords.format(ms)}`;
}

/** The rows summed by these keys; with percentiles where the rows are buckets of values. */
function grouped(data, rows, keys, figure) {
  const groups = new Map();
  for (const row of rows) {
    const own = keys.map((key) => (key === "period" ? (row.day === null ? null : periodOf(row.day)) : row[key]));
    if (keys.includes("period") && own[keys.indexOf("period")] === null) continue;
    const name = JSON.stringify(own);
    let group = groups.get(name);
    if (!group) {
      group = Object.fromEntries(keys.map((key, n) => [key, own[n]]));
      for (const measure of data.measures) group[measure] = null;
      group.buckets = new Map();
      groups.set(name, group);
    }
    for (const measure of data.measures) {
      if (row[measure] !== null) group[measure] = (group[measure] ?? 0) + row[measure];
    }
    for (const text of data.texts) {
      if (row[text] !== null && !(group[text] >= row[text])) group[text] = row[text];
    }
    if (data.value) group.buckets.set(row.bucket, (group.buckets.get(row.bucket) || 0) + row.count);
  }
  const made = [...groups.values()];
  made.forEach((group) => derive(group, figure));
  return made;
}

function derive(group, figure) {
  for (const [rate, [numerator, denominator]] of Object.entries(figure.rates || {})) {
    const [k, n] = [group[numerator] ?? 0, group[denominator] ?? 0];
    [group[rate], group[`${rate}_low`], group[`${rate}_high`]] = n > 0 ? [k / n, ...wilson(k, n)] : [null, null, null];
  }
  for (const [name, q] of Object.entries(figure.quantiles || {})) group[name] = quantile(group.buckets, q);
  delete group.buckets;
}

function wilson(k, n) {
  const p = k / n;
  const middle = p + (Z * Z) / (2 * n);
  const spread = Z * Math.sqrt(Math.max(p * (1 - p), 0) / n + (Z * Z) / (4 * n * n));
  const scale = 1 + (Z * Z) / n;
  return [Math.max((middle - spread) / scale, 0), Math.min((middle + spread) / scale, 1)];
}

/** Linear between neighbours as quantile_cont is, with a bucket's values all in its middle. */
function quantile(buckets, q) {
  const sorted = [...buckets].sort(([a], [b]) => a - b);
  const count = sorted.reduce((sum, [, n]) => sum + n, 0);
  if (!count) return null;
  const middle = (bucket) => 10 ** ((bucket + 0.5) / REPORT.per_decade);
  const at = (rank) => {
    let seen = 0;
    for (const [bucket, n] of sorted) if ((seen += n) > rank) return middle(bucket);
    return middle(sorted[sorted.length - 1][0]);
  };
  const rank = (count - 1) * q;
  const [low, high] = [at(Math.floor(rank)), at(Math.ceil(rank))];
  return low + (high - low) * (rank - Math.floor(rank));
}

/** Words that are numbers, as in 2 and 10+, by these. */
const sortable = (value) => (/^\d+\+?$/.test(value) ? parseFloat(value) : value ?? "");

function compare(order, keys) {
  const [sign, name] = order.startsWith("-") ? [-1, order.slice(1)] : [1, order];
  const among = (a, b) => {
    for (const key of keys) if (a[key] !== b[key]) return sortable(a[key]) < sortable(b[key]) ? -1 : 1;
    return 0;
  };
  return (a, b) => {
    if (name && a[name] !== b[name]) {
      if (a[name] === null || b[name] === null) return a[name] === null ? 1 : -1;
      return sortable(a[name]) < sortable(b[name]) ? -sign : sign;
    }
    return among(a, b);
  };
}

/** What a figure shows: its rows in order, how many there are in all, those not ranked, and all summed to one. */
function answer(figure) {
  const data = REPORT.data[figure.data];
  const filter = marks(figure) ? { ...state, tool: "" } : state;
  const kept = filtered(data, filter);
  const groups = grouped(data, kept, figure.keys, figure);
  const few = figure.least ? groups.filter((group) => !((group[figure.least[0]] ?? 0) >= figure.least[1])) : [];
  const ranked = groups.filter((group) => !few.includes(group));
  if (figure.order || figure.keys.includes("period")) ranked.sort(compare(figure.order || "period", figure.keys));
  const rows = figure.limit ? ranked.slice(0, figure.limit) : ranked;
  const [total] = grouped(data, kept, [], figure);
  return { rows, count: ranked.length, few, kept, total: total || {} };
}

// --- the query behind a figure -----------------------------------------------------------------------------------

function sqlOf(figure) {
  const data = REPORT.data[figure.data];
  if (!data.value && !data.measures.length && !data.texts.length && !data.hasDay && !data.hasTool) return data.sql; // as it is
  const period = figure.keys.includes("period") ? `date_trunc('${unit()}', day)::date as period` : "";
  const keys = figure.keys.map((key) => (key === "period" ? period : key));
  const sums = data.value
    ? [`count(${data.value}) as count`]
    : data.measures.map((measure) => `sum(${measure}) as ${measure}`);
  const texts = data.texts.map((text) => `max(${text}) as ${text}`);
  const rates = Object.entries(figure.rates || {}).flatMap(([rate, [k, n]]) => [
    `sum(${k}) / nullif(sum(${n}), 0) as ${rate}`,
    `wilson_low(sum(${k}), sum(${n})) as ${rate}_low`,
    `wilson_high(sum(${k}), sum(${n})) as ${rate}_high`,
  ]);
  const quantiles = Object.entries(figure.quantiles || {}).map(([name, q]) => `quantile_cont(${data.value}, ${q}) as ${name}`);
  const where = [
    figure.keys.includes("period") ? "day is not null" : "",
    data.hasDay && state.from ? `day >= date '${state.from}'` : "",
    data.hasDay && state.to ? `day <= date '${state.to}'` : "",
    data.hasTool && state.tool && !marks(figure) ? `tool = '${state.tool.replaceAll("'", "''")}'` : "",
  ].filter(Boolean);
  const [sign, name] = figure.order.startsWith("-") ? [" desc", figure.order.slice(1)] : ["", figure.order];
  const order = [...(name ? [`${name}${sign} nulls last`] : []), ...figure.keys];
  return [
    `select ${[...keys, ...sums, ...texts, ...rates, ...quantiles].join(",\n    ")}`,
    `from (\n${data.sql.trim().replace(/^/gm, "    ")}\n)`,
    ...(where.length ? [`where ${where.join(" and ")}`] : []),
    ...(figure.keys.length ? ["group by all"] : []),
    ...(figure.least ? [`having ${data.value ? `count(${data.value})` : `sum(${figure.least[0]})`} >= ${figure.least[1]}`] : []),
    ...(order.length ? [`order by ${[...new Set(order)].join(", ")}`] : []),
    ...(figure.limit ? [`limit ${figure.limit}`] : []),
  ].join("\n");
}

// --- elements ----------------------------------------------------------------------------------------------------

function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value !== null && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

/** A small line over the range, drawn as wide as it is told; nothing where there are not two points. */
function sparkline(points, words) {
  const [begin, end] = range();
  const known = points.filter(([, value]) => value !== null && value !== undefined);
  const most = Math.max(...known.map(([, value]) => value), 0);
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 100 24");
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("class", "spark");
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", words);
  if (known.length < 2 || !most) return svg;
  const line = document.createElementNS("http://www.w3.org/2000/svg", "polyline");
  const step = unit() === "day" ? DAY : 7 * DAY;
  const place = ([ms, value]) => `${(((ms + step / 2 - begin) / (end - begin)) * 100).toFixed(1)},${(22 - (value / most) * 20).toFixed(1)}`;
  line.setAttribute("points", known.map(place).join(" "));
  svg.append(line);
  return svg;
}

function chooser(tool) {
  const known = REPORT.tools.includes(tool);
  if (!known) return tool ?? "–";
  const isChosen = state.tool === tool;
  return make("button", {
    type: "button", class: "choose", "aria-pressed": String(isChosen),
    title: isChosen ? "Show all tools again" : "Show this tool only", onclick: () => choose({ tool: isChosen ? "" : tool }),
  }, tool);
}

const STATES = { good: "✓", warning: "!", bad: "✕" };

function cell(column, row, figure, most, lines) {
  const value = row[column.name];
  const isNumber = !["text", "id", "path", "state", "line"].includes(column.form);
  const td = make("td", { class: isNumber ? "number" : column.form, "data-column": column.name });
  if (column.name === "period") td.append(periodWords(value));
  else if (column.form === "share") {
    td.append(percent(value));
    if (value !== null) td.append(make("small", {}, ` ${percent(row[`${column.name}_low`])} – ${percent(row[`${column.name}_high`])}`));
  } else if (column.form === "bar") {
    td.classList.add("bar");
    td.style.setProperty("--part", `${most[column.name] ? (value / most[column.name]) * 100 : 0}%`);
    td.append(make("span", {}, number(value)));
  } else if (column.form === "line") {
    const own = lines(row).map((point) => [point.period, point[column.name]]);
    td.append(sparkline(own, `${column.name.replaceAll("_", " ")} of ${row[figure.keys[0]]} over time`));
  } else if (column.form === "state") {
    td.append(make("span", { class: `state ${value}` }, STATES[value] ? `${STATES[value]} ${value}` : value ?? "–"));
  } else if (column.form === "path") {
    for (const word of String(value).split(" > ")) td.append(make("span", { class: "hop" }, word));
  } else if (column.name === "tool") td.append(chooser(value));
  else if (["text", "id"].includes(column.form)) td.append(value === null || value === undefined || value === "" ? "–" : String(value));
  else td.append(format(column.form, value));
  if (isNumber && typeof value === "number") td.dataset.value = value;
  return td;
}

function table(figure, found) {
  const most = {};
  for (const { name, form } of figure.columns) if (form === "bar") most[name] = Math.max(...found.rows.map((row) => row[name] ?? 0), 0);
  let byRow = null;
  const nameOf = (row) => JSON.stringify(figure.keys.map((key) => row[key]));
  const lines = (row) => {
    if (!byRow) {
      byRow = new Map();
      const data = REPORT.data[figure.data];
      for (const point of grouped(data, found.kept, [...figure.keys, "period"], figure)) {
        const name = nameOf(point);
        if (!byRow.has(name)) byRow.set(name, []);
        byRow.get(name).push(point);
      }
      for (const points of byRow.values()) points.sort((a, b) => a.period - b.period);
    }
    return byRow.get(nameOf(row)) || [];
  };
  const head = figure.columns.map(({ label, form }) =>
    make("th", { scope: "col", class: ["text", "id", "path", "state", "line"].includes(form) ? form : "number" }, label));
  const body = found.rows.map((row) => {
    const cells = figure.columns.map((column) => cell(column, row, figure, most, lines));
    return make("tr", { class: state.tool && marks(figure) && row.tool === state.tool ? "chosen" : null }, ...cells);
  });
  return make("table", {},
    make("caption", { class: "hidden" }, figure.title),
    make("thead", {}, make("tr", {}, ...head)),
    make("tbody", {}, ...body));
}

function noteOf(figure, found) {
  return figure.note.replace(/\{(\w+)(?:([/:])(\w+))?\}/g, (_, above, sign, below) => {
    const value = found.total[above] ?? 0;
    if (sign === ":") return number(found.total[below] ? value / found.total[below] : null);
    if (!below) return figure.quantiles && above in figure.quantiles ? duration(value) : number(value);
    return found.total[below] ? percent(value / found.total[below]) : "none";
  });
}

/** What the reader must know beside the note: what is not shown, and which filter does not apply. */
function limits(figure, found) {
  const data = REPORT.data[figure.data];
  const told = [];
  if (found.count > found.rows.length) told.push(`${whole.format(found.rows.length)} of ${whole.format(found.count)} rows are shown.`);
  if (found.few.length) {
    const names = found.few.map((row) => row[figure.keys[0]]).sort();
    const listed = names.slice(0, 6).join(", ") + (names.length > 6 ? ` and ${names.length - 6} more` : "");
    told.push(`Too few to be ranked (less than ${figure.least[1]}): ${listed}.`);
  }
  if (data.hasDay) {
    const timeless = data.rows.filter((row) => row.day === null && (!data.hasTool || !state.tool || row.tool === state.tool));
    const measure = data.value ? "count" : data.measures[0];
    const count = timeless.reduce((sum, row) => sum + (row[measure] ?? 0), 0);
    if (count && (state.from || state.to || figure.keys.includes("period"))) told.push(`${number(count)} without a usable time are not shown.`);
  }
  return told;
}

function badge(figure) {
  const data = REPORT.data[figure.data];
  const words = [];
  if ((state.from || state.to) && !data.hasDay) words.push("all time");
  if (state.tool && !data.hasTool) words.push("all tools");
  return words.join(", ");
}

// --- charts ------------------------------------------------------------------------------------------------------

const font = 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif';
const CONFIG = {
  background: null,
  font,
  view: { stroke: null },
  axis: {
    labelColor: "var(--muted)", titleColor: "var(--muted)", gridColor: "var(--grid)", domainColor: "var(--grid)",
    tickColor: "var(--grid)", labelFontSize: 11.5, titleFontSize: 11.5, titleFontWeight: "normal", labelPadding: 6, titlePadding: 8,
  },
  axisX: { grid: false },
  axisY: { domain: false, ticks: false },
  text: { fontSize: 11.5 },
};

/** A chart's axes stand where they mean something: lines along the values only. */
function configOf(spec, width) {
  const labelLimit = width < 420 ? 112 : 190;
  return spec.usermeta.row
    ? { ...CONFIG, axisX: { grid: true }, axisY: { domain: false, ticks: false, grid: false, labelColor: "var(--text)", labelLimit } }
    : CONFIG;
}

/** The range of time that all charts share; a data set that goes beyond it has its own end. */
function range(data) {
  const days = [firstDay, lastDay, data && data.firstDay, data && data.lastDay].filter(Boolean).sort();
  const from = state.from || days[0];
  const to = state.to || days[days.length - 1];
  if (!from || !to) return [0, DAY];
  const begin = periodOf(from);
  const end = periodOf(to) + (unit() === "day" ? DAY : 7 * DAY);
  return state.from || state.to ? [begin, end] : [Math.min(begin, end - LEAST_SPAN * DAY), end];
}

function tip(handler, event, item, value) {
  const box = $("tip");
  box.hidden = !value;
  if (!value) return;
  const lines = typeof value === "object" ? Object.entries(value) : [["", value]];
  box.replaceChildren(...lines.map(([name, told]) => make("div", {}, make("span", {}, name), " ", make("b", {}, String(told)))));
  const { clientX: x, clientY: y } = event;
  box.style.left = `${Math.max(4, Math.min(x + 14, window.innerWidth - box.offsetWidth - 8))}px`;
  box.style.top = `${y + 18 + box.offsetHeight > window.innerHeight ? y - box.offsetHeight - 12 : y + 18}px`;
}

async function chart(figure, place, rows) {
  const spec = { ...figure.spec, data: { name: "rows", values: rows }, config: configOf(figure.spec, place.clientWidth), height: heightOf(figure, rows) };
  const { view } = await vegaEmbed(place, spec, { mode: "vega-lite", renderer: "svg", actions: false, tooltip: tip, logLevel: 1 });
  view.addEventListener("click", (_, item) => {
    const row = item && item.datum;
    if (!row) return;
    if (figure.keys[0] === "tool" && REPORT.tools.includes(row.tool)) choose({ tool: state.tool === row.tool ? "" : row.tool });
    else if (figure.keys.includes("period") && row.period) {
      const last = isoDay(Number(row.period_end) - DAY);
      choose({ from: isoDay(Number(row.period)), to: last });
    }
  });
  new ResizeObserver(() => place.clientWidth && view.resize().runAsync()).observe(place);
  return view;
}

/** The figure's rows as its chart wants them. */
function charted(rows) {
  const step = unit() === "day" ? DAY : 7 * DAY;
  return rows.map((row) => ("period" in row
    ? { ...row, period_end: row.period + step, period_label: periodWords(row.period) }
    : { ...row }));
}

function heightOf(figure, rows) {
  const { row } = figure.spec.usermeta;
  return row ? row * new Set(rows.map((one) => one[figure.keys[0]])).size : figure.spec.height;
}

async function show(view, figure, rows) {
  const [begin, end] = range(REPORT.data[figure.data]);
  view.signal("begin", begin).signal("end", end).signal("chosen", marks(figure) ? state.tool : "");
  await view.data("rows", charted(rows)).height(heightOf(figure, rows)).resize().runAsync();
}

// --- the page ----------------------------------------------------------------------------------------------------

function figureOf(figure) {
  figure.keys = figure.columns.map(({ name }) => name).filter((name) => name === "period" || REPORT.data[figure.data].keys.includes(name));
  const ids = { own: `figure-${figure.id}`, title: `figure-${figure.id}-title`, note: `figure-${figure.id}-note` };
  const place = figure.spec ? make("div", { class: "chart", role: "img", "aria-labelledby": ids.title, "aria-describedby": ids.note }) : null;
  const legend = figure.spec && figure.spec.usermeta.legend.length ? make("ul", { class: "legend", "aria-hidden": "true" },
    ...figure.spec.usermeta.legend.map(([word, colour]) => make("li", {}, make("i", { style: `background:${colour}` }), word))) : null;
  const rows = make("div", { class: "rows", tabindex: "0", role: "region", "aria-label": `${figure.title}: table` });
  const query = make("pre", { tabindex: "0" });
  const copy = make("button", {
    type: "button", onclick: async () => { await navigator.clipboard.writeText(query.textContent); copy.textContent = "Copied"; },
  }, "Copy");
  const empty = make("p", { class: "nothing", hidden: true });
  const note = make("p", { class: "note", id: ids.note });
  const scope = make("span", { class: "badge", hidden: true });
  const behind = figure.spec ? make("details", { class: "behind" }, make("summary", {}, "Table"), rows) : null;
  const asked = make("details", { class: "behind" }, make("summary", {}, "SQL"), copy, query);
  const element = make("figure", { id: ids.own, class: figure.is_wide ? "card wide" : "card", "aria-labelledby": ids.title },
    make("figcaption", {}, make("h3", { id: ids.title }, figure.title, scope), make("p", { class: "question" }, figure.question)),
    empty, legend, place, figure.spec ? null : rows, note, make("div", { class: "more" }, behind, asked));
  let view = null;
  drawn.push(async () => {
    const found = answer(figure);
    const isEmpty = !found.rows.length;
    const nothing = found.few.length ? "Too few of each to be ranked." : "Nothing in this range.";
    empty.hidden = !isEmpty;
    empty.textContent = REPORT.data[figure.data].rows.length ? nothing : figure.empty;
    if (place) place.hidden = isEmpty;
    if (legend) legend.hidden = isEmpty;
    if (!figure.spec) rows.hidden = isEmpty;
    note.textContent = [isEmpty ? "" : noteOf(figure, found), ...limits(figure, found)].filter(Boolean).join(" ");
    const words = badge(figure);
    scope.hidden = !words;
    scope.textContent = words;
    rows.replaceChildren(table(figure, found));
    query.textContent = sqlOf(figure);
    copy.textContent = "Copy";
    if (place && !isEmpty) {
      view = view || (await chart(figure, place, charted(found.rows)));
      await show(view, figure, found.rows);
    }
  });
  return element;
}

function sectionOf(section) {
  const missing = section.figures.filter((figure) => REPORT.data[figure.data].is_missing);
  const there = section.figures.filter((figure) => !missing.includes(figure));
  const isEmpty = there.length > 0 && there.every((figure) => !REPORT.data[figure.data].rows.length);
  $("sections").append(make("a", { href: `#${section.id}` }, section.title));
  const words = [...new Set(there.map((figure) => figure.empty))].join(" ");
  const gone = "This snapshot was made by an older version, which has not all that this section asks: the next sync that finds something new, or `conversations rebuild`, makes one that has.";
  return make("section", { id: section.id, "aria-labelledby": `${section.id}-title` },
    make("h2", { id: `${section.id}-title` }, section.title),
    make("p", { class: "lead" }, section.lead),
    missing.length ? make("p", { class: "nothing" }, gone) : null,
    isEmpty ? make("p", { class: "nothing" }, words) : make("div", { class: "grid" }, ...there.map(figureOf)));
}

function before() {
  if (!state.from || !state.to || !firstDay) return null;
  const length = time(state.to) - time(state.from) + DAY;
  const from = isoDay(time(state.from) - length);
  return from < firstDay ? null : { from, to: isoDay(time(state.from) - DAY), tool: state.tool };
}

function tileOf(tile) {
  const data = REPORT.data[tile.data];
  const figure = {
    rates: tile.rate ? { [tile.figure]: tile.rate } : {},
    quantiles: tile.quantile === null ? {} : { [tile.figure]: tile.quantile },
    note: tile.note,
  };
  const value = make("p", { class: "value" });
  const change = make("p", { class: "change" });
  const note = make("p", { class: "note" });
  const line = make("div", { class: "line" });
  drawn.push(async () => {
    const kept = filtered(data, state);
    const [total = {}] = grouped(data, kept, [], figure);
    const now = total[tile.figure] ?? (tile.form === "number" ? 0 : null);
    value.textContent = tile.form === "number" && now >= 100000 ? short.format(now) : format(tile.form, now);
    value.dataset.value = now ?? "";
    note.textContent = noteOf(figure, { total }) + (state.tool && !data.hasTool ? " (all tools)" : "");
    const points = grouped(data, kept, ["period"], figure).sort((a, b) => a.period - b.period);
    line.replaceChildren(sparkline(points.map((point) => [point.period, point[tile.figure]]), `${tile.label} over time`));
    const earlier = before();
    const [then = {}] = earlier ? grouped(data, filtered(data, earlier), [], figure) : [];
    const was = then[tile.figure] ?? null;
    change.textContent = earlier && was !== null && now !== null ? changeWords(tile, was, now) : "";
    const direction = Math.sign(now - was) * (tile.is_better === "down" ? -1 : 1);
    change.className = `change${earlier && tile.is_better && direction ? (direction > 0 ? " better" : " worse") : ""}`;
  });
  return make("div", { class: "tile" }, make("h2", {}, tile.label), value, line, change, note);
}

function changeWords(tile, was, now) {
  const arrow = now > was ? "▲" : now < was ? "▼" : "=";
  const told = tile.form === "share" ? `${decimal.format(Math.abs(now - was) * 100)} points` : was ? percent(Math.abs(now / was - 1)) : "new";
  return `${arrow} ${told} against the ${whole.format((time(state.to) - time(state.from)) / DAY + 1)} days before (${format(tile.form, was)})`;
}

function choose(change) {
  Object.assign(state, change);
  $("from").value = state.from;
  $("to").value = state.to;
  $("tool").value = state.tool;
  const days = state.from && state.to === lastDay ? String((time(lastDay) - time(state.from)) / DAY + 1) : "";
  for (const radio of document.querySelectorAll("[name=preset]")) {
    radio.checked = radio.value === days && (days !== "" || (!state.from && !state.to));
  }
  const kept = Object.entries(state).filter(([, value]) => value);
  history.replaceState(null, "", kept.length ? `#${new URLSearchParams(kept)}` : location.pathname + location.search);
  return update();
}

let turn = Promise.resolve();

/** Bring everything up to date, one after another; `data-ready` says that it is. */
function update() {
  document.body.removeAttribute("data-ready");
  turn = turn.then(async () => {
    for (const draw of drawn) await draw();
    const days = state.from || state.to
      ? `${state.from ? dayWords.format(time(state.from)) : "the beginning"} to ${state.to ? dayWords.format(time(state.to)) : "the end"}`
      : firstDay ? `all days, ${dayWords.format(time(firstDay))} to ${dayWords.format(time(lastDay))}` : "no days yet";
    $("shown").textContent = `Shown: ${days}, ${state.tool || "all tools"}. Days are UTC.`;
    document.body.setAttribute("data-ready", "");
  });
  return turn;
}

function start() {
  const asOf = REPORT.as_of && REPORT.data.received.rows.length ? new Date(REPORT.as_of) : null;
  $("as-of").textContent = asOf
    ? `As of ${dayWords.format(asOf)}, ${asOf.toISOString().slice(11, 16)} UTC`
    : "Nothing was pulled yet: register conversations, and run `conversations sync`.";
  const checks = REPORT.data.health.rows;
  const wrong = checks.filter((row) => row.state !== "good");
  if (asOf) $("as-of").append(". ", make("a", { href: "#health" }, wrong.length
    ? `${wrong.length} of ${checks.length} checks of the ingest need a look: ${wrong.map((row) => row.subject.toLowerCase()).join(", ")}`
    : `All ${checks.length} checks of the ingest are good`));
  for (const tool of REPORT.tools) $("tool").append(make("option", { value: tool }, tool));
  $("tiles").append(...REPORT.tiles.map(tileOf));
  for (const cut of REPORT.cuts) $("main").append(make("p", { class: "notice" }, cut));
  $("main").append(...REPORT.sections.map(sectionOf));
  $("footer").textContent =
    `Made by conversations-to-duckdb from a serving snapshot. ${REPORT.with_examples
      ? "It holds words of conversations, as was asked for: take care who gets it."
      : "It holds no text of conversations: names (of tools, servers, sites, programs, libraries), IDs and counts only."} Each query under “SQL” can be given to \`conversations query\`.`;
  if (firstDay) for (const id of ["from", "to"]) Object.assign($(id), { min: firstDay, max: lastDay });
  for (const radio of document.querySelectorAll("[name=preset]")) {
    radio.addEventListener("change", () => choose(radio.value && lastDay
      ? { from: isoDay(time(lastDay) - (radio.value - 1) * DAY), to: lastDay }
      : { from: "", to: "" }));
  }
  for (const id of ["from", "to", "tool"]) $(id).addEventListener("change", () => choose({ [id]: $(id).value }));
  $("filters").addEventListener("reset", (event) => { event.preventDefault(); choose({ from: "", to: "", tool: "" }); });
  $("filters").addEventListener("submit", (event) => event.preventDefault());
  const asked = Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
  choose(Object.fromEntries(Object.keys(state).map((key) => [key, asked[key] || ""])));
}

start();
