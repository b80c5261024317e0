// The page of mistakes. The address of the page has what is chosen, so that it can be kept and sent.
import * as api from "./api.js";
import {inspect} from "./inspection.js";
import {shown} from "./text.js";

const find = (selector) => document.querySelector(selector);
const [model, actual, list, status, pager] =
  ["[name=model]", "[name=class]", ".mistakes", ".status", ".pager"].map(find);
let page = 1;
let asked = 0;  // of several requests at once, only the last is shown

function button(mistake, content) {
  const line = find("#mistake").content.firstElementChild.cloneNode(true);
  line.querySelector("img").src = mistake.picture;
  line.querySelector(".predicted").textContent = `${shown(mistake.predicted)} ${(100 * mistake.probability).toFixed(1)}\u00a0%`;
  line.querySelector(".soft").textContent = `image ${mistake.image}`;
  line.firstElementChild.addEventListener("click", () => inspect(content, mistake));
  return line;
}

const counted = (number) => number.toLocaleString("en");

function summary({model: name, actual: label, images, counts, page: number, mistakes}) {
  if (!images) return `There are no test images of ${shown(label)}.`;
  if (!mistakes.length) return `${name} gets all ${counted(images)} test images of ${shown(label)} right.`;
  const first = (number - 1) * Number(list.dataset.perPage) + 1;
  return `${name} gets ${counted(counts[label])} of ${counted(images)} test images of ${shown(label)} wrong: `
    + `number ${first} to ${first + mistakes.length - 1}, the most confident first. It predicts:`;
}

async function show() {
  const mine = asked += 1;
  list.ariaBusy = "true";
  try {
    const content = await api.mistakes(model.value, actual.value, page);
    if (mine !== asked) return;
    list.replaceChildren(...content.mistakes.map((mistake) => button(mistake, content)));
    status.textContent = summary(content);
    for (const option of actual.options) {
      option.textContent = `${shown(option.value)} (${counted(content.counts[option.value] ?? 0)} wrong)`;
    }
    pager.hidden = content.pages === 1;
    find(".previous").disabled = page === 1;
    find(".next").disabled = page === content.pages;
    history.replaceState(null, "", `?${new URLSearchParams({model: model.value, class: actual.value, page})}`);
  } catch (error) {
    if (mine !== asked) return;
    list.replaceChildren();
    pager.hidden = true;
    status.textContent = `No mistakes to show: ${error.message}`;
  }
  list.ariaBusy = "false";
}

const turn = (number) => { page = number; return show(); };

for (const choice of [model, actual]) choice.addEventListener("change", () => turn(1));
find(".previous").addEventListener("click", () => turn(page - 1));
find(".next").addEventListener("click", () => turn(page + 1));

const wanted = new URLSearchParams(location.search);
for (const choice of [model, actual]) {
  const value = wanted.get(choice.name);
  if ([...choice.options].some((option) => option.value === value)) choice.value = value;
}
turn(Math.max(1, Number.parseInt(wanted.get("page"), 10) || 1));
