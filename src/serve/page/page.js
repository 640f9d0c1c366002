"use strict";

const model = JSON.parse(document.getElementById("model").textContent);
const sliders = [];
const bars = new Map();

function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

const words = (name) => name.replaceAll("_", " ");
const percent = (share) => `${(100 * share).toFixed(1)} %`;

async function ask(instances) {
  const response = await fetch("predict", { method: "POST", body: JSON.stringify({ instances }) });
  const body = await response.json();
  if (!response.ok) throw new Error(body.error);
  return body.predictions;
}

// The flowers of the data as {feature: value, species}; none where the model's features are others.
async function flowers() {
  const [head, ...lines] = (await (await fetch("iris.csv")).text()).trim().split(/\r?\n/).map((line) => line.split(","));
  if (model.features.length === 0 || !model.features.every((name) => head.includes(name))) return [];
  return lines.map((cells) => Object.fromEntries(cells.map((cell, i) => [head[i], cell])));
}

// For a model whose data is not here: nobody can tell within which bounds its features lie.
function addNumber(name, i) {
  const input = element("input", { type: "number", id: `feature-${i}`, step: "any", value: 0, required: true });
  const form = document.getElementById("features");
  input.addEventListener("input", () => { if (form.checkValidity()) update(); });
  form.append(element("label", { htmlFor: input.id }, words(name), input));
  sliders.push(input);
}

function addSlider(name, values) {
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const middle = values.reduce((sum, value) => sum + value, 0) / values.length;
  const slider = element("input", { type: "range", id: name, min: least, max: most, step: 0.1 });
  slider.value = middle.toFixed(1);
  const shown = element("output", { htmlFor: name, ariaLive: "off" });  // the slider itself speaks
  const show = () => { shown.value = Number(slider.value).toFixed(1); };
  slider.addEventListener("input", () => { show(); update(); });
  show();
  document.getElementById("features").append(element("label", { htmlFor: name }, words(name), shown), slider);
  sliders.push(slider);
}

function show({ label, confidence, probabilities }) {
  document.getElementById("label").textContent = label;
  document.getElementById("confidence").textContent = percent(confidence);
  for (const [name, share] of Object.entries(probabilities)) {
    if (!bars.has(name)) {
      const bar = { fill: element("div"), value: element("span", { className: "value" }) };
      document.getElementById("bars").append(
        element("div", { className: "bar-name" }, element("span", { textContent: name }), bar.value),
        element("div", { className: "bar" }, bar.fill));
      bars.set(name, bar);
    }
    bars.get(name).fill.style.width = `${100 * share}%`;
    bars.get(name).value.textContent = percent(share);
  }
}

// One question at a time; the last position of the sliders is always answered.
let isAsking = false;
let isStale = false;

async function update() {
  isStale = true;
  if (isAsking) return;
  isAsking = true;
  const trouble = document.getElementById("trouble");
  while (isStale) {
    isStale = false;
    try {
      show((await ask([sliders.map((slider) => Number(slider.value))]))[0]);
      trouble.hidden = true;
    } catch (error) {
      trouble.textContent = error.message;
      trouble.hidden = false;
    }
  }
  isAsking = false;
}

function addToCard(name, text) {
  document.getElementById("card").append(element("dt", { textContent: name }), element("dd", { textContent: text }));
}

async function fillCard(data) {
  addToCard("Features", model.features.map(words).join(", "));
  addToCard("Classes", model.labels.join(", "));
  if (data.length === 0 || !data.every((flower) => model.labels.includes(flower.species))) return;
  const answers = await ask(data.map((flower) => model.features.map((name) => Number(flower[name]))));
  const right = (label) => data.filter((flower, i) =>
    answers[i].label === flower.species && (!label || flower.species === label)).length;
  addToCard("Accuracy", `${percent(right() / data.length)}: ${right()} of the ${data.length} flowers of its data, ` +
    "most of which it was trained on");
  addToCard("By species", model.labels.map((label) =>
    `${label} ${right(label)} of ${data.filter((flower) => flower.species === label).length}`).join(", "));
}

async function start() {
  document.getElementById("name").textContent = model.name;
  document.title = `${model.name}: which iris is it?`;
  const data = await flowers();
  if (data.length === 0) {
    document.title = model.name;
    document.querySelector("h1").textContent = model.name;
    document.querySelector("header p").textContent = "The model answers as you change its features.";
    model.features.forEach(addNumber);
  } else for (const name of model.features) addSlider(name, data.map((flower) => Number(flower[name])));
  if (sliders.length) await update();
  await fillCard(data);
}

document.getElementById("features").addEventListener("submit", (event) => event.preventDefault());
start();
