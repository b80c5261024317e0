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

async function send(address, file) {
  for (let tries = 0; ; tries += 1) {
    const body = new FormData();
    body.append("files", file, file.name);
    try {
      return await read(address, {method: "POST", body});
    } catch (error) {
      if (!error.retry || tries === PATIENCE) throw error;
      await new Promise((resolve) => setTimeout(resolve, 1000 * error.retry));
    }
  }
}

export const classify = (file) => send("api/classify?preview=true", file);

export const saliency = (file, model) => send(`api/saliency?model=${encodeURIComponent(model)}`, file);

export async function example(address, name) {
  const reply = await fetch(address);
  if (!reply.ok) throw new Error("this example no longer exists: reload the page");
  return new File([await reply.blob()], name);
}
