"use strict";

const server = JSON.parse(document.getElementById("server").textContent);  // {name, max_queue_rows}
const retryMs = 2000;
const mostBars = 10;
const rowsAtOnce = Math.min(server.max_queue_rows, 64);
let model = null;   // {features, labels, width}: as the server said last
let inputs = [];    // of the features, in their order; or one for all numbers
const bars = new Map();

const at = (id) => document.getElementById(id);
const words = (name) => name.replaceAll("_", " ");
const percent = (share) => `${(100 * share).toFixed(1)} %`;
const pause = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });

function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

// An answer that is not a 200, or none at all (status 0).
class Trouble extends Error {
  constructor(status, message) { super(message); this.status = status; }
  isPassing() { return this.status === 0 || this.status === 503; }
}

async function fetchJson(path, body) {
  const key = sessionStorage.getItem("key");
  const headers = key ? { Authorization: `Bearer ${key}` } : {};
  const request = body ? { method: "POST", body: JSON.stringify(body), headers } : { headers };
  let response, answer;
  try {
    response = await fetch(path, request);
    answer = await response.json();
  } catch {
    throw new Trouble(0, "The server does not answer. The page tries again.");
  }
  if (!response.ok) throw new Trouble(response.status, answer.error);
  return answer;
}

async function ask(instances) { return (await fetchJson("predict", { instances })).predictions; }

// What the model takes. Triton's configuration says it all.
async function describe() {
  const config = await fetchJson(`v2/models/${encodeURIComponent(server.name)}/config`);
  const list = (name) => JSON.parse(config.parameters[name].string_value);
  return { features: list("features"), labels: list("labels"), width: config.input[0].dims[0] };
}

// The flowers of the data as {feature: value, species}; none where the model's features are others.
async function flowers() {
  const [head, ...lines] = (await (await fetch("iris.csv")).text()).trim().split(/\r?\n/).map((line) => line.split(","));
  if (model.features.length === 0 || !model.features.every((name) => head.includes(name))) return [];
  return lines.map((cells) => Object.fromEntries(cells.map((cell, i) => [head[i], cell])));
}

function addInput(label, id, properties) {
  const input = element("input", { id, required: true, ...properties });
  input.addEventListener("input", () => { if (at("features").checkValidity()) update(); });
  at("features").append(element("label", { htmlFor: id }, label, input));
  inputs.push(input);
}

// For a model whose data is not here: nobody can tell within which bounds its features lie.
function addNumber(name, i) { addInput(words(name), `feature-${i}`, { type: "number", step: "any", value: 0 }); }

// For a model that does not name its features, nor say how many it takes.
function addAllNumbers() {
  const pattern = "\\s*[\\-+.\\deE]+(\\s*[,; ]\\s*[\\-+.\\deE]+)*\\s*";
  addInput("Numbers, with commas between", "numbers", { type: "text", pattern, autocomplete: "off", inputMode: "text" });
}

function addSlider(name, values) {
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const middle = values.reduce((sum, value) => sum + value, 0) / values.length;
  const slider = element("input", { type: "range", id: name, min: least, max: most, step: 0.1 });
  slider.value = middle.toFixed(1);
  const shown = element("output", { htmlFor: name, ariaLive: "off" });  // the slider itself speaks
  const showValue = () => { shown.value = Number(slider.value).toFixed(1); };
  slider.addEventListener("input", () => { showValue(); update(); });
  showValue();
  at("features").append(element("label", { htmlFor: name }, words(name), shown), slider);
  inputs.push(slider);
}

function row() {
  if (inputs[0].type !== "text") return inputs.map((input) => Number(input.value));
  return inputs[0].value.split(/[,; ]+/).filter((text) => text !== "").map(Number);
}

// One bar for each name, as far as there are not too many: then the largest ones.
function showBars(shares) {
  const all = Object.entries(shares);
  const chosen = all.length <= mostBars ? all : all.sort((a, b) => b[1] - a[1]).slice(0, mostBars);
  if (bars.size !== chosen.length || chosen.some(([name]) => !bars.has(name))) {
    bars.clear();
    at("bars").replaceChildren();
    for (const [name] of chosen) {
      const bar = { fill: element("div"), value: element("span", { className: "value" }) };
      at("bars").append(element("div", { className: "bar-name" }, element("span", { textContent: name }), bar.value),
        element("div", { className: "bar", ariaHidden: "true" }, bar.fill));
      bars.set(name, bar);
    }
    if (all.length > chosen.length) {
      at("bars").append(element("p", { className: "quiet", textContent: `and ${all.length - chosen.length} less likely ones` }));
    }
  }
  for (const [name, share] of chosen) {
    bars.get(name).fill.style.width = `${100 * share}%`;
    bars.get(name).value.textContent = percent(share);
  }
}

function showValues(values) {
  bars.clear();
  at("bars").replaceChildren(...Object.entries(values).map(([name, value]) => element("div", { className: "bar-name" },
    element("span", { textContent: name }), element("span", { className: "value", textContent: String(value) }))));
}

function show(prediction) {
  const values = prediction.values;
  at("label").textContent = values ? Object.values(values).slice(0, 4).join(", ") : prediction.label;
  at("confidence").textContent = prediction.confidence === undefined ? "" : percent(prediction.confidence);
  if (values) showValues(values); else showBars(prediction.probabilities);
}

function showTrouble(error) {
  at("trouble").textContent = error ? error.message : "";
  at("trouble").hidden = !error;
  at("answer").parentElement.classList.toggle("old", Boolean(error));  // what it shows is of an earlier question
}

function askForKey(message) {
  at("key-trouble").textContent = message;
  at("key-form").hidden = false;
  at("key").focus();
}

// What went wrong, for the reader; and what the page does about it.
function meet(error) {
  if (!(error instanceof Trouble)) throw error;
  if (error.status === 401) {
    askForKey(sessionStorage.getItem("key") ? "This is not the server's key." : "This server wants a key.");
    sessionStorage.removeItem("key");
    return;
  }
  showTrouble(error);
  if (error.isPassing()) comeBack();
}

let isComingBack = false;

async function comeBack() {
  if (isComingBack) return;
  isComingBack = true;
  await pause(retryMs);
  isComingBack = false;
  connect();
}

// One question at a time; the last position of the inputs is always answered.
let isAsking = false;
let isStale = false;

async function update() {
  isStale = true;
  if (isAsking) return;
  isAsking = true;
  while (isStale) {
    isStale = false;
    try {
      const prediction = (await ask([row()]))[0];
      showTrouble(null);
      show(prediction);
    } catch (error) {
      meet(error);
    }
  }
  isAsking = false;
}

function addToCard(name, text) {
  at("card").append(element("dt", { textContent: name }), element("dd", { textContent: text }));
}

async function labelsOf(data) {
  const labels = [];
  while (labels.length < data.length) {
    const part = data.slice(labels.length, labels.length + rowsAtOnce);
    try {
      const answers = await ask(part.map((flower) => model.features.map((name) => Number(flower[name]))));
      labels.push(...answers.map((answer) => answer.label));
    } catch (error) {
      if (!(error instanceof Trouble) || error.status !== 503) throw error;
      await pause(retryMs);  // the queue is full
    }
  }
  return labels;
}

async function fillCard(data) {
  const its = model;
  at("card").replaceChildren();
  addToCard("Features", its.features.map(words).join(", ") || "not named");
  addToCard("Classes", its.labels.join(", ") || "not named");
  if (data.length === 0 || !data.every((flower) => its.labels.includes(flower.species))) return;
  try {
    const answers = await labelsOf(data);
    if (model !== its) return;
    const right = (label) => data.filter((flower, i) =>
      answers[i] === flower.species && (!label || flower.species === label)).length;
    addToCard("Accuracy", `${percent(right() / data.length)}: ${right()} of the ${data.length} flowers of its data, ` +
      "most of which it was trained on");
    addToCard("By species", its.labels.map((label) =>
      `${label} ${right(label)} of ${data.filter((flower) => flower.species === label).length}`).join(", "));
  } catch (error) {
    addToCard("Accuracy", `could not be measured: ${error.message}`);
  }
}

function title(text, about) {
  document.title = text;
  document.querySelector("h1").textContent = text;
  document.querySelector("header p").textContent = about;
}

async function build() {
  at("features").replaceChildren();
  inputs = [];
  const data = await flowers();
  if (data.length > 0) {
    title("Which iris is it?", "Four lengths of a flower, in centimetres. The model answers as you move them.");
    for (const name of model.features) addSlider(name, data.map((flower) => Number(flower[name])));
  } else {
    title(server.name, "The model answers as you change its features.");
    if (model.features.length > 0) model.features.forEach(addNumber);
    else if (model.width > 0) Array.from({ length: model.width }, (_, i) => addNumber(`feature ${i}`, i));
    else addAllNumbers();
  }
  if (inputs[0].type !== "text") await update();
  await fillCard(data);
}

// Asks what the model is, at the start and whenever the server may be another one.
async function connect() {
  try {
    const now = await describe();
    at("key-form").hidden = true;
    if (model && JSON.stringify(now) === JSON.stringify(model)) {
      await update();
      return;
    }
    model = now;
    showTrouble(null);
    await build();
  } catch (error) {
    meet(error);
  }
}

at("key-form").addEventListener("submit", (event) => {
  event.preventDefault();
  sessionStorage.setItem("key", at("key").value.trim());
  at("key").value = "";
  connect();
});
at("features").addEventListener("submit", (event) => event.preventDefault());
at("name").textContent = server.name;
document.title = server.name;
connect();
