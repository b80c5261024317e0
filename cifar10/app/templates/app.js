// Runs once the page is there. `element` holds it, `server` calls Python; Gradio gives both.
const page = element.querySelector(".ask");
const find = (selector) => page.querySelector(selector);
const [status, results, video] = [".status", ".results", "video"].map(find);
const maxBytes = Number(page.dataset.maxBytes);
const most = Number(page.dataset.most);

let last = Promise.resolve();  // one question after the other
const enqueue = (question) => { last = last.then(question).catch((error) => say(`no answer: ${error.message}`)); };
const say = (text) => { status.textContent = text; };

function complain(where, text) {
  const line = document.createElement("p");
  line.className = "problem";
  line.setAttribute("role", "alert");
  line.textContent = text;
  where.append(line);
}

async function show(where, question) {
  const html = await question;  // undefined if the server is gone or has failed
  if (html) where.insertAdjacentHTML("beforeend", html);
  else complain(where, "no answer: look at the terminal in which the page was started");
}

function newest() {
  const batch = document.createElement("div");
  batch.className = "batch";
  results.prepend(batch);
  return batch;
}

const base64 = (file) => new Promise((resolve, reject) => {
  const reader = new FileReader();
  reader.onload = () => resolve(reader.result.split(",")[1] ?? "");
  reader.onerror = () => reject(reader.error);
  reader.readAsDataURL(file);
});

async function askAbout(file, where) {
  if (file.size > maxBytes) {
    complain(where, `${file.name}: more than ${maxBytes / 1e6} MB`);
    return;
  }
  let content;
  try {
    content = await base64(file);
  } catch {
    complain(where, `${file.name}: cannot be read, it may be a folder`);
    return;
  }
  await show(where, server.answer({name: file.name, content}));
}

const ask = (files) => enqueue(async () => {
  if (!files.length) {
    say("There was no file in that.");
    return;
  }
  const batch = newest();
  const taken = files.slice(0, most);
  for (const [index, file] of taken.entries()) {
    say(`Asking, ${index + 1} of ${taken.length} …`);
    await askAbout(file, batch);
  }
  if (files.length > most) complain(batch, `only the first ${most} of ${files.length} files were taken`);
  say(`Asked about ${taken.length} ${taken.length === 1 ? "file" : "files"}, the newest stand first.`);
});

find("input[type=file]").addEventListener("change", (event) => {
  ask([...event.target.files]);
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
  ask([...event.dataTransfer.files]);
});
document.addEventListener("paste", (event) => {
  event.preventDefault();
  ask([...event.clipboardData.files]);
});

find(".examples").addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button) enqueue(() => show(newest(), server.example(Number(button.dataset.example))));
});

function closeCamera() {
  for (const track of video.srcObject?.getTracks() ?? []) track.stop();
  video.srcObject = null;
  find(".camera").hidden = true;
}

find(".open").hidden = !navigator.mediaDevices;  // browsers give no camera to pages of other machines without TLS
find(".open").addEventListener("click", async () => {
  try {
    video.srcObject = await navigator.mediaDevices.getUserMedia({video: {facingMode: "environment"}});
    find(".camera").hidden = false;
    await video.play();
  } catch (error) {
    say(`No camera: ${error.message}`);
  }
});
find(".close").addEventListener("click", closeCamera);
find(".take").addEventListener("click", () => {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [video.videoWidth, video.videoHeight];
  canvas.getContext("2d").drawImage(video, 0, 0);
  canvas.toBlob((blob) => ask([new File([blob], "camera.png")]), "image/png");
  closeCamera();
});

enqueue(async () => {
  const reply = await server.about(null);
  if (!reply) throw new Error("look at the terminal in which the page was started");
  find(".about").innerHTML = reply.about;
  find(".examples").innerHTML = reply.examples;
});
