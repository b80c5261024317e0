// Shows one test image in a dialog, beside the training images that a model finds most similar.
import * as api from "./api.js";
import {shown} from "./text.js";

const dialog = document.querySelector("dialog");
const find = (selector) => dialog.querySelector(selector);
const percent = (share) => `${(100 * share).toFixed(1)}\u00a0%`;
let opened = 0;  // an answer for an image that is no longer shown is dropped

function neighbour({image, actual, similarity, picture}) {
  const line = document.getElementById("neighbour").content.firstElementChild.cloneNode(true);
  line.querySelector("img").src = picture;
  line.querySelector(".actual").textContent = shown(actual);
  line.querySelector(".soft").textContent = `${similarity.toFixed(2)}, image ${image}`;
  return line;
}

function saliency({explains, overlay, empty}) {
  if (!overlay) return [];
  const [figure, picture, caption] = ["figure", "img", "figcaption"].map((name) => document.createElement(name));
  picture.src = overlay;
  picture.alt = `The test image in grey; orange where it raises the score of ${shown(explains)}`;
  caption.textContent = empty
    ? `No place of the picture raises the score of ${shown(explains)}.`
    : `Orange: raises the score of ${shown(explains)}. A map shows where, not why.`;
  figure.append(picture, caption);
  return [figure];
}

// `content` is the page of mistakes that has the mistake.
export async function inspect({model, actual}, mistake) {
  const mine = opened += 1;
  const progress = find(".progress");
  find("h2").textContent = `Test image ${mistake.image}: ${shown(actual)}`;
  find(".answer-line").textContent = `${model} predicts ${shown(mistake.predicted)} (${percent(mistake.probability)}).`;
  find(".picture img").src = mistake.picture;
  find(".picture img").alt = `Test image ${mistake.image}, ${shown(actual)}`;
  find(".saliency").replaceChildren();
  find(".similar").replaceChildren();
  progress.textContent = "Computing …";
  dialog.showModal();
  try {
    const found = await api.inspect(model, mistake.image);
    if (mine !== opened) return;
    find(".answer-line").textContent = `${model} predicts ${shown(found.predicted)} `
      + `(${percent(found.probabilities[found.predicted])}); it gives ${shown(actual)} ${percent(found.probabilities[actual])}.`;
    find(".saliency").replaceChildren(...saliency(found.saliency));
    find(".similar").replaceChildren(...found.similar.map(neighbour));
    progress.textContent = "";
  } catch (error) {
    if (mine === opened) progress.textContent = `No answer: ${error.message}`;
  }
}

find(".close").addEventListener("click", () => dialog.close());
dialog.addEventListener("click", (event) => {
  if (event.target === dialog) dialog.close();  // beside it
});
