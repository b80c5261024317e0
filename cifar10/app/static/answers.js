// Shows answers of the API. All text becomes text nodes, so that a name cannot add elements.
import {shown} from "./text.js";

const page = document.querySelector(".ask");
const noneOfThese = page.dataset.noneOfThese;
const scores = JSON.parse(page.dataset.scores);
const copy = (id) => document.getElementById(id).content.firstElementChild.cloneNode(true);

// Shows in `where` what every model says of one picture. `image` is an entry of `images`; `explain` asks for the
// saliency map of a model.
export function show(where, image, {classes, models}, explain) {
  const card = copy("answer");
  const name = shown(image.image);
  card.setAttribute("aria-label", name);
  card.querySelector("img").src = image.preview;
  card.querySelector("img").alt = `${name} as the models see it, ${page.dataset.size} pixels`;
  card.querySelector("figcaption").textContent = [name, ...image.warnings].join("; ");
  for (const [model, answer] of Object.entries(image.answers)) {
    const section = modelCard(model, answer, classes, models[model]);
    section.querySelector(".why").addEventListener("click", () => toggle(section, name, () => explain(model)));
    card.querySelector(".models").append(section);
  }
  where.append(card);
}

function modelCard(name, {verdict, id_score, p_value, probabilities}, classes, {score, threshold, reliable}) {
  const section = copy("model");
  section.dataset.model = name;
  section.querySelector("h2").textContent = name;
  section.querySelector(".verdict").textContent = verdict ?? noneOfThese;
  section.classList.toggle("none", verdict === null);
  const values = compared(id_score, threshold);
  const rank = `as unusual as the most unusual ${percent(p_value)} of real class images`;
  const note = section.querySelector(".note");
  note.hidden = verdict !== null && reliable !== false;
  const told = verdict === null ? [`looks unlike the training images: ${rank}`] : [];
  if (reliable === false) told.push(`this model often fails to see that a picture shows none of its classes`);
  note.textContent = told.join("; ");
  section.querySelector(".score").textContent =
    `looks ${verdict === null ? "unlike" : "like"} the training images: ${rank} (${values}, ${scores[score] ?? score})`;
  const sorted = [...classes].sort((one, other) => probabilities[other] - probabilities[one]);
  const [first, others] = section.querySelectorAll(".bars");
  first.append(...sorted.slice(0, 3).map((label) => bar(label, probabilities[label])));
  others.append(...sorted.slice(3).map((label) => bar(label, probabilities[label])));
  return section;
}

// Shows or hides the saliency map of a model, which is computed at the first click.
async function toggle(section, name, explain) {
  const [button, place] = [".why", ".saliency"].map((selector) => section.querySelector(selector));
  place.hidden = !place.hidden;
  button.setAttribute("aria-expanded", String(!place.hidden));
  if (place.hidden || place.childElementCount || button.ariaBusy === "true") return;
  button.ariaBusy = "true";
  place.textContent = "Computing …";
  try {
    place.replaceChildren(saliency(section.dataset.model, name, (await explain()).images[0].maps[section.dataset.model]));
  } catch (error) {
    place.textContent = `No map: ${error.message}`;
  }
  button.ariaBusy = "false";
}

function saliency(model, name, {explains, overlay, empty}) {
  if (!overlay) {
    const line = document.createElement("p");
    line.textContent = "This model has no map: none of its layers keeps the places of the picture.";
    return line;
  }
  const figure = copy("saliency");
  figure.querySelector("img").src = overlay;
  figure.querySelector("img").alt = `${name} in grey; orange where it raises the score of ${explains} for ${model}`;
  figure.querySelector("figcaption").textContent = empty
    ? `No place of the picture raises the score of ${explains}.`
    : `Orange: raises the score of ${explains}. A map shows where, not why.`;
  return figure;
}

function bar(label, probability) {
  const line = copy("bar");
  const percent = (100 * probability).toFixed(1);
  line.querySelector(".name").textContent = label;
  line.querySelector(".bar span").style.width = `${percent}%`;
  line.querySelector(".share").textContent = `${percent}\u00a0%`;
  return line;
}

// Writes a share with about two digits.
function percent(share) {
  return `${(100 * share).toFixed(share >= 0.1 ? 0 : share >= 0.01 ? 1 : 2)}\u00a0%`;
}

// Writes a score and its threshold with as many digits as it takes to tell them apart, two or more.
function compared(score, threshold) {
  let digits = 2;
  while (digits < 9 && score !== threshold && score.toFixed(digits) === threshold.toFixed(digits)) digits += 1;
  const [one, other] = [score, threshold].map((value) => value.toFixed(digits).replace("-", "−"));
  return `score ${one}, threshold ${other}`;
}
