// The page: takes pictures, sends one after the other, shows the answers.
import {show} from "./answers.js";
import * as api from "./api.js";
import {camera} from "./camera.js";
import {shown} from "./text.js";

const page = document.querySelector(".ask");
const find = (selector) => page.querySelector(selector);
const [status, results] = [".status", ".results"].map(find);
const maxBytes = Number(page.dataset.maxBytes);
const maxFiles = Number(page.dataset.maxFiles);

let last = Promise.resolve();  // one request after the other
const enqueue = (work) => { last = last.then(work).catch((error) => say(`No answer: ${error.message}`)); };
const say = (text) => { status.textContent = text; };

function paragraph(where, kind, text) {
  const line = document.createElement("p");
  line.className = kind;
  line.textContent = shown(text);
  where.append(line);
  return line;
}

const complain = (where, text) => paragraph(where, "problem", text).setAttribute("role", "alert");

function newest() {
  const batch = document.createElement("div");
  batch.className = "batch";
  results.prepend(batch);
  return batch;
}

async function classify(file, where) {
  if (file.size > maxBytes) {
    complain(where, `${file.name}: more than ${maxBytes / 1e6} MB`);
    return;
  }
  try {
    await file.slice(0, 1).arrayBuffer();
  } catch {
    complain(where, `${file.name}: cannot be read, it may be a folder`);
    return;
  }
  try {
    const content = await api.classify(file);
    show(where, {...content.images[0], image: file.name}, content, (model) => api.saliency(file, model));
  } catch (error) {
    complain(where, error.message);
  }
}

const take = (files) => enqueue(async () => {
  if (!files.length) {
    say("No file was found.");
    return;
  }
  const batch = newest();
  const taken = files.slice(0, maxFiles);
  for (const [index, file] of taken.entries()) {
    say(`Classifying ${index + 1} of ${taken.length} …`);
    await classify(file, batch);
  }
  if (files.length > maxFiles) complain(batch, `only the first ${maxFiles} of ${files.length} files were taken`);
  say(`Done: ${taken.length} ${taken.length === 1 ? "file" : "files"}. The newest come first.`);
});

find("input[type=file]").addEventListener("change", (event) => {
  take([...event.target.files]);
  event.target.value = "";  // so that the same file can be chosen again
});

for (const name of ["dragenter", "dragover"]) {
  document.addEventListener(name, (event) => {
    event.preventDefault();
    page.classList.add("dragging");
  });
}
document.addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) page.classList.remove("dragging");
});
document.addEventListener("drop", (event) => {
  event.preventDefault();
  page.classList.remove("dragging");
  take([...event.dataTransfer.files]);
});
document.addEventListener("paste", (event) => {
  event.preventDefault();
  take([...event.clipboardData.files]);
});

find(".examples").addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button) enqueue(async () => classify(await api.example(button.dataset.address, button.dataset.name), newest()));
});

camera(find, (file) => take([file]), say);

enqueue(async () => {
  const about = find(".about");
  try {
    const {models, data, revision, changed} = await api.models();
    const names = Object.keys(models);
    about.lastElementChild.remove();
    const {seeds} = models[names[0]];
    const trainings = seeds.length === 1 ? `one training each, seed ${seeds[0]}` : `the mean of ${seeds.length} trainings each, seeds ${seeds.join(", ")}`;
    paragraph(about, "models-line", `${names.length} ${names.length === 1 ? "model" : "models"}: ${names.join(", ")} (${trainings}). Trained on ${data}, as of ${revision}.`);
    if (changed === null) {
      paragraph(about, "warning", "It is not known whether the models fit the code and parameters: dvc.lock is missing or damaged.");
    } else if (changed.length) {
      const more = changed.length > 4 ? ` and ${changed.length - 4} more` : "";
      paragraph(about, "warning", `Changed since the training: ${changed.slice(0, 4).join(", ")}${more}. Run dvc repro to train again.`);
    }
  } catch (error) {
    about.lastElementChild.remove();
    complain(about, `The models cannot answer yet. ${error.message}. Then load this page again.`);
  }
});
