// Asks the server. Addresses are relative, so that the page also works below a path of a proxy.
const PATIENCE = 30;  // retries while the server is busy

// Gives the content of an answer, or throws an Error whose message is the reason for a person.
async function read(address, options) {
  let reply;
  try {
    reply = await fetch(address, options);
  } catch {
    throw new Error("the server does not answer; it may have been stopped");
  }
  let content = {};
  try {
    content = await reply.json();
  } catch { /* a proxy's own page */ }
  if (reply.ok) return content;
  const error = new Error(content.unreadable?.[0]?.reason ?? content.detail ?? `the server answers with status ${reply.status}`);
  error.retry = Number(reply.headers.get("retry-after"));
  throw error;
}

export const models = () => read("api/models");

async function patiently(ask) {
  for (let tries = 0; ; tries += 1) {
    try {
      return await ask();
    } catch (error) {
      if (!error.retry || tries === PATIENCE) throw error;
      await new Promise((resolve) => setTimeout(resolve, 1000 * error.retry));
    }
  }
}

const send = (address, file) => patiently(() => {
  const body = new FormData();
  body.append("files", file, file.name);
  return read(address, {method: "POST", body});
});

export const classify = (file) => send("api/classify?preview=true", file);

export const saliency = (file, model) => send(`api/saliency?model=${encodeURIComponent(model)}`, file);

export const mistakes = (model, actual, page) =>
  patiently(() => read(`api/mistakes?${new URLSearchParams({model, class: actual, page})}`));

export const inspect = (model, image) =>
  patiently(() => read(`api/mistakes/${image}?${new URLSearchParams({model})}`));

export async function example(address, name) {
  const reply = await fetch(address);
  if (!reply.ok) throw new Error("this example no longer exists: reload the page");
  return new File([await reply.blob()], name);
}
